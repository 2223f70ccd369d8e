"""The book's `network`: stochastic gradient descent with the quadratic cost (chapters 1 and 2).

The book keeps weights and biases as lists of arrays, and examples as lists of pairs of columns. Here a mini-batch is
computed as one matrix by netlearn's own network. A method that a reader replaces, such as `backprop`, is called as
the book calls it.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlearn.activations import Sigmoid
from netlearn.costs import Quadratic
from netlearn.errors import SettingsError
from netlearn.network import Network as Engine
from netlearn.numerics import Array, numerics


def sigmoid(z: ArrayLike) -> Array:
    """Return σ(z) = 1/(1 + e^−z) (equation 3)."""
    a: Array = 1 / (1 + np.exp(-np.asarray(z, np.float64)))
    return a


def sigmoid_prime(z: ArrayLike) -> Array:
    """Return σ'(z) = σ(z)(1 − σ(z))."""
    return sigmoid(z) * (1 - sigmoid(z))


def shuffle(examples: list[Any]) -> None:
    """Shuffle a list in place with the random numbers of `random` and the steps of Python 2's `random.shuffle`."""
    for i in reversed(range(1, len(examples))):
        j = int(random.random() * (i + 1))  # noqa: S311 (no cryptography)
        examples[i], examples[j] = examples[j], examples[i]


def reader_cost(error: Callable[[Array, Array, Array], Array]) -> Any:
    """Return what training needs of a cost whose output error is a reader's function of the columns z, a and y."""

    def delta(z: Array, a: Array, y: Array, out: Array) -> None:
        for x in range(out.shape[1]):
            out[:, [x]] = error(z[:, [x]], a[:, [x]], y[:, [x]])

    return SimpleNamespace(output=Sigmoid(), delta=delta)


