"""The state of a training run, from which it can be resumed exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netlearn.numerics import Array


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
