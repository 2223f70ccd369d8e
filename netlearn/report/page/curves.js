// The curves of all variants, one chart for each measure, with a cursor that they share.

const COSTS = new Set(VARIANTS.map(({ cost }) => cost));
const OWN = [...(COSTS.size > 1 ? ["cost"] : []), ...(new Set(VARIANTS.map(({ penalty }) => String(penalty))).size > 1 ? ["penalty"] : [])];
const QUARTER = COSTS.has("quadratic") ? [{ y: 0.25, text: "¼: at most with the quadratic cost" }] : [];
const MOST_BANDS = 3; // of variants with a line for each layer

// Where the test set was tracked; a cost includes its penalty, so that where penalties differ only costs without one are comparable.
const PENALTIES_DIFFER = OWN.includes("penalty");
const SETS = [["test", ""], ["training", "thin"]]; // with the part of their lines
const TRACKED = [
  { sets: "cost", name: `Cost on the test set (thick, ★: lowest) and the training set (thin)${PENALTIES_DIFFER ? ", of variants without a penalty" : ""}`, late: true,
    of: ({ penalty }) => !PENALTIES_DIFFER || !penalty.some((each) => each) },
  { column: "gap", name: "Test cost minus training cost (any penalty cancels)", late: true },
  { sets: "accuracy", name: "Accuracy on the test set (thick) and the training set (thin)", late: true, share: true },
];

// `share` is in per cent, and not measured of single neurons; `single` is shown of these alone; where epochs are shown,
// the axes of `late` ones leave out what changes much more in the first ones.
const MEASURES = [
  ...TRACKED,
  { column: "output_error", name: "Output a (wanted: 0)", single: true },
  { column: "validation_accuracy", name: "Validation accuracy", share: true, late: true },
  { column: "train_cost", name: `Training cost${OWN.length ? ` (each variant has its own ${OWN.join(" and ")})` : ""}`, log: true },
  { column: "learning_speed", name: "Learning speed at the output, Σ|δ| / Σ|a − y|", log: true, marks: QUARTER },
  { column: "stuck", name: "Badly wrong outputs, |a − y| > 0.9", share: true },
  { column: "speed", name: "Speed of each layer, ‖∂C/∂b‖ (thickest: the output layer)", log: true, layers: true },
];

const CURVES = DATA.curves;
const LAYERED = CURVES.layered && Boolean($("layers")); // whether each variant has a chart of its layers
const DEPTHS = new Set(CURVES.variants.map(({ columns }) => Object.keys(columns).filter((name) => name.startsWith("speed_")).length));
const EPOCHS_LONG = CURVES.epochs && !SINGLE; // whether an axis that is not log is one of epochs
const SEVERAL_LAYERS = CURVES.variants.some(({ columns }) => "speed_2" in columns);
const updateText = (update) => {
  if (SINGLE) return `epoch ${whole(update)}`;
  const epochs = CURVES.perEpoch ? update / CURVES.perEpoch : 0;
  return `update ${whole(update)}${epochs >= 1 ? `, epoch ${figure(epochs)}` : ""}`;
};

function columnsOf(measure, variant) {
  const { columns } = CURVES.variants[variant];
  if (measure.of && !measure.of(VARIANTS[variant])) return [];
  if (measure.sets) {
    const there = columns[`test_${measure.sets}`] ? SETS : [];
    return there.map(([set, part]) => [`, ${set}`, part, columns[`${set === "test" ? "test" : "train"}_${measure.sets}`]]);
  }
  if (measure.column !== "speed") return columns[measure.column] ? [["", "", columns[measure.column]]] : [];
  const layers = Object.keys(columns).filter((name) => name.startsWith("speed_"));
  return layers.map((name, i) => [i === layers.length - 1 ? ", output layer" : `, layer ${i + 1}`, `layer${layers.length - 1 - i}`, columns[name]]);
}

// The label at the end of a line: of a layer with its name, where there is room for both, and in a chart of its own without.
function labelsOf({ name, short }, suffix, part, only) {
  if (only !== undefined) return { label: part === "layer0" ? "output layer" : suffix.slice(2) };
  const both = short + suffix, alone = part === "layer0" ? short : suffix.slice(2);
  return { short, above: name, whole: name + suffix, label: both.length > LABEL ? alone : both };
}

function linesOf(measure, log) {
  const { only } = measure, bands = measure.column !== "speed" || (shown.size <= MOST_BANDS && only === undefined);
  return VARIANTS.flatMap((_, variant) => (isShown(variant) && (only ?? variant) === variant ? columnsOf(measure, variant) : []).map(([suffix, part, [places, mean, low, high]]) => ({
    variant, name: VARIANTS[variant].name + suffix, ...labelsOf(VARIANTS[variant], suffix, part, only), part, bands, points: places.map((x, i) => [x, mean[i], low[i], high[i]]).filter((point) => !log || point[1] > 0),
  })));
}

