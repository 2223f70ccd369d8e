"""Where a training stands: all that it needs to go on as if it had never stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netlearn.activations import Array


@dataclass(frozen=True)
class Best:
    """The end of the epoch with the best validation accuracy so far, the earliest of equals."""

    epoch: int
    accuracy: float
    parameters: Array


@dataclass(frozen=True)
class State:
    """Where training stands: all that going on needs, beside settings and data.

    Attributes:
        update: mini-batches done.
        seconds: time spent training.
        probed: whether the record of this update was yielded.
        stream: the random stream that shuffles, at the start of the epoch under way, before it draws the order. (That
            of the initial weights is spent when training begins.)
        batches: SHA-256 of the mini-batches of the epochs before that one.
        parameters: of the network, all weights and then all biases.
        best: the best epoch so far, which early stopping remembers.
        samples: those of the probe.
    """

    update: int
    seconds: float
    probed: bool
    stream: Mapping[str, Any]
    batches: bytes
    parameters: Array
    best: Best | None
    samples: dict[int, tuple[Array, Array]]
