"""A time limit for a user's code, so that a loop without end is an error."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from netlearn.errors import CostError

SECONDS = 2.0  # a cost that compiles itself does so where its module is imported


@contextmanager
def returning_in_time(name: str, method: str) -> Iterator[None]:
    """Raise a `CostError` if a call of a cost's method takes longer; only in a main thread, and not on Windows."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(number: int, frame: FrameType | None) -> None:
        raise CostError(f"cost {name!r}: {method} must return within {SECONDS:g} s")

    handler = signal.signal(signal.SIGALRM, give_up)
    timer = signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
