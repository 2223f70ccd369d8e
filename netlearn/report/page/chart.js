// A chart in SVG: lines with bands over a shared axis, a cursor that mouse, finger and arrow keys move, values in words.

const MARGIN = { top: 16, right: 14, bottom: 40, left: 58 };
const LABELS_FROM = 520; // pixels; narrower charts have no names at the ends of their lines
const WIDE = 700, PAPER = [330, 680]; // pixels; on paper a chart is half a sheet wide, and a wider one a sheet
const MOST_LABELS = 8;
const MOST_NAMES = 8;
const LABEL = 25; // characters
const OVER = 3; // pixels beyond the axes that lines may have, for those that run along an edge
const FAR = 20; // heights of the chart, as far outside as a line goes
const MOST_ROOM = 0.4; // of the width, for whole names at the ends of lines
let onPaper = false;

const KEY = 28; // pixels of a line before its name, in which dashes can be told apart
const roomFor = (labels) => KEY + 16 + 7.4 * Math.max(0, ...labels.map((label) => label.length));

class Chart {
  // `name` describes the chart, and `still` one without values to point at; `draw()` returns its axes and lines anew:
  // {x, y: scales, xLabel, yLabel, formatX, formatY, lines: [{variant, name, label, short, whole, points: [[x, y, low, high]], part, bands}],
  //  marks: [{y, text, end: whether the text is at the right}], places: [x], keys: what the names above name besides lines without
  //  room for a name: [{variant, label}], shapes: whether keys have the shape of their points, labels: of charts that shall be as wide,
  //  labelled: also if narrow}, and `say(x)` the values at a place, as [[variant, name, text]].
  constructor(parent, name, draw, { height = 250, onCursor = () => {}, head = (x) => String(x), still = null } = {}) {
    Object.assign(this, { name, draw, height, onCursor, head, at: null });
    this.tip = html("div", { class: "tip", hidden: true });
    this.box = html("div", still ? { class: "chart", role: "img", "aria-label": still } : { class: "chart", tabindex: "0", role: "slider",
      "aria-label": `${name}, chart`, "aria-valuemin": "0", "aria-valuenow": "0", "aria-valuemax": "0" });
    this.frame = html("div", { class: "frame" }, this.box, this.tip);
    this.names = html("p", { class: "names" });
    this.node = html("figure", {}, html("figcaption", {}, name), this.names, this.frame);
    parent.append(this.node);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("pointermove", (event) => this.point(event));
    this.box.addEventListener("pointerdown", (event) => this.point(event));
    this.box.addEventListener("pointerleave", () => this.hide());
    this.box.addEventListener("blur", () => this.hide());
    this.width = 0;
    this.clip = freshId("clip");
    Chart.all.push(this);
    new ResizeObserver(() => {
      if (Math.abs(this.box.clientWidth - this.width) > 1) this.render();
    }).observe(this.box);
  }

