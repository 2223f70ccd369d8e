// Axes: from values to places from 0 to 1, and the values to label.

const DECADE_BELOW_ONE = 0.4; // room for update 0 left of a log axis

const bend = (value) => (value <= 1 ? DECADE_BELOW_ONE * value : DECADE_BELOW_ONE + Math.log10(value));

function linearScale([low, high], count = 5) {
  const span = high - low || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-6; tick += step) {
    ticks.push(Number(tick.toPrecision(12)));
  }
  return { place: (value) => (value - low) / span, ticks };
}

// A log axis that starts at 0, for updates.
function updateScale(last) {
  const end = bend(Math.max(1, last));
  const ticks = [0];
  for (let tick = 1; tick <= last; tick *= 10) ticks.push(tick);
  return { place: (value) => bend(value) / end, ticks };
}

function logScale([low, high]) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const ticks = [];
  for (let power = Math.ceil(from - 1e-9); power <= to + 1e-9; power += 1) ticks.push(10 ** power);
  if (ticks.length < 2) {
    ticks.length = 0;
    for (let power = Math.floor(from); power <= to; power += 1) {
      for (const factor of [1, 2, 5]) {
        const tick = Number((factor * 10 ** power).toPrecision(3));
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
  }
  const every = Math.ceil(ticks.length / 6);
  return {
    place: (value) => (Math.log10(Math.max(value, low / 1000)) - from) / (to - from || 1),
    ticks: ticks.filter((_, i) => (ticks.length - 1 - i) % every === 0),
  };
}
