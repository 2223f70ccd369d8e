// Train: play, step and reset, the two networks' figures, and the charts, which grow as the networks learn.

const THRESHOLD = `${Math.round(100 * DATA.threshold)}\u00a0%`;
const MEASURES = [
  { of: "accuracy", name: "Accuracy", share: true, range: () => [0, 1] },
  { of: "cost", name: "Cost C, each in its own unit", log: true },
  { of: "speed", name: "Speed, Σ|δ| / Σ|a − y|", range: (high) => [0, Math.max(1.05, high * 1.05)], marks: [{ y: 0.25, text: "¼: at most with quadratic" }] },
  { of: "wrong", name: "Badly wrong, |a − y| > 0.9", share: true, range: (high) => [0, Math.max(0.05, high * 1.1)] },
];
const BOTH = [0, 1];

// An axis ends at 1, 2 or 5 times a power of ten beyond what has happened.
function axisEnd(update) {
  const power = 10 ** Math.floor(Math.log10(Math.max(200, update)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((end) => end >= Math.max(200, update));
}

function startTrain(race) {
  const points = (k, of) => {
    const found = race.probes[k].map((probe) => [probe.update, probe[of]]);
    if (race.now && race.now[k].update !== found.at(-1)?.[0]) found.push([race.now[k].update, race.now[k][of]]);
    return found.filter((point) => Number.isFinite(point[1]));
  };
  const inWords = ({ share }) => (share ? percent : figure);

  const draw = (measure, small) => () => {
    const lines = BOTH.map((k) => ({ variant: lineOf(k), name: nameOf(k), points: points(k, measure.of) }));
    if (measure.log) for (const line of lines) line.points = line.points.filter((point) => point[1] > 0);
    const values = lines.flatMap((line) => line.points.map((point) => point[1])), high = Math.max(0, ...values);
    const range = measure.log ? [Math.min(1, ...values) / 1.2, Math.max(1, high) * 1.2] : measure.range(high);
    const places = [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
    const end = axisEnd(race.update), log = $("log-x").checked, marks = BOTH.some((k) => trainingSettings(k).cost === "quadratic") ? measure.marks ?? [] : [];
    return {
      lines, places, unlabelled: small, x: log ? updateScale(end) : linearScale([0, end], small ? 3 : 6), y: measure.log ? logScale(range) : linearScale(range, small ? 3 : 5),
      xLabel: `updates${log ? ", log axis" : ""}`, formatX: whole, formatY: measure.share ? (value) => `${Number((100 * value).toFixed(1))} %` : figure,
      marks: measure.of === "accuracy" ? [{ y: DATA.threshold, text: THRESHOLD, end: true }] : marks,
      extra: measure.of === "accuracy" ? [guessMark, ends(lines)] : [ends(lines)],
      say: (x) => lines.flatMap((line) => line.points.filter((point) => point[0] === x).map((point) => [line.variant, line.name, inWords(measure)(point[1])])),
    };
  };
  const ends = (lines) => (chart) => svg("g", {}, ...lines.filter((line) => line.points.length).map((line) => {
    const [x, y] = line.points.at(-1);
    return svg("circle", { class: `dot v${line.variant}`, cx: chart.x(x), cy: chart.y(y), r: 4.5 });
  }));
  const guessMark = (chart) => {
    const at = guess.update();
    if (at === null || at > axisEnd(race.update)) return svg("g");
    const x = chart.x(at);
    return svg("g", { class: "epoch" }, svg("line", { x1: x, x2: x, y1: chart.inner.top, y2: chart.inner.top + chart.inner.height }),
      svg("text", { x, y: chart.inner.top - 4, "text-anchor": "middle" }, "your guess"));
  };

  const charts = MEASURES.map((measure, i) => new Chart($(i ? "small-charts" : "accuracy"), measure.name, draw(measure, i > 0), {
    height: i ? 172 : 300, head: (update) => `update ${whole(update)}`,
    onCursor: (value, from) => { for (const chart of charts) if (chart !== from) chart.follow(value); },
  }));
  const table = valueTable("What was measured", () => [
    ["update", ...MEASURES.flatMap((measure) => BOTH.map((k) => `${measure.name.split(/[ ,]/)[0].toLowerCase()}, ${nameOf(k)}`))],
    ...race.probes[0].map((probe, i) => [whole(probe.update), ...MEASURES.flatMap((measure) => BOTH.map((k) => inWords(measure)(race.probes[k][i][measure.of])))])]);
  $("small-charts").after(table);
  const guess = startGuess(race, () => charts[0].render());

  function showNow() {
    BOTH.forEach((k) => {
      const now = race.now?.[k], cell = (name, text) => html("span", {}, `${name} `, html("b", {}, text));
      const broken = now && !Number.isFinite(now.cost);
      $(`now-${k}`).replaceChildren(
        html("p", { class: "big" }, html("b", {}, now ? `${(100 * now.accuracy).toFixed(1)} %` : "–"), ` of ${whole(DATA.heldOut)} right`),
        html("p", { class: "small" }, ...(!now ? [] : broken ? ["It diverged: η is too large, and the weights are no longer numbers."]
          : [cell("cost", figure(Number(now.cost.toPrecision(3)))), cell("speed", now.speed.toFixed(3)), cell("badly wrong", percent(now.wrong))])));
    });
  }

  let asked = false, busy = 0;
  function refresh() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      $("play").textContent = race.playing ? "Pause" : "Play";
      $("update").textContent = whole(race.update);
      $("rate").textContent = race.perSecond === null ? "" : `${whole(race.perSecond)} per second`;
      showNow();
      // the large chart every time, one of the small ones in turn, all of them at the end
      const due = race.playing ? [charts[0], charts[1 + (busy += 1) % 3]] : charts;
      for (const chart of due) chart.render();
      if (!race.playing) {
        table.refresh();
        $("summary").textContent = `${settingsText()}; after ${whole(race.update)} updates.`;
      }
      $("outcome").textContent = guess.outcome();
      guess.refresh();
    });
  }

  const say = () => announce(`Update ${whole(race.update)}. ${BOTH.map((k) => `${nameOf(k)} ${race.now ? percent(race.now[k].accuracy) : ""} right`).join(", ")}. ${guess.outcome()}`);
  const more = (count) => race.more(count).then(say);
  $("play").addEventListener("click", () => {
    if (race.playing) race.pause();
    else race.play(() => $("speed").value);
    refresh();
    if (!race.playing) say();
  });
  $("step").addEventListener("click", () => more(1));
  for (const button of document.querySelectorAll("[data-more]")) button.addEventListener("click", () => more(Number(button.dataset.more)));
  $("reset").addEventListener("click", () => { guess.clear(); race.reset().then(say); });
  $("log-x").addEventListener("change", () => { for (const chart of charts) chart.render(); });
  return { refresh, clear: guess.clear };
}
