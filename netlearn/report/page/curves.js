// The curves of all variants, one chart for each measure, with a cursor that they share.

const COSTS = new Set(VARIANTS.map(({ cost }) => cost));
const OWN = [...(COSTS.size > 1 ? ["cost"] : []), ...(new Set(VARIANTS.map(({ penalty }) => String(penalty))).size > 1 ? ["penalty"] : [])];
const QUARTER = COSTS.has("quadratic") ? [{ y: 0.25, text: "¼: at most with the quadratic cost" }] : [];
const MOST_BANDS = 3; // of variants with a line for each layer
const MOST_WHOLE = 60; // characters of a name above a chart

// `share` is in per cent, and not measured of single neurons; `single` is shown of these alone.
const MEASURES = [
  { column: "output_error", name: "Output a (wanted: 0)", single: true },
  { column: "validation_accuracy", name: "Validation accuracy", share: true },
  { column: "train_cost", name: `Training cost${OWN.length ? ` (each variant has its own ${OWN.join(" and ")})` : ""}`, log: true },
  { column: "learning_speed", name: "Learning speed at the output, Σ|δ| / Σ|a − y|", log: true, marks: QUARTER },
  { column: "stuck", name: "Badly wrong outputs, |a − y| > 0.9", share: true },
  { column: "speed", name: "Speed of each layer, ‖∂C/∂b‖ (thickest: the output)", log: true, layers: true },
];

const CURVES = DATA.curves;
const SEVERAL_LAYERS = CURVES.variants.some(({ columns }) => "speed_2" in columns);
const updateText = (update) => {
  if (SINGLE) return `epoch ${whole(update)}`;
  const epochs = CURVES.perEpoch ? update / CURVES.perEpoch : 0;
  return `update ${whole(update)}${epochs >= 1 ? `, epoch ${figure(epochs)}` : ""}`;
};

function columnsOf(measure, variant) {
  const { columns } = CURVES.variants[variant];
  if (measure.column !== "speed") return columns[measure.column] ? [["", "", columns[measure.column]]] : [];
  const layers = Object.keys(columns).filter((name) => name.startsWith("speed_"));
  return layers.map((name, i) => [`, layer ${i + 1}`, `layer${layers.length - 1 - i}`, columns[name]]);
}

// The label at the end of a line: of a layer with its name, where there is room for both.
function labelsOf({ name, short }, suffix, part) {
  const both = short + suffix, alone = part === "layer0" ? short : suffix.slice(2);
  return { short, above: name.length > MOST_WHOLE ? short : name, whole: name + suffix, label: both.length > LABEL ? alone : both };
}

function linesOf(measure, log) {
  const bands = measure.column !== "speed" || shown.size <= MOST_BANDS;
  return VARIANTS.flatMap((_, variant) => (isShown(variant) ? columnsOf(measure, variant) : []).map(([suffix, part, [places, mean, low, high]]) => ({
    variant, name: VARIANTS[variant].name + suffix, ...labelsOf(VARIANTS[variant], suffix, part), part, bands, points: places.map((x, i) => [x, mean[i], low[i], high[i]]).filter((point) => !log || point[1] > 0),
  })));
}

function rangeOf(measure, lines, log) {
  const values = lines.flatMap((line) => line.points.flatMap(([, mean, low, high]) => [mean, log && low <= 0 ? mean : low, high]));
  if (!values.length) return log ? [0.1, 1] : [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!log) return [0, ["validation_accuracy", "output_error"].includes(measure.column) ? 1 : high * 1.05 || 1];
  return [Math.max(low / 1.2, high / 1e9), Math.max(high * 1.2, measure.column === "learning_speed" ? 1.3 : 0)];
}

function startCurves() {
  const charts = [], tables = [];
  const draw = (measure) => () => {
    const log = measure.log && $("curves-y").checked;
    const lines = linesOf(measure, log);
    const places = [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
    const last = Math.max(1, ...places), range = rangeOf(measure, lines, log);
    const format = measure.share ? (value) => `${Number((100 * value).toFixed(1))} %` : figure;
    const inWords = measure.share ? percent : figure;
    const epoch = CURVES.perEpoch;
    return {
      lines, places, marks: (measure.marks ?? []).filter(({ y }) => y <= range[1] && y >= range[0]),
      x: $("curves-x").checked ? updateScale(last) : linearScale([0, last]),
      y: log ? logScale(range) : linearScale(range),
      xLabel: `${SINGLE ? "epochs" : "updates (mini-batches)"}${$("curves-x").checked ? ", log axis" : ""}`,
      formatX: whole, formatY: format,
      back: epoch && epoch <= last && !SINGLE ? [(chart) => svg("g", { class: "epoch" },
        svg("line", { x1: chart.x(epoch), x2: chart.x(epoch), y1: chart.inner.top, y2: chart.inner.top + chart.inner.height }),
        svg("text", { x: Math.min(chart.x(epoch), chart.width - 22), y: chart.inner.top - 4, "text-anchor": "middle" }, "epoch 1"))] : [],
      say: (x) => lines.flatMap((line) => line.points.filter((point) => point[0] === x).map(([, mean, low, high]) => [
        line.variant, line.name, low === high ? inWords(mean) : `${inWords(mean)} (${inWords(low)} to ${inWords(high)})`])),
    };
  };
  const follow = (value, from) => {
    for (const chart of charts) if (chart !== from) chart.follow(value);
  };
  const parent = $("curves-charts");
  for (const measure of MEASURES.filter(({ share, single, layers }) => (SINGLE ? !share : !single) && (!layers || SEVERAL_LAYERS))) {
    const chart = new Chart(parent, measure.name, draw(measure), { onCursor: follow, head: updateText, height: charts.length ? 250 : 320 });
    charts.push(chart);
    const table = valueTable(measure.name, () => [
      [SINGLE ? "epoch" : "update", ...chart.shown.lines.map((line) => line.name)],
      ...chart.shown.places.map((x) => [whole(x), ...chart.shown.lines.map((line) => {
        const found = line.points.find((point) => point[0] === x);
        return found ? figure(found[1]) : "–";
      })])]);
    tables.push(table);
    chart.node.append(table);
  }
  if (CURVES.thinned) parent.append(html("p", { class: "note" }, "There are more probes than this page draws; metrics.csv of each run has them all."));
  const refresh = () => {
    charts.forEach((chart) => chart.render());
    tables.forEach((table) => table.refresh());
  };
  $("curves-x").addEventListener("change", refresh);
  $("curves-y").addEventListener("change", refresh);
  whenVariantsChange(refresh);
  return charts;
}
