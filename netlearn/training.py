"""Training: mini-batch stochastic gradient descent, with L2 regularization and early stopping.

A `Trainer` changes its network and yields a `Record` at each probe. Probes come at updates 0, 1, 2, 5, 10, 20, 50, …
of the first epoch, where the learning slowdown happens, and at the end of every epoch. Measuring draws no random
numbers, so it cannot change what is learned.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from netlearn.activations import Array
from netlearn.datasets import Dataset, Labels
from netlearn.errors import DivergenceError
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.slowdown import Probe, Record, probe_updates


@dataclass(frozen=True)
class Best:
    """The end of the epoch with the best validation accuracy so far, the earliest of equals."""

    epoch: int
    accuracy: float
    weights: list[Array]
    biases: list[Array]


class Trainer:
    """Trains a network on a data set; iterate over it to train, and for the records.

    Args:
        network: it is changed in place.
        data: its training set is learned from, its validation set only measured.
        epochs: passes over the training set.
        batch_size: examples in a mini-batch; the last one of an epoch may be shorter.
        learning_rate: η, the step size.
        rng: shuffles the training set anew for each epoch.
        l2: λ. The cost gains λ/2n Σw², n the size of the training set (chapter 3, equation 87).
        patience: stop after this many epochs without a better validation accuracy.
        probe_every: epochs from one probe to the next, after the first epoch; the last epoch is always probed.
        track_test: whether probes measure the test set too.
        on_update: called after each update, to show progress.

    Attributes:
        update: mini-batches done.
        seconds: time spent training, probes not counted.
        best: the best epoch so far; None before the first one ends.
        stopping: whether `stop` was called.
        start_sha256: of the initial weights and biases.
        probe: what measures the network.
    """

    def __init__(
        self,
        network: Network,
        data: Dataset,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        rng: np.random.Generator,
        l2: float = 0.0,
        patience: int | None = None,
        probe_every: int = 1,
        track_test: bool = False,
        on_update: Callable[[], object] | None = None,
    ) -> None:
        self.network = network
        self.data = data
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.l2 = l2
        self.patience = patience
        self.probe_every = probe_every
        self.on_update = on_update
        self.updates_per_epoch = math.ceil(len(data.train) / batch_size)
        self.update = 0
        self.seconds = 0.0
        self.best: Best | None = None
        self._rng = rng
        self.stopping = False
        self.probe = Probe(network, data, l2=l2, track_test=track_test)
        self._x = np.empty((batch_size, network.sizes[0]), network.dtype)
        self._y = np.empty((batch_size, network.sizes[-1]), network.dtype)
        start = b"".join(array.tobytes() for array in network.weights + network.biases)
        self.start_sha256 = hashlib.sha256(start).hexdigest()
        self._batches = hashlib.sha256(str(batch_size).encode())
        self._decay = 1 - learning_rate * l2 / len(data.train)

    def stop(self) -> None:
        """End after the mini-batch under way, with a last record."""
        self.stopping = True

    def __iter__(self) -> Iterator[Record]:
        """Train, yielding a record at each probe.

        Raises:
            DivergenceError: the cost is no longer a finite number.
        """
        yield self._probe()
        for epoch in range(1, self.epochs + 1):
            order = self._rng.permutation(len(self.data.train))
            self._batches.update(order.data)
            probed = epoch in {1, self.epochs} or epoch % self.probe_every == 0
            probes = probe_updates(self.updates_per_epoch) if epoch == 1 else [self.updates_per_epoch]
            for start, end in zip([0, *probes], probes, strict=False):
                self._train_stretch(order, start, end)
                if not (probed or self.stopping):
                    continue
                record = self._probe()
                if self.update == epoch * self.updates_per_epoch:
                    self._remember_if_best(epoch, record.validation_accuracy)
                yield record
                if self.stopping:
                    return
            if probed and self._out_of_patience(epoch):
                return

    def _train_stretch(self, order: Labels, start: int, end: int) -> None:
        """Do the epoch's updates from `start` to before `end`."""
        batch_size = len(self._x)
        begun = perf_counter()
        try:
            with numerics():
                for first in range(start * batch_size, end * batch_size, batch_size):
                    self._update_mini_batch(order[first : first + batch_size])
                    self.update += 1
                    if self.on_update is not None:
                        self.on_update()
                    if not self._output_layer_is_finite():
                        raise self._divergence()
                    if self.stopping:
                        break
        finally:
            self.seconds += perf_counter() - begun

    def _output_layer_is_finite(self) -> bool:
        """Tell whether a cost that is not a number, which reaches the output layer in its own update, came about.

        Where λ makes weights grow, their squares overflow in the L2 term long before the biases notice.
        """
        w, b = self.network.weights[-1], self.network.biases[-1]
        return math.isfinite(np.vdot(b, b) + (np.vdot(w, w) if self.l2 else 0.0))

    def _update_mini_batch(self, rows: Labels) -> None:
        """Take one step of gradient descent on the training examples of those rows."""
        m = len(rows)
        x, y = self._x[:m], self._y[:m]
        self.probe.train.take(rows, 0, out=x, mode="clip")  # "clip" writes to the buffer directly; every row exists
        self.probe.train_y.take(rows, 0, out=y, mode="clip")
        network = self.network
        network.gradient(x.T, y.T, scale=self.learning_rate / m)
        for w, b, nabla_w, nabla_b in zip(
            network.weights, network.biases, network.nabla_w, network.nabla_b, strict=True
        ):
            if self.l2:
                np.multiply(w, self._decay, out=w)  # w → (1 − ηλ/n) w − η/m Σ ∂C_x/∂w (chapter 3, equation 93)
            np.subtract(w, nabla_w, out=w)
            np.subtract(b, nabla_b, out=b)

    def _probe(self) -> Record:
        record = self.probe.measure(self.update, self.update / self.updates_per_epoch, self.seconds)
        if not math.isfinite(record.train_cost + record.validation_cost):
            raise self._divergence()
        return record

    def batches_sha256(self) -> str:
        """Return the SHA-256 of the mini-batches of all epochs begun: their size and their examples, in order."""
        return self._batches.hexdigest()

    def restore_best(self) -> None:
        """Give the network the weights of the best epoch."""
        if self.best is not None:
            for array, kept in zip(
                self.network.weights + self.network.biases, self.best.weights + self.best.biases, strict=True
            ):
                np.copyto(array, kept)

    def _out_of_patience(self, epoch: int) -> bool:
        return self.patience is not None and self.best is not None and epoch - self.best.epoch >= self.patience

    def _remember_if_best(self, epoch: int, accuracy: float) -> None:
        if self.best is None or accuracy > self.best.accuracy:
            weights, biases = self.network.weights, self.network.biases
            self.best = Best(epoch, accuracy, [w.copy() for w in weights], [b.copy() for b in biases])

    def _divergence(self) -> DivergenceError:
        return DivergenceError(
            f"the cost is no longer finite after update {self.update} with learning rate {self.learning_rate:g}; "
            f"a smaller one, such as {self.learning_rate / 10:g}, may help"
        )
