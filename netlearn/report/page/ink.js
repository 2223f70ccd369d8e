// From ink on a canvas to an image as MNIST's are: fitted into 20 × 20 pixels and centred by mass in 28 × 28.

const NEAR = 0.08; // of the right size
const CORE = 0.2; // of each pixel, which an enlarged image has not blended with its neighbours

// `ink` has width × height values from 0 to 1; returns rows × columns pixels, or null if there is no ink.
function prepare(ink, width, height, [rows, columns]) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (ink[y * width + x] > 0.1) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  if (right < 0) return null;
  const wide = right - left + 1, high = bottom - top + 1;
  const scale = Math.min((columns * 20) / 28 / wide, (rows * 20) / 28 / high);
  if (Math.abs((scale * width) / columns - 1) < NEAR) { // of that size already: scaling would only blur it
    return centre(shrink(ink, width, { left: 0, top: 0, wide: width, high: height }, columns, rows, CORE), columns, rows, rows, columns);
  }
  const [w, h] = [Math.max(1, Math.round(wide * scale)), Math.max(1, Math.round(high * scale))];
  return centre(shrink(ink, width, { left, top, wide, high }, w, h), w, h, rows, columns);
}

// Scales a part of the ink to w × h pixels: each is the mean of the area that it covers, or of the core of that.
function shrink(ink, width, { left, top, wide, high }, w, h, core = 1) {
  const small = new Float32Array(w * h);
  const spans = (count, length, start) => Array.from({ length: count }, (_, i) => {
    const middle = ((i + 0.5) * length) / count, half = (core * length) / count / 2;
    const [from, to] = [middle - half, middle + half], found = [];
    for (let k = Math.floor(from); k < Math.ceil(to - 1e-9); k += 1) {
      found.push([start + k, (Math.min(to, k + 1) - Math.max(from, k)) / (to - from)]);
    }
    return found;
  });
  const across = spans(w, wide, left), down = spans(h, high, top);
  for (let y = 0; y < h; y += 1) {
    for (let x = 0; x < w; x += 1) {
      let sum = 0;
      for (const [row, share] of down[y]) for (const [column, part] of across[x]) sum += share * part * ink[row * width + column];
      small[y * w + x] = sum;
    }
  }
  const most = Math.max(...small);
  return small.map((value) => value / most);
}

// Moves ink by whole pixels until its centre of mass is the middle of the image.
function centre(small, w, h, rows, columns) {
  let [mass, across, down] = [0, 0, 0];
  small.forEach((value, i) => {
    mass += value;
    across += value * (i % w);
    down += value * Math.floor(i / w);
  });
  const inked = (line) => line.some((value) => value > 0);
  const column = (x) => Array.from({ length: h }, (_, y) => small[y * w + x]), row = (y) => small.slice(y * w, (y + 1) * w);
  const place = (middle, length, room, line) => {
    let [first, last] = [0, length - 1];
    while (!inked(line(first))) first += 1;
    while (!inked(line(last))) last -= 1;
    return Math.min(Math.max(Math.round(room / 2 - middle), -first), room - 1 - last);
  };
  const left = place(across / mass, w, columns, column), top = place(down / mass, h, rows, row);
  const image = new Float32Array(rows * columns);
  small.forEach((value, i) => {
    if (value > 0) image[(top + Math.floor(i / w)) * columns + left + (i % w)] = value;
  });
  return image;
}

// Paints an image of pixels from 0 to 1 on a canvas of its size, dark on light.
function paint(canvas, image) {
  const context = canvas.getContext("2d"), pixels = context.createImageData(canvas.width, canvas.height);
  image.forEach((value, i) => {
    pixels.data.set([0, 0, 0, Math.round(255 * value)], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}
