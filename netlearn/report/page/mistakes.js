// The worst mistakes of each variant as images, each with its outputs.

function startMistakes() {
  if (SINGLE) return;
  const area = $("mistakes-area"), tests = DATA.examples;
  const found = tests.variants.filter((each) => each.mistakes.length);
  if (!found.length) {
    if (tests.reason) area.append(html("p", { class: "note" }, `No mistakes are shown as images: ${tests.reason}.`));
    return;
  }
  const [rows, columns] = tests.image;
  const panels = found.map((each) => {
    const outputs = html("div", { class: "outputs" });
    const list = html("div", { class: "gallery" }, ...each.mistakes.map((mistake) => {
      const canvas = html("canvas", { width: columns, height: rows, "aria-hidden": "true" });
      paint(canvas, imageOf(mistake.image, rows * columns));
      const button = html("button", { type: "button", "aria-pressed": "false", "aria-label": `Test example ${mistake.index}: label ${classOf(mistake.label)}, answer ${classOf(mistake.answer)}` },
        canvas, html("span", {}, `${classOf(mistake.label)} → ${classOf(mistake.answer)}`));
      button.addEventListener("click", () => {
        for (const other of list.children) other.setAttribute("aria-pressed", String(other === button && other.getAttribute("aria-pressed") !== "true"));
        const open = button.getAttribute("aria-pressed") === "true";
        outputs.replaceChildren(...(open ? [describe(each, mistake)] : []));
        if (open) announce(`Outputs: ${mistake.outputs.map((value, digit) => `${outputName(digit, mistake.outputs.length)} ${value.toFixed(2)}`).join(", ")}`);
      });
      return button;
    }));
    const node = html("section", { class: "mistakes" }, html("h3", {}, key(each.variant), `${VARIANTS[each.variant].name}, seed ${each.seed}: ${whole(each.wrong)} of ${whole(each.total)} wrong`), list, outputs);
    return { each, node };
  });
  area.append(html("h3", {}, `The worst mistakes: label → answer`), html("p", { class: "hint" }, "Click one to see the outputs of the network."), ...panels.map((panel) => panel.node));
  const refresh = () => panels.forEach(({ each, node }) => { node.hidden = !isShown(each.variant); });
  whenVariantsChange(refresh);
  refresh();
}

function describe(each, mistake) {
  const rows = mistake.outputs.map((value, digit) => {
    const bar = html("span", { class: `bar v${each.variant}` });
    bar.style.width = `${100 * Math.min(1, Math.max(0, value))}%`;
    return html("li", { class: digit === mistake.answer ? "answer" : "" }, html("span", { class: "digit" }, outputName(digit, mistake.outputs.length)), html("span", { class: "track" }, bar), html("span", { class: "value" }, value.toFixed(3).replace("-", "−")));
  });
  return html("div", { class: "panel" }, html("p", {}, `Test example ${whole(mistake.index)}: label ${classOf(mistake.label)}, answer ${classOf(mistake.answer)}`), html("ol", { class: `bars${NAMED}`, start: "0" }, ...rows));
}
