"""The network: layers of neurons, fed forward and corrected backward.

Examples are columns: x is (n_in, batch) and y (n_out, batch), so the code reads as the book's equations do. Layer l
has weights w of shape (n_out, n_in) and biases b of shape (n_out, 1). A pass works in preallocated buffers, one
`Workspace` for each batch size; what `feedforward` and `backprop` return are copies, the caller's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from netlearn.activations import ACTIVATIONS, Activation, Array, Softmax
from netlearn.costs import COSTS, Cost, check_gradient, load_cost
from netlearn.errors import SettingsError
from netlearn.numerics import numerics

Initializer: TypeAlias = str | tuple[float, float]
INITIALIZERS = ("scaled", "large")
MOST_WORKSPACES = 8


class Below(NamedTuple):
    """What the backward pass uses of a layer and of the layer below it."""

    w_t: Array
    nabla_w: Array
    a: Array
    a_t: Array
    z: Array
    delta: Array


@dataclass(frozen=True)
class Workspace:
    """What one pass leaves behind, layer by layer; the next pass of the same batch size overwrites it.

    Attributes:
        z: weighted inputs, (n, batch) each. After a backward pass only the output layer's holds z still.
        a: activations, (n, batch) each.
        delta: errors ∂C/∂z times the pass's scale, (n, batch) each.
        deltas: all of `delta`, one layer's rows below the other's.
        ones: (batch, 1), to sum over examples by a product.
        layers: of each layer what the forward pass uses: w, b, its activation, z and a.
        backward: of each layer but the first, last to first, what the backward pass uses: its w^T and ∂C/∂w, and of
            the layer below a, a^T, z and δ. Looking all this up in each step took 1.5 µs.
    """

    z: list[Array]
    a: list[Array]
    delta: list[Array]
    deltas: Array
    ones: Array
    layers: list[tuple[Array, Array, Activation, Array, Array]]
    backward: list[Below]


class Network:
    """A fully connected network.

    Args:
        sizes: neurons in each layer, input first; [784, 10] has no hidden layer.
        cost: a name in `COSTS`, `package.module:ClassName`, or a `Cost`; it brings the output layer's activation.
        activation: the hidden layers' activation, a name in `ACTIVATIONS`.
        initializer: "scaled" draws weights from N(0, 1/n_in) (chapter 3, "Weight initialization"), "large" from
            N(0, 1) (chapter 1), biases from N(0, 1) both times; a pair (w, b) sets every weight and every bias.
        rng: where the initial weights are drawn from. Both initializers, and both dtypes, draw the same numbers.
        dtype: float32, or float64 where the last digits matter more than speed.

    Attributes:
        weights, biases: of each layer, views of `parameters`, one vector of them all.
        nabla_w, nabla_b: the gradient of the last backward pass, views of `nabla`.
        decaying: the part of `parameters` that regularization shrinks, the weights.

    Raises:
        SettingsError: a size, name or dtype that no network can have.
        CostError: a user's own cost cannot be loaded or fails `check_gradient`.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        cost: str | Cost = "cross-entropy",
        activation: str = "sigmoid",
        initializer: Initializer = "scaled",
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise SettingsError(f"sizes {list(sizes)}: allowed are 2 layers or more, each of 1 neuron or more")
        if activation not in ACTIVATIONS:
            raise SettingsError(f"activation {activation!r}: allowed is {', '.join(ACTIVATIONS)}")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise SettingsError(f"dtype {np.dtype(dtype).name!r}: allowed is float32, float64")
        self.sizes = tuple(int(size) for size in sizes)
        self.cost = load_cost(cost) if isinstance(cost, str) else cost
        if isinstance(cost, str) and cost not in COSTS:
            check_gradient(self.cost, cost, outputs=self.sizes[-1])
        if self.sizes[-1] == 1 and isinstance(self.cost.output, Softmax):
            raise SettingsError("a softmax over one output neuron is always 1; allowed are 2 outputs or more")
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.parameters, self.weights, self.biases = self._block()
        self.nabla, self.nabla_w, self.nabla_b = self._block()
        weights = sum(w.size for w in self.weights)
        self.decaying = self.parameters[:weights]
        self._nabla_biases = self.nabla[weights:].reshape(-1, 1)
        self._initialize(initializer, rng if rng is not None else np.random.default_rng())
        self._hidden = ACTIVATIONS[activation]
        self._activations: list[Activation] = [*(self._hidden for _ in self.sizes[1:-1]), self.cost.output]
        self._workspaces: dict[int, Workspace] = {}

    def _block(self) -> tuple[Array, list[Array], list[Array]]:
        """Return one vector, and views of it shaped as the weights and then as the biases of each layer.

        One call can so change all parameters: 3 µs less a step than a call for each layer's.
        """
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]
        shapes += [(n_out, 1) for n_out in self.sizes[1:]]
        ends = list(accumulate(rows * columns for rows, columns in shapes))
        block = np.zeros(ends[-1], self.dtype)
        parts = np.split(block, ends[:-1])
        views = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return block, views[: len(views) // 2], views[len(views) // 2 :]

    def _initialize(self, initializer: Initializer, rng: np.random.Generator) -> None:
        if isinstance(initializer, str) and initializer not in INITIALIZERS:
            raise SettingsError(f"initializer {initializer!r}: allowed is scaled, large or a pair of numbers w,b")
        for w, b in zip(self.weights, self.biases, strict=True):
            if isinstance(initializer, str):
                w[:] = rng.standard_normal(w.shape) / (np.sqrt(w.shape[1]) if initializer == "scaled" else 1)
                b[:] = rng.standard_normal(b.shape)
            else:
                w[:], b[:] = initializer

    def feedforward(self, a: Array) -> Array:
        """Return the output of the network, (n_out, batch), for inputs a, (n_in, batch)."""
        with numerics():
            return self.forward(np.asarray(a, self.dtype)).a[-1].copy()

    def backprop(self, x: Array, y: Array) -> tuple[list[Array], list[Array]]:
        """Return (nabla_b, nabla_w), the gradient of the mean cost of examples x with targets y, layer by layer.

        x is (n_in, batch), y (n_out, batch); for one example it is the book's `backprop`.
        """
        with numerics():
            self.gradient(np.asarray(x, self.dtype), np.asarray(y, self.dtype), scale=1 / x.shape[1])
        return [nabla.copy() for nabla in self.nabla_b], [nabla.copy() for nabla in self.nabla_w]

    def forward(self, x: Array) -> Workspace:
        """Feed x, of the network's dtype, forward: z = w a + b and a = σ(z) for each layer (equation 25).

        Returns the buffers themselves.
        """
        work = self._workspace(x.shape[1])
        a = x
        for w, b, activation, z, out in work.layers:
            w.dot(a, z)  # the same as w @ a, and 0.6 µs quicker to call
            np.add(z, b, z)
            a = activation.value(z, out)
        return work

    def gradient(self, x: Array, y: Array, scale: float | Array) -> Workspace:
        """Fill `nabla_b` and `nabla_w` with `scale` times the sum of the examples' gradients.

        The scale is folded into the output error, the smallest array on the way: 1/batch gives the gradient of the
        mean cost, η/batch at once what gradient descent subtracts. x and y are of the network's dtype. Returns the
        buffers themselves.
        """
        work = self.forward(x)
        delta = work.delta[-1]
        self.cost.delta(work.z[-1], work.a[-1], y, delta)  # BP1: δ^L = ∂C/∂z^L
        np.multiply(delta, scale, delta)
        for w_t, nabla_w, a_below, a_below_t, z_below, delta_below in work.backward:
            delta.dot(a_below_t, nabla_w)  # BP4: ∂C/∂w = δ a^T, summed over examples
            prime = self._hidden.prime(a_below, z_below)  # in the place of z, which nothing reads again
            delta = w_t.dot(delta, delta_below)
            np.multiply(delta, prime, delta)  # BP2: δ^l = (w^T δ^(l+1)) ⊙ σ'(z^l)
        delta.dot(x.T, self.nabla_w[0])  # BP4 of the first layer
        work.deltas.dot(work.ones, self._nabla_biases)  # BP3: ∂C/∂b = δ, of all layers at once: 0.3 µs less for each
        return work

    def _workspace(self, batch: int) -> Workspace:
        if batch not in self._workspaces:
            if len(self._workspaces) == MOST_WORKSPACES:
                self._workspaces.clear()
            shapes = [(size, batch) for size in self.sizes[1:]]
            z, a = ([np.empty(shape, self.dtype) for shape in shapes] for _ in range(2))
            deltas = np.empty((sum(self.sizes[1:]), batch), self.dtype)
            delta = np.split(deltas, list(accumulate(self.sizes[1:-1])))
            layers = list(zip(self.weights, self.biases, self._activations, z, a, strict=True))
            backward = [
                Below(self.weights[i].T, self.nabla_w[i], a[i - 1], a[i - 1].T, z[i - 1], delta[i - 1])
                for i in reversed(range(1, len(self.weights)))
            ]
            ones = np.ones((batch, 1), self.dtype)
            self._workspaces[batch] = Workspace(z, a, delta, deltas, ones, layers, backward)
        return self._workspaces[batch]
