"""The book's `network`: stochastic gradient descent with the quadratic cost (chapters 1 and 2).

As in the book, weights and biases are lists of arrays and examples are pairs of columns, and a method that a reader
replaces, such as `backprop`, is called; the others compute a mini-batch as one matrix, by netlearn's own network.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlearn.costs import Cost, Quadratic
from netlearn.errors import SettingsError
from netlearn.network import Network as Engine
from netlearn.numerics import Array, numerics


def sigmoid(z: ArrayLike) -> Array:
    """Return σ(z) = 1/(1 + e^−z) (equation 3)."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(z, np.float64))))


def sigmoid_prime(z: ArrayLike) -> Array:
    """Return σ'(z) = σ(z)(1 − σ(z))."""
    return sigmoid(z) * (1 - sigmoid(z))


class Network:
    """A network of sigmoid neurons with large initial weights, N(0, 1); `sizes` are those of its layers.

    Attributes:
        sizes, num_layers: neurons in each layer, and how many layers there are.
        weights, biases: lists of arrays, (n_out, n_in) and (n_out, 1); to be read, changed and replaced.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.num_layers = sizes, len(sizes)
        self._engine = Engine(sizes, initializer=(0, 0), dtype=np.float64)
        self.default_weight_initializer()

    def default_weight_initializer(self) -> None:
        """Draw from N(0, 1) all biases, layer by layer, and then all weights, as the book's programs do."""
        self.biases: list[Array] = [np.random.randn(n_out, 1) for n_out in self.sizes[1:]]
        self.weights: list[Array] = [np.random.randn(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]

    def feedforward(self, a: ArrayLike) -> Array:
        """Return the output, (n_out, 1), for an input, (n_in, 1); several columns give several outputs."""
        return self._synchronized().feedforward(np.c_[a].astype(float))

    def SGD(  # noqa: N802 (the book's name)
        self, training_data: list[Any], epochs: int, mini_batch_size: int, eta: float, test_data: Any = None
    ) -> None:
        """Train with the learning rate η; after each epoch, print how many of the test data are right.

        Training data are pairs (x, y) of columns, a list that is shuffled in place, and test data pairs (x, digit).
        Other data raise a SettingsError.
        """
        for j in self._epochs(training_data, test_data, epochs, mini_batch_size, eta):
            print(f"Epoch {j}: {self.evaluate(test_data)} / {len(test_data)}" if test_data else f"Epoch {j} complete")

    def update_mini_batch(self, mini_batch: Sequence[Any], eta: float, lmbda: float = 0.0, n: int = 1) -> None:
        """Take one step on a mini-batch: w → (1 − ηλ/n) w − η/m Σ ∂C_x/∂w (equations 20, 21 and 93).

        `lmbda` and `n`, the size of the training data, are arguments in `network2`.
        """
        parts: Any = mini_batch
        if not self._replaces("backprop"):
            parts = [[rows.T for rows in self._arrays("mini_batch", mini_batch, columns=True)]]
        nablas = zip(*(self.backprop(*part) for part in parts), strict=True)
        nabla_b, nabla_w = ([np.mean(layer, axis=0) for layer in zip(*nabla, strict=True)] for nabla in nablas)
        self.weights = [(1 - eta * (lmbda / n)) * w - eta * dw for w, dw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - eta * db for b, db in zip(self.biases, nabla_b, strict=True)]

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

    def _error(self, z: Array, a: Array, y: Array) -> Array:
        return self.cost_derivative(a, y) * sigmoid_prime(z)

    def _delta(self, z: Array, a: Array, y: Array, out: Array) -> None:
        for x in range(out.shape[1]):  # a reader's cost has the columns of an example
            out[:, [x]] = self._error(z[:, [x]], a[:, [x]], y[:, [x]])

    def _known_cost(self) -> Cost | None:
        return None if self._replaces("cost_derivative") else Quadratic()

    def _replaces(self, *methods: str) -> bool:
        """Return whether a reader's subclass, or an assignment, replaces one of the methods."""
        return any(getattr(getattr(self, name), "__func__", None) is not getattr(Network, name) for name in methods)

    def _synchronized(self) -> Engine:
        """Return the engine with the weights, the biases and the cost that the network has now."""
        self._engine.set_parameters(self.weights, self.biases)
        self._engine.cost = self._known_cost() or SimpleNamespace(output=Quadratic.output, delta=self._delta)
        return self._engine

    def _arrays(self, name: str, data: Sequence[Any], *, columns: bool) -> tuple[Array, Array]:
        """Return the examples of a list of pairs as rows: x, (n, n_in), and y, (n, n_out) or digits, (n, 1)."""
        try:
            pairs = data if isinstance(data, list) else []
            x, y = (np.concatenate(part, None).reshape(len(pairs), -1) for part in zip(*pairs, strict=True))
        except (TypeError, ValueError) as error:
            raise SettingsError(
                f"{name}, a {type(data).__name__}: must be a list of pairs (x, y), not empty, all of one shape"
            ) from error
        n_in, n_out = self.sizes[0], self.sizes[-1] if columns else 1
        if (x.shape[1], y.shape[1]) != (n_in, n_out):
            kinds = f"columns, ({n_in}, 1) and ({n_out}, 1)" if columns else f"a column, ({n_in}, 1), and a digit"
            raise SettingsError(
                f"{name}: x has {x.shape[1]} numbers, y {y.shape[1]}: must be {kinds}; convert=True takes the other"
            )
        return x, y

    def _outputs(self, data: Sequence[Any], *, columns: bool) -> tuple[Array, Array]:
        """Return the outputs for all examples, (n_out, n), and the columns wanted, (n_out, n), or digits, (n,)."""
        x, y = self._arrays("data", data, columns=columns)
        parts: Any = np.split(x.T, range(1000, len(x), 1000), 1)
        inputs = [a for a, _ in data] if self._replaces("feedforward") else parts
        return np.hstack([self.feedforward(a) for a in inputs]), y.T if columns else y[:, 0]

    def _epochs(self, data: list[Any], test: Any, epochs: int, size: int, eta: float, *lmbda: float) -> Iterator[int]:
        """Train, yielding the number of each epoch at its end; `network` has no λ."""
        x, y = self._arrays("training_data", data, columns=True)
        if test is not None:
            self._arrays("evaluation_data", test, columns=False)
        settings: Any = (eta, *lmbda, len(x)) if lmbda else (eta,)
        examples, order = data[:], list(range(len(x)))
        for epoch in range(epochs):
            for i in reversed(range(1, len(x))):  # the steps of Python 2's random.shuffle
                j = int(random.random() * (i + 1))  # noqa: S311 (no cryptography)
                order[i], order[j] = order[j], order[i]
            data[:] = [examples[row] for row in order]
            parts = (slice(start, start + size) for start in range(0, len(x), size))
            if self._replaces("update_mini_batch", "backprop"):
                for part in parts:
                    self.update_mini_batch(data[part], *settings)
            else:
                engine, decay = self._synchronized(), 1 - eta * (sum(lmbda) / len(x))
                with numerics():
                    for rows in (order[part] for part in parts):
                        engine.descend(x[rows].astype(np.float64).T, y[rows].astype(np.float64).T, eta, decay)
                self.weights, self.biases = [w.copy() for w in engine.weights], [b.copy() for b in engine.biases]
            yield epoch
