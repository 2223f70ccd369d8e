"""Measurements of a network in training: when, how well it does, and how fast it could learn in its current state.

Data sets store examples as rows, x of shape (n, n_in) and labels of shape (n,).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from netlearn.datasets import Dataset, Examples
from netlearn.network import Layer, Network
from netlearn.numerics import Array, numerics
from netlearn.optimizers import Penalty
from netlearn.predictions import Predictions, answers, as_columns, predict

BADLY_WRONG = 0.9
PROBE_EXAMPLES = 1000  # of the training set
SAMPLE_UPDATES, SAMPLE_EXAMPLES = (0, 10, 100, 1000), 100  # for single output neurons


@dataclass(frozen=True)
class Speed:
    """How fast a network could learn, measured on some examples.

    Attributes:
        output_error: mean of |a − y| over output neurons and examples.
        learning_speed: Σ|δ^L| / Σ|a − y|, the gradient per unit of error at the output. 1 for cross-entropy; for
            the quadratic cost the mean of σ'(z) weighted by the error, at most ¼. NaN if there is no error.
        stuck: fraction of output neurons, over the examples, that are badly wrong: |a − y| > 0.9.
        speeds: norm of ∂C/∂b of each layer, first to last, C the mean over the examples (chapter 5).
    """

    output_error: float
    learning_speed: float
    stuck: float
    speeds: tuple[float, ...]


@dataclass(frozen=True)
class Record:
    """The results of one probe: the columns of metrics.csv.

    The training figures are those of the first 1,000 training examples. Costs include the regularization, with
    the n of the whole training set.

    Attributes:
        update: mini-batches done.
        epoch: passes over the training set done, a fraction inside an epoch.
        seconds: time spent training, probes not counted.
        learning_rate: η of the steps before.
        train_cost, train_accuracy: mean cost and fraction classified correctly.
        validation_cost, validation_accuracy: the same for the validation set.
        output_error, learning_speed, stuck, speeds: see `Speed`.
        test_cost, test_accuracy: the same for the test set; None if it is not tracked.
    """

    update: int
    epoch: float
    seconds: float
    learning_rate: float
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


@dataclass(frozen=True)
class Schedule:
    """The updates of a run and its probes.

    Probes are due at updates 0, 1, 2, 5, 10, 20, 50, … of the first epoch, where the learning slowdown happens, and
    then at the ends of epochs. They do not depend on how many updates the run has, so a resumed run with more epochs
    has the same ones.

    Attributes:
        last: the number of updates of the run.
        updates_per_epoch: mini-batches per epoch.
        probe_every: epochs from one probe to the next, after the first epoch.
    """

    last: int
    updates_per_epoch: int
    probe_every: int = 1

    def epoch_ends(self, update: int) -> bool:
        """Return whether an epoch ends with an update."""
        return update > 0 and update % self.updates_per_epoch == 0

    def probe_due(self, update: int) -> bool:
        """Return whether a probe is due after an update."""
        if update <= self.updates_per_epoch:
            return update in self.first_epoch
        epoch, inside = divmod(update, self.updates_per_epoch)
        return not inside and epoch % self.probe_every == 0

    def next_stop(self, update: int) -> int:
        """Return the next update with a probe or at the end of an epoch or of the run."""
        start = update - update % self.updates_per_epoch
        stops = [start + self.updates_per_epoch] if start else self.first_epoch
        return min(self.last, next(stop for stop in stops if stop > update))

    @cached_property
    def first_epoch(self) -> list[int]:
        """The probes 0, 1, 2, 5, 10, 20, 50, … of the first epoch, and its end."""
        series = (step * 10**power for power in range(len(str(self.updates_per_epoch))) for step in (1, 2, 5))
        return [0, *(update for update in series if update < self.updates_per_epoch), self.updates_per_epoch]


class Probe:
    """Measures a network on the first training examples, the validation set and, if asked to, the test set.

    Args:
        network: measured, not changed.
        data: the examples.
        penalty: the regularization, part of its costs.
        track_test: whether to measure the test set too.

    Attributes:
        samples: |a − y| and |δ| of the output neurons for 100 examples, at updates 0, 10, 100 and 1000.
    """

    def __init__(
        self, network: Network, data: Dataset, *, penalty: Penalty | None = None, track_test: bool = False
    ) -> None:
        self.network = network
        self.data = data
        self.penalty = penalty or Penalty()
        self.track_test = track_test
        self.samples: dict[int, tuple[Array, Array]] = {}

    def measure(self, update: int, epoch: float, seconds: float, learning_rate: float) -> Record:
        """Return the record after the given updates, epochs and seconds; its costs may not be finite."""
        some = self.data.train[:PROBE_EXAMPLES]
        with numerics():
            x, y = as_columns(self.network, some)
            layers = self.network.backward(x, y)
            speed, output = measure_speed(layers, y), layers[-1]
            train_cost = float(self.network.cost.value(output.z, output.a, y).mean(dtype=np.float64))
            train_accuracy = float((answers(output.a) == some.labels).mean())
            if update in SAMPLE_UPDATES:
                self.samples[update] = _samples(output, y)
        validation = self.evaluate(self.data.validation)
        test = self.evaluate(self.data.test) if self.track_test else None
        return Record(
            update=update,
            epoch=epoch,
            seconds=seconds,
            learning_rate=learning_rate,
            train_cost=train_cost + self.penalty.value(self.network.weights),
            train_accuracy=train_accuracy,
            validation_cost=validation.cost,
            validation_accuracy=validation.accuracy,
            **vars(speed),
            test_cost=test.cost if test else None,
            test_accuracy=test.accuracy if test else None,
        )

    def evaluate(self, examples: Examples) -> Predictions:
        """Return the predictions for examples of the probe's data set; their mean cost includes the penalty."""
        found = predict(self.network, examples)
        return replace(found, cost=found.cost + self.penalty.value(self.network.weights))


def measure_speed(layers: Sequence[Layer], y: Array) -> Speed:
    """Return the speed on some examples, given the result of `Network.backward` and the targets y, (n_out, n)."""
    output = layers[-1]
    error = np.abs(output.a - y)
    total = float(error.sum(dtype=np.float64))
    gradient = float(np.abs(output.delta).sum(dtype=np.float64))
    return Speed(
        output_error=total / error.size,
        learning_speed=gradient / total if total else float("nan"),
        stuck=float((error > BADLY_WRONG).mean()),
        speeds=tuple(float(np.linalg.norm(layer.delta.mean(axis=1, dtype=np.float64))) for layer in layers),
    )


def _samples(output: Layer, y: Array) -> tuple[Array, Array]:
    """Return |a − y| and |δ| of every output neuron for the first examples, as two vectors."""
    part = slice(SAMPLE_EXAMPLES)
    error = np.abs(output.a[:, part] - y[:, part])
    return error.ravel(), np.abs(output.delta[:, part]).ravel()
