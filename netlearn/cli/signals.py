"""How Ctrl-C and SIGTERM end long work."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from netlearn.cli import Terminated
from netlearn.training import Trainer


@contextmanager
def stopping_on_signals(trainer: Trainer) -> Iterator[list[int]]:
    """Let the first Ctrl-C or SIGTERM stop the trainer, the second one Python; yield the signals received."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        trainer.stop()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        restore()


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM raise an exception as Ctrl-C does, with its own exit code."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