class Network:
    """A network of sigmoid neurons with large initial weights, N(0, 1); `sizes` are those of its layers.

    Attributes:
        sizes, num_layers: neurons in each layer, and how many layers there are.
        weights, biases: lists of arrays, (n_out, n_in) and (n_out, 1); to be read, changed and replaced.
    """

    weights: list[Array]
    biases: list[Array]

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.num_layers = sizes, len(sizes)
        self._engine = Engine(sizes, initializer=(0, 0), dtype=np.float64)
        self.default_weight_initializer()

    def default_weight_initializer(self) -> None:
        """Draw biases and weights from N(0, 1)."""
        self._draw(scaled=False)

    def feedforward(self, a: ArrayLike) -> Array:
        """Return the output, (n_out, 1), for an input, (n_in, 1); several columns give several outputs."""
        return self._synchronized().feedforward(np.c_[a].astype(float))

    def SGD(  # noqa: N802 (the book's name)
        self, training_data: list[Any], epochs: int, mini_batch_size: int, eta: float,
        test_data: Sequence[Any] | None = None,
    ) -> None:  # fmt: skip
        """Train; after each epoch, print how many of the test data are right.

        `training_data` are pairs (x, y) of columns, shuffled in place, `test_data` pairs (x, digit), `eta` is η.

        Raises:
            SettingsError: the data are not such pairs.
        """
        for j in self._epochs(training_data, test_data, epochs, mini_batch_size, eta):
            print(f"Epoch {j}: {self.evaluate(test_data)} / {len(test_data)}" if test_data else f"Epoch {j} complete")

    def update_mini_batch(self, mini_batch: Sequence[Any], eta: float, lmbda: float = 0.0, n: int = 1) -> None:
        """Take one step on a mini-batch: w → (1 − ηλ/n) w − η/m Σ ∂C_x/∂w (equations 20, 21 and 93).

        `lmbda` and `n`, the size of the training data, are arguments in `network2`.
        """
        decay = 1 - eta * (lmbda / n)
        if not self._replaces("backprop"):
            self._learn([self._arrays("mini_batch", mini_batch, columns=True)], eta, decay)
            return
        gradients = zip(*(self.backprop(x, y) for x, y in mini_batch), strict=True)
        nabla_b, nabla_w = ([np.mean(layer, axis=0) for layer in zip(*nabla, strict=True)] for nabla in gradients)
        self.weights = [decay * w - eta * nabla for w, nabla in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - eta * nabla for b, nabla in zip(self.biases, nabla_b, strict=True)]

    def backprop(self, x: ArrayLike, y: ArrayLike) -> tuple[list[Array], list[Array]]:
        """Return (nabla_b, nabla_w), the gradient of the cost of an example, layer by layer (BP1 to BP4).

        Several columns give the gradient of their mean cost.
        """
        return self._synchronized().backprop(np.c_[x], np.c_[y])

    def evaluate(self, test_data: Sequence[Any]) -> int:
        """Return for how many pairs (x, digit) the output neuron of that digit has the largest activation."""
        a, digits = self._outputs(test_data, columns=False)
        return int((a.argmax(axis=0) == digits).sum())

    def cost_derivative(self, output_activations: Array, y: Array) -> Array:
        """Return ∂C/∂a of the quadratic cost of an example, a − y."""
        return output_activations - y

    def _engine_cost(self) -> Any:
        if self._replaces("cost_derivative"):
            return reader_cost(lambda z, a, y: self.cost_derivative(a, y) * sigmoid_prime(z))
        return Quadratic()

    def _draw(self, *, scaled: bool) -> None:
        """Draw all biases, layer by layer, and then all weights from `numpy.random`, as the book's programs do."""
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]
        self.biases = [np.random.randn(n_out, 1) for n_out, _ in shapes]
        self.weights = [np.random.randn(*shape) / (np.sqrt(shape[1]) if scaled else 1) for shape in shapes]

    def _replaces(self, *methods: str) -> bool:
        """Return whether a reader's subclass, or an assignment, replaces one of the methods."""
        return any(getattr(getattr(self, name), "__func__", None) is not getattr(Network, name) for name in methods)

    def _synchronized(self) -> Engine:
        """Return the engine with the weights, the biases and the cost that the network has now."""
        self._engine.set_parameters(self.weights, self.biases)
        self._engine.cost = self._engine_cost()
        return self._engine

    def _arrays(self, name: str, data: Sequence[Any], *, columns: bool) -> tuple[Array, Array]:
        """Return the examples of a list of pairs as rows: x, (n, n_in), and y, (n, n_out) or digits, (n, 1)."""
        problem = f"{name}, a {type(data).__name__}: must be a list of pairs (x, y), not empty, all of one shape"
        if not isinstance(data, list):
            raise SettingsError(problem)
        try:
            x, y = (np.concatenate(part, None).reshape(len(data), -1) for part in zip(*data, strict=True))
        except (TypeError, ValueError) as error:
            raise SettingsError(problem) from error
        n_in, n_out = self.sizes[0], self.sizes[-1] if columns else 1
        if (x.shape[1], y.shape[1]) != (n_in, n_out):
            kinds = f"columns, ({n_in}, 1) and ({n_out}, 1)" if columns else f"a column, ({n_in}, 1), and a digit"
            raise SettingsError(
                f"{name}: x has {x.shape[1]} numbers and y {y.shape[1]}: must be {kinds}; accuracy and total_cost "
                "take the other kind with convert=True"
            )
        return x, y

    def _outputs(self, data: Sequence[Any], *, columns: bool) -> tuple[Array, Array]:
        """Return the outputs for all examples, (n_out, n), and the columns wanted, (n_out, n), or digits, (n,)."""
        x, y = self._arrays("data", data, columns=columns)
        if self._replaces("feedforward"):
            outputs = [self.feedforward(x) for x, _ in data]
        else:
            engine = self._synchronized()
            outputs = [engine.feedforward(part.T) for part in np.array_split(x, -(-len(x) // 1000))]
        return np.hstack(outputs), y.T if columns else y[:, 0]

    def _epochs(
        self, training_data: list[Any], evaluation_data: Sequence[Any] | None, epochs: int, size: int, eta: float,
        lmbda: float | None = None,
    ) -> Iterator[int]:  # fmt: skip
        """Train, yielding the number of each epoch at its end; `network` has no λ."""
        x, y = self._arrays("training_data", training_data, columns=True)
        if evaluation_data is not None:
            self._arrays("evaluation_data", evaluation_data, columns=False)
        if not all(isinstance(number, Integral) and number > 0 for number in (epochs, size)):
            raise SettingsError(f"epochs {epochs}, mini_batch_size {size}: must be whole numbers from 1; eta follows")
        rows = {id(example): row for row, example in enumerate(training_data)}
        settings = (eta,) if lmbda is None else (eta, lmbda, len(x))
        for epoch in range(epochs):
            shuffle(training_data)
            parts = [training_data[start : start + size] for start in range(0, len(x), size)]
            if self._replaces("update_mini_batch", "backprop"):
                for mini_batch in parts:
                    self.update_mini_batch(mini_batch, *settings)
            else:
                orders = ([rows[id(example)] for example in mini_batch] for mini_batch in parts)
                self._learn(((x[order], y[order]) for order in orders), eta, 1 - eta * ((lmbda or 0.0) / len(x)))
            yield epoch

    def _learn(self, batches: Iterable[tuple[Array, Array]], eta: float, decay: float) -> None:
        """Learn mini-batches, examples as rows; the weights and biases become new arrays."""
        engine = self._synchronized()
        with numerics():
            for x, y in batches:
                engine.descend(x.astype(np.float64).T, y.astype(np.float64).T, eta, decay)
        self.weights, self.biases = [w.copy() for w in engine.weights], [b.copy() for b in engine.biases]