// What changes by itself: not a learning speed that is 1 with all costs shown.
function differs(measure) {
  const values = VARIANTS.flatMap((_, variant) => columnsOf(measure, variant)).flatMap(([, , [, ...figures]]) => figures.flat());
  return Math.max(...values) - Math.min(...values) > 1e-3 * Math.abs(Math.max(...values));
}

function rangeOf(measure, lines, log, from) {
  const values = lines.flatMap((line) => line.points.filter(([x]) => x >= from).flatMap(([, mean, low, high]) => [mean, log && low <= 0 ? mean : low, high]));
  if (!values.length) return log ? [0.1, 1] : [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isAccuracy = measure.sets === "accuracy" || measure.column === "validation_accuracy";
  if (!log) return isAccuracy ? [from ? Math.floor(20 * low) / 20 : 0, 1] : [Math.min(0, low), measure.column === "output_error" ? 1 : high * 1.05 || 1];
  return [Math.max(low / 1.2, high / 1e9), Math.max(high * 1.2, measure.column === "learning_speed" ? 1.3 : 0)];
}

// Marks the lowest point of a line.
const star = ({ variant, points }) => (chart) => {
  const [x, y] = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  return svg("text", { class: `star v${variant}`, x: chart.x(x), y: chart.y(y) + 6, "text-anchor": "middle" }, "★");
};

function startCurves() {
  const charts = [], tables = [];
  const draw = (measure) => () => {
    const log = measure.log && $("curves-y").checked;
    const lines = linesOf(measure, log);
    const places = [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
    const last = Math.max(1, ...places), epoch = CURVES.perEpoch, onLog = $("curves-x").checked, inEpochs = EPOCHS_LONG && !onLog;
    const early = inEpochs && measure.late ? epoch * Math.max(1, Math.floor(last / epoch / 40)) : 0; // in which everything changes much more than later
    const range = rangeOf(measure, measure.only === undefined ? lines : linesOf({ ...measure, only: undefined }, log), log, early), unit = inEpochs ? epoch : 1;
    const { place, ticks } = linearScale([0, last / unit]);
    const format = measure.share ? (value) => `${Number((100 * value).toFixed(1))} %` : figure;
    const inWords = measure.share ? percent : figure;
    return {
      lines, places, labelled: measure.only !== undefined, marks: (measure.marks ?? []).filter(({ y }) => y <= range[1] && y >= range[0]),
      x: onLog ? updateScale(last) : { place: (value) => place(value / unit), ticks: ticks.map((tick) => tick * unit) },
      y: log ? logScale(range) : linearScale(range),
      xLabel: `${SINGLE || inEpochs ? "epochs" : "updates (mini-batches)"}${onLog ? ", log axis" : ""}`,
      formatX: (value) => (inEpochs ? figure(value / unit) : whole(value)), formatY: format,
      extra: measure.sets === "cost" ? lines.filter(({ part }) => !part).map(star) : [],
      back: epoch && epoch <= last && !SINGLE && !inEpochs ? [(chart) => svg("g", { class: "epoch" },
        svg("line", { x1: chart.x(epoch), x2: chart.x(epoch), y1: chart.inner.top, y2: chart.inner.top + chart.inner.height }),
        svg("text", { x: Math.min(chart.x(epoch), chart.width - 22), y: chart.inner.top - 4, "text-anchor": "middle" }, "epoch 1"))] : [],
      say: (x) => lines.flatMap((line) => line.points.filter((point) => point[0] === x).map(([, mean, low, high]) => [
        line.variant, line.name, low === high ? inWords(mean) : `${inWords(mean)} (${inWords(low)} to ${inWords(high)})`])),
    };
  };
  const follow = (value, from) => {
    for (const chart of charts) if (chart !== from) chart.follow(value);
  };
  const parent = $("curves-charts"), own = document.querySelector(".layers");
  if (LAYERED && DEPTHS.size > 1) parent.before($("layers")); // they are what differs
  const ofLayers = (measure) => (LAYERED ? VARIANTS.map(({ name }, only) => ({ ...measure, only, name })) : [measure]);
  const measures = MEASURES.filter(({ share, single, layers }) => (SINGLE ? !share : !single) && (!layers || SEVERAL_LAYERS)).filter(differs);
  for (const measure of measures.flatMap((each) => (each.layers ? ofLayers(each) : [each]))) {
    const chart = new Chart(measure.only === undefined ? parent : own, measure.name, draw(measure), { onCursor: follow, head: updateText, height: charts.length ? 250 : 320 });
    charts.push(chart);
    chart.of = measure.only;
    chart.node.hidden = chart.of !== undefined && !isShown(chart.of);
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
    for (const chart of charts) {
      chart.node.hidden = chart.of !== undefined && !isShown(chart.of);
      if (!chart.node.hidden) chart.render();
    }
    tables.forEach((table) => table.refresh());
  };
  $("curves-x").addEventListener("change", refresh);
  $("curves-y").addEventListener("change", refresh);
  whenVariantsChange(refresh);
  return charts;
}
