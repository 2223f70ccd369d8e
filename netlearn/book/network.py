"""The book's `network`: stochastic gradient descent with the quadratic cost (chapters 1 and 2).

The book keeps weights and biases as lists of arrays, and examples as lists of pairs of columns. Here a mini-batch is
computed as one matrix by netlearn's own network. A method that a reader replaces, such as `backprop`, is called as
the book calls it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlearn.activations import Sigmoid
from netlearn.costs import Cost, Quadratic
from netlearn.errors import SettingsError
from netlearn.network import Network as Engine
from netlearn.numerics import Array, numerics, zeros

BLOCK = 1000  # examples evaluated at once


def sigmoid(z: Array) -> Array:
    """Return σ(z) = 1/(1 + e^−z) (equation 3)."""
    return Sigmoid().value(np.asarray(z, np.float64))


def sigmoid_prime(z: Array) -> Array:
    """Return σ'(z)."""
    a, prime = np.empty_like(z, np.float64), np.empty_like(z, np.float64)
    Sigmoid().value_and_prime(z, a, prime)
    return prime


def shuffle(examples: list[Any]) -> None:
    """Shuffle a list in place with the random numbers of `random` and the steps of Python 2's `random.shuffle`."""
    for i in reversed(range(1, len(examples))):
        j = int(random.random() * (i + 1))  # noqa: S311 (no cryptography)
        examples[i], examples[j] = examples[j], examples[i]


class ReaderCost:
    """A cost of which training needs the output error only: a reader's function of the columns z, a and y."""

    output = Sigmoid()
    learning_rate = 0.5

    def __init__(self, delta: Callable[[Array, Array, Array], Array]) -> None:
        self._delta = delta

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Not known here: the book's programs measure a cost with its own `fn`."""
        raise NotImplementedError

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write the output error of each example to a column of `out`, (n_out, batch)."""
        for column in (slice(j, j + 1) for j in range(a.shape[1])):
            out[:, column] = self._delta(z[:, column], a[:, column], y[:, column])
        return out


class BookNetwork:
    """What the networks of both programs have.

    Attributes:
        sizes, num_layers: neurons in each layer, and how many layers there are.
        weights, biases: lists of arrays, (n_out, n_in) and (n_out, 1); to be read, changed and replaced.
    """

    program = __name__  # the module of the book's class, whose methods are not a reader's

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.num_layers = sizes, len(sizes)
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        self._engine = Engine(sizes, initializer=(0, 0), dtype=np.float64)
        self._rows: dict[int, tuple[Array, Array]] = {}  # while training: examples by the identity of their list

    def feedforward(self, a: ArrayLike) -> Array:
        """Return the output, (n_out, 1), for an input, (n_in, 1); several columns give several outputs."""
        return self._synchronized().feedforward(_columns("a", a, self.sizes[0]))

    def backprop(self, x: ArrayLike, y: ArrayLike) -> tuple[list[Array], list[Array]]:
        """Return (nabla_b, nabla_w), the gradient of the cost of one example, layer by layer (BP1 to BP4)."""
        examples = _columns("x", x, self.sizes[0]), _columns("y", y, self.sizes[-1])
        return self._synchronized().backprop(*examples)

    def _engine_cost(self) -> Cost:
        raise NotImplementedError

    def _draw(self, *, scaled: bool) -> None:
        """Draw all biases, layer by layer, and then all weights from `numpy.random`, as the book's programs do."""
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]
        self.biases = [np.random.randn(n_out, 1) for n_out, _ in shapes]
        self.weights = [np.random.randn(*shape) / (np.sqrt(shape[1]) if scaled else 1) for shape in shapes]

    def _replaces(self, *methods: str) -> bool:
        """Return whether a reader's subclass, or an assignment, replaces one of the methods."""
        own = {__name__, self.program}
        return any(getattr(getattr(self, method), "__module__", None) not in own for method in methods)

    def _synchronized(self) -> Engine:
        """Return the engine with the weights, the biases and the cost that the network has now."""
        self._engine.set_parameters(self.weights, self.biases)
        self._engine.cost = self._engine_cost()
        return self._engine

    def _arrays(self, name: str, data: Sequence[Any], *, columns: bool) -> tuple[Array, Array]:
        """Return the examples of a list of pairs as rows: x, (n, n_in), and y, (n, n_out) or digits, (n, 1)."""
        if not hasattr(data, "__len__"):
            raise SettingsError(f"{name}: a {type(data).__name__} can be read only once; make a list of it")
        try:
            x, y = self._rows.get(id(data)) or (
                np.array(part).reshape(len(data), -1) for part in zip(*data, strict=True)
            )
        except (TypeError, ValueError) as error:
            raise SettingsError(f"{name}: must be a list of pairs (x, y), not empty, all of one shape") from error
        if x.shape[1] != self.sizes[0]:
            raise SettingsError(f"{name}: x has {x.shape[1]} numbers: must be a column, ({self.sizes[0]}, 1)")
        wanted, kind, method = (self.sizes[-1], "digits", "total_cost") if columns else (1, "columns", "accuracy")
        if y.shape[1] != wanted:
            raise SettingsError(
                f"{name}: y has {y.shape[1]} numbers: must have {wanted}; {method} takes {kind} with convert=True"
            )
        return x, y

    def _outputs(self, data: Sequence[Any], x: Array) -> Iterator[tuple[slice, Array]]:
        """Yield which examples, and the outputs for them as columns."""
        if self._replaces("feedforward"):
            yield from ((slice(j, j + 1), np.asarray(self.feedforward(pair[0]))) for j, pair in enumerate(data))
            return
        engine = self._synchronized()
        for part in (slice(start, start + BLOCK) for start in range(0, len(x), BLOCK)):
            yield part, engine.feedforward(x[part].T)

    def _count(self, data: Sequence[Any], *, columns: bool) -> int:
        """Return for how many examples the largest output is that of the digit."""
        x, y = self._arrays("data", data, columns=columns)
        digits = y.argmax(axis=1) if columns else y[:, 0]
        return sum(int((a.argmax(axis=0) == digits[part]).sum()) for part, a in self._outputs(data, x))

    def _epochs(
        self, training_data: list[Any], evaluation_data: Sequence[Any] | None, epochs: int, size: int,
        update: Callable[[list[Any]], object], eta: float, decay: float,
    ) -> Iterator[int]:  # fmt: skip
        """Train, yielding the number of each epoch at its end; `update` learns a mini-batch as the book does."""
        x, y = self._arrays("training_data", training_data, columns=True)
        self._rows = {id(training_data): (x, y)}
        order, examples = list(range(len(x))), list(training_data)
        try:
            if evaluation_data is not None:
                self._rows[id(evaluation_data)] = self._arrays("evaluation_data", evaluation_data, columns=False)
            for epoch in range(epochs):
                shuffle(order)
                training_data[:] = [examples[row] for row in order]
                if self._replaces("update_mini_batch", "backprop"):
                    for start in range(0, len(x), size):
                        update(training_data[start : start + size])
                else:
                    self._learn(x, y, order, size, eta, decay)
                yield epoch
        finally:
            self._rows = {}

    def _learn(self, x: Array, y: Array, order: Sequence[int], size: int, eta: float, decay: float) -> None:
        """Learn rows of x and y in an order, `size` at a time: w → decay w − η/m Σ ∂C_x/∂w (equation 93)."""
        engine = self._synchronized()
        x_rows, y_rows = zeros((size, x.shape[1]), np.float64), zeros((size, y.shape[1]), np.float64)
        try:
            with numerics():
                for start in range(0, len(order), size):
                    rows = order[start : start + size]
                    x_rows[: len(rows)], y_rows[: len(rows)] = x[rows], y[rows]
                    engine.descend(x_rows[: len(rows)].T, y_rows[: len(rows)].T, eta, decay)
        finally:  # as new arrays, also if interrupted
            self.weights, self.biases = [w.copy() for w in engine.weights], [b.copy() for b in engine.biases]

    def _update(self, mini_batch: Sequence[Any], eta: float, decay: float) -> None:
        """Learn one mini-batch: as a matrix, or example by example if a reader replaces `backprop`."""
        if not self._replaces("backprop"):
            x, y = self._arrays("mini_batch", mini_batch, columns=True)
            self._learn(x, y, range(len(x)), len(x), eta, decay)
            return
        gradients = [self.backprop(x, y) for x, y in mini_batch]
        nabla_b, nabla_w = (
            [sum(layer) for layer in zip(*nabla, strict=True)] for nabla in zip(*gradients, strict=True)
        )
        rate = eta / len(mini_batch)
        self.weights = [decay * w - rate * nabla for w, nabla in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - rate * nabla for b, nabla in zip(self.biases, nabla_b, strict=True)]


