"""Stopping at Ctrl-C and SIGTERM."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from netlearn.cli import Terminated
from netlearn.training import Trainer


@contextmanager
def stopping_on_signals(trainer: Trainer) -> Iterator[list[int]]:
    """Stop the trainer at the first Ctrl-C or SIGTERM, and Python at the second; yields the signals received."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        trainer.stop()
        handlers.close()

    with ExitStack() as handlers:
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, stop)
        yield received


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
