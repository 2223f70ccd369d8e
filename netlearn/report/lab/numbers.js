// One step, in numbers: the equations of backpropagation with the values of this moment, and the tangent on the sigmoid.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const tag = (name) => (...children) => put(document.createElementNS(MATHML, name), {}, children);
const [mi, mo, mn, mrow, msub, mfrac] = ["mi", "mo", "mn", "mrow", "msub", "mfrac"].map(tag);
const math = (...children) => put(document.createElementNS(MATHML, "math"), {}, children);
const open = () => put(document.createElementNS(MATHML, "mo"), { stretchy: "false" }, ["("]);
const close = () => put(document.createElementNS(MATHML, "mo"), { stretchy: "false" }, [")"]);
const MOST_WEIGHTS = 100; // to choose from

// Numbers to three digits, as they stand in the equations.
function digits(value) {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.001 || size >= 10000) ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return tenPower(text, " · ");
}
const number = (value) => (value < 0 ? mrow(open(), mn(digits(value)), close()) : mn(digits(value)));

function startNumbers(race) {
  const area = $("numbers-area");
  const neuron = html("select", { id: "numbers-output" }, ...Array.from({ length: DATA.outputs }, (_, j) => html("option", { value: j }, DATA.classes.length ? `${j}: ${outputName(j, DATA.outputs)}` : String(j))));
  const weight = html("select", { id: "numbers-weight" });
  const columns = BOTH.map((k) => html("section", { class: "panel", id: `numbers-${k}`, "aria-label": `Equations of network ${"AB"[k]}` }));
  const note = html("p", { class: "hint" });
  const curve = html("div", { class: "curve" });
  let chosen = false, weighed = false, example = null, label = null, tangents = [];
  neuron.addEventListener("change", () => { chosen = true; fill(); });
  weight.addEventListener("change", () => { weighed = true; fill(); });
  area.append(
    html("div", { class: "controls" }, html("label", {}, "Output neuron j ", neuron), html("label", {}, "Weight from k ", weight)),
    html("div", { class: "equations" }, ...columns), html("div", { class: "below" }, curve, html("div", {}, note)));
  const chart = new Chart(curve, "σ(z) of the chosen neuron, and its tangent", () => ({
    lines: [{ variant: "plain", name: "σ(z)", points: Array.from({ length: 97 }, (_, i) => [i / 4 - 12, 1 / (1 + Math.exp(12 - i / 4))]) }],
    places: [], x: linearScale([-12, 12], 6), y: linearScale([0, 1], 4), xLabel: "z", formatX: figure, formatY: figure, unlabelled: true, say: () => [],
    keys: tangents.filter(({ softmax }) => !softmax).map(({ k, prime }) => ({ variant: lineOf(k), label: `${nameOf(k)}: slope σ′ = ${digits(prime)}` })),
    extra: tangents.filter(({ softmax }) => !softmax).map(({ k, z, a, prime }) => (drawn) => {
      const at = Math.max(-12, Math.min(12, z)), half = 3 / Math.sqrt(1 + (prime * 12) ** 2);
      return svg("g", {}, svg("line", { class: `line tangent v${lineOf(k)}`, x1: drawn.x(at - half), y1: drawn.y(a - prime * half), x2: drawn.x(at + half), y2: drawn.y(a + prime * half) }),
        svg("circle", { class: `dot v${lineOf(k)}`, cx: drawn.x(at), cy: drawn.y(a), r: 6 }));
    }),
  }), { height: 250, still: "The sigmoid, and the chosen output neuron of both networks on it with its tangent" });

  // The neurons or inputs that weights can come from.
  function sources(example) {
    const { layers } = race.networks[0];
    if (layers.length > 1) return Array.from({ length: Math.min(MOST_WEIGHTS, layers.at(-1).inputs) }, (_, k) => [k, `hidden neuron ${k}`]);
    const order = Array.from({ length: example.starts[1] }, (_, p) => p).sort((p, q) => example.values[q] - example.values[p] || p - q).slice(0, MOST_WEIGHTS);
    return order.map((p) => [example.places[p], DATA.image ? `pixel ${Math.floor(example.places[p] / DATA.image[1])}, ${example.places[p] % DATA.image[1]}` : `input ${example.places[p]}`]);
  }

  function offer(example) {
    const found = sources(example), before = weight.value, keys = found.map(([k]) => String(k)).join();
    if (weight.dataset.keys !== keys) {
      weight.dataset.keys = keys;
      weight.replaceChildren(...found.map(([k, name]) => html("option", { value: k }, name)));
      if (found.some(([k]) => String(k) === before)) weight.value = before;
    }
  }

  const equation = (name, text, ...parts) => html("div", { class: "equation" }, html("b", {}, name), html("span", { class: "hint" }, text), html("p", {}, ...parts.map((part) => math(...part))));

  function column(k) {
    const network = race.networks[k], cost = settings.cost[k], eta = Number(settings.learning_rate[k]), last = network.layers.length - 1;
    const j = Number(neuron.value), from = Number(weight.value), work = network.forward(example, 0);
    network.backward(work);
    const { z, a, prime, delta } = work.last, { w, n } = network.layers[last], hidden = last > 0, below = hidden ? work.layers[last - 1] : null;
    const value = w[from * n + j], input = hidden ? below.a[from] : imageAt(example, 0)[from], gradient = input * delta[j];
    const [sj, sk, sjk] = [mi("j"), mi("k"), mrow(mi("j"), mi("k"))].map((each) => () => each.cloneNode(true));
    const error = mrow(mi("a")), y = work.y[j], slope = () => mrow(mi("σ′"), open(), msub(mi("z"), sj()), close());
    const difference = () => mrow(msub(error.cloneNode(true), sj()), mo("−"), msub(mi("y"), sj()));
    const partial = (of, index) => mfrac(mrow(mi("∂"), mi("C")), mrow(mi("∂"), msub(mi(of), index)));
    const dj = () => msub(mi("δ"), sj());
    tangents[k] = { k, z: z[j], a: a[j], prime: prime[j], softmax: Boolean(COSTS[cost].softmax) };
    const bp1 = cost === "quadratic"
      ? [[dj(), mo("="), open(), difference(), close(), slope()], [mo("="), open(), mn(digits(a[j])), mo("−"), mn(String(y)), close(), mo("×"), mn(digits(prime[j]))], [mo("="), mn(digits(delta[j]))]]
      : [[dj(), mo("="), difference()], [mo("="), mn(digits(a[j])), mo("−"), mn(String(y))], [mo("="), mn(digits(delta[j]))]];
    const back = hidden ? Array.from({ length: n }, (_, i) => w[from * n + i] * delta[i]).reduce((sum, each) => sum + each, 0) : 0;
    columns[k].className = `panel v${lineOf(k)}`;
    columns[k].replaceChildren(html("h3", {}, key(lineOf(k)), nameOf(k), html("span", { class: "hint" }, `, η = ${settings.learning_rate[k]}`)),
      equation("BP1", cost === "quadratic" ? "the error of the output neuron: σ′ is a factor" : "the error of the output neuron: σ′ has cancelled", ...bp1),
      hidden ? equation("BP2", `the error of hidden neuron ${from}, sent back through the weights`,
        [msub(mi("δ"), sk()), mo("="), open(), msub(mo("∑"), mi("i")), msub(mi("w"), mrow(mi("i"), mi("k"))), msub(mi("δ"), mi("i")), close(), mi("σ′"), open(), msub(mi("z"), sk()), close()],
        [mo("="), number(back), mo("×"), mn(digits(below.prime[from]))], [mo("="), mn(digits(below.delta[from]))]) : null,
      equation("BP3", "the gradient of the bias", [partial("b", sj()), mo("="), dj(), mo("="), mn(digits(delta[j]))]),
      equation("BP4", "the gradient of the weight", [partial("w", sjk()), mo("="), msub(mi(hidden ? "a" : "x"), sk()), dj()], [mo("="), mn(digits(input)), mo("×"), number(delta[j])], [mo("="), mn(digits(gradient))]),
      equation("Step", "the weight moves against its gradient", [msub(mi("w"), sjk()), mo("→"), msub(mi("w"), sjk()), mo("−"), mi("η"), partial("w", sjk())],
        [mo("="), mn(digits(value)), mo("−"), mn(digits(eta)), mo("×"), number(gradient)], [mo("="), mn(digits(value - eta * gradient))]));
  }

  function fill() {
    if (!race.now || !example) return;
    if (label === null) {
      for (const each of columns) each.replaceChildren(html("p", { class: "hint" }, "Say above which class your drawing is: without a desired output there is no error."));
      return;
    }
    offer(example); // the networks may have other sizes than when it was last offered
    BOTH.forEach(column);
    note.textContent = `This is the step that the one example above would take. An update takes the mean over its mini-batch of ${settings.batch_size}. `
      + `${race.networks[0].layers.length > 1 ? "" : "Without hidden neurons there is nothing to send back: BP2 is not needed. "}`
      + `${BOTH.some((k) => COSTS[settings.cost[k]].softmax) ? "A softmax output depends on the z of all outputs, so it has no curve of its own here." : ""}`;
    chart.render();
  }

  return {
    show(one, itsLabel) {
      [example, label] = [one, itsLabel];
      fill();
    },
    // The most wrong output of network A and a neuron before it, until somebody chooses others.
    suggest(j, work, example) {
      if (race.playing) return;
      if (!chosen) neuron.value = j;
      offer(example);
      const below = work.layers.at(-2)?.a;
      if (weighed || !below) return;
      const gaps = Array.from(below, (a) => Math.abs(a - 0.6)); // the neuron whose activation shows best what is multiplied
      weight.value = gaps.indexOf(Math.min(...gaps));
    },
  };
}
