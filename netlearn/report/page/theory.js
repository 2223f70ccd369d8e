// The book's equations, for one neuron with input x = 1 and desired output y = 0, and |δ| against the error.

const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const slope = (z) => sigmoid(z) * sigmoid(-z); // σ′(z)

const NEURONS = [
  { // equations 54 to 56: C = (y − a)²/2, ∂C/∂w = ∂C/∂b = a σ′(z)
    name: "quadratic", line: "quadratic",
    cost: (z) => sigmoid(z) ** 2 / 2,
    gradient: (z) => sigmoid(z) * slope(z),
  },
  { // equations 57 to 62: C = −ln(1 − a), ∂C/∂w = ∂C/∂b = a
    name: "cross-entropy", line: "crossentropy",
    cost: (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
    gradient: sigmoid,
  },
];

// Gradient descent, epoch by epoch: a, C, gradient, w and b after each.
function descend({ cost, gradient }, w, b, eta, epochs) {
  const states = [];
  for (let epoch = 0; epoch <= epochs; epoch += 1) {
    const z = w + b, nabla = gradient(z);
    states.push({ z, a: sigmoid(z), cost: cost(z), prime: slope(z), gradient: nabla, w, b });
    w -= eta * nabla;
    b -= eta * nabla;
  }
  return states;
}

// |δ| as a function of the error e, for the costs of which it is known.
const DELTA = {
  quadratic: { text: "e²(1 − e)", at: (e) => e * e * (1 - e) },
  "cross-entropy": { text: "e", at: (e) => e },
  "log-likelihood": { text: "e", at: (e) => e },
};
