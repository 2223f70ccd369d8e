"""The network: layers of neurons, fed forward and corrected backward.

Examples are columns: x is (n_in, batch) and y (n_out, batch), so the code reads as the book's equations do. Layer l
has weights w of shape (n_out, n_in) and biases b of shape (n_out, 1). A pass works in preallocated buffers, those of
the `Layer` objects of its batch size: to allocate them anew takes 2.3 times as long with mini-batches of 10.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
from numpy import multiply
from numpy.typing import ArrayLike, DTypeLike

from netlearn.activations import ACTIVATIONS, HiddenActivation, Softmax
from netlearn.costs import COSTS, Cost
from netlearn.errors import SettingsError
from netlearn.numerics import IN_PLACE, Array, N, T, blas, columns, numerics, zeros

Initializer: TypeAlias = str | tuple[float, float]
INITIALIZERS = ("scaled", "large")
MOST_BATCH_SIZES = 8  # whose layers are kept


class Parameters:
    """One vector of all weights and then all biases; `w` and `b` are views of it, one per layer.

    Attributes:
        vector: all parameters.
        weights: the part of it that holds all weights.
        w, b: weights (n_out, n_in) and biases (n_out, 1) of each layer.
    """

    def __init__(self, sizes: Sequence[int], dtype: DTypeLike) -> None:
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(sizes)] + [(n_out, 1) for n_out in sizes[1:]]
        ends = list(accumulate(rows * columns for rows, columns in shapes))
        self.vector = zeros((ends[-1],), dtype)
        parts = [part.reshape(shape) for part, shape in zip(np.split(self.vector, ends[:-1]), shapes, strict=True)]
        self.weights = self.vector[: ends[len(sizes) - 2]]
        self.w, self.b = tuple(parts[: len(parts) // 2]), tuple(parts[len(parts) // 2 :])

    def sha256(self) -> str:
        """Return the hash of all parameters, which identifies the initial weights of a run."""
        return hashlib.sha256(self.vector.tobytes()).hexdigest()


def initialize(parameters: Parameters, initializer: Initializer, rng: np.random.Generator) -> None:
    """Set initial weights and biases.

    Args:
        parameters: of a network; all are set.
        initializer: "scaled" draws weights from N(0, 1/n_in) (chapter 3, "Weight initialization"), "large" from
            N(0, 1) (chapter 1), biases from N(0, 1) in both cases; a pair (w, b) sets every weight and every bias.
        rng: all initializers and dtypes draw the same numbers from it.

    Raises:
        SettingsError: there is no such initializer.
    """
    if isinstance(initializer, str) and initializer not in INITIALIZERS:
        raise SettingsError(f"initializer {initializer!r}: must be scaled, large or a pair of numbers w,b")
    for w, b in zip(parameters.w, parameters.b, strict=True):
        if isinstance(initializer, str):
            w[:] = rng.standard_normal(w.shape) / (np.sqrt(w.shape[1]) if initializer == "scaled" else 1)
            b[:] = rng.standard_normal(b.shape)
        else:
            w[:], b[:] = initializer


class Layer:
    """A layer of n neurons and its results for `batch` examples, which each pass overwrites.

    Args:
        w, b: weights (n, n_in) and biases (n, 1).
        nabla_w, nabla_b: where their gradient belongs, of the same shapes.
        ones: (batch,), which sums over the examples in a product.
        below: the layer that feeds it, None for the first.

    Attributes:
        wt, b, nabla_wt, nabla_b: the same as BLAS takes them: wᵀ, which lies in memory column by column, and b, (n,).
        z: weighted inputs, (n, batch).
        a: activations, (n, batch).
        prime: σ'(z), (n, batch); not used in the output layer.
        delta: errors ∂C/∂z of each example's cost, (n, batch).
        z_rows: z with an example in each row, so that b can be assigned to all of them.
        activate: computes `a`, and in a hidden layer `prime`, from `z`, and returns `a`.
    """

    __slots__ = ("a", "activate", "b", "below", "delta", "nabla_b", "nabla_wt", "ones", "prime", "wt", "z", "z_rows")
    activate: Callable[[], Array]

    def __init__(
        self, w: Array, b: Array, nabla_w: Array, nabla_b: Array, ones: Array, below: "Layer | None"
    ) -> None:
        self.wt, self.b, self.nabla_wt, self.nabla_b = w.T, b[:, 0], nabla_w.T, nabla_b[:, 0]
        self.z, self.a, self.prime, self.delta = (columns(len(b), len(ones), w.dtype) for _ in range(4))
        self.z_rows = self.z.T
        self.ones, self.below = ones, below


class Network:
    """A fully connected network.

    Args:
        sizes: neurons in each layer, input first; [784, 10] has no hidden layer.
        cost: a name in `COSTS` or a `Cost`; it determines the activation of the output layer.
        activation: the hidden layers' activation, a name in `ACTIVATIONS` or a `HiddenActivation`.
        initializer: "scaled" draws weights from N(0, 1/n_in), "large" from N(0, 1), see `initialize`.
        rng: the generator of the initial weights and biases.
        dtype: float32, or float64 where the last digits matter more than speed.

    Attributes:
        cost, activation: the objects that these names stand for.
        parameters: the weights and biases.
        nabla: the gradient that `gradient` computed, in the same layout.

    Raises:
        SettingsError: for sizes, names or a dtype that a network cannot have.
    """

    def __init__(
        self, sizes: Sequence[int], cost: str | Cost = "cross-entropy",
        activation: str | HiddenActivation = "sigmoid", initializer: Initializer = "scaled",
        rng: np.random.Generator | None = None, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        if len(sizes) < 2 or min(sizes) < 1:
            raise SettingsError(f"sizes {list(sizes)}: must be 2 layers or more, each of 1 neuron or more")
        for name, choice, table in (("cost", cost, COSTS), ("activation", activation, ACTIVATIONS)):
            if isinstance(choice, str) and choice not in table:
                raise SettingsError(f"{name} {choice!r}: must be {', '.join(table)} or such an object")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise SettingsError(f"dtype {np.dtype(dtype).name!r}: must be float32 or float64")
        self.sizes = tuple(int(size) for size in sizes)
        self.cost = COSTS[cost]() if isinstance(cost, str) else cost
        if self.sizes[-1] == 1 and isinstance(self.cost.output, Softmax):
            raise SettingsError("outputs 1: must be 2 or more with softmax, which is always 1 for one neuron")
        self.dtype = np.dtype(dtype)
        self.parameters, self.nabla = (Parameters(self.sizes, self.dtype) for _ in range(2))
        initialize(self.parameters, initializer, rng or np.random.default_rng())
        self.activation = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        self._layers: dict[int, list[Layer]] = {}
        self._gemm, self._gemv = blas(self.dtype)

    def __repr__(self) -> str:
        return f"<Network {'-'.join(map(str, self.sizes))}, {self.dtype}>"

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
        arrays = [np.asarray(array) for array in (*weights, *biases)]
        shapes, needed = [new.shape for new in arrays], [own.shape for own in self.weights + self.biases]
        if shapes != needed or len(weights) != len(biases):
            raise SettingsError(f"weights and biases of shapes {shapes}: must be {needed}")
        for own, new in zip(self.weights + self.biases, arrays, strict=True):
            own[:] = new

    def feedforward(self, x: Array) -> Array:
        """Return the output of the network, a new array (n_out, batch), for inputs x, (n_in, batch).

        Raises:
            SettingsError: x has another shape, or holds whole pixels, which no network was trained on unscaled.
        """
        if getattr(x, "dtype", np.dtype(float)).kind in "ui" and x.max(initial=0) > 1:
            raise SettingsError(f"x of {x.dtype}: must be scaled as the training inputs were, such as x / 255")
        with numerics():
            return self.forward(self._columns("x", x, self.sizes[0]))[-1].a.copy()

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

    def forward(self, x: Array) -> list[Layer]:
        """Feed x, of the network's dtype, forward: z = w a + b and a = σ(z) in each layer (equation 25)."""
        batch = x.shape[1]
        layers, gemm, a = self._layers.get(batch) or self._make_layers(batch), self._gemm, x
        for layer in layers:
            layer.z_rows[...] = layer.b
            gemm(1.0, layer.wt, a, 1.0, layer.z, T, N, IN_PLACE)  # z = w a + b
            a = layer.activate()
        return layers

    def backward(self, x: Array, y: Array) -> list[Layer]:
        """Feed examples x with targets y, of the network's dtype, forward, and their errors δ backward."""
        layers, gemm = self.forward(x), self._gemm
        layer = layers[-1]
        self.cost.delta(layer.z, layer.a, y, layer.delta)  # BP1: δ^L = ∂C/∂z^L
        while (below := layer.below) is not None:
            gemm(1.0, layer.wt, layer.delta, 0.0, below.delta, N, N, IN_PLACE)
            multiply(below.delta, below.prime, below.delta)  # BP2: δ^l = (w^T δ^(l+1)) ⊙ σ'(z^l)
            layer = below
        return layers

    def gradient(self, x: Array, y: Array) -> None:
        """Write the gradient of the mean cost of m examples x with targets y, of the network's dtype, to `nabla`."""
        layers, a, gemm, gemv, share = self.backward(x, y), x, self._gemm, self._gemv, 1 / x.shape[1]
        for layer in layers:
            gemm(share, a, layer.delta, 0.0, layer.nabla_wt, N, T, IN_PLACE)  # BP4: ∇w = 1/m Σ δ a^T
            gemv(share, layer.delta, layer.ones, 0.0, layer.nabla_b)  # BP3: ∇b = 1/m Σ δ
            a = layer.a

    def descend(self, x: Array, y: Array, eta: float, decay: float = 1.0) -> None:
        """Descend one step, with a decay of 1 − ηλ/n for L2 regularization (equations 93 and 94)."""
        layers, a, gemm, gemv, step = self.backward(x, y), x, self._gemm, self._gemv, -eta / x.shape[1]
        for layer in layers:
            gemm(step, a, layer.delta, decay, layer.wt, N, T, IN_PLACE)  # w → (1 − ηλ/n) w − η/m Σ δ a^T
            gemv(step, layer.delta, layer.ones, 1.0, layer.b)  # b → b − η/m Σ δ
            a = layer.a

    def _make_layers(self, batch: int) -> list[Layer]:
        """Make and keep the layers for a batch size."""
        if len(self._layers) == MOST_BATCH_SIZES:
            self._layers.clear()
        layers = self._layers[batch] = []
        ones, below = np.ones(batch, self.dtype), None
        for arrays in zip(self.weights, self.biases, self.nabla.w, self.nabla.b, strict=True):
            below = Layer(*arrays, ones, below)
            below.activate = partial(self.activation.value_and_prime, below.z, below.a, below.prime)
            layers.append(below)
        output = layers[-1]
        output.activate = partial(self.cost.output.value, output.z, output.a)
        return layers
