// A digit from the canvas or the test set, and the outputs of every stored network.

// Of which variants which seeds were left out, those with the same ones together.
function seedsText(left) {
  const names = new Map(), every = new Set(DATA.networks.networks.map(({ variant }) => variant)).size;
  for (const [variant, seeds] of Object.entries(left)) {
    const text = `seed${seeds.length > 1 ? "s" : ""} ${seeds.join(", ")}`;
    names.set(text, [...(names.get(text) ?? []), VARIANTS[variant].name]);
  }
  return [...names].map(([text, found]) => `${text}${found.length < every ? ` of ${found.join(" and ")}` : ""}`).join("; ");
}

function startDigits() {
  const area = $("digits-area");
  if (!area) return;
  const { networks, missing, left, seedsLeft } = DATA.networks, tests = DATA.examples;
  const notes = [
    ...Object.entries(missing).map(([name, why]) => `${name} is not here: ${why}.`),
    ...(left ? [`The networks of the first ${VARIANTS.length - left} variants are stored.`] : []),
    ...(Object.keys(seedsLeft).length ? [`To keep this file small it leaves out ${seedsText(seedsLeft)}; they are in the run folders.`] : []),
  ].map((text) => html("p", { class: "note" }, text));
  const why = tests.reason ?? (networks.length ? null : "no run has a network that this page can compute");
  if (why) {
    area.append(html("p", { class: "note" }, `There is nothing to draw on: ${why}.`), ...(networks.length ? [] : notes));
    return;
  }
  const [rows, columns] = tests.image, size = rows * columns;
  const fitting = networks.filter((network) => network.sizes[0] === size);
  const images = tests.images.map((text) => imageOf(text, size));
  const seeds = [...new Set(fitting.map((network) => network.seed))];
  const updates = [...new Set(fitting.flatMap((network) => Object.keys(network.states)))].filter((state) => state !== "end").map(Number).sort((a, b) => a - b);
  const states = [...updates.map(String), "end"];
  const stateText = (state) => (state === "end" ? "end of training" : `update ${whole(Number(state))}`);
  let seed = seeds[0], state = "end", image = null, label = null;

  const pad = drawingPad([rows, columns], "Drawing area", (drawn) => {
    [image, label] = [drawn, null];
    pick.none();
    refresh();
  });
  const said = html("p", { class: "said" });
  const panels = html("div", { class: "answers" });

  const shownNetworks = () => fitting.filter((network) => network.seed === seed && isShown(network.variant) && network.states[state] !== undefined);

  const rights = new Map();
  function right(network) {
    const name = `${network.variant} ${network.seed} ${state}`;
    if (!rights.has(name)) rights.set(name, images.filter((each, i) => answerOf(outputsOf(network, state, each)) === tests.labels[i]).length);
    return rights.get(name);
  }

  function panel(network) {
    const outputs = image ? Array.from(outputsOf(network, state, image)) : null;
    const answer = outputs && answerOf(outputs), name = VARIANTS[network.variant].name;
    const silent = state === "end" ? tests.variants.find((each) => each.variant === network.variant && each.seed === network.seed)?.silent ?? [] : [];
    const bars = html("ol", { class: `bars${NAMED}`, start: "0" });
    (outputs ?? new Array(network.sizes.at(-1)).fill(0)).forEach((value, digit) => {
      const bar = html("span", { class: `bar v${network.variant}` });
      bar.style.width = `${100 * Math.min(1, Math.max(0, value))}%`;
      const never = silent.includes(digit);
      bars.append(html("li", { class: `${digit === answer ? "answer" : ""} ${never ? "silent" : ""}` },
        html("span", { class: "digit" }, outputName(digit, network.sizes.at(-1))), html("span", { class: "track" }, bar),
        html("span", { class: "value" }, never ? "never" : outputs ? value.toFixed(3).replace("-", "−") : "–")));
    });
    const verdict = answer === null ? "–" : classOf(answer);
    const mark = label === null || answer === null ? "" : answer === label ? " right" : " wrong";
    return html("section", { class: "panel", "aria-label": `Outputs of ${name}` },
      html("h3", {}, key(network.variant), name), html("p", { class: `verdict${mark}${NAMED}` }, html("b", {}, verdict), mark && html("span", {}, mark)), bars,
      html("p", { class: "hint" }, `${right(network)} of these ${images.length} test examples right`));
  }

  function refresh() {
    const networksNow = shownNetworks();
    panels.replaceChildren(...networksNow.map(panel));
    const there = new Set(networksNow.map(({ variant }) => variant));
    const gone = [...new Set(fitting.map(({ variant }) => variant))].filter((variant) => isShown(variant) && !there.has(variant));
    if (gone.length) panels.append(html("p", { class: "note" }, `Not on this page: seed ${seed}${state === "end" ? "" : ` at ${stateText(state)}`} of ${gone.map((variant) => VARIANTS[variant].name).join(" and ")}.`));
    else if (!there.size) panels.append(html("p", { class: "note" }, "No variant with a stored network is shown; switch one on above."));
    const what = image === null ? "Nothing is drawn." : label === null ? "Your drawing." : `Test example ${pick.input.value}, label ${classOf(label)}.`;
    const answers = image ? networksNow.map((network) => `${VARIANTS[network.variant].name} answers ${classOf(answerOf(outputsOf(network, state, image)))}`) : [];
    said.textContent = `${what} ${answers.length ? `${answers.join(", ")}, ${state === "end" ? "at the end of training" : `after ${stateText(state)}`}.` : ""}`;
    announce(said.textContent);
  }

  function choose(i) {
    [image, label] = [images[i], tests.labels[i]];
    pad.show(image);
    refresh();
  }

  function clear() {
    image = label = null;
    pad.clear();
    pick.none();
    refresh();
  }

  const pick = slider("Test example", images.length, (i) => `${i}, label ${classOf(tests.labels[i])}`, choose);
  const time = slider("Training", states.length, (k) => stateText(states[k]), (k) => { state = states[k]; refresh(); }, states.length - 1);
  const which = html("select", {}, ...seeds.map((each) => html("option", {}, String(each))));
  which.addEventListener("change", () => { seed = Number(which.value); refresh(); });
  area.append(
    html("div", { class: "draw" },
      html("div", { class: "board" }, pad.canvas,
        html("div", { class: "row" }, html("button", { type: "button", id: "digits-clear", onclick: clear }, "Clear"),
          html("span", { class: "hint" }, "what the networks see"), pad.seen)),
      html("div", {}, html("div", { class: "controls" }, pick, states.length > 1 ? time : null,
        seeds.length > 1 ? html("label", {}, "Seed ", which) : null), said, panels)),
    ...notes);
  whenVariantsChange(refresh);
  const disputed = images.findIndex((each) => new Set(shownNetworks().map((network) => answerOf(outputsOf(network, "end", each)))).size > 1);
  pick.go(Math.max(0, disputed));
  choose(Math.max(0, disputed));
}
