"""What is measured of a network, and when: how well it does, how fast it could learn from where it stands.

Examples are rows here, x of shape (n, n_in) and y of shape (n, n_out), as data sets store them.
"""

from dataclasses import dataclass

import numpy as np

from netlearn.activations import Array
from netlearn.datasets import Dataset, Examples, Labels, targets
from netlearn.network import Network, Workspace
from netlearn.numerics import numerics

BLOCK = 1000  # examples fed forward at once, so that their activations stay in the processor's cache
BADLY_WRONG = 0.9
PROBE_EXAMPLES = 1000  # of the training set
SAMPLE_UPDATES, SAMPLE_EXAMPLES = (0, 10, 100, 1000), 100  # when single output neurons are kept, and of how many


@dataclass(frozen=True)
class Speed:
    """How fast learning could be, measured on some examples.

    Attributes:
        output_error: mean of |a − y| over output neurons and examples.
        learning_speed: Σ|δ^L| / Σ|a − y|, the gradient per unit of error at the output. 1 for cross-entropy; for
            the quadratic cost the mean of σ'(z) weighted by the error, at most ¼. NaN where no error is left.
        stuck: share of output neurons, over the examples, with |a − y| > 0.9.
        layers: the norm of ∂C/∂b of each layer, C the mean over the examples: the layer's speed (chapter 5).
    """

    output_error: float
    learning_speed: float
    stuck: float
    layers: tuple[float, ...]


@dataclass(frozen=True)
class Record:
    """What one probe found; the fields are the columns of metrics.csv.

    The training figures are those of the first 1,000 training examples; `Speed` explains the last four.

    Attributes:
        update: mini-batches done.
        epoch: passes over the training set done, a fraction inside an epoch.
        seconds: time spent training, probes not counted.
        train_cost: mean cost with the L2 term.
        train_accuracy: share classified correctly.
        validation_cost: mean cost on the validation set, with the same L2 term.
        validation_accuracy: share of the validation set classified correctly.
        output_error: mean |a − y| at the output.
        learning_speed: gradient per unit of error at the output.
        stuck: share of output neurons that are badly wrong.
        speeds: the speed of each layer, first to last.
        test_cost: mean cost on the test set, with the same L2 term; None where it is not tracked.
        test_accuracy: share of the test set classified correctly, or None.
    """

    update: int
    epoch: float
    seconds: float
    train_cost: float
    train_accuracy: float
    validation_cost: float
    validation_accuracy: float
    output_error: float
    learning_speed: float
    stuck: float
    speeds: tuple[float, ...]
    test_cost: float | None = None
    test_accuracy: float | None = None


class Probe:
    """Measures a network while it is trained: on the first training examples, the validation set, maybe the test set.

    Args:
        network: what is measured; its weights stay as they are.
        data: the examples.
        l2: λ; costs gain λ/2n Σw², n the size of the training set.
        track_test: whether records tell of the test set too.

    Attributes:
        train, train_y: the training set's examples and targets as the network's type, rows first.
        samples: |a − y| and |δ| of the output neurons, for 100 examples, at the updates 0, 10, 100 and 1000.
    """

    def __init__(self, network: Network, data: Dataset, *, l2: float = 0.0, track_test: bool = False) -> None:
        self.network = network
        self.data = data
        self.l2 = l2
        self.train, self.train_y = self._arrays(data.train)
        self._validation = self._arrays(data.validation)
        self._test = self._arrays(data.test) if track_test else None
        self.samples: dict[int, tuple[Array, Array]] = {}

    def _arrays(self, examples: Examples) -> tuple[Array, Array]:
        dtype = self.network.dtype
        y = targets(examples.labels, self.data.outputs)
        return examples.x.astype(dtype, copy=False), y.astype(dtype, copy=False)

    def measure(self, update: int, epoch: float, seconds: float) -> Record:
        """Return what is found now, after that many updates, epochs and seconds; costs may not be finite."""
        part = slice(PROBE_EXAMPLES)
        x, y, labels = self.train[part], self.train_y[part], self.data.train.labels[part]
        test_cost = test_accuracy = None
        with numerics():
            work = self.network.gradient(x.T, y.T, scale=1 / len(x))
            speed = _speed(self.network, work, y)
            train_cost, train_accuracy = (total / len(x) for total in _score(self.network, work, y, labels))
            if update in SAMPLE_UPDATES:
                sample = slice(SAMPLE_EXAMPLES)
                self.samples[update] = sample_outputs(self.network, x[sample], y[sample])
            l2_cost = self._l2_cost()
            validation_cost, validation_accuracy = evaluate(
                self.network, *self._validation, self.data.validation.labels
            )
            if self._test is not None:
                test_cost, test_accuracy = evaluate(self.network, *self._test, self.data.test.labels)
                test_cost += l2_cost
        return Record(
            update=update,
            epoch=epoch,
            seconds=seconds,
            train_cost=train_cost + l2_cost,
            train_accuracy=train_accuracy,
            validation_cost=validation_cost + l2_cost,
            validation_accuracy=validation_accuracy,
            output_error=speed.output_error,
            learning_speed=speed.learning_speed,
            stuck=speed.stuck,
            test_cost=test_cost,
            test_accuracy=test_accuracy,
            speeds=speed.layers,
        )

    def evaluate(self, examples: Examples) -> tuple[float, float]:
        """Return the mean cost, with the L2 term, and the accuracy on examples of the probe's data set."""
        x, y = self._arrays(examples)
        with numerics():
            cost, accuracy = evaluate(self.network, x, y, examples.labels)
            return cost + self._l2_cost(), accuracy

    def recall(self, examples: Examples) -> tuple[float | None, ...]:
        """Return the share recognized of each class among examples of the probe's data set."""
        with numerics():
            return recall(self.network, self._arrays(examples)[0], examples.labels)

    def _l2_cost(self) -> float:
        """Return λ/2n Σw², n the size of the training set."""
        squares = sum(float(np.vdot(w, w)) for w in self.network.weights)
        return self.l2 / (2 * len(self.data.train)) * squares if self.l2 else 0.0


