// One neuron: both costs from the same start, on the same axes.

const EPOCHS = 300;
const PANELS = [
  { name: "Output a (0 is wanted)", of: "a", range: () => [0, 1] },
  { name: "Cost C", of: "cost", range: (high) => [0, high * 1.05] },
  { name: "Size of the gradient, |∂C/∂w| = |∂C/∂b|", of: "gradient", range: (high) => [0, Math.max(0.2, high * 1.05)] },
];
const range = (count) => Array.from({ length: count }, (_, i) => i);

function startNeuron() {
  const input = Object.fromEntries(["w", "b", "eta", "epoch"].map((name) => [name, $(`neuron-${name}`)]));
  const charts = [], dots = [], trails = [];
  let runs = [], playing = 0;

  const now = () => Number(input.epoch.value);

  function panel({ name, of, range: rangeOf }, i) {
    const chart = new Chart($("neuron-charts"), name, () => {
      const lines = NEURONS.map((neuron, k) => ({ variant: neuron.line, name: neuron.name, part: "faint",
        points: runs[k].map((state, epoch) => [epoch, state[of]]) }));
      const high = Math.max(...runs.flat().map((state) => state[of]));
      return {
        lines, places: range(EPOCHS + 1), x: linearScale([0, EPOCHS], 6), y: linearScale(rangeOf(high), 4),
        xLabel: "epochs", formatX: whole, formatY: figure,
        extra: [(drawn) => trail(drawn, i, lines)],
        say: (epoch) => NEURONS.map((neuron, k) => [neuron.line, neuron.name, figure(runs[k][epoch][of])]),
      };
    }, { height: 210, head: (epoch) => `epoch ${epoch}`, onCursor: (at, from) => {
      for (const other of charts.slice(0, PANELS.length)) if (other !== from) other.follow(at);
    } });
    charts.push(chart);
    chart.node.append(table(name, of));
  }

  const tables = [];
  function table(name, of) {
    const made = valueTable(name, () => [["epoch", ...NEURONS.map((neuron) => neuron.name)],
      ...range(EPOCHS / 10 + 1).map((k) => [String(10 * k), ...runs.map((run) => run[10 * k][of].toFixed(4))])]);
    tables.push(made);
    return made;
  }

  // The part of the lines that is done, and the point that moves along.
  function trail(chart, i, lines) {
    const places = lines.map((line) => line.points.map(([x, y]) => [chart.x(x), chart.y(y)]));
    const steps = places.map((line) => line.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`));
    const done = lines.map((line) => svg("path", { class: `line v${line.variant}` }));
    dots[i] = lines.map((line) => svg("circle", { class: `dot v${line.variant}`, r: 6 }));
    trails[i] = (epoch) => places.forEach((line, k) => {
      done[k].setAttribute("d", steps[k].slice(0, epoch + 1).join(""));
      dots[i][k].setAttribute("cx", line[epoch][0]);
      dots[i][k].setAttribute("cy", line[epoch][1]);
    });
    trails[i](now());
    return svg("g", {}, ...done, ...dots[i]);
  }

  function phase(i) {
    const chart = new Chart($("neuron-charts"), "The same gradient |δ| against the error e = |a − y|", () => ({
      lines: NEURONS.map((neuron) => ({ variant: neuron.line, name: `${neuron.name}: ${DELTA[neuron.name].text}`,
        points: range(101).map((k) => [k / 100, DELTA[neuron.name].at(k / 100)]) })),
      places: range(21).map((k) => k / 20), x: linearScale([0, 1]), y: linearScale([0, 1], 4), unlabelled: true,
      xLabel: "error e", formatX: figure, formatY: figure,
      extra: [(drawn) => {
        dots[i] = NEURONS.map((neuron) => svg("circle", { class: `dot v${neuron.line}`, r: 6 }));
        trails[i] = (epoch) => runs.forEach((run, k) => {
          dots[i][k].setAttribute("cx", drawn.x(run[epoch].a));
          dots[i][k].setAttribute("cy", drawn.y(run[epoch].gradient));
        });
        trails[i](now());
        return svg("g", {}, svg("text", { class: "legend vquadratic", x: drawn.x(0.98), y: drawn.y(0.21), "text-anchor": "end" }, "quadratic: e²(1 − e)"),
          svg("text", { class: "legend vcrossentropy", x: drawn.x(0.62), y: drawn.y(0.85), "text-anchor": "end" }, "cross-entropy: e"), ...dots[i]);
      }],
      say: (e) => NEURONS.map((neuron) => [neuron.line, neuron.name, figure(DELTA[neuron.name].at(e))]),
    }), { height: 210, head: (e) => `error ${figure(e)}` });
    charts.push(chart);
    chart.node.append(valueTable("Theory of the gradient", () => [["error e", ...NEURONS.map((neuron) => neuron.name)],
      ...range(21).map((k) => [figure(k / 20), ...NEURONS.map((neuron) => figure(DELTA[neuron.name].at(k / 20)))])]));
  }

  const cells = NEURONS.map((neuron) => {
    const found = range(5).map(() => html("td"));
    $("neuron-now").append(html("tr", {}, html("th", { scope: "row" }, key(neuron.line), neuron.name), ...found));
    return found;
  });

  function restart() {
    const [w, b, eta] = ["w", "b", "eta"].map((name) => Number(input[name].value));
    const rates = [eta, $("neuron-sixth").checked ? eta / 6 : eta];
    runs = NEURONS.map((neuron, k) => descend(neuron, w, b, rates[k], EPOCHS));
    for (const name of ["w", "b", "eta"]) input[name].nextElementSibling.textContent = figure(Number(input[name].value));
    const below = runs.map((run) => run.findIndex((state) => state.a < 0.5));
    const said = below.map((epoch, k) => (epoch < 0 ? `not within ${EPOCHS} epochs with the ${NEURONS[k].name} cost`
      : `after ${epoch} epochs with the ${NEURONS[k].name} cost`));
    $("neuron-said").textContent = runs[0][0].a < 0.5 ? `The neuron starts with the output ${runs[0][0].a.toFixed(4)}, on the right side already.`
      : `From a = ${runs[0][0].a.toFixed(4)}, the output falls below ½ ${said.join(" and ")}.`;
    for (const chart of charts) chart.render();
    for (const made of tables) made.refresh();
    show(now());
  }

  function show(epoch) {
    input.epoch.value = epoch;
    input.epoch.nextElementSibling.textContent = String(epoch);
    runs.forEach((run, k) => {
      const state = run[epoch];
      [state.a, state.cost, state.gradient, state.w, state.b].forEach((value, column) => {
        cells[k][column].textContent = value.toFixed(4).replace("-", "−");
      });
    });
    for (const move of trails) move(epoch);
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

  runs = NEURONS.map((neuron) => descend(neuron, 2, 2, 0.15, EPOCHS));
  PANELS.forEach(panel);
  phase(PANELS.length);
  for (const name of ["w", "b", "eta"]) input[name].addEventListener("input", () => { restart(); say(); });
  $("neuron-sixth").addEventListener("change", () => { restart(); say(); });
  for (const button of document.querySelectorAll("[data-start]")) button.addEventListener("click", () => {
    [input.w.value, input.b.value] = button.dataset.start.split(" ");
    stop();
    input.epoch.value = 0;
    restart();
    say();
  });
  input.epoch.addEventListener("input", () => { stop(); show(now()); say(); });
  $("neuron-play").addEventListener("click", play);
  $("neuron-step").addEventListener("click", () => { stop(); show(Math.min(EPOCHS, now() + 1)); say(); });
  $("neuron-reset").addEventListener("click", () => { stop(); show(0); say(); });
  restart();
}
