// The engine: a fully connected network that learns by mini-batch gradient descent, in float64, from sparse examples.
//
// It is a script of its own without a document, so that the page and its workers run the same text. Weights lie in one
// array; those into a layer are ordered by their input, w[k * n + j] from neuron k to neuron j, so that an input that
// is 0, as most pixels of a digit are, costs nothing. Equations are those of Nielsen's book.

"use strict";

const MOST = 88; // e^z is not computed beyond, as in netlearn

// Activations of hidden layers: a and its derivative da/dz, of z.
const HIDDEN = {
  sigmoid(z, a, prime) { // σ(z) = e^z/(1 + e^z) and σ′(z) = σ(z)/(1 + e^z) (equation 3)
    for (let j = 0; j < z.length; j += 1) {
      const e = Math.exp(Math.min(z[j], MOST)), sum = 1 + e;
      a[j] = e / sum;
      prime[j] = a[j] / sum;
    }
  },
  tanh(z, a, prime) { // equation 109; 1/cosh²(z) loses no digits at saturation
    for (let j = 0; j < z.length; j += 1) {
      const cosh = Math.cosh(z[j]);
      a[j] = Math.tanh(z[j]);
      prime[j] = 1 / (cosh * cosh);
    }
  },
  relu(z, a, prime) {
    for (let j = 0; j < z.length; j += 1) {
      a[j] = Math.max(0, z[j]);
      prime[j] = z[j] > 0 ? 1 : 0;
    }
  },
};

function softmax(z, a) { // equation 78
  let most = -Infinity, sum = 0;
  for (let j = 0; j < z.length; j += 1) most = Math.max(most, z[j]);
  for (let j = 0; j < z.length; j += 1) sum += a[j] = Math.exp(z[j] - most);
  for (let j = 0; j < z.length; j += 1) a[j] /= sum;
}

// Costs: the output layer's activations and σ′, the value C, and BP1, δ = ∂C/∂z, of one example with targets y.
const COSTS = {
  quadratic: { // equation 6; δ = (a − y) σ′(z) (equation 30): the factor σ′ is the learning slowdown
    learningRate: 3,
    output: HIDDEN.sigmoid,
    value(z, a, y) {
      let sum = 0;
      for (let j = 0; j < z.length; j += 1) sum += (a[j] - y[j]) ** 2;
      return sum / 2;
    },
    delta(z, a, prime, y, delta) {
      for (let j = 0; j < z.length; j += 1) delta[j] = (a[j] - y[j]) * prime[j];
    },
    ofError: (e) => e * e * (1 - e), // |δ| of a neuron with error e = |a − y|
  },
  "cross-entropy": { // equation 63, from z: ln(1 + e^−|z|), and |z| on the wrong side; δ = a − y (equation 66)
    learningRate: 0.5,
    output: HIDDEN.sigmoid,
    value(z, a, y) {
      let sum = 0;
      for (let j = 0; j < z.length; j += 1) {
        const size = Math.abs(z[j]);
        sum += (z[j] > 0 ? 1 - y[j] : y[j]) * size + Math.log1p(Math.exp(-size));
      }
      return sum;
    },
    delta: difference,
    ofError: (e) => e,
  },
  "log-likelihood": { // equation 80, on softmax outputs; δ = a − y (equation 84)
    learningRate: 0.1,
    softmax: true,
    output(z, a, prime) {
      softmax(z, a);
      for (let j = 0; j < z.length; j += 1) prime[j] = a[j] * (1 - a[j]);
    },
    value(z, a, y) {
      let most = 0, sum = 0, value = 0;
      for (let j = 1; j < z.length; j += 1) if (z[j] > z[most]) most = j;
      for (let j = 0; j < z.length; j += 1) if (j !== most) sum += Math.exp(z[j] - z[most]);
      for (let j = 0; j < z.length; j += 1) value += y[j] * (Math.log1p(sum) - (z[j] - z[most]));
      return value;
    },
    delta: difference,
    ofError: (e) => e,
  },
};

function difference(z, a, prime, y, delta) {
  for (let j = 0; j < z.length; j += 1) delta[j] = a[j] - y[j];
}

// Random numbers of one stream of a seed: Jenkins's small fast generator (sfc32).
function generator(seed, stream) {
  let a = seed >>> 0, b = Math.floor(seed / 2 ** 32) >>> 0, c = stream >>> 0, counter = 1;
  const next = () => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 15; i += 1) next();
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53; // from 0 to below 1, of 53 bits
}

// Numbers from N(0, 1), by Marsaglia's polar method.
function normal(random) {
  let spare = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const x = 2 * random() - 1, y = 2 * random() - 1, square = x * x + y * y;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        spare = y * factor;
        return x * factor;
      }
    }
  };
}

