"""The network: layers of neurons, fed forward and corrected backward.

Examples are columns: x is (n_in, batch) and y (n_out, batch), so the code reads as the book's equations do. Layer l
has weights w of shape (n_out, n_in) and biases b of shape (n_out, 1). A pass works in preallocated buffers, one
`Workspace` per batch size, and adds in place: `gemm(α, a, b, β, c, transpose a, transpose b, 1)` is c → α a b + β c.
"""

from collections.abc import Sequence

import numpy as np
from numpy import multiply
from numpy.typing import ArrayLike, DTypeLike

from netlearn.activations import ACTIVATIONS, HiddenActivation, Softmax
from netlearn.costs import COSTS, Cost
from netlearn.errors import SettingsError
from netlearn.initializers import Initializer, initialize
from netlearn.layout import Parameters, Workspace, Workspaces
from netlearn.numerics import Array, blas, numerics


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
        for name, given, table in (("cost", cost, COSTS), ("activation", activation, ACTIVATIONS)):
            if isinstance(given, str) and given not in table:
                raise SettingsError(f"{name} {given!r}: must be {', '.join(table)} or such an object")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise SettingsError(f"dtype {np.dtype(dtype).name!r}: must be float32 or float64")
        self.sizes = tuple(int(size) for size in sizes)
        self.cost = COSTS[cost]() if isinstance(cost, str) else cost
        if self.sizes[-1] == 1 and isinstance(self.cost.output, Softmax):
            raise SettingsError("outputs 1: must be 2 or more with softmax, which is always 1 for one neuron")
        self.dtype = np.dtype(dtype)
        self.parameters, self.nabla = (Parameters(self.sizes, self.dtype) for _ in range(2))
        initialize(self.parameters, initializer, rng or np.random.default_rng())
        hidden = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        self._workspaces = Workspaces(self.parameters, hidden, self.cost.output)
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
        given = [np.asarray(array) for array in (*weights, *biases)]
        shapes, needed = [new.shape for new in given], [own.shape for own in self.weights + self.biases]
        if shapes != needed or len(weights) != len(biases):
            raise SettingsError(f"weights and biases of shapes {shapes}: must be {needed}")
        for own, new in zip(self.weights + self.biases, given, strict=True):
            own[:] = new

    def feedforward(self, x: Array) -> Array:
        """Return the output of the network, a new array (n_out, batch), for inputs x, (n_in, batch).

        Raises:
            SettingsError: x has another shape, or holds bytes, which no network was trained on unscaled.
        """
        if getattr(x, "dtype", None) in (np.uint8, np.uint16) and x.max(initial=0) > 1:
            raise SettingsError(f"x of {x.dtype}: must be scaled as the training inputs were, such as x / 255")
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
        work = self._workspaces[x.shape[1]]
        gemm, a = self._gemm, x
        for w_t, b, z, z_t, activate, buffers in work.forward:
            z_t[...] = b
            gemm(1.0, w_t, a, 1.0, z, 1, 0, 1)
            a = activate(*buffers)
        return work

    def gradient(self, x: Array, y: Array) -> None:
        """Write the gradient of the mean cost of examples x with targets y, of the network's dtype, to `nabla`."""
        self._add_gradient(x, y, self.nabla, 1 / x.shape[1], 0.0, 0.0)

    def descend(self, x: Array, y: Array, eta: float, decay: float = 1.0) -> None:
        """Descend one step: w → decay w − η/m Σ ∂C_x/∂w and b → b − η/m Σ ∂C_x/∂b (equations 93 and 94)."""
        self._add_gradient(x, y, self.parameters, -eta / x.shape[1], decay, 1.0)

    def backward(self, x: Array, y: Array) -> Workspace:
        """Feed examples x with targets y, of the network's dtype, forward, and their errors δ backward."""
        work, gemm = self.forward(x), self._gemm
        self.cost.delta(work.z[-1], work.a[-1], y, work.delta[-1])  # BP1: δ^L = ∂C/∂z^L
        for w_t, delta, prime, below in work.backward:
            gemm(1.0, w_t, delta, 0.0, below, 0, 0, 1)
            multiply(below, prime, below)  # BP2: δ^l = (w^T δ^(l+1)) ⊙ σ'(z^l)
        return work

    def _add_gradient(self, x: Array, y: Array, to: Parameters, alpha: float, beta_w: float, beta_b: float) -> None:
        """Change each w of `to` to beta_w w + alpha Σ ∂C_x/∂w and each b to beta_b b + alpha Σ ∂C_x/∂b."""
        work = self.backward(x, y)
        gemm, gemv, ones, below = self._gemm, self._gemv, work.ones, x
        for layer, delta, a in work.gradient:
            w_t, b = to.transposed[layer]
            gemm(alpha, below, delta, beta_w, w_t, 0, 1, 1)  # BP4: ∂C/∂w = δ a^T, summed over examples
            gemv(alpha, delta, ones, beta_b, b, 0, 1, 0, 1, 0, 1)  # BP3: ∂C/∂b = δ, likewise
            below = a
