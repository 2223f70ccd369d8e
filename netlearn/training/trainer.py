"""The trainer: probes a descent, saves checkpoints and decides when to end."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from time import perf_counter
from typing import Any

import numpy as np

from netlearn.datasets import Dataset, targets
from netlearn.datasets.augmentation import Augmentation
from netlearn.errors import DivergenceError, SettingsError
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.optimizers import OPTIMIZERS, Penalty
from netlearn.settings import Settings, check, resolve, settings_of_choice
from netlearn.slowdown import Probe, Record, Schedule
from netlearn.training.descent import Batches, Descent, Step
from netlearn.training.regularize import Dropout, MaxNorm
from netlearn.training.state import Improvement, State

CHECKPOINT_INSIDE, CHECKPOINT_AT_END = 10.0, 1.0  # seconds between checkpoints, inside and at the ends of epochs
ELSEWHERE = {  # settings of a run that the network and the data have already, or its folder
    "cost", "hidden", "activation", "initializer", "dtype", "dropout",
    "data", "train_size", "augment", "elastic_sigma", "elastic_alpha", "seed", "snapshots",
}  # fmt: skip


class Trainer:
    """Trains a network on a data set; iterate over it to train and to get a record at each probe.

    Args:
        network: changed in place.
        data: the training set is learned from, the validation set only measured.
        settings: of the run; the network and the data are made from them already.
        rng: shuffles the training set anew for each epoch; None for a random seed.
        augmentation: deforms the training images anew for each epoch.
        last: stop after this many updates, if that is before the end of the epochs.
        fields: in place of `settings`, those that are about training, such as `epochs`, `batch_size`,
            `learning_rate`, `optimizer` or `l2`, by name; the others have their defaults.

    Attributes:
        on_progress: called every 200 examples or so.
        on_checkpoint: called with the state at the ends of epochs, every ten seconds inside an epoch, and when
            training is stopped.
        epochs: passes over the training set.
        batches: the mini-batches.
        schedule: the updates and probes of the run.
        optimizer: changes the network.
        probe: measures it.
        improvement: knows the best epoch.
        dropout: the network's activation, if it drops neurons.
        seconds: time spent training, without probes and checkpoints.
        stopping: whether `stop` was called.
        initial_sha256: hash of the initial weights and biases.

    Raises:
        SettingsError: the network does not fit the data, or a setting is not valid or does not fit the data.
    """

    def __init__(
        self,
        network: Network,
        data: Dataset,
        settings: Settings | None = None,
        *,
        rng: np.random.Generator | None = None,
        augmentation: Augmentation | None = None,
        last: int | None = None,
        **fields: Any,
    ) -> None:
        settings = settings or _settings(network, fields)
        _check_fit(network, data, settings)
        self.network, self.data, self.epochs = network, data, settings.epochs
        self.on_progress: Callable[[], object] = lambda: None
        self.on_checkpoint: Callable[[State], object] = lambda state: None
        y = targets(data.train.labels, data.outputs).astype(network.dtype, copy=False)
        self.batches = Batches(
            data.train.inputs, y, settings.batch_size, rng or np.random.default_rng(), augmentation
        )
        updates = self.epochs * self.batches.per_epoch
        last = updates if last is None else min(last, updates)
        self.schedule = Schedule(last, self.batches.per_epoch, settings.probe_every)
        penalty = Penalty(settings.l2, settings.l1, len(y))
        own = settings_of_choice(settings, "optimizer")
        self.optimizer = OPTIMIZERS[settings.optimizer](network, settings.learning_rate, penalty, **own)
        step: Step = self.optimizer.step
        if settings.max_norm != "off":
            step = MaxNorm(network, settings.max_norm).after(step)
        self.descent = Descent(step, self.batches, self.schedule)
        self.dropout = network.activation if isinstance(network.activation, Dropout) else None
        self.improvement = Improvement(settings.patience, settings.halve_after)
        self.probe = Probe(network, data, penalty=penalty, track_test=settings.track_test)
        self.initial_sha256 = network.parameters.sha256()
        self.seconds = 0.0
        self.stopping = False
        self._probed, self._saved = False, True
        self._checkpointed = perf_counter()

    @property
    def learning_rate(self) -> float:
        """The step size η; to change it during training, set that of `optimizer`."""
        return self.optimizer.learning_rate

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
        if not self._probed:
            yield self._measure()

    def _train_to_probe(self) -> None:
        """Train until a probe is due, the run ends or is stopped."""
        begun = perf_counter()
        try:
            with numerics(), self.dropout.training() if self.dropout else nullcontext():
                for update in self.descent:
                    self._probed = self._saved = False
                    self.on_progress()
                    if not self._output_layer_is_finite():
                        raise self._divergence()
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
            raise self._divergence()
        ended = self.schedule.epoch_ends(self.update)
        if ended and self.improvement.note(round(record.epoch), record.validation_accuracy, self.network):
            self.optimizer.learning_rate /= 2
        self._probed, self._saved = True, False
        return record

    def _output_layer_is_finite(self) -> bool:
        """Return whether the biases of the output layer are finite, and with L2 regularization its weights too.

        With the costs of `COSTS`, any number that is not finite reaches those biases in the next update. If λ makes
        the weights grow, their squares in the L2 term overflow long before.
        """
        w, b = self.network.weights[-1], self.network.biases[-1]
        return math.isfinite(np.vdot(b, b) + (np.vdot(w, w) if self.probe.penalty.l2 else 0.0))

    def _divergence(self) -> DivergenceError:
        if self.update == 0:
            return DivergenceError(
                "the cost is not finite at update 0, before any step: it must be finite for every z, or the initial "
                "weights must be smaller"
            )
        return DivergenceError(
            f"the cost is no longer finite after update {self.update} with learning rate {self.learning_rate:g}; "
            f"a smaller one, such as {self.learning_rate / 10:g}, may help"
        )

    def ended_early(self) -> bool:
        """Return whether training ended because no better epoch came."""
        return self.improvement.exhausted()

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
            halvings=self.improvement.halvings,
            best=self.improvement.best,
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
        self.improvement.restore(state.best, last, state.halvings)
        self.probe.samples = dict(state.samples)
        np.copyto(self.network.parameters.vector, state.parameters)
        self.optimizer.restore(state.optimizer, state.update)
        self.optimizer.learning_rate = state.learning_rate
        if self.dropout and state.dropout:
            self.dropout.rng.bit_generator.state = state.dropout

    def restore_best(self) -> None:
        """Give the network the parameters of the best epoch."""
        if self.improvement.best is not None:
            np.copyto(self.network.parameters.vector, self.improvement.best.parameters)


def _settings(network: Network, fields: dict[str, Any]) -> Settings:
    """Return complete settings from those of training; η has the default of the network's cost."""
    for name in fields.keys() & ELSEWHERE:
        raise SettingsError(f"{name}: must be left out, since the network and the data set are given")
    return resolve({name: check(name, value, name) for name, value in fields.items()}, cost=network.cost)


def _check_fit(network: Network, data: Dataset, settings: Settings) -> None:
    inputs = data.train.n_in
    if (network.sizes[0], network.sizes[-1]) != (inputs, data.outputs):
        raise SettingsError(
            f"sizes {list(network.sizes)}: must begin with the {inputs} inputs and "
            f"end with the {data.outputs} outputs of {data.name}"
        )
    for name in ("patience", "halve_after"):
        if (epochs := getattr(settings, name)) != "off" and not len(data.validation):
            raise SettingsError(f"{name} {epochs}: must be off, since {data.name} has no validation set")
