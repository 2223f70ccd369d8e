"""The runner: probes a descent, saves checkpoints and decides when to end."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from time import perf_counter

import numpy as np

from netlearn.datasets import Dataset, targets
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.optimizers import OPTIMIZERS
from netlearn.penalty import Penalty
from netlearn.slowdown import Probe, Record
from netlearn.training.augmented import Augmentation
from netlearn.training.batches import Batches, Order
from netlearn.training.checks import check_sizes, check_waiting
from netlearn.training.descent import Descent
from netlearn.training.divergence import divergence, output_layer_is_finite
from netlearn.training.dropout import Dropout
from netlearn.training.halving import Halving
from netlearn.training.max_norm import MaxNorm
from netlearn.training.patience import Patience
from netlearn.training.schedule import Schedule
from netlearn.training.state import State

CHECKPOINT_INSIDE, CHECKPOINT_AT_END = 10.0, 1.0  # seconds between checkpoints, inside and at the ends of epochs


class Trainer:
    """Trains a network on a data set; iterate over it to train and to get a record at each probe.

    Args:
        network: changed in place.
        data: the training set is learned from, the validation set only measured.
        epochs: passes over the training set.
        batch_size: examples in a mini-batch; the last one of an epoch may be smaller.
        learning_rate: η, the step size.
        rng: shuffles the training set anew for each epoch; None for a random seed.
        order: replaces the shuffling, see `Batches`; to resume such a run, it must return the same rows for the same
            epoch.
        optimizer: a name in `OPTIMIZERS`.
        own: the optimizer's own settings; the others have their defaults.
        l2, l1: λ of the regularization; see `Penalty`.
        max_norm: the largest norm of the weights into a hidden neuron.
        dropout: the network's activation, if it drops neurons.
        augmentation: deforms the training images anew for each epoch.
        halve_after: halve η after this many epochs without a better validation accuracy, and stop at 1/128 of it.
        patience: stop after this many epochs without a better validation accuracy; None never stops.
        probe_every: epochs from one probe to the next, after the first epoch; the end is always probed. 0 for no
            probes: nothing is yielded.
        track_test: whether probes measure the test set too.
        last: stop after this many updates, if that is before the end of the epochs.
        on_progress: called every 200 examples or so.
        on_checkpoint: called with the state at the ends of epochs, every ten seconds inside an epoch, and when
            training is stopped.

    Attributes:
        seconds: time spent training, without probes and checkpoints.
        schedule: the updates and probes of the run.
        optimizer: changes the network.
        probe: measures it.
        patience: knows the best epoch.
        halving: knows when to halve η.
        dropout: chooses neurons to drop, if it is used.
        stopping: whether `stop` was called.
        initial_sha256: hash of the initial weights and biases.

    Raises:
        SettingsError: the network does not fit the data, or a setting does not fit the others.
    """

    def __init__(
        self,
        network: Network,
        data: Dataset,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        rng: np.random.Generator | None = None,
        order: Order | None = None,
        optimizer: str = "sgd",
        own: Mapping[str, float] = {},
        l2: float = 0.0,
        l1: float = 0.0,
        max_norm: float | None = None,
        dropout: Dropout | None = None,
        augmentation: Augmentation | None = None,
        halve_after: int | None = None,
        patience: int | None = None,
        probe_every: int = 1,
        track_test: bool = False,
        last: int | None = None,
        on_progress: Callable[[], object] = lambda: None,
        on_checkpoint: Callable[[State], object] = lambda state: None,
    ) -> None:
        check_sizes(network, data)
        check_waiting(data, probe_every, patience=patience, halve_after=halve_after)
        self.network = network
        self.data = data
        self.epochs = epochs
        self.on_progress = on_progress
        self.on_checkpoint = on_checkpoint
        x = data.train.x.astype(network.dtype, copy=False)
        y = targets(data.train.labels, data.outputs).astype(network.dtype, copy=False)
        self.batches = Batches(x, y, batch_size, rng or np.random.default_rng(), order, augmentation)
        updates = epochs * self.batches.per_epoch
        self.schedule = Schedule(updates if last is None else last, self.batches.per_epoch, probe_every)
        penalty = Penalty(l2, l1, len(x))
        self.optimizer = OPTIMIZERS[optimizer](network, learning_rate, penalty, **own)
        step = self.optimizer.step if max_norm is None else MaxNorm(network, max_norm).after(self.optimizer.step)
        self.descent = Descent(step, self.batches, self.schedule)
        self.dropout = dropout
        self.halving = Halving(halve_after)
        self.probe = Probe(network, data, penalty=penalty, track_test=track_test)
        self.patience = Patience(patience)
        self.initial_sha256 = network.parameters.sha256()
        self.seconds = 0.0
        self.stopping = False
        self._probed, self._saved = False, True
        self._checkpointed = perf_counter()

    @property
    def batch_size(self) -> int:
        """Examples in a mini-batch; fixed, as all settings are once training is set up."""
        return self.batches.batch_size

    @property
    def learning_rate(self) -> float:
        """The step size η; to change it during training, set that of `optimizer`."""
        return self.optimizer.learning_rate

    @property
    def l2(self) -> float:
        """The L2 regularization λ; fixed, because costs and steps both depend on it."""
        return self.probe.penalty.l2

    @property
    def update(self) -> int:
        """Mini-batches done."""
        return self.descent.update

    def stop(self) -> None:
        """End training within 200 examples or one mini-batch, with a checkpoint and a last record."""
        self.stopping = True

    def __iter__(self) -> Iterator[Record]:
        """Train from the current state, yielding a record at each probe.

        Raises:
            DivergenceError: the cost is no longer finite.
        """
        if not self._probed and self.schedule.probe_due(self.update):
            yield self._measure()
        while not (self.stopping or self.update == self.schedule.last or self.ended_early()):
            self._train_to_probe()
            if self.schedule.probe_due(self.update) and not self.stopping:
                yield self._measure()
                if self.schedule.epoch_ends(self.update):
                    self._checkpoint()
        if not self._saved:
            self._checkpoint()  # before a probe that only the end has, so that a resumed run does not have it
        if not self._probed and self.schedule.probe_every:
            yield self._measure()

    def _train_to_probe(self) -> None:
        """Train until a probe is due, the run ends or is stopped."""
        begun = perf_counter()
        try:
            with numerics(), self.dropout.training() if self.dropout else nullcontext():
                for update in self.descent:
                    self._probed = self._saved = False
                    self.on_progress()
                    if not output_layer_is_finite(self.network, regularized=self.l2 > 0):
                        raise divergence(update, self.learning_rate)
                    if self.stopping or self.schedule.probe_due(update):
                        return
                    every = CHECKPOINT_AT_END if self.schedule.epoch_ends(update) else CHECKPOINT_INSIDE
                    if perf_counter() - self._checkpointed > every:
                        self.seconds += perf_counter() - begun
                        self._checkpoint()
                        begun = perf_counter()
        finally:
            self.seconds += perf_counter() - begun

    def _checkpoint(self) -> None:
        self.on_checkpoint(self.state())
        self._saved = True
        self._checkpointed = perf_counter()

    def _measure(self) -> Record:
        epoch = self.update / self.schedule.updates_per_epoch
        record = self.probe.measure(self.update, epoch, self.seconds, self.learning_rate)
        cost_is_finite = math.isfinite(record.train_cost + record.validation_cost)
        if not (cost_is_finite and np.isfinite(self.network.parameters.vector).all()):
            raise divergence(self.update, self.learning_rate)
        if self.schedule.epoch_ends(self.update):
            best = self.patience.look(round(record.epoch), record.validation_accuracy, self.network)
            if self.halving.due(round(record.epoch), best.epoch):
                self.optimizer.learning_rate /= 2
        self._probed, self._saved = True, False
        return record

    def ended_early(self) -> bool:
        """Return whether patience is exhausted or η has been halved for the last time."""
        return self.patience.exhausted() or self.halving.exhausted()

    def state(self) -> State:
        """Return the current state; its arrays are the trainer's own and change when training continues."""
        rng, batches_sha256 = self.batches.start(self.update)
        return State(
            update=self.update,
            seconds=self.seconds,
            probed=self._probed,
            rng=rng,
            batches_sha256=batches_sha256,
            parameters=self.network.parameters.vector,
            optimizer=self.optimizer.state,
            dropout=self.dropout.rng.bit_generator.state if self.dropout else None,
            learning_rate=self.learning_rate,
            halvings=(self.halving.times, self.halving.since),
            best=self.patience.best,
            samples=self.probe.samples,
        )

    def restore(self, state: State) -> None:
        """Restore the state of a trainer with the same settings and data; `epochs` may differ.

        Raises:
            ValueError: the RNG state is not valid.
        """
        self.batches.restore((state.rng, state.batches_sha256), state.update)
        self.descent.update, self.seconds, self._probed = state.update, state.seconds, state.probed
        at_end = state.probed and self.schedule.epoch_ends(state.update)
        last = state.update // self.schedule.updates_per_epoch if at_end else 0
        self.patience.restore(state.best, last)
        self.probe.samples = dict(state.samples)
        np.copyto(self.network.parameters.vector, state.parameters)
        self.optimizer.restore(state.optimizer, state.update)
        self.optimizer.learning_rate = state.learning_rate
        self.halving.times, self.halving.since = state.halvings
        if self.dropout and state.dropout:
            self.dropout.rng.bit_generator.state = state.dropout

    def restore_best(self) -> None:
        """Give the network the parameters of the best epoch."""
        if self.patience.best is not None:
            np.copyto(self.network.parameters.vector, self.patience.best.parameters)
