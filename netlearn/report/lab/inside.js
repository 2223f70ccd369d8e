// Look inside: one example in both networks at this moment, factor by factor, and what the hidden neurons have learned.

const SHOWN_POINTS = 20; // held-out examples whose outputs are drawn beside those of the chosen one
const THREE = (value) => (value === 0 ? "0" : Math.abs(value) < 0.0005 ? tenPower(value.toExponential(0)) : value.toFixed(3).replace("-", "−"));

function startInside(race, data) {
  const area = $("inside-area"), { image: shape } = DATA;
  let row = 0, example = null, label = null;

  // A bar below a number: from the left, or from the middle for numbers of both signs.
  function cell(value, most, signed, name = "") {
    const bar = html("i", { class: `meter ${signed ? "signed" : ""}` });
    const size = Math.min(1, Math.abs(value) / most) * (signed ? 50 : 100);
    bar.style.width = `${size}%`;
    bar.style.marginLeft = signed ? `${value < 0 ? 50 - size : 50}%` : "0";
    return html("td", { class: name }, html("span", {}, THREE(value)), bar);
  }

  const tables = BOTH.map((k) => {
    const found = { head: html("h3", {}), body: html("tbody"), factor: html("th", { scope: "col" }), text: html("p", { class: "worst" }) };
    const heads = ["output", "y", "a", "a − y", found.factor, "= δ"].map((head) => (typeof head === "string" ? html("th", { scope: "col" }, head) : head));
    found.node = html("section", { class: "panel", id: `inside-${k}`, "aria-label": `Outputs of network ${"AB"[k]}` }, found.head, html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Outputs of network ${"AB"[k]}, table` },
      html("table", { class: "factors" }, html("thead", {}, html("tr", {}, ...heads)), found.body)), found.text);
    return found;
  });

  function fill(k) {
    const { head, body, factor, text } = tables[k], cost = COSTS[settings.cost[k]], network = race.networks[k];
    const work = network.forward(example, 0), { a, prime, z, delta } = work.last, { y } = work;
    if (label !== null) cost.delta(z, a, prime, y, delta);
    const cancels = settings.cost[k] !== "quadratic";
    tables[k].node.className = `panel v${lineOf(k)}`;
    head.replaceChildren(key(lineOf(k)), `${nameOf(k)} `, html("small", {}, `answers ${classOf(answerOf(a))}${label === null ? "" : answerOf(a) === label ? ", right" : ", wrong"}`));
    factor.replaceChildren(...(cancels ? [html("s", {}, "× σ′(z)"), " cancels"] : ["× σ′(z)"]));
    let worst = 0;
    const errors = Array.from(a, (value, j) => Math.abs(value - y[j]));
    errors.forEach((error, j) => { if (error > errors[worst]) worst = j; });
    body.replaceChildren(...Array.from(a, (value, j) => html("tr", { class: label !== null && errors[j] > 0.9 ? "badly" : "" },
      html("th", { scope: "row" }, outputName(j, a.length)), html("td", {}, label === null ? "?" : String(y[j])), cell(value, 1),
      ...(label === null ? [html("td", {}, "–"), cell(prime[j], 0.25, false, cancels ? "cancelled" : ""), html("td", {}, "–")]
        : [cell(value - y[j], 1, true), cell(prime[j], 0.25, false, cancels ? "cancelled" : ""), cell(delta[j], 1, true)]))));
    if (label === null) text.textContent = "Say which class your drawing is, and the errors appear.";
    else {
      const error = THREE(a[worst] - y[worst]), slope = THREE(prime[worst]);
      text.textContent = `Most wrong: output ${outputName(worst, a.length)} is ${THREE(a[worst])} and should be ${y[worst]}. ${cancels ? `δ is the whole error, ${error}.`
        : `Error ${error} × slope ${slope} = ${THREE(delta[worst])}${errors[worst] > 0.5 && prime[worst] < 0.1 ? ": the flat sigmoid holds it back." : "."}`}`;
    }
    return [worst, work, example];
  }

  // |δ| against the error: the theory's lines, outputs for some held-out examples, and those for the chosen one.
  const outputs = (k, examples, count) => {
    const network = race.networks[k], found = [];
    for (let i = 0; i < count; i += 1) {
      const work = network.forward(examples, i), { z, a, prime, delta } = work.last;
      network.cost.delta(z, a, prime, work.y, delta);
      a.forEach((value, j) => found.push([Math.abs(value - work.y[j]), Math.abs(delta[j])]));
    }
    return found;
  };
  const chartArea = html("div", { class: "curve" });
  let scatter = null;
  const drawScatter = () => ({
    lines: BOTH.map((k) => ({ variant: lineOf(k), name: nameOf(k), points: Array.from({ length: 51 }, (_, i) => [i / 50, COSTS[settings.cost[k]].ofError(i / 50)]) })),
    places: Array.from({ length: 21 }, (_, i) => i / 20), x: linearScale([0, 1]), y: linearScale([0, 1], 4), xLabel: "error |a − y|", formatX: figure, formatY: figure,
    say: (e) => BOTH.map((k) => [lineOf(k), nameOf(k), `|δ| = ${figure(COSTS[settings.cost[k]].ofError(e))}`]),
    extra: !race.now ? [] : BOTH.flatMap((k) => [
      ...outputs(k, data.heldOut, Math.min(SHOWN_POINTS, DATA.heldOut)).map((point) => [point, "point", 2]),
      ...(label === null ? [] : outputs(k, example, 1)).map((point) => [point, "dot", 5])].map(([[e, d], name, r]) => (chart) =>
      svg("circle", { class: `${name} v${lineOf(k)}`, cx: chart.x(e).toFixed(1), cy: chart.y(d).toFixed(1), r }))),
  });

  // The weights into each neuron of the first layer, as images: blue below 0, red above.
  const pictures = BOTH.map((k) => ({ canvas: html("canvas", { role: "img", class: "weights", "aria-label": `Weights of network ${"AB"[k]}` }), caption: html("figcaption") }));
  const learned = html("input", { type: "checkbox", checked: true });
  learned.addEventListener("change", () => refresh());
  function drawWeights(k) {
    const { canvas, caption } = pictures[k], [layer] = race.networks[k].layers, [rows, columns] = shape, across = Math.min(10, layer.n), down = Math.ceil(layer.n / across);
    const [width, height] = [across * (columns + 1) - 1, down * (rows + 1) - 1];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const before = learned.checked ? race.first?.[k] : null, w = layer.w.slice();
    let most = 0;
    for (let i = 0; i < w.length; i += 1) {
      if (before) w[i] -= before[i];
      most = Math.max(most, Math.abs(w[i]));
    }
    const context = canvas.getContext("2d"), image = context.createImageData(width, height), { data: colours } = image;
    for (let j = 0; j < layer.n; j += 1) {
      const left = (j % across) * (columns + 1), top = Math.floor(j / across) * (rows + 1);
      for (let p = 0; p < rows * columns; p += 1) {
        const share = Math.max(-1, Math.min(1, (1.6 * w[p * layer.n + j]) / (most || 1))), pale = 1 - Math.abs(share) ** 0.8;
        const at = 4 * ((top + Math.floor(p / columns)) * width + left + (p % columns));
        colours[at] = share < 0 ? 240 * pale + 5 : 55 * pale + 190;
        colours[at + 1] = 240 * pale + 10;
        colours[at + 2] = share < 0 ? 60 * pale + 185 : 240 * pale + 5;
        colours[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    const what = `${layer.n} ${race.networks[k].layers.length > 1 ? "hidden" : "output"} neurons`;
    const [of, none] = learned.checked ? ["change", "nothing is learned yet"] : ["weight", "all weights are 0"];
    const strongest = most ? `the strongest ${of} is ${figure(Number(most.toPrecision(2)))}` : none;
    caption.replaceChildren(key(lineOf(k)), `${nameOf(k)}: ${what}; ${strongest}`);
    canvas.setAttribute("aria-label", `Weights of the ${what}, ${nameOf(k)}`);
  }

  const numbers = startNumbers(race);
  // While the networks learn, five times a second, only what is seen; each part in a frame of its own.
  const visible = { inside: false, numbers: false }, parts = [
    ["inside", () => { const [found] = BOTH.map(fill); numbers.suggest(...found); }],
    ["inside", () => scatter.render()],
    ...(shape ? BOTH.map((k) => ["inside", () => drawWeights(k)]) : []),
    ["numbers", () => numbers.show(example, label)],
  ];
  let next = 0, asked = 0, due = [];
  function show() {
    asked = 0;
    if (!race.now) return;
    if (!due.length) due = parts.filter(([name]) => visible[name] || !race.playing).map(([, draw]) => draw);
    due.shift()?.();
    if (due.length) asked = requestAnimationFrame(show);
    else next = performance.now() + 180;
  }
  function refresh() {
    if (!race.playing) due = []; // all of it again
    asked ||= setTimeout(() => requestAnimationFrame(show), race.playing ? Math.max(0, next - performance.now()) : 0);
  }
  new IntersectionObserver((entries) => {
    for (const entry of entries) visible[entry.target.id] = entry.isIntersecting;
    refresh();
  }).observe($("inside"));
  new IntersectionObserver((entries) => { visible.numbers = entries.at(-1).isIntersecting; refresh(); }).observe($("numbers"));

  function choose(i) {
    row = (i + DATA.heldOut) % DATA.heldOut;
    const image = imageAt(data.heldOut, row);
    label = data.heldOut.labels[row];
    example = single(image, label);
    pad?.show(image);
    pick.go(row);
    which.hidden = true;
    refresh();
  }

  // The held-out example with the largest error of network A's outputs.
  function worstExample() {
    let [place, most] = [0, -1];
    for (let i = 0; i < DATA.heldOut; i += 1) {
      const work = race.networks[0].forward(data.heldOut, i);
      const error = work.last.a.reduce((sum, value, j) => sum + (value - work.y[j]) ** 2, 0);
      if (error > most) [place, most] = [i, error];
    }
    choose(place);
    announce(`Example ${place}, label ${classOf(label)}`);
  }

  const drawn = (image) => {
    label = null;
    example = single(image ?? new Float32Array(DATA.inputs), null);
    which.hidden = false;
    pick.none();
    answer.value = "?";
    refresh();
  };
  const pad = shape ? drawingPad(shape, "The example; draw here to replace it", drawn) : null;
  const answer = html("select", {}, html("option", { value: "?" }, "?"), ...Array.from({ length: Math.max(2, DATA.outputs) }, (_, j) => html("option", { value: j }, classOf(j))));
  answer.addEventListener("change", () => {
    label = answer.value === "?" ? null : Number(answer.value);
    example = single(imageAt(example, 0), label);
    refresh();
  });
  const which = html("label", { class: "which", hidden: true }, "Your drawing is a ", answer);
  const pick = slider("Example", DATA.heldOut, (i) => `${i}, label ${classOf(data.heldOut.labels[i])}`, choose);
  const button = (name, onclick) => html("button", { type: "button", onclick }, name);
  area.append(
    html("div", { class: "look" },
      html("div", { class: "board" }, pad?.canvas ?? html("p", { class: "note" }, "These examples are not images: there is nothing to draw, and no weights to look at."),
        html("div", { class: "controls" }, pick),
        html("div", { class: "row" }, button("Previous", () => choose(row - 1)), button("Next", () => choose(row + 1)), button("Most wrong", worstExample),
          pad ? button("Clear to draw", () => { pad.clear(); drawn(null); }) : null), which),
      ...tables.map((table) => table.node)),
    html("div", { class: "below" }, chartArea,
      shape ? html("div", { class: "pictures" }, html("h3", {}, "The weights into each neuron"), html("p", { class: "hint" }, "Red: above 0, blue: below 0, white: 0."), html("label", { class: "check" }, learned, " only what was learned since update 0"),
        ...pictures.map(({ canvas, caption }) => html("figure", {}, caption, canvas))) : null));
  scatter = new Chart(chartArea, "The gradient |δ| against the error", drawScatter, { height: 330, head: (e) => `error ${figure(e)}` });
  chartArea.append(html("p", { class: "hint" }, `Lines: the theory. Rings: the outputs for the example above. Faint: those for the first ${SHOWN_POINTS} held-out examples.`));
  choose(0);
  return { refresh };
}