  // Draws everything anew, as wide as there is room, or for a sheet of paper, on which texts keep their size.
  render() {
    const room = this.box.clientWidth || 600;
    this.width = onPaper ? (room > WIDE ? PAPER[1] : Math.min(PAPER[0], room)) : room;
    const open = !this.tip.hidden;
    const shown = this.shown = this.draw();
    const whole = shown.lines.map((line) => line.whole ?? labelOf(line)), cut = shown.lines.some((line) => labelOf(line).includes("…"));
    const fits = roomFor([...whole, ...(shown.labels ?? [])]) <= MOST_ROOM * this.width;
    const labelled = (this.width >= LABELS_FROM || shown.labelled) && shown.lines.length <= MOST_LABELS && !shown.unlabelled && (fits || !(cut || shown.labels));
    this.labels = new Map(shown.lines.map((line, i) => [line, fits ? whole[i] : labelOf(line)]));
    const right = labelled ? roomFor([...this.labels.values(), ...(shown.labels ?? [])]) : MARGIN.right;
    const named = new Map([...(labelled || shown.unlabelled ? [] : shown.lines.map((line) => [line.variant, line.above ?? line.name])),
      ...(shown.keys ?? []).map(({ variant, label }) => [variant, label])]);
    this.names.replaceChildren(...[...(named.size > MOST_NAMES ? [] : named)].map(([variant, text]) => html("span", {}, key(variant),
      shown.shapes ? svg("svg", { class: "shape", viewBox: "-5 -5 10 10", "aria-hidden": "true" }, shape(variant, 0, 0)) : null, text)));
    const inner = this.inner = { left: MARGIN.left, top: MARGIN.top, width: this.width - MARGIN.left - right,
      height: this.height - MARGIN.top - MARGIN.bottom };
    this.x = (value) => inner.left + inner.width * shown.x.place(value);
    const heightOf = (value, out) => inner.top + inner.height * (1 - Math.min(1 + out, Math.max(-out, shown.y.place(value))));
    this.y = (value) => heightOf(value, 0.02); // at the edge if it is outside
    this.beyond = (value) => heightOf(value, FAR);
    const root = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, "aria-hidden": "true", focusable: "false" },
      svg("clipPath", { id: this.clip }, svg("rect", { x: inner.left - OVER, y: inner.top - OVER, width: Math.max(0, inner.width) + 2 * OVER, height: inner.height + 2 * OVER })),
      this.axes(), this.clipped(shown.lines.map((line) => this.band(line))), ...(shown.back ?? []).map((make) => make(this)),
      this.clipped(shown.lines.map((line) => this.line(line))), ...(shown.extra ?? []).map((make) => make(this)),
      this.marks(), labelled ? this.ends() : null, this.cursor = svg("g", { class: "cursor" }));
    this.box.replaceChildren(root);
    if (shown.places.length) this.box.setAttribute("aria-valuemax", String(Math.max(0, shown.places.length - 1)));
    this.show(open);
  }

  clipped(parts) {
    return svg("g", { "clip-path": `url(#${this.clip})` }, ...parts);
  }

  axes() {
    const { inner, shown } = this;
    const group = svg("g", { class: "axes" });
    const base = inner.top + inner.height;
    let last = -Infinity;
    for (const tick of shown.x.ticks) {
      const x = this.x(tick), text = shown.formatX(tick), half = 3.6 * text.length + 3;
      group.append(svg("line", { x1: x, x2: x, y1: inner.top, y2: base }));
      if (x - half < last) continue;
      last = x + half;
      group.append(svg("text", { x: Math.min(x, this.width - half), y: base + 17, "text-anchor": "middle" }, text));
    }
    for (const tick of shown.y.ticks) {
      const y = this.y(tick);
      group.append(svg("line", { x1: inner.left, x2: inner.left + inner.width, y1: y, y2: y }),
        svg("text", { x: inner.left - 7, y: y + 4, "text-anchor": "end" }, shown.formatY(tick)));
    }
    for (const { y } of shown.marks ?? []) {
      group.append(svg("line", { class: "mark", x1: inner.left, x2: inner.left + inner.width, y1: this.y(y), y2: this.y(y) }));
    }
    group.append(svg("text", { class: "title", x: inner.left + inner.width / 2, y: this.height - 5, "text-anchor": "middle" }, shown.xLabel));
    return group;
  }

  // The texts of marks, each at the end of its line where fewest lines of values run through it.
  marks() {
    const { inner, shown } = this;
    return svg("g", {}, ...(shown.marks ?? []).map(({ y, text, end }) => {
      const wide = 6.2 * text.length, at = this.y(y);
      const places = [Boolean(end), !end].flatMap((right) => [-4, 13].map((down) => ({ right, y: at + down, x: right ? inner.left + inner.width - 5 : inner.left + 5 })));
      const through = places.map((place) => this.through(place.right ? place.x - wide : place.x, wide, place.y));
      const { right, ...place } = places[through.indexOf(Math.min(...through))];
      return svg("text", { class: "mark", ...place, "text-anchor": right ? "end" : null }, text);
    }));
  }

  // At how many of some places across a text a line of values runs through it.
  through(x, wide, y) {
    let count = 0;
    for (const { points } of this.shown.lines) {
      const there = points.map(([at, value]) => [this.x(at), this.beyond(value)]);
      for (let at = x; at <= x + wide; at += 6) {
        const i = there.findIndex((point) => point[0] >= at), [a, b] = [there[i - 1], there[i]];
        const height = a && b ? a[1] + ((b[1] - a[1]) * (at - a[0])) / (b[0] - a[0] || 1) : null;
        if (height !== null && height > y - 13 && height < y + 5) count += 1;
      }
    }
    return count;
  }

  path(points) {
    return points.map(([x, y], i) => `${i ? "L" : "M"}${this.x(x).toFixed(1)} ${this.beyond(y).toFixed(1)}`).join("");
  }

  line({ variant, points, part = "" }) {
    return svg("path", { class: `line v${variant} ${part}`, d: this.path(points) });
  }

  band({ variant, points, bands = true }) {
    if (!bands || !points.length || points[0].length < 4) return svg("g");
    const there = points.map(([x, , , high]) => [x, high]), back = points.map(([x, , low]) => [x, low]).reverse();
    return svg("path", { class: `band v${variant}`, d: `${this.path([...there, ...back])}Z` });
  }

  ends() {
    const { inner, shown } = this;
    const ends = shown.lines.filter((line) => line.points.length)
      .map((line) => ({ line, y: this.y(line.points.at(-1)[1]) })).sort((a, b) => a.y - b.y);
    for (let i = 1; i < ends.length; i += 1) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + 15);
    let lowest = inner.top + inner.height;
    for (const end of ends.reverse()) lowest = (end.y = Math.min(end.y, lowest)) - 15;
    const x = inner.left + inner.width;
    return svg("g", { class: "ends" }, ...ends.flatMap(({ line, y }) => [
      svg("line", { class: `line v${line.variant} ${line.part ?? ""}`, x1: x + 4, x2: x + 4 + KEY, y1: y, y2: y }),
      shown.shapes ? shape(line.variant, x + 4 + KEY / 2, y) : null, svg("text", { x: x + 8 + KEY, y: y + 4 }, this.labels.get(line))].filter(Boolean)));
  }

  key(event) {
    const { places } = this.shown, now = this.at === null ? -1 : this.nearest(this.at);
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    const next = step ? now + step : { Home: 0, End: places.length - 1 }[event.key];
    if (next === undefined || !places.length) return;
    event.preventDefault();
    this.go(places[Math.min(places.length - 1, Math.max(0, next))]);
  }

  point(event) {
    const { places } = this.shown;
    if (!places.length) return;
    const x = event.clientX - this.box.getBoundingClientRect().left;
    const gaps = places.map((place) => Math.abs(this.x(place) - x));
    this.go(places[gaps.indexOf(Math.min(...gaps))]);
  }

  nearest(value) {
    const gaps = this.shown.places.map((place) => Math.abs(place - value));
    return gaps.indexOf(Math.min(...gaps));
  }

  go(value) {
    this.at = value;
    this.show(true);
    this.onCursor(value, this);
  }

  // Shows the cursor at a place of another chart, without words.
  follow(value) {
    if (value === null && this.box === document.activeElement) return; // the keyboard has it
    this.at = value;
    this.show(false);
  }

  hide() {
    this.tip.hidden = true;
    this.cursor.replaceChildren();
    this.onCursor(null, this);
  }

  show(speak) {
    this.cursor.replaceChildren();
    this.tip.hidden = true;
    if (this.at === null) return;
    const { inner, shown } = this, x = this.x(this.at);
    const values = shown.say(this.at);
    const text = `${this.head(this.at)}: ${values.map(([, name, value]) => `${name} ${value}`).join("; ")}`;
    this.box.setAttribute("aria-valuenow", String(Math.max(0, this.nearest(this.at))));
    this.box.setAttribute("aria-valuetext", text);
    this.cursor.append(svg("line", { x1: x, x2: x, y1: inner.top, y2: inner.top + inner.height }));
    for (const line of shown.lines) {
      const found = line.points.find((point) => point[0] === this.at);
      if (found && this.y(found[1]) === this.beyond(found[1])) this.cursor.append(svg("circle", { class: `v${line.variant}`, cx: x, cy: this.y(found[1]), r: 4.5 }));
    }
    if (!speak) return;
    this.tip.replaceChildren(html("strong", {}, this.head(this.at)), ...values.map(([variant, name, value]) =>
      html("span", {}, key(variant), `${name} `, html("b", {}, value))));
    this.tip.hidden = false;
    const room = this.width - this.tip.offsetWidth - 8;
    this.tip.style.left = `${Math.max(0, x > this.width / 2 ? Math.min(room, x - this.tip.offsetWidth - 12) : Math.min(room, x + 12))}px`;
  }
}

Chart.all = [];

for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    onPaper = printing;
    for (const chart of Chart.all) chart.render();
  });
}

// Points of a variant: of each its own shape, so that colour is not all that tells them apart.
const SHAPES = ["M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z", "M-3.2 -3.2h6.4v6.4h-6.4Z", "M0 -4.2L4.2 3.2H-4.2Z", "M0 -4.5L4.5 0L0 4.5L-4.5 0Z",
  "M0 4.2L4.2 -3.2H-4.2Z", "M-1.4 -4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8Z", "M-4 -2L-2 -4L0 -2L2 -4L4 -2L2 0L4 2L2 4L0 2L-2 4L-4 2L-2 0Z"];
const shape = (variant, x, y) => svg("path", { class: `point v${variant}`, d: SHAPES[variant % SHAPES.length], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });

// The name at the end of a line; `label` is a short one that differs from the others'.
const labelOf = ({ label, name }) => ((label ?? name).length > LABEL ? `${(label ?? name).slice(0, LABEL - 1)}…` : label ?? name);
