"""The book's `network2`: other costs, regularization, better initial weights and monitoring (chapter 3)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netlearn.book import network
from netlearn.book.mnist_loader import vectorized_result
from netlearn.book.network import sigmoid, sigmoid_prime
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
        self.cost = cost
        super().__init__(sizes)

    def default_weight_initializer(self) -> None:
        """Draw biases from N(0, 1) and weights from N(0, 1/n_in), as a new network has them."""
        super().default_weight_initializer()
        self.weights = [w / np.sqrt(w.shape[1]) for w in self.weights]

    large_weight_initializer = network.Network.default_weight_initializer  # from N(0, 1), as in chapter 1

    def SGD(  # type: ignore[override]  # noqa: N802 (the book's)
        self, training_data: list[Any], epochs: int, mini_batch_size: int, eta: float, lmbda: float = 0.0,
        evaluation_data: Any = None, monitor_evaluation_cost: bool = False, monitor_evaluation_accuracy: bool = False,
        monitor_training_cost: bool = False, monitor_training_accuracy: bool = False,
    ) -> tuple[list[float], list[int], list[float], list[int]]:  # fmt: skip
        """Train with η and λ on data as in `network`; after each epoch, print what is monitored.

        The four lists have an entry for each epoch, or are empty if not monitored: costs and accuracies, which are
        counts, on the evaluation data and then on the training data. The term λ/2n Σw² of a cost takes n of the data
        that are measured. Other data, or missing ones that are to be monitored, raise a SettingsError.
        """
        if not isinstance(lmbda, int | float | np.number):
            raise SettingsError("lmbda: must be a number, the fifth argument; name the data, evaluation_data=…")
        if evaluation_data is None and (monitor_evaluation_cost or monitor_evaluation_accuracy):
            raise SettingsError("evaluation_data: must be given to be monitored, as in evaluation_data=test_data")
        lists: tuple[list[float], list[int], list[float], list[int]] = [], [], [], []
        training = "training", training_data, monitor_training_cost, monitor_training_accuracy, *lists[2:]
        evaluation = "evaluation", evaluation_data, monitor_evaluation_cost, monitor_evaluation_accuracy, *lists[:2]
        for j in self._epochs(training_data, evaluation_data, epochs, mini_batch_size, eta, lmbda):
            print(f"Epoch {j} training complete")
            for name, data, cost_is_monitored, accuracy_is_monitored, costs, accuracies in (training, evaluation):
                if cost_is_monitored:
                    costs.append(self.total_cost(data, lmbda, convert=name == "evaluation"))
                    print(f"Cost on {name} data: {costs[-1]:.12}")  # as Python 2 prints it
                if accuracy_is_monitored:
                    accuracies.append(self.accuracy(data, convert=name == "training"))
                    print(f"Accuracy on {name} data: {accuracies[-1]} / {len(data)}")
            print()
        return lists

    def accuracy(self, data: Sequence[Any], convert: bool = False) -> int:
        """Return for how many pairs the largest output is right; y is a digit, or with `convert` a column."""
        a, y = self._outputs(data, columns=convert)
        return int((a.argmax(axis=0) == (y.argmax(axis=0) if convert else y)).sum())

    def total_cost(self, data: Sequence[Any], lmbda: float, convert: bool = False) -> float:
        """Return the mean cost plus λ/2n Σw² (equation 87); y is a column, or with `convert` a digit."""
        a, y = self._outputs(data, columns=not convert)
        y = 1.0 * (np.arange(len(a))[:, None] == y) if convert else y
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

    def _error(self, z: Array, a: Array, y: Array) -> Any:
        return self.cost.delta(z, a, y)


def load(filename: str) -> Network:
    """Return the network in a file that `save`, here or in the book's own program, wrote.

    Another file, or one whose cost is a reader's own, raises a SettingsError.
    """
    names = {cost.__name__: cost for cost in COSTS}
    try:
        content = json.loads(Path(filename).read_text("utf-8"))
        net = Network(content["sizes"], cost=names[content["cost"]])
        net.weights, net.biases = ([np.array(array) for array in content[name]] for name in ("weights", "biases"))
        net.feedforward(np.zeros(net.sizes[0]))  # raises if the shapes do not fit
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        wanted = f"a network that `save` wrote, with the cost {' or '.join(names)}"
        raise SettingsError(f"{filename}: must be {wanted}: {error!r}") from error
    return net