class Network(BookNetwork):
    """A network of sigmoid neurons with large initial weights, N(0, 1); `sizes` are those of its layers."""

    program = __name__

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__(sizes)
        self._draw(scaled=False)

    def SGD(  # noqa: N802 (the book's name)
        self, training_data: list[Any], epochs: int, mini_batch_size: int, eta: float,
        test_data: Sequence[Any] | None = None,
    ) -> None:  # fmt: skip
        """Train; after each epoch, print how many of the test data are right.

        `training_data` are pairs (x, y) of columns, shuffled in place, `test_data` pairs (x, digit), `eta` is η.

        Raises:
            SettingsError: the data are not such pairs.
        """
        for j in self._epochs(
            training_data, test_data, epochs, mini_batch_size,
            lambda mini_batch: self.update_mini_batch(mini_batch, eta), eta, 1.0,
        ):  # fmt: skip
            print(f"Epoch {j}: {self.evaluate(test_data)} / {len(test_data)}" if test_data else f"Epoch {j} complete")

    def update_mini_batch(self, mini_batch: Sequence[Any], eta: float) -> None:
        """Take one step of gradient descent on a mini-batch (equations 20 and 21)."""
        self._update(mini_batch, eta, 1.0)

    def evaluate(self, test_data: Sequence[Any]) -> int:
        """Return for how many pairs (x, digit) the output neuron of that digit has the largest activation."""
        return self._count(test_data, columns=False)

    def cost_derivative(self, output_activations: Array, y: Array) -> Array:
        """Return ∂C/∂a of the quadratic cost of an example, a − y."""
        return output_activations - y

    def _engine_cost(self) -> Cost:
        if self._replaces("cost_derivative"):
            return ReaderCost(lambda z, a, y: self.cost_derivative(a, y) * sigmoid_prime(z))
        return Quadratic()


def _columns(name: str, examples: ArrayLike, n: int) -> Array:
    """Return one example, however it is written, or several columns as an array, (n, batch)."""
    array = np.asarray(examples, np.float64)
    if array.size != n and (array.ndim != 2 or len(array) != n):
        raise SettingsError(f"{name} of shape {array.shape}: must be a column, ({n}, 1)")
    return array.reshape(n, -1)
