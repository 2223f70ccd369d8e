"""The state of a training run, from which it can be resumed exactly, and its best epoch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.settings import Off

MOST_HALVINGS = 7  # to 1/128 of the first learning rate


@dataclass(frozen=True)
class Best:
    """The network at the end of the epoch with the best validation accuracy so far, the first among equals."""

    epoch: int
    accuracy: float
    parameters: Array


@dataclass(frozen=True)
class State:
    """Everything that is needed to resume training besides the settings and the data.

    Attributes:
        update: mini-batches done.
        seconds: time spent training.
        probed: whether the record of this update was yielded.
        rng: the RNG state of the shuffling before the order of the current epoch is drawn.
        batches_sha256: hash of the mini-batches of all earlier epochs.
        parameters: all weights, then all biases, of the network.
        optimizer: the optimizer's own state.
        dropout: the RNG state of dropout, if it is used.
        learning_rate: η of the next step.
        halvings: how often η was halved, and the epoch of the last time.
        best: the best epoch so far.
        samples: |a − y| and |δ| of single output neurons, by update.
    """

    update: int
    seconds: float
    probed: bool
    rng: Mapping[str, Any]
    batches_sha256: bytes
    parameters: Array
    optimizer: tuple[Array, ...]
    dropout: Mapping[str, Any] | None
    learning_rate: float
    halvings: tuple[int, int]
    best: Best | None
    samples: dict[int, tuple[Array, Array]]


class Improvement:
    """The best epoch so far, and what follows if no better one comes: η is halved, or training ends.

    Args:
        patience: end after this many epochs without a better validation accuracy (chapter 3, "early stopping").
        halve_after: halve η after this many, and end at 1/128 of it (chapter 3, "learning rate schedules").

    Attributes:
        best: the best epoch so far; None before the first one was probed.
        halvings: how often η was halved, and the epoch of the last time, from which epochs are counted anew.
    """

    def __init__(self, patience: int | Off, halve_after: int | Off) -> None:
        self._patience, self._halve_after = (math.inf if n == "off" else n for n in (patience, halve_after))
        self._last = 0
        self.best: Best | None = None
        self.halvings = 0, 0

    def note(self, epoch: int, accuracy: float, network: Network) -> bool:
        """Note the validation accuracy at the end of an epoch, and the parameters if it is the best.

        Returns whether to halve η now.
        """
        self._last = epoch
        if self.best is None or accuracy > self.best.accuracy:
            self.best = Best(epoch, accuracy, network.parameters.vector.copy())
        times, since = self.halvings
        due = epoch - max(self.best.epoch, since) >= self._halve_after
        if due:
            self.halvings = times + 1, epoch
        return due

    def exhausted(self) -> bool:
        """Return whether there were too many epochs since the best one, or too many halvings."""
        waited = self._last - self.best.epoch if self.best else 0
        return waited >= self._patience or self.halvings[0] >= MOST_HALVINGS

    def restore(self, best: Best | None, last: int, halvings: tuple[int, int]) -> None:
        """Restore the best epoch, the last one that was probed, and the halvings."""
        self.best, self._last, self.halvings = best, last, halvings