def probe_updates(updates_per_epoch: int) -> list[int]:
    """Return 1, 2, 5, 10, 20, 50, … below the epoch's last update, and that one."""
    series = (step * 10**power for power in range(len(str(updates_per_epoch))) for step in (1, 2, 5))
    return [*(update for update in series if update < updates_per_epoch), updates_per_epoch]


def measure_speed(network: Network, x: Array, y: Array) -> Speed:
    """Measure the speed on examples x with targets y; the network's weights stay as they are."""
    with numerics():
        return _speed(network, network.gradient(x.T, y.T, scale=1 / len(x)), y)


def _speed(network: Network, work: Workspace, y: Array) -> Speed:
    """Return the speed that a gradient of the mean cost tells, as it left the buffers."""
    error = np.abs(work.a[-1] - y.T)
    total = float(error.sum(dtype=np.float64))
    gradient = float(np.abs(work.delta[-1]).sum(dtype=np.float64)) * len(y)
    return Speed(
        output_error=total / error.size,
        learning_speed=gradient / total if total else float("nan"),
        stuck=float((error > BADLY_WRONG).mean()),
        layers=tuple(float(np.linalg.norm(nabla)) for nabla in network.nabla_b),
    )


def sample_outputs(network: Network, x: Array, y: Array) -> tuple[Array, Array]:
    """Return |a − y| and |δ| of every output neuron for each of the examples, as two vectors."""
    work = network.gradient(x.T, y.T, scale=1)
    return np.abs(work.a[-1] - y.T).ravel(), np.abs(work.delta[-1]).ravel()


def evaluate(network: Network, x: Array, y: Array, labels: Labels) -> tuple[float, float]:
    """Return the mean cost (without the L2 term) and the share of examples that are classified correctly.

    The answer of a network is its most active output neuron; of one output neuron it is 1 where a > ½.
    """
    cost, correct = 0.0, 0
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        block = _score(network, network.forward(x[rows].T), y[rows], labels[rows])
        cost, correct = cost + block[0], correct + block[1]
    return cost / len(x), correct / len(x)


def _score(network: Network, work: Workspace, y: Array, labels: Labels) -> tuple[float, int]:
    """Return the sum of the examples' costs and how many are classified correctly, as a pass left the buffers."""
    a = work.a[-1]
    cost = float(network.cost.value(work.z[-1], a, y.T).sum(dtype=np.float64))
    return cost, int((_answers(a) == labels).sum())


def recall(network: Network, x: Array, labels: Labels) -> tuple[float | None, ...]:
    """Return for each class the share of its examples that the network recognizes; None where there are none."""
    blocks = range(0, len(x), BLOCK)
    right = np.concatenate([_answers(network.forward(x[i : i + BLOCK].T).a[-1]) for i in blocks]) == labels
    classes = [right[labels == label] for label in range(max(2, network.sizes[-1]))]
    return tuple(float(found.mean()) if len(found) else None for found in classes)


def _answers(a: Array) -> Labels:
    answers: Labels = a.argmax(axis=0) if len(a) > 1 else (a[0] > 0.5).astype(np.int64)
    return answers
