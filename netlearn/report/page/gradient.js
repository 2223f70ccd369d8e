// Gradient against error of single output neurons, at the updates at which they were sampled.

function startGradient() {
  const parent = $("gradient-chart"), found = DATA.neurons;
  if (!parent) return [];
  if (!found) {
    parent.append(html("p", { class: "note" }, "These runs have no samples of output neurons in a network with several outputs."));
    return [];
  }
  const MOST_NAMED = 4, BINS = 20, MOST = 1.5; // where the axis of |δ| ends if some variant stays below
  let place = 0;
  const sampleOf = (each) => each.samples[found.updates[place]];
  const visible = () => found.variants.filter((each) => isShown(each.variant) && sampleOf(each));
  const nameOf = (each) => VARIANTS[each.variant].name;

  const binOf = (e) => Math.min(BINS - 1, Math.floor(e * BINS + 1e-9));
  function say(e) {
    return visible().map((each) => {
      const { counts, means } = sampleOf(each), bin = binOf(e), theory = DELTA[VARIANTS[each.variant].cost];
      const measured = counts[bin] ? `${figure(means[bin])} on average, of ${whole(counts[bin])} neurons` : "no neurons";
      return [each.variant, nameOf(each), `${measured}${theory ? `; theory ${figure(theory.at((bin + 0.5) / BINS))}` : ""}`];
    });
  }

  // Axes end at an error of 1, and at a gradient that most variants stay below.
  const largest = ({ error, gradient }) => Math.max(0, ...gradient.filter((_, k) => error[k] <= 1));
  const top = () => {
    const found = visible().map((each) => largest(sampleOf(each)));
    return Math.max(1, Math.min(...found) <= MOST ? Math.min(MOST, Math.max(...found)) : Math.max(...found));
  };
  const inside = ({ error, gradient }, most) => error.map((e, k) => [e, gradient[k]]).filter(([e, size]) => e <= 1 && size <= most);

  const said = (variant, most) => {
    const sample = sampleOf(found.variants.find((each) => each.variant === variant)), all = sample.error.length, left = all - inside(sample, most).length;
    return left ? `, ${whole(left)} of ${whole(all)} points outside` : "";
  };

  // The name of a variant's line, with its theory where it is known.
  const withTheory = (each) => {
    const theory = DELTA[VARIANTS[each.variant].cost];
    return `${nameOf(each)}${theory ? `: ${theory.text}` : ""}`;
  };
  const labels = () => visible().map(withTheory);

  const points = new Chart(parent, "Gradient |δ| of single output neurons", () => {
    const curves = visible().filter((each) => DELTA[VARIANTS[each.variant].cost]);
    const most = top();
    return {
      lines: curves.map((each) => {
        const theory = DELTA[VARIANTS[each.variant].cost], name = withTheory(each);
        return { variant: each.variant, name, whole: name, above: name, points: Array.from({ length: 101 }, (_, k) => [k / 100, theory.at(k / 100)]) };
      }),
      places: Array.from({ length: BINS }, (_, k) => (k + 0.5) / BINS), x: linearScale([0, 1]), y: linearScale([0, most]),
      xLabel: "error e = |a − y|", formatX: figure, formatY: figure, say, shapes: true, labels: labels(),
      keys: visible().filter((each) => !curves.includes(each)).map(({ variant }) => ({ variant, label: `${VARIANTS[variant].name}: measured only${said(variant, most)}` })),
      back: visible().map((each) => (chart) => svg("g", { class: "cloud" }, ...inside(sampleOf(each), most).map(([e, size]) =>
        shape(each.variant, chart.x(e), chart.y(size))))),
    };
  }, { height: 340, head: (e) => `errors from ${figure(binOf(e) / BINS)} to ${figure((binOf(e) + 1) / BINS)}`, onCursor: (at) => counts.follow(at) });

  const counts = new Chart(parent, "How many output neurons have which error, log axis", () => {
    const most = Math.max(1, ...found.variants.flatMap((each) => Object.values(each.samples).flatMap((sample) => sample.counts)));
    return {
      lines: visible().map((each) => ({ variant: each.variant, name: nameOf(each), whole: nameOf(each), above: nameOf(each),
        points: sampleOf(each).counts.map((count, k) => [(k + 0.5) / BINS, Math.max(count, 0.5)]) })),
      places: Array.from({ length: BINS }, (_, k) => (k + 0.5) / BINS), x: linearScale([0, 1]), y: logScale([0.5, most * 1.3]),
      xLabel: "error e = |a − y|", formatX: figure, formatY: whole, labels: labels(),
      say: (e) => visible().map((each) => [each.variant, nameOf(each), `${whole(sampleOf(each).counts[binOf(e)])} neurons`]),
    };
  }, { height: 180, head: (e) => `errors from ${figure(binOf(e) / BINS)} to ${figure((binOf(e) + 1) / BINS)}`, onCursor: (at) => points.follow(at) });

  const table = valueTable("Gradient against error", () => [
    ["error from", "to", ...visible().flatMap((each) => [`${nameOf(each)}: neurons`, "mean |δ|"])],
    ...Array.from({ length: BINS }, (_, k) => [figure(k / BINS), figure((k + 1) / BINS), ...visible().flatMap((each) => [
      whole(sampleOf(each).counts[k]), sampleOf(each).counts[k] ? figure(sampleOf(each).means[k]) : "–"])])]);
  // How many are badly wrong at this update, and their mean gradient.
  function wrongText() {
    const said = visible().map((each) => [nameOf(each), sampleOf(each)]).filter(([, { wrong }]) => wrong).map(([name, { wrong, total, wrongMean }]) =>
      `${name}: ${Math.round((100 * wrong) / total)} % of its output neurons, with a mean gradient of ${figure(Number(wrongMean.toPrecision(3)))}`);
    const at = `At update ${whole(found.updates[place])}`, more = said.length - MOST_NAMED;
    return said.length ? `${at}, these have an error above 0.9: ${said.slice(0, MOST_NAMED).join("; ")}${more > 0 ? `; and ${more} more` : ""}.`
      : `${at} none of these output neurons has an error above 0.9.`;
  }

  const refresh = () => {
    $("gradient-said").textContent = wrongText();
    points.render();
    counts.render();
    table.refresh();
  };
  const move = slider("Update", found.updates.length, (k) => whole(found.updates[k]), (k) => {
    place = k;
    refresh();
  });
  parent.prepend(html("div", { class: "controls" }, move));
  parent.append(table);
  const seeds = new Set(found.variants.map((each) => each.seed));
  if (found.selected) parent.append(html("p", { class: "note" }, "Not all variants are drawn: the cost alone determines where the points lie."));
  parent.append(html("p", { class: "hint" }, `Of each variant one run is drawn: ${seeds.size > 1 ? found.variants.map((each) => `${nameOf(each)}, seed ${each.seed}`).join("; ") : `that from seed ${[...seeds]}`}.`));
  $("gradient-said").textContent = wrongText();
  whenVariantsChange(refresh);
  return [points, counts];
}
