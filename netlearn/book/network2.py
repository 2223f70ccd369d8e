"""The book's `network2`: other costs, regularization, better initial weights and monitoring (chapter 3)."""

import json
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from netlearn.book import network
from netlearn.book.mnist_loader import vectorized_result
from netlearn.book.network import reader_cost, sigmoid, sigmoid_prime
from netlearn.costs import Cost, CrossEntropy, Quadratic
from netlearn.errors import SettingsError
from netlearn.numerics import Array

__all__ = ["CrossEntropyCost", "Network", "QuadraticCost", "load", "sigmoid", "sigmoid_prime", "vectorized_result"]


class QuadraticCost:
    """C = ½ ‖a − y‖² (equation 6)."""

    @staticmethod
    def fn(a: Array, y: Array) -> float:
        """Return the cost for outputs a and desired outputs y, columns; of several columns, the sum."""
        return 0.5 * float(((a - y) ** 2).sum())

    @staticmethod
    def delta(z: Array, a: Array, y: Array) -> Array:
        """Return the output error (a − y) σ'(z) (equation 30)."""
        return (a - y) * sigmoid_prime(z)


class CrossEntropyCost:
    """C = −Σ [y ln a + (1 − y) ln(1 − a)] (equation 63)."""

    @staticmethod
    def fn(a: Array, y: Array) -> float:
        """Return the cost for outputs a and desired outputs y, columns, where 0 ln 0 is 0; of several, the sum."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return -float(np.nan_to_num(y * np.log(a) + (1 - y) * np.log(1 - a)).sum())

    @staticmethod
    def delta(z: Array, a: Array, y: Array) -> Array:
        """Return the output error a − y (equation 66)."""
        return a - y


COSTS: dict[type, Cost] = {QuadraticCost: Quadratic(), CrossEntropyCost: CrossEntropy()}


class Network(network.Network):
    """A network of sigmoid neurons; `cost` is one of the above, or a class or an object of your own in their form."""

    def __init__(self, sizes: Sequence[int], cost: Any = CrossEntropyCost) -> None:
        if not hasattr(cost, "delta"):
            raise SettingsError(
                f"cost {cost!r}: must be QuadraticCost, CrossEntropyCost or a class with fn and delta"
            )
        self.cost = cost
        super().__init__(sizes)

    def default_weight_initializer(self) -> None:
        """Draw biases from N(0, 1) and weights from N(0, 1/n_in), as a new network has them."""
        self._draw(scaled=True)

    def large_weight_initializer(self) -> None:
        """Draw biases and weights from N(0, 1), as in chapter 1."""
        self._draw(scaled=False)

    def SGD(  # type: ignore[override]  # noqa: N802 (the book's)
        self, training_data: list[Any], epochs: int, mini_batch_size: int, eta: float, lmbda: float = 0.0,
        evaluation_data: Sequence[Any] | None = None, monitor_evaluation_cost: bool = False,
        monitor_evaluation_accuracy: bool = False, monitor_training_cost: bool = False,
        monitor_training_accuracy: bool = False,
    ) -> tuple[list[float], list[int], list[float], list[int]]:  # fmt: skip
        """Train; after each epoch, print what is monitored.

        `training_data` are pairs (x, y) of columns, shuffled in place, `evaluation_data` pairs (x, digit), `eta` and
        `lmbda` are η and λ. The term λ/2n Σw² of a cost takes n of the data that are measured.

        Returns:
            Costs and accuracies on the evaluation data, costs and accuracies on the training data: four lists with an
            entry for each epoch, empty if not monitored. An accuracy is a count.

        Raises:
            SettingsError: the data are not such pairs, or data that are to be monitored are missing.
        """
        if not isinstance(lmbda, Real):
            raise SettingsError("lmbda: must be a number, the fifth argument; name the data, evaluation_data=…")
        if evaluation_data is None and (monitor_evaluation_cost or monitor_evaluation_accuracy):
            raise SettingsError("evaluation_data: must be given to be monitored, as in evaluation_data=test_data")
        evaluation = "evaluation", evaluation_data or [], False, monitor_evaluation_cost, monitor_evaluation_accuracy
        training = "training", training_data, True, monitor_training_cost, monitor_training_accuracy
        costs: dict[str, list[float]] = {"evaluation": [], "training": []}
        accuracies: dict[str, list[int]] = {"evaluation": [], "training": []}
        for j in self._epochs(training_data, evaluation_data, epochs, mini_batch_size, eta, lmbda):
            print(f"Epoch {j} training complete")
            for name, data, columns, cost_is_monitored, accuracy_is_monitored in (training, evaluation):
                if cost_is_monitored:
                    costs[name].append(self.total_cost(data, lmbda, convert=not columns))
                    print(f"Cost on {name} data: {_in_python_2(costs[name][-1])}")
                if accuracy_is_monitored:
                    accuracies[name].append(self.accuracy(data, convert=columns))
                    print(f"Accuracy on {name} data: {accuracies[name][-1]} / {len(data)}")
            print()
        return costs["evaluation"], accuracies["evaluation"], costs["training"], accuracies["training"]

    def accuracy(self, data: Sequence[Any], convert: bool = False) -> int:
        """Return for how many pairs the largest output is right; y is a digit, or with `convert` a column."""
        a, y = self._outputs(data, columns=convert)
        return int((a.argmax(axis=0) == (y.argmax(axis=0) if convert else y)).sum())

    def total_cost(self, data: Sequence[Any], lmbda: float, convert: bool = False) -> float:
        """Return the mean cost plus λ/2n Σw² (equation 87); y is a column, or with `convert` a digit."""
        a, y = self._outputs(data, columns=not convert)
        if convert:
            y = 1.0 * (np.arange(len(a))[:, None] == y)
        pairs = [(a, y)] if self._known_cost() else zip(a.T[:, :, None], y.T[:, :, None], strict=True)
        total = sum(float(self.cost.fn(*pair)) for pair in pairs)
        return total / len(data) + 0.5 * (lmbda / len(data)) * sum(float(np.vdot(w, w)) for w in self.weights)

    def save(self, filename: str) -> None:
        """Write the network to a file, as JSON that the book's `load` reads too."""
        name = getattr(self.cost, "__name__", type(self.cost).__name__)
        arrays = {"weights": [w.tolist() for w in self.weights], "biases": [b.tolist() for b in self.biases]}
        Path(filename).write_text(json.dumps({"sizes": list(self.sizes), **arrays, "cost": name}), "utf-8")

    def _known_cost(self) -> Cost | None:
        return COSTS.get(self.cost if isinstance(self.cost, type) else type(self.cost))

    def _engine_cost(self) -> Any:
        return self._known_cost() or reader_cost(self.cost.delta)


def load(filename: str) -> Network:
    """Return the network in a file that `save`, here or in the book's own program, wrote.

    Raises:
        SettingsError: it is not such a file, or its cost is a reader's own.
    """
    names = {cost.__name__: cost for cost in COSTS}
    try:
        content = json.loads(Path(filename).read_text("utf-8"))
        net = Network(content["sizes"], cost=names[content["cost"]])
        net.weights, net.biases = ([np.array(array) for array in content[name]] for name in ("weights", "biases"))
        net.feedforward(np.zeros(net.sizes[0]))  # raises if the shapes do not fit
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise SettingsError(
            f"{filename}: must be a network that `save` wrote, with the cost {' or '.join(names)}: {error!r}"
        ) from error
    return net


def _in_python_2(number: float) -> str:
    """Return a number as Python 2 prints it, with 12 digits."""
    text = f"{number:.12g}"
    return text if set(text) & set(".en") else f"{text}.0"
