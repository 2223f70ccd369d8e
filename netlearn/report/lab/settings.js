// The settings of both networks: the form, the address that stands for them, and what is wrong with an address.

const FIELDS = ["hidden", "activation", "initializer", "batch_size", "seed"]; // of both networks
const NAMES = { scaled: "scaled, N(0, 1/n)", large: "large, N(0, 1)", constants: "constants" };
const CHOICES = {
  hidden: [...new Set(["none", "10", "30", "100", DATA.settings.hidden])],
  activation: Object.keys(HIDDEN),
  initializer: ["scaled", "large", "constants"],
  batch_size: [...new Set(["1", "10", "100", DATA.settings.batch_size])].sort((a, b) => a - b),
};
const COST_NAMES = Object.keys(COSTS).filter((cost) => !COSTS[cost].softmax || DATA.outputs > 1);

// As texts: {cost: [a, b], learning_rate: [a, b], hidden, activation, initializer, batch_size, seed}.
let settings = structuredClone(DATA.settings);

const slug = (cost) => cost.replaceAll("-", "");
const sameCosts = () => settings.cost[0] === settings.cost[1];
const lineOf = (k) => (k === 1 && sameCosts() ? "second" : slug(settings.cost[k]));
const nameOf = (k) => (sameCosts() ? `${settings.cost[k]}, η = ${settings.learning_rate[k]}` : settings.cost[k]);
function differenceText() {
  const rates = settings.learning_rate[0] === settings.learning_rate[1] ? [] : ["η, the step size"];
  const found = [...(sameCosts() ? [] : ["how they count errors"]), ...rates];
  return found.length ? `They differ in ${found.join(", and in ")}.` : "Nothing differs: they learn the same.";
}

const finite = (text, low, high) => text.trim() !== "" && Number(text) >= low && Number(text) <= high;
const RULES = {
  cost: (text) => COST_NAMES.includes(text),
  learning_rate: (text) => Number(text) > 0 && Number(text) <= 1e6,
  hidden: (text) => CHOICES.hidden.includes(text),
  activation: (text) => CHOICES.activation.includes(text),
  initializer: (text) => ["scaled", "large"].includes(text) || (text.split(",").length === 2 && text.split(",").every((part) => finite(part, -100, 100))),
  batch_size: (text) => CHOICES.batch_size.includes(text),
  seed: (text) => /^\d{1,6}$/.test(text),
};

const oneOf = (values) => `must be ${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
const ALLOWED = { // what the rules say, in words
  cost: oneOf(COST_NAMES),
  learning_rate: "must be above 0, at most 1,000,000",
  ...Object.fromEntries(["hidden", "activation", "batch_size"].map((name) => [name, oneOf(CHOICES[name])])),
  initializer: "must be scaled, large or two numbers from −100 to 100",
  seed: "must be a whole number from 0 to 999,999",
};

function addressOf({ cost, learning_rate: rates, ...shared }) {
  const parts = { cost: cost.join(","), learning_rate: rates.join(","), ...shared };
  return `#${Object.entries(parts).map(([name, text]) => `${name}=${text}`).join("&")}`;
}

const givenAddress = () => (location.hash.includes("=") ? location.hash : location.search); // ?seed=1 is read as #seed=1