// Examples that keep only what is not 0: those of example i stand from starts[i] to starts[i + 1].
function sparse(pixels, labels, inputs) {
  const starts = new Uint32Array(labels.length + 1);
  let count = 0;
  for (let i = 0; i < pixels.length; i += 1) if (pixels[i]) count += 1;
  const places = new Uint32Array(count), values = new Float64Array(count);
  count = 0;
  for (let row = 0; row < labels.length; row += 1) {
    for (let k = 0; k < inputs; k += 1) {
      const value = pixels[row * inputs + k];
      if (!value) continue;
      places[count] = k;
      values[count] = value;
      count += 1;
    }
    starts[row + 1] = count;
  }
  return { starts, places, values, labels, count: labels.length };
}

class Network {
  // `sizes`: neurons of each layer, inputs first. All weights and biases are views of `parameters`.
  constructor(sizes, cost, activation) {
    Object.assign(this, { sizes, cost: COSTS[cost], activate: HIDDEN[activation], works: [] });
    let length = 0;
    for (let i = 1; i < sizes.length; i += 1) length += (sizes[i - 1] + 1) * sizes[i];
    this.parameters = new Float64Array(length);
    let at = 0;
    this.layers = sizes.slice(1).map((n, i) => {
      const w = this.parameters.subarray(at, at += sizes[i] * n), b = this.parameters.subarray(at, at += n);
      return { n, inputs: sizes[i], w, b };
    });
  }

  // Draws weights from N(0, 1) ("large") or N(0, 1/inputs) ("scaled"), biases from N(0, 1); a pair sets all of them.
  initialize(initializer, seed) {
    const draw = normal(generator(seed, 1));
    for (const { w, b, inputs } of this.layers) {
      if (typeof initializer !== "string") {
        w.fill(initializer[0]);
        b.fill(initializer[1]);
        continue;
      }
      const scale = initializer === "scaled" ? Math.sqrt(inputs) : 1;
      for (let i = 0; i < w.length; i += 1) w[i] = draw() / scale;
      for (let j = 0; j < b.length; j += 1) b[j] = draw();
    }
  }

  // Room for the z, a, σ′ and δ of each layer and the targets y, for the i-th example of a mini-batch.
  work(i) {
    while (this.works.length <= i) {
      const layers = this.layers.map(({ n }) => ({
        z: new Float64Array(n), a: new Float64Array(n), prime: new Float64Array(n), delta: new Float64Array(n) }));
      this.works.push({ layers, last: layers[layers.length - 1], y: new Float64Array(this.sizes[this.sizes.length - 1]) });
    }
    return this.works[i];
  }

  // z = w a + b and a = σ(z) in each layer (equation 25), for a row of the examples.
  forward(examples, row, i = 0) {
    const work = this.work(i), { y } = work, label = examples.labels[row];
    if (y.length === 1) y[0] = label;
    else for (let j = 0; j < y.length; j += 1) y[j] = j === label ? 1 : 0;
    for (let l = 0; l < this.layers.length; l += 1) {
      const { w, b, n } = this.layers[l], { z, a, prime } = work.layers[l];
      for (let j = 0; j < n; j += 1) z[j] = b[j];
      if (l === 0) {
        const { places, values } = examples, end = examples.starts[row + 1];
        for (let p = examples.starts[row]; p < end; p += 1) {
          const x = values[p], at = places[p] * n;
          for (let j = 0; j < n; j += 1) z[j] += w[at + j] * x;
        }
      } else {
        const below = work.layers[l - 1].a;
        for (let k = 0, at = 0; k < below.length; k += 1, at += n) {
          const x = below[k];
          for (let j = 0; j < n; j += 1) z[j] += w[at + j] * x;
        }
      }
      if (l === this.layers.length - 1) this.cost.output(z, a, prime);
      else this.activate(z, a, prime);
    }
    return work;
  }

  // The errors δ of each layer: BP1 at the output, then BP2, δ^l = (w^T δ^(l+1)) ⊙ σ′(z^l).
  backward(work) {
    const { z, a, prime, delta } = work.last;
    this.cost.delta(z, a, prime, work.y, delta);
    for (let l = this.layers.length - 1; l > 0; l -= 1) {
      const { w, n } = this.layers[l], above = work.layers[l].delta, below = work.layers[l - 1];
      for (let k = 0, at = 0; k < below.a.length; k += 1, at += n) {
        let sum = 0;
        for (let j = 0; j < n; j += 1) sum += w[at + j] * above[j];
        below.delta[k] = sum * below.prime[k];
      }
    }
  }

