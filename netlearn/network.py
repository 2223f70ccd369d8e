"""The network: layers of neurons, fed forward and corrected backward.

Examples are columns: x is (n_in, batch) and y (n_out, batch), so the code reads as the book's equations do. Layer l
has weights w of shape (n_out, n_in) and biases b of shape (n_out, 1). A pass works in preallocated buffers, one
`Workspace` per batch size, and adds in place: `gemm(α, a, b, β, c, transpose a, transpose b, 1)` is c → α a b + β c.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy import copyto, multiply
from numpy.typing import ArrayLike, DTypeLike

from netlearn.activations import ACTIVATIONS, Activation, HiddenActivation, Softmax
from netlearn.costs import COSTS, Cost
from netlearn.errors import SettingsError
from netlearn.numerics import Array, aligned, blas, columns, numerics

Initializer: TypeAlias = str | tuple[float, float]
INITIALIZERS = ("scaled", "large")
MOST_WORKSPACES = 8


class Parameters:
    """One vector of all weights and then all biases; `w` and `b` are views of it, one per layer.

    Attributes:
        vector: all parameters.
        w, b: weights (n_out, n_in) and biases (n_out, 1) of each layer.
        transposed: w^T, (n_in, n_out), and b, (n_out,), of each layer, as BLAS reads and writes them.
        upper: those of all layers but the first, last to first.
    """

    def __init__(self, sizes: Sequence[int], dtype: DTypeLike) -> None:
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(sizes)] + [(n_out, 1) for n_out in sizes[1:]]
        ends = list(accumulate(rows * columns for rows, columns in shapes))
        self.vector = aligned((ends[-1],), dtype)
        self.vector.fill(0)
        parts = [part.reshape(shape) for part, shape in zip(np.split(self.vector, ends[:-1]), shapes, strict=True)]
        self.w, self.b = tuple(parts[: len(parts) // 2]), tuple(parts[len(parts) // 2 :])
        self.transposed = [(w.T, b[:, 0]) for w, b in zip(self.w, self.b, strict=True)]
        self.upper = self.transposed[:0:-1]

    def sha256(self) -> str:
        """Return the hash of all parameters, which identifies the initial weights of a run."""
        return hashlib.sha256(self.vector.tobytes()).hexdigest()


class Workspace:
    """The results of one pass, layer by layer; the next pass with the same batch size overwrites them.

    Attributes:
        z: weighted inputs, (n, batch) each.
        a: activations, (n, batch) each.
        delta: errors ∂C/∂z of each example's cost, (n, batch) each.
        ones: (batch,), which sums over examples in a product.
        forward, backward: the arrays of each layer in the order of a pass; looking them up takes 3 µs per step.
    """

    def __init__(self, parameters: Parameters, hidden: HiddenActivation, output: Activation, batch: int) -> None:
        dtype, transposed = parameters.vector.dtype, parameters.transposed
        self.z, self.a, self.delta, prime = ([columns(len(b), batch, dtype) for b in parameters.b] for _ in range(4))
        self.ones = np.ones(batch, dtype)
        activate: list[tuple[Callable[..., Array], tuple[Array, ...]]] = [
            (hidden.value_and_prime, buffers) for buffers in zip(self.z, self.a, prime, strict=True)
        ]
        activate[-1] = output.value, (self.z[-1], self.a[-1])
        self.forward = [(w_t, b, z, z.T, *how) for (w_t, b), z, how in zip(transposed, self.z, activate, strict=True)]
        self.backward = [
            (transposed[layer][0], self.delta[layer], self.delta[layer - 1], self.a[layer - 1], prime[layer - 1])
            for layer in reversed(range(1, len(transposed)))
        ]


class Network:
    """A fully connected network.

    Args:
        sizes: neurons in each layer, input first; [784, 10] has no hidden layer.
        cost: a name in `COSTS` or a `Cost`; it determines the activation of the output layer.
        activation: the hidden layers' activation, a name in `ACTIVATIONS` or a `HiddenActivation`.
        initializer: "scaled" draws weights from N(0, 1/n_in) (chapter 3, "Weight initialization"), "large" from
            N(0, 1) (chapter 1), biases from N(0, 1) in both cases; a pair (w, b) sets every weight and every bias.
        rng: the generator of the initial weights. All initializers and dtypes draw the same numbers from it.
        dtype: float32, or float64 where the last digits matter more than speed.

    Attributes:
        parameters: the weights and biases.
        nabla: the gradient that `gradient` computed, in the same layout.

    Raises:
        SettingsError: for sizes, names or a dtype that a network cannot have.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        cost: str | Cost = "cross-entropy",
        activation: str | HiddenActivation = "sigmoid",
        initializer: Initializer = "scaled",
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise SettingsError(f"sizes {list(sizes)}: must be 2 layers or more, each of 1 neuron or more")
        if isinstance(cost, str) and cost not in COSTS:
            raise SettingsError(f"cost {cost!r}: must be {', '.join(COSTS)} or a cost object")
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            raise SettingsError(f"activation {activation!r}: must be {', '.join(ACTIVATIONS)}")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise SettingsError(f"dtype {np.dtype(dtype).name!r}: must be float32 or float64")
        self.sizes = tuple(int(size) for size in sizes)
        self.cost = COSTS[cost]() if isinstance(cost, str) else cost
        if self.sizes[-1] == 1 and isinstance(self.cost.output, Softmax):
            raise SettingsError("outputs 1: must be 2 or more with softmax, which is always 1 for one neuron")
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.parameters = Parameters(self.sizes, self.dtype)
        self.nabla = Parameters(self.sizes, self.dtype)
        self._initialize(initializer, rng if rng is not None else np.random.default_rng())
        self._hidden = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        self._gemm, self._gemv = blas(self.dtype)
        self._workspaces: dict[int, Workspace] = {}

    @property
    def weights(self) -> tuple[Array, ...]:
        """The weights of each layer, (n_out, n_in): views, changed in place or by `set_parameters`."""
        return self.parameters.w

    @property
    def biases(self) -> tuple[Array, ...]:
        """The biases of each layer, (n_out, 1): views, changed in place or by `set_parameters`."""
        return self.parameters.b

    def set_parameters(self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> None:
        """Copy weights, (n_out, n_in) for each layer, and biases, (n_out, 1), into the network.

        Raises:
            SettingsError: they do not have the shapes of the network's own; nothing is changed then.
        """
        given = [np.asarray(array) for array in (*weights, *biases)]
        shapes, needed = [new.shape for new in given], [own.shape for own in self.weights + self.biases]
        if shapes != needed or len(weights) != len(biases):
            raise SettingsError(f"weights and biases of shapes {shapes}: must be {needed}")
        for own, new in zip(self.weights + self.biases, given, strict=True):
            own[:] = new

    def _initialize(self, initializer: Initializer, rng: np.random.Generator) -> None:
        if isinstance(initializer, str) and initializer not in INITIALIZERS:
            raise SettingsError(f"initializer {initializer!r}: must be scaled, large or a pair of numbers w,b")
        for w, b in zip(self.weights, self.biases, strict=True):
            if isinstance(initializer, str):
                w[:] = rng.standard_normal(w.shape) / (np.sqrt(w.shape[1]) if initializer == "scaled" else 1)
                b[:] = rng.standard_normal(b.shape)
            else:
                w[:], b[:] = initializer

    def feedforward(self, x: Array) -> Array:
        """Return the output of the network, a new array (n_out, batch), for inputs x, (n_in, batch).

        Raises:
            SettingsError: x has another shape.
        """
        with numerics():
            return self.forward(self._columns("x", x, self.sizes[0])).a[-1].copy()

    def backprop(self, x: Array, y: Array) -> tuple[list[Array], list[Array]]:
        """Return (nabla_b, nabla_w), the gradient of the mean cost of examples x with targets y, layer by layer.

        x is (n_in, batch), y (n_out, batch); for one example it is the book's `backprop`. The arrays are copies.

        Raises:
            SettingsError: x or y has another shape.
        """
        x, y = self._columns("x", x, self.sizes[0]), self._columns("y", y, self.sizes[-1])
        if x.shape[1] != y.shape[1]:
            raise SettingsError(f"y of shape {y.shape}: must be {(len(y), x.shape[1])}, a column for each of x")
        with numerics():
            self.gradient(x, y)
        return [nabla.copy() for nabla in self.nabla.b], [nabla.copy() for nabla in self.nabla.w]

    def _columns(self, name: str, array: ArrayLike, n: int) -> Array:
        """Return a caller's examples as columns, (n, batch), of the network's dtype."""
        examples = np.asarray(array, self.dtype)
        if examples.ndim != 2 or len(examples) != n or not examples.size:
            raise SettingsError(f"{name} of shape {examples.shape}: must be ({n}, batch), an example in each column")
        return examples

    def forward(self, x: Array) -> Workspace:
        """Feed x, of the network's dtype, forward: z = w a + b and a = σ(z) in each layer (equation 25)."""
        work = self._workspace(x.shape[1])
        gemm, a = self._gemm, x
        for w_t, b, z, z_t, activate, buffers in work.forward:
            copyto(z_t, b)
            gemm(1.0, w_t, a, 1.0, z, 1, 0, 1)
            a = activate(*buffers)
        return work

    def gradient(self, x: Array, y: Array) -> Workspace:
        """Write the gradient of the mean cost of examples x with targets y, of the network's dtype, to `nabla`."""
        return self._backward(x, y, self.nabla, 1 / x.shape[1], 0.0, 0.0)

    def descend(self, x: Array, y: Array, eta: float, decay: float = 1.0) -> None:
        """Take one step of gradient descent on the mean cost of a mini-batch.

        w → decay w − η/m Σ ∂C_x/∂w and b → b − η/m Σ ∂C_x/∂b (chapter 3, equations 93 and 94).
        """
        self._backward(x, y, self.parameters, -eta / x.shape[1], decay, 1.0)

    def _backward(
        self, x: Array, y: Array, into: Parameters, alpha: float, beta_w: float, beta_b: float
    ) -> Workspace:
        """Change each w of `into` to beta_w w + alpha Σ ∂C_x/∂w and each b to beta_b b + alpha Σ ∂C_x/∂b."""
        work = self.forward(x)
        gemm, gemv, ones = self._gemm, self._gemv, work.ones
        self.cost.delta(work.z[-1], work.a[-1], y, work.delta[-1])  # BP1: δ^L = ∂C/∂z^L
        for (w_t, delta, below, a, prime), (into_w, into_b) in zip(work.backward, into.upper, strict=True):
            gemm(1.0, w_t, delta, 0.0, below, 0, 0, 1)
            multiply(below, prime, below)  # BP2: δ^l = (w^T δ^(l+1)) ⊙ σ'(z^l), before w changes
            gemm(alpha, a, delta, beta_w, into_w, 0, 1, 1)  # BP4: ∂C/∂w = δ a^T, summed over examples
            gemv(alpha, delta, ones, beta_b, into_b, 0, 1, 0, 1, 0, 1)  # BP3: ∂C/∂b = δ, likewise
        into_w, into_b = into.transposed[0]
        gemm(alpha, x, work.delta[0], beta_w, into_w, 0, 1, 1)
        gemv(alpha, work.delta[0], ones, beta_b, into_b, 0, 1, 0, 1, 0, 1)
        return work

    def _workspace(self, batch: int) -> Workspace:
        if batch not in self._workspaces:
            if len(self._workspaces) == MOST_WORKSPACES:
                self._workspaces.clear()
            self._workspaces[batch] = Workspace(self.parameters, self._hidden, self.cost.output, batch)
        return self._workspaces[batch]
