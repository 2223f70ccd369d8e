"""Training: mini-batch stochastic gradient descent, with L2 regularization and early stopping.

A `Trainer` changes its network and yields a `Record` at each probe. Probes come at updates 0, 1, 2, 5, 10, 20, 50, …
of the first epoch, where the learning slowdown happens, and at the end of every epoch. Measuring draws no random
numbers, so it cannot change what is learned.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from netlearn.activations import Array
from netlearn.batches import Batches, Shuffling
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.slowdown import Probe, Record, probe_updates
from netlearn.state import Best, State

CHECKPOINT_EVERY = 10.0  # seconds, inside an epoch
UNPROBED_CHECKPOINT_EVERY = 1.0  # seconds, at the ends of epochs without a probe: they may last milliseconds only


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
        on_checkpoint: called with the state at each epoch's end (once a second there, where epochs are not probed),
            every ten seconds inside an epoch, and when stopped.

    Attributes:
        update: mini-batches done.
        seconds: time spent training, probes not counted.
        best: the best epoch so far; None before the first one ends.
        shuffling: the order of the examples, and its fingerprint.
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
        on_checkpoint: Callable[[State], object] | None = None,
    ) -> None:
        self.network = network
        self.data = data
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.l2 = l2
        self.patience = patience
        self.probe_every = probe_every
        self.on_update = on_update
        self.on_checkpoint = on_checkpoint
        self.updates_per_epoch = math.ceil(len(data.train) / batch_size)
        self.update = 0
        self.seconds = 0.0
        self.best: Best | None = None
        self.stopping = False
        self.probe = Probe(network, data, l2=l2, track_test=track_test)
        self.batch_size = batch_size
        self.shuffling = Shuffling(rng, len(data.train), batch_size)
        self._batches = Batches(self.probe.train, self.probe.train_y, batch_size)
        self.start_sha256 = hashlib.sha256(network.parameters.tobytes()).hexdigest()
        self._first_probes = probe_updates(self.updates_per_epoch)
        self._probed = False
        self._checkpointed = perf_counter()
        # arrays without dimensions: a Python number costs 0.3 µs more a call
        self._step = np.array(learning_rate / batch_size, network.dtype)
        self._decay = np.array(1 - learning_rate * l2 / len(data.train), network.dtype)

    def stop(self) -> None:
        """End after the mini-batch under way, with a last record."""
        self.stopping = True

    def __iter__(self) -> Iterator[Record]:
        """Train from where the trainer stands, yielding a record at each probe.

        Raises:
            DivergenceError: the cost is no longer a finite number.
        """
        if not self._probed and (self._probe_is_due() or self.update == self._last):
            yield self._probe()
        while not (self.stopping or self.update == self._last or self.out_of_patience()):
            self._train_to(self._next_stop())
            if self._probe_is_due() and not self.stopping:
                yield self._probe()
                if self.update % self.updates_per_epoch == 0:
                    self._checkpoint()
            elif self.stopping or self.update == self._last:
                self._checkpoint()  # without the probe below: a run that was not stopped has none here
                if not self._probed:
                    yield self._probe()
                return
            elif self._since_checkpoint() > UNPROBED_CHECKPOINT_EVERY:
                self._checkpoint()
        if self.stopping:
            self._checkpoint()

    @property
    def _last(self) -> int:
        return self.epochs * self.updates_per_epoch

    def _probe_is_due(self) -> bool:
        """Tell whether every run has a probe here, however many its epochs."""
        epoch, inside = divmod(self.update, self.updates_per_epoch)
        return self.update in self._first_probes or (not inside and epoch % self.probe_every == 0)

    def _next_stop(self) -> int:
        """Return the next update after which there may be a probe: of the first epoch, or the epoch's last."""
        start = self.update - self.update % self.updates_per_epoch
        return next((stop for stop in self._first_probes if stop > self.update), start + self.updates_per_epoch)

    def _train_to(self, stop: int) -> None:
        """Do the updates of the epoch under way to that one."""
        order = self.shuffling.order()
        begun = perf_counter()
        try:
            with numerics():
                while self.update < stop and not self.stopping:
                    self._probed = False
                    done = self.update % self.updates_per_epoch
                    for x, y in self._batches.gather(order, done, done + stop - self.update):
                        self._update_mini_batch(x, y)
                        self.update += 1
                        if self.on_update is not None:
                            self.on_update()
                        if self.stopping or self._since_checkpoint() > CHECKPOINT_EVERY:
                            break
                    if not self._output_layer_is_finite():
                        raise self._divergence()
                    if self.update < stop and self._since_checkpoint() > CHECKPOINT_EVERY:
                        self.seconds += perf_counter() - begun
                        self._checkpoint()
                        begun = perf_counter()
        finally:
            self.seconds += perf_counter() - begun
        if self.update == stop and stop % self.updates_per_epoch == 0:
            self.shuffling.end_epoch()

    def _since_checkpoint(self) -> float:
        return perf_counter() - self._checkpointed

    def _checkpoint(self) -> None:
        if self.on_checkpoint is not None:
            self.on_checkpoint(self.state())
        self._checkpointed = perf_counter()

    def state(self) -> State:
        """Return where training stands; the arrays are the trainer's own, which go on changing."""
        stream, batches = self.shuffling.start
        return State(
            update=self.update,
            seconds=self.seconds,
            probed=self._probed,
            stream=stream,
            batches=batches,
            parameters=self.network.parameters,
            best=self.best,
            samples=self.probe.samples,
        )

    def restore(self, state: State) -> None:
        """Go back, or on, to where a trainer of the same settings and data stood; `epochs` may be another.

        Raises:
            ValueError: the state of the random stream is not one.
        """
        self.shuffling.restore(state.stream, state.batches)
        self.update, self.seconds, self._probed = state.update, state.seconds, state.probed
        self.best = state.best
        self.probe.samples = dict(state.samples)
        np.copyto(self.network.parameters, state.parameters)
        if self.update % self.updates_per_epoch:
            self.shuffling.order()

    def _output_layer_is_finite(self) -> bool:
        """Tell whether the biases of the output layer are finite, and with λ its weights too.

        With the costs of `COSTS` whatever is not finite reaches those biases in the next update. Where λ makes
        weights grow, their squares overflow in the L2 term long before.
        """
        w, b = self.network.weights[-1], self.network.biases[-1]
        return math.isfinite(np.vdot(b, b) + (np.vdot(w, w) if self.l2 else 0.0))

    def _update_mini_batch(self, x: Array, y: Array) -> None:
        """Take one step of gradient descent on examples x, (n_in, m), with targets y, (n_out, m)."""
        network, m = self.network, x.shape[1]
        network.gradient(x, y, self._step if m == self.batch_size else self.learning_rate / m)
        if self.l2:
            np.multiply(network.decaying, self._decay, network.decaying)
        # w → (1 − ηλ/n) w − η/m Σ ∂C_x/∂w and b → b − η/m Σ ∂C_x/∂b (chapter 3, equations 93 and 94)
        np.subtract(network.parameters, network.nabla, network.parameters)

    def _probe(self) -> Record:
        record = self.probe.measure(self.update, self.update / self.updates_per_epoch, self.seconds)
        cost_is_finite = math.isfinite(record.train_cost + record.validation_cost)
        if not (cost_is_finite and np.isfinite(self.network.parameters).all()):
            raise self._divergence()
        epoch, inside = divmod(self.update, self.updates_per_epoch)
        if epoch and not inside and (self.best is None or record.validation_accuracy > self.best.accuracy):
            self.best = Best(epoch, record.validation_accuracy, self.network.parameters.copy())
        self._probed = True
        return record

    def restore_best(self) -> None:
        """Give the network the weights of the best epoch."""
        if self.best is not None:
            np.copyto(self.network.parameters, self.best.parameters)

    def out_of_patience(self) -> bool:
        """Tell whether the last probe, at an epoch's end, was that many epochs after the best."""
        if self.patience is None or self.best is None or not self._probed:
            return False
        epoch, inside = divmod(self.update, self.updates_per_epoch)
        return not inside and epoch - self.best.epoch >= self.patience

    def _divergence(self) -> DivergenceError:
        return DivergenceError(
            f"the cost is no longer finite after update {self.update} with learning rate {self.learning_rate:g}; "
            f"a smaller one, such as {self.learning_rate / 10:g}, may help"
        )
