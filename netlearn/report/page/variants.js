// Which variants are shown, in all sections.

const VARIANTS = DATA.variants;
const SINGLE = !$("mistakes"); // neurons, which have no classes to recognize
const MOST_SHOWN = VARIANTS.length > 8 ? 3 : 8; // at first: of many variants the best, the median and the worst
const shown = new Set(VARIANTS.map((_, i) => i).filter((i) => i < MOST_SHOWN));
const watchers = [];

const isShown = (variant) => shown.has(variant);

function whenVariantsChange(watch) {
  watchers.push(watch);
}

function startVariants() {
  const field = $("variants");
  const boxes = VARIANTS.map(({ name }, i) => {
    const input = html("input", { type: "checkbox", checked: shown.has(i) });
    input.addEventListener("change", () => {
      if (input.checked) shown.add(i);
      else shown.delete(i);
      tell();
    });
    return html("label", { class: "check" }, input, key(i), ` ${name}`);
  });
  const list = html("div", { class: VARIANTS.length > 12 ? "many" : "few" }, ...boxes);
  if (VARIANTS.length > 12) put(list, { tabindex: "0", role: "group", "aria-label": "Variants" }, []);
  field.append(list);
  const state = html("p", { class: "hint" });
  const all = (name, chosen) => html("button", { type: "button", onclick: () => {
    shown.clear();
    boxes.forEach((box, i) => {
      box.firstChild.checked = chosen(i);
      if (chosen(i)) shown.add(i);
    });
    tell();
  } }, name);
  if (VARIANTS.length > MOST_SHOWN) {
    field.append(all("All", () => true), all("None", () => false), all(VARIANTS.length > 8 && !SINGLE ? "Best, median, worst" : `The first ${MOST_SHOWN}`, (i) => i < MOST_SHOWN), state);
  }
  const tell = () => {
    state.textContent = `${shown.size} of ${VARIANTS.length} variants are shown.`;
    announce(`${shown.size} of ${VARIANTS.length} variants are shown`);
    for (const watch of watchers) watch();
  };
  state.textContent = `${shown.size} of ${VARIANTS.length} variants are shown.`;
}