// The settings of an address, those of the file where it has none, and what cannot be used in it.
function readAddress(address) {
  const found = structuredClone(DATA.settings), wrong = [];
  for (const part of address.replace(/^[#?]/, "").split("&").filter((each) => each.includes("="))) {
    const [name, text] = part.split("=").map((each) => { try { return decodeURIComponent(each); } catch { return each; } });
    const pair = name === "cost" || name === "learning_rate", values = pair ? text.split(",") : [text];
    const problem = !Object.hasOwn(RULES, name) ? "is no setting of this page" : pair && values.length !== 2 ? "needs two values"
      : values.every(RULES[name]) ? "" : ALLOWED[name];
    if (problem) wrong.push(`${name}=${text} (${name} ${problem})`);
    else found[name] = pair ? values : text;
  }
  if (/(^[#?]|&)cost=/.test(address) && !/(^[#?]|&)learning_rate=/.test(address)) {
    found.learning_rate = found.cost.map((cost) => String(COSTS[cost].learningRate));
  }
  return { found, wrong };
}

function trainingSettings(k) {
  const hidden = settings.hidden === "none" ? [] : settings.hidden.split("+").map(Number);
  const { initializer } = settings;
  return {
    sizes: [DATA.inputs, ...hidden, DATA.outputs], cost: settings.cost[k], activation: settings.activation,
    initializer: initializer.includes(",") ? initializer.split(",").map(Number) : initializer,
    learningRate: Number(settings.learning_rate[k]), batchSize: Number(settings.batch_size), seed: Number(settings.seed),
  };
}

const sizesText = () => trainingSettings(0).sizes.join("-");
const settingsText = () => `${[0, 1].map((k) => `${settings.cost[k]}, η = ${settings.learning_rate[k]}`).join(" and ")}; ${sizesText()}, ${settings.activation}, `
  + `${settings.initializer.includes(",") ? `constant weights and biases ${settings.initializer}` : `${settings.initializer} initial weights`}, mini-batch ${settings.batch_size}, seed ${settings.seed}`;

// Starts the form; `onChange` is called with settings that differ. Returns a function that applies an address.
function startSettings(onChange) {
  const form = $("settings"), field = (name) => form.elements[name], note = $("setting-note");
  const option = (value, text = value) => html("option", { value }, text);
  for (const [name, values] of Object.entries(CHOICES)) field(name).append(...values.map((value) => option(value, NAMES[value])));
  const costs = [0, 1].map((k) => html("select", { "aria-label": `Cost of network ${"AB"[k]}`, id: `cost-${k}` }, ...COST_NAMES.map((name) => option(name))));
  const rates = [0, 1].map((k) => html("input", { type: "number", step: "any", min: "0", max: "1000000", id: `rate-${k}`, inputmode: "decimal" }));
  const cards = [0, 1].map((k) => html("section", { class: "network", "aria-label": `Network ${"AB"[k]}` },
    html("p", { class: "choice" }, html("i", { class: "key" }), costs[k], html("label", {}, "η ", rates[k])),
    html("div", { class: "now", id: `now-${k}` })));
  $("networks").append(...cards);

  function show() {
    [0, 1].forEach((k) => {
      costs[k].value = settings.cost[k];
      rates[k].value = settings.learning_rate[k];
      cards[k].className = `network v${lineOf(k)}`;
    });
    $("difference").textContent = differenceText();
    const constants = settings.initializer.includes(",");
    for (const name of FIELDS) field(name).value = name === "initializer" && constants ? "constants" : settings[name];
    const [w, b] = constants ? settings.initializer.split(",") : ["0", "0"];
    [field("w").value, field("b").value] = [w, b];
    for (const label of form.querySelectorAll(".constant")) label.hidden = !constants;
  }

  // Says what is wrong, beside the field where it is.
  function tell(text, place) {
    place.after(note);
    note.textContent = text;
  }

  function apply(found, wrong = []) {
    settings = found;
    try { history.replaceState(null, "", addressOf(settings)); } catch { /* a page in a frame may have no address */ }
    tell(wrong.length ? `Not used: ${wrong.join(", ")}.` : "", $("difference").parentNode);
    show();
    onChange();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    const next = structuredClone(settings), { target } = event;
    [0, 1].forEach((k) => {
      if (target === costs[k]) {
        next.cost[k] = target.value;
        next.learning_rate[k] = String(COSTS[target.value].learningRate);
      }
      if (target === rates[k]) next.learning_rate[k] = target.value.trim();
    });
    for (const name of FIELDS) if (target === field(name)) next[name] = target.value;
    if (next.initializer === "constants" || target === field("w") || target === field("b")) next.initializer = `${field("w").value},${field("b").value}`;
    const wrong = Object.keys(next).find((name) => ![next[name]].flat().every(RULES[name]));
    if (wrong) {
      show();
      const [name, allowed] = wrong === "initializer" ? [target.name, "must be a number from −100 to 100"] : [target.name || "η", ALLOWED[wrong]];
      tell(`${name} ${allowed}; ${target.value} stays.`, target.closest(".choice") ?? target.closest("label"));
    } else apply(next);
  });
  addEventListener("hashchange", () => {
    if (location.hash.includes("=")) {
      const { found, wrong } = readAddress(location.hash);
      apply(found, wrong);
    }
  });
  return () => {
    const { found, wrong } = readAddress(givenAddress());
    apply(found, wrong);
  };
}
