"""Signals where Dask's code runs: the first waits until it is safe, the second does not."""

import os
import signal
from collections.abc import Callable

import pytest

from netlearn.cluster.signals import deferred


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_first_interrupt_waits_in_the_queue_and_the_second_does_not() -> None:
    waiting: list[Callable[[], object]] = []
    before = signal.getsignal(signal.SIGINT)
    with deferred(waiting.append):
        interrupt()
        (handler,) = waiting
        with pytest.raises(KeyboardInterrupt):
            handler()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_signals_are_as_before_where_none_came() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with deferred(lambda handler: None):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