  // One update by m examples: b → b − η/m Σ δ (BP3) and w → w − η/m Σ a δ (BP4; equations 20 and 21).
  learn(examples, rows, eta) {
    for (let i = 0; i < rows.length; i += 1) this.backward(this.forward(examples, rows[i], i));
    const rate = -eta / rows.length;
    for (let i = 0; i < rows.length; i += 1) {
      const work = this.works[i];
      for (let l = 0; l < this.layers.length; l += 1) {
        const { w, b, n } = this.layers[l], { delta } = work.layers[l];
        for (let j = 0; j < n; j += 1) b[j] += rate * delta[j];
        if (l === 0) {
          const { places, values } = examples, end = examples.starts[rows[i] + 1];
          for (let p = examples.starts[rows[i]]; p < end; p += 1) {
            const x = rate * values[p], at = places[p] * n;
            for (let j = 0; j < n; j += 1) w[at + j] += x * delta[j];
          }
        } else {
          const below = work.layers[l - 1].a;
          for (let k = 0, at = 0; k < below.length; k += 1, at += n) {
            const x = rate * below[k];
            for (let j = 0; j < n; j += 1) w[at + j] += x * delta[j];
          }
        }
      }
    }
  }

  // What is seen on examples: the accuracy, the mean cost, Σ|δ| / Σ|a − y|, and the share of badly wrong outputs.
  measure(examples) {
    let right = 0, cost = 0, gradient = 0, error = 0, wrong = 0;
    for (let row = 0; row < examples.count; row += 1) {
      const work = this.forward(examples, row), { z, a, prime, delta } = work.last;
      this.cost.delta(z, a, prime, work.y, delta);
      cost += this.cost.value(z, a, work.y);
      right += answerOf(a) === examples.labels[row] ? 1 : 0;
      for (let j = 0; j < a.length; j += 1) {
        const size = Math.abs(a[j] - work.y[j]);
        error += size;
        gradient += Math.abs(delta[j]);
        wrong += size > 0.9 ? 1 : 0;
      }
    }
    const outputs = examples.count * this.sizes[this.sizes.length - 1];
    return { accuracy: right / examples.count, cost: cost / examples.count, speed: error ? gradient / error : 0, wrong: wrong / outputs };
  }
}

// The answer: the most active output; with one output neuron 1 where it is above ½.
function answerOf(a) {
  if (a.length === 1) return a[0] > 0.5 ? 1 : 0;
  let most = 0;
  for (let j = 1; j < a.length; j += 1) if (a[j] > a[most]) most = j;
  return most;
}

// The updates after which is measured: all up to 20, then 20 to 50 between a power of ten and the next.
function nextProbe(update) {
  const step = 10 ** Math.floor(Math.log10(Math.max(20, update) / 20) + 1e-9);
  const even = step * [5, 2, 1].find((factor) => factor * step * 20 <= Math.max(20, update));
  return (Math.floor(update / even) + 1) * even;
}

// A network that learns, update by update, from mini-batches in an order that is drawn anew for each epoch.
class Training {
  // `order(epoch)`, if given, replaces the order that is drawn: the rows of the training set in that epoch.
  constructor({ sizes, cost, activation, initializer, learningRate, batchSize, seed }, data, order = null) {
    Object.assign(this, { data, learningRate, batchSize, order, update: 0 });
    this.network = new Network(sizes, cost, activation);
    this.network.initialize(initializer, seed);
    this.random = generator(seed, 2);
    this.rows = Uint32Array.from({ length: data.train.count }, (_, i) => i);
    this.perEpoch = Math.ceil(data.train.count / batchSize);
  }

  // Learns until that many updates are done; returns what was measured at the probes on the way.
  learnTo(to) {
    const probes = [];
    while (this.update < to) {
      const stop = Math.min(to, nextProbe(this.update));
      while (this.update < stop) this.step();
      if (stop === nextProbe(stop - 1)) probes.push(this.measure());
    }
    return probes;
  }

  measure() {
    return { update: this.update, ...this.network.measure(this.data.heldOut) };
  }

  step() {
    const place = this.update % this.perEpoch;
    if (place === 0) this.shuffle(this.update / this.perEpoch);
    this.network.learn(this.data.train, this.rows.subarray(place * this.batchSize, (place + 1) * this.batchSize), this.learningRate);
    this.update += 1;
  }

  // Fisher and Yates's shuffle.
  shuffle(epoch) {
    if (this.order) {
      this.rows.set(this.order(epoch));
      return;
    }
    for (let i = this.rows.length - 1; i > 0; i -= 1) {
      const k = Math.floor(this.random() * (i + 1)), row = this.rows[i];
      this.rows[i] = this.rows[k];
      this.rows[k] = row;
    }
  }
}

// In a worker: {data} comes once, {settings} begins anew, {to} learns; each of the last two is answered.
if (typeof document === "undefined") {
  let data = null, training = null;
  onmessage = ({ data: message }) => {
    if (message.data) data = message.data;
    if (message.settings) training = new Training(message.settings, data);
    if (message.to === undefined) return;
    const probes = training.learnTo(message.to), now = training.measure();
    const parameters = training.network.parameters.slice();
    postMessage({ probes, now, parameters }, [parameters.buffer]);
  };
}
