// One neuron: both costs from the same start, on the same axes. Of their lines only what has happened is drawn.

const EPOCHS = 300;
const PANELS = [
  { name: "Output a (0 is wanted)", of: "a", range: () => [0, 1] },
  { name: "Cost C", of: "cost", range: (high) => [0, high * 1.05] },
  { name: "Gradient |∂C/∂w| = |∂C/∂b|", of: "gradient", range: (high) => [0, Math.max(0.2, high * 1.05)] },
];
const FIGURES = [["a", "output a"], ["cost", "cost C"], ["gradient", "∂C/∂w"], ["w", "weight w"], ["b", "bias b"]];
const EDGE = 8; // of z, on the sigmoid
const range = (count) => Array.from({ length: count }, (_, i) => i);
const four = (value) => value.toFixed(4).replace("-", "−");

function startNeuron() {
  const input = Object.fromEntries(["w", "b", "eta", "epoch"].map((name) => [name, $(`neuron-${name}`)]));
  const parent = $("neuron-charts"), charts = [], tables = [];
  let runs = [], rates = [], reached = 0, playing = 0;

  const now = () => Number(input.epoch.value);
  const states = (k) => runs[k].slice(0, reached + 1); // what has happened

  const dots = (places) => (chart) => svg("g", {}, ...NEURONS.map((neuron, k) => {
    const [x, y] = places(runs[k][now()]);
    return svg("circle", { class: `dot v${neuron.line}`, cx: chart.x(x), cy: chart.y(y), r: 6 });
  }));

  function add(name, draw, options, rows = null) {
    const chart = new Chart(parent, name, draw, { height: 178, ...options });
    charts.push(chart);
    if (!rows) return;
    const table = valueTable(name, rows);
    tables.push(table);
    chart.node.append(table);
  }

  function panel({ name, of, range: rangeOf }) {
    add(name, () => {
      const lines = NEURONS.flatMap((neuron, k) => [["faint", reached], ["", now()]].map(([part, end]) => ({
        variant: neuron.line, name: neuron.name, part, points: states(k).slice(0, end + 1).map((state, epoch) => [epoch, state[of]]) })));
      return {
        lines, places: range(reached + 1), x: linearScale([0, EPOCHS], 6), unlabelled: true, xLabel: "epochs", formatX: whole, formatY: figure,
        y: linearScale(rangeOf(Math.max(...NEURONS.flatMap((_, k) => states(k).map((state) => state[of])))), 4),
        extra: [dots((state) => [now(), state[of]])],
        say: (epoch) => NEURONS.map((neuron, k) => [neuron.line, neuron.name, figure(runs[k][epoch][of])]),
      };
    }, { head: (epoch) => `epoch ${epoch}`, onCursor: (at, from) => {
      for (const other of charts.slice(0, PANELS.length)) if (other !== from) other.follow(at);
    } }, () => [["epoch", ...NEURONS.map((neuron) => neuron.name)],
      ...range(Math.floor(reached / 10) + 1).map((i) => [String(10 * i), ...runs.map((run) => four(run[10 * i][of]))])]);
  }

  function sigmoidPanel() {
    add("σ(z), and its tangent at this z", () => ({
      lines: [{ variant: "plain", name: "σ(z)", points: range(65).map((i) => [i / 4 - EDGE, sigmoid(i / 4 - EDGE)]) }],
      places: [], x: linearScale([-EDGE, EDGE], 4), y: linearScale([0, 1], 4), unlabelled: true, xLabel: "z = w + b", formatX: figure, formatY: figure, say: () => [],
      extra: [...NEURONS.map((neuron, k) => (chart) => {
        const { z, a, prime } = runs[k][now()], at = Math.max(-EDGE, Math.min(EDGE, z)), half = 2.4 / Math.sqrt(1 + (prime * 8) ** 2);
        return svg("line", { class: `line tangent v${neuron.line}`, x1: chart.x(at - half), x2: chart.x(at + half), y1: chart.y(a - prime * half), y2: chart.y(a + prime * half) });
      }), dots((state) => [Math.max(-EDGE, Math.min(EDGE, state.z)), state.a])],
    }), { still: "The sigmoid, and both neurons on it with their tangents" }, () => [["z", "σ(z)", "slope σ′(z)"],
      ...NEURONS.map(({ name }, k) => [`${name}: ${four(runs[k][now()].z)}`, ...["a", "prime"].map((of) => four(runs[k][now()][of]))]),
      ...range(2 * EDGE + 1).map((i) => [figure(i - EDGE), four(sigmoid(i - EDGE)), four(slope(i - EDGE))])]);
  }

  function phase() {
    add("|δ| against the error e = |a − y|", () => ({
      lines: NEURONS.map((neuron) => ({ variant: neuron.line, name: `${neuron.name}: ${DELTA[neuron.name].text}`,
        points: range(101).map((i) => [i / 100, DELTA[neuron.name].at(i / 100)]) })),
      places: range(21).map((i) => i / 20), x: linearScale([0, 1]), y: linearScale([0, 1], 4), unlabelled: true,
      xLabel: "error e", formatX: figure, formatY: figure,
      extra: [(chart) => svg("g", {}, svg("text", { class: "legend", x: chart.x(0.98), y: chart.y(0.21), "text-anchor": "end" }, "e²(1 − e)"),
        svg("text", { class: "legend", x: chart.x(0.62), y: chart.y(0.78), "text-anchor": "end" }, "e")), dots((state) => [state.a, state.gradient])],
      say: (e) => NEURONS.map((neuron) => [neuron.line, neuron.name, figure(DELTA[neuron.name].at(e))]),
    }), { head: (e) => `error ${figure(e)}` }, () => [["error e", ...NEURONS.map((neuron) => neuron.name)],
      ...range(21).map((i) => [figure(i / 20), ...NEURONS.map((neuron) => figure(DELTA[neuron.name].at(i / 20)))])]);
  }

  // The arithmetic of the step that led to this epoch.
  const arithmetic = html("figure", { class: "arithmetic" });
  function explain() {
    const epoch = now();
    const step = (neuron, k) => {
      const { a, prime, gradient, w } = runs[k][epoch - 1], product = neuron.name === "quadratic" ? `a σ′(z) = ${four(a)} × ${four(prime)}` : "a";
      return html("p", {}, key(neuron.line), html("span", {}, `∂C/∂w = ${product} = ${four(gradient)}`), html("br"),
        html("span", {}, `w: ${four(w)} − ${figure(rates[k])} × ${four(gradient)} = ${four(runs[k][epoch].w)}`));
    };
    arithmetic.replaceChildren(html("figcaption", {}, epoch ? `Step ${epoch}, in numbers` : "A step, in numbers"),
      ...(epoch ? NEURONS.map(step) : [html("p", { class: "hint" }, "Press Step: the gradient and the new weight are worked out here.")]));
  }

  const cells = FIGURES.map(([, name]) => {
    const found = NEURONS.map(() => html("td"));
    $("neuron-now").append(html("tr", {}, html("th", { scope: "row" }, name), ...found));
    return found;
  });

  function restart() {
    const [w, b, eta] = ["w", "b", "eta"].map((name) => Number(input[name].value));
    rates = [eta, $("neuron-sixth").checked ? eta / 6 : eta];
    runs = NEURONS.map((neuron, k) => descend(neuron, w, b, rates[k], EPOCHS));
    reached = now();
    for (const name of ["w", "b", "eta"]) input[name].nextElementSibling.textContent = figure(Number(input[name].value));
    for (const button of document.querySelectorAll("[data-start]")) button.setAttribute("aria-pressed", String(button.dataset.start === `${w} ${b}`));
    show(now());
  }

  function verdict() {
    const [start] = runs[0];
    if (start.a < 0.5) return `The neuron starts with the output ${start.a.toFixed(4)}, on the right side already.`;
    const below = NEURONS.map((_, k) => states(k).findIndex((state) => state.a < 0.5));
    const said = below.map((epoch, k) => `with the ${NEURONS[k].name} cost ${epoch < 0 ? "not yet" : `after ${epoch} epochs`}`);
    return reached ? `Output below ½: ${said.join(", ")}.` : "Which neuron will have an output below ½ first? Guess, then press Play.";
  }

  function show(epoch) {
    input.epoch.value = epoch;
    input.epoch.nextElementSibling.textContent = String(epoch);
    reached = Math.max(reached, epoch);
    cells.forEach((row, i) => row.forEach((cell, k) => { cell.textContent = four(runs[k][epoch][FIGURES[i][0]]); }));
    for (const chart of charts) chart.render();
    for (const table of tables) table.refresh();
    explain();
    $("neuron-said").textContent = verdict();
  }

  function say() {
    const outputs = runs.map((run, k) => `${NEURONS[k].name} ${run[now()].a.toFixed(4)}`);
    announce(`Epoch ${now()}, output: ${outputs.join(", ")}`);
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    $("neuron-play").textContent = "Play";
  }

  function play() {
    if (playing) {
      stop();
      return say();
    }
    if (now() === EPOCHS) show(0);
    $("neuron-play").textContent = "Pause";
    let before = performance.now(), exact = now();
    const frame = (time) => {
      exact = Math.min(EPOCHS, exact + (Math.max(0, time - before) / 1000) * Number($("neuron-speed").value));
      before = time;
      if (Math.floor(exact) !== now()) show(Math.floor(exact));
      if (exact < EPOCHS) playing = requestAnimationFrame(frame);
      else { stop(); say(); }
    };
    playing = requestAnimationFrame(frame);
  }

  function begin() {
    stop();
    input.epoch.value = 0;
    restart();
    say();
  }

  // On paper nobody plays: the result comes first, then both neurons as they are after all epochs.
  const section = $("neuron"), result = $("result"), isFirst = section.nextElementSibling === result;
  let before = null;
  addEventListener("beforeprint", () => {
    if (isFirst) result.after(section);
    stop();
    before = [now(), reached];
    show(EPOCHS);
  });
  addEventListener("afterprint", () => {
    if (isFirst) result.before(section);
    reached = before[1];
    show(before[0]);
  });

  runs = NEURONS.map((neuron) => descend(neuron, 2, 2, 0.15, EPOCHS));
  PANELS.forEach(panel);
  phase();
  sigmoidPanel();
  parent.append(arithmetic);
  for (const name of ["w", "b", "eta"]) input[name].addEventListener("input", () => { restart(); say(); });
  $("neuron-sixth").addEventListener("change", () => { restart(); say(); });
  for (const button of document.querySelectorAll("[data-start]")) button.addEventListener("click", () => {
    [input.w.value, input.b.value] = button.dataset.start.split(" ");
    begin();
  });
  input.epoch.addEventListener("input", () => { stop(); show(now()); say(); });
  $("neuron-play").addEventListener("click", play);
  $("neuron-step").addEventListener("click", () => { stop(); show(Math.min(EPOCHS, now() + 1)); say(); });
  $("neuron-reset").addEventListener("click", begin);
  restart();
}
