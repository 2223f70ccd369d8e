// The trained networks, run here: weights unpacked from 12 bits, fed forward as netlearn does.

const ACTIVATIONS = {
  sigmoid: (z) => z.map(sigmoid),
  tanh: (z) => z.map(Math.tanh),
  relu: (z) => z.map((value) => Math.max(0, value)),
  identity: (z) => z,
  softmax: (z) => {
    const most = Math.max(...z), terms = z.map((value) => Math.exp(value - most));
    const sum = terms.reduce((total, term) => total + term, 0);
    return terms.map((term) => term / sum);
  },
};

// Layers of {w, b}: w by rows, one for each neuron. Two weights take three bytes, see networks.py.
const unpacked = new Map();
function layersOf(blob, sizes) {
  if (!unpacked.has(blob)) {
    const { codes, steps, biases } = DATA.networks.blobs[blob], bytes = bytesOf(codes);
    let at = 0;
    unpacked.set(blob, biases.map((b, layer) => {
      const inputs = sizes[layer], w = new Float32Array(inputs * b.length);
      for (let i = 0; i < w.length; i += 2, at += 3) {
        const first = (bytes[at] << 4) | (bytes[at + 1] >> 4), second = ((bytes[at + 1] & 15) << 8) | bytes[at + 2];
        w[i] = (first - 2047) * steps[layer][Math.floor(i / inputs)];
        if (i + 1 < w.length) w[i + 1] = (second - 2047) * steps[layer][Math.floor((i + 1) / inputs)];
      }
      return { w, b };
    }));
  }
  return unpacked.get(blob);
}

// The outputs of a network in a state, "end" or the number of an update, for an image of pixels from 0 to 1.
function outputsOf(network, state, image) {
  const layers = layersOf(network.states[state], network.sizes);
  let a = image;
  layers.forEach(({ w, b }, layer) => {
    const z = new Float64Array(b.length), inputs = a.length;
    for (let j = 0; j < z.length; j += 1) {
      let sum = b[j];
      for (let k = 0, at = j * inputs; k < inputs; k += 1) if (a[k]) sum += w[at + k] * a[k];
      z[j] = sum;
    }
    a = ACTIVATIONS[layer === layers.length - 1 ? network.output : network.activation](z);
  });
  return a;
}

// The answer: the most active output; with one output neuron 1 where it is above ½.
const answerOf = (outputs) => (outputs.length === 1 ? Number(outputs[0] > 0.5) : outputs.indexOf(Math.max(...outputs)));

// An image of the test set: bytes with their runs of zeros shortened.
function imageOf(text, size) {
  const image = new Float32Array(size), bytes = bytesOf(text);
  for (let i = 0, at = 0; i < bytes.length; i += 1) {
    if (bytes[i]) image[at++] = bytes[i] / 255;
    else at += bytes[(i += 1)];
  }
  return image;
}
