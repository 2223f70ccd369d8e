// Elements, texts and announcements, for all sections.

const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
// The name of a class, or its number, and that of an output neuron: a single one is for class 1.
const classOf = (label) => DATA.classes[label] ?? String(label);
const outputName = (j, outputs) => classOf(outputs === 1 && DATA.classes.length ? 1 : j);
const NAMED = DATA.classes.length ? " named" : "";

const SVG = "http://www.w3.org/2000/svg";

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const html = (name, attributes = {}, ...children) => put(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => put(document.createElementNS(SVG, name), attributes, children);

let unique = 0;
const freshId = (name) => `${name}-${(unique += 1)}`;

// Tells screen readers, once the user pauses.
let pending = 0;
function announce(text) {
  clearTimeout(pending);
  pending = setTimeout(() => { $("live").textContent = text; }, 300);
}

// The bytes of a text in base64; a loop takes a tenth of the time of Uint8Array.from.
function bytesOf(text) {
  const characters = atob(text), bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

const whole = (value) => Math.round(value).toLocaleString("en-US");
const percent = (value) => `${(100 * value).toFixed(2)} %`;

// "2e-4" as 2·10⁻⁴.
const tenPower = (text, times = "·") => text.replace(/e([+-]?)(\d+)/, (_, sign, power) => `${times}10${sign === "-" ? "⁻" : ""}${[...power].map((each) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[each]).join("")}`).replaceAll("-", "−");

// Four digits; of what is very large or small three, and powers of ten as in the pictures: 10⁻⁵.
function figure(value) {
  const size = Math.abs(value);
  if (size === 0 || (size < 1e5 && size >= 1e-4)) return String(Number(value.toPrecision(4))).replace("-", "−");
  return tenPower(Number(value.toPrecision(3)).toExponential()).replace(/^(−?)1·/, "$1");
}

const key = (variant) => html("i", { class: `key v${variant}` });

// What scrolls says so where it is wider than its place.
const scrolling = new ResizeObserver((entries) => requestAnimationFrame(() => {
  for (const { target } of entries) {
    target.classList.toggle("wide", target.scrollWidth > target.clientWidth + 1);
    target.classList.toggle("long", target.scrollHeight > target.clientHeight + 1);
  }
}));
for (const each of document.querySelectorAll(".scroll")) scrolling.observe(each);

// A table of values, folded below a chart and filled when it is opened.
function valueTable(name, fill) {
  const region = html("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `${name}: values` });
  scrolling.observe(region);
  const details = html("details", { class: "values" }, html("summary", {}, "Values"), region);
  details.addEventListener("toggle", () => { if (details.open) details.refresh(); });
  details.refresh = () => {
    if (!details.open) return;
    const [head, ...rows] = fill();
    region.replaceChildren(html("table", { class: "figures" },
      html("thead", {}, html("tr", {}, ...head.map((cell) => html("th", { scope: "col" }, cell)))),
      html("tbody", {}, ...rows.map(([first, ...cells]) => html("tr", {},
        html("th", { scope: "row" }, first), ...cells.map((cell) => html("td", {}, cell)))))));
  };
  return details;
}

// A slider with its name and its value in words.
function slider(name, steps, say, onInput, start = 0) {
  const id = freshId("slider");
  const output = html("output", { for: id });
  const input = html("input", { type: "range", id, min: 0, max: steps - 1, step: 1, value: start });
  const update = () => {
    output.textContent = say(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { update(); onInput(Number(input.value)); });
  update();
  const label = html("label", { class: "wide" }, `${name} `, input, output);
  label.go = (value) => { input.value = value; update(); };
  label.none = () => { // none of its values
    output.textContent = "–";
    input.setAttribute("aria-valuetext", "none");
  };
  label.input = input;
  return label;
}
