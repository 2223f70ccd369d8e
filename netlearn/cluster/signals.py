"""Ctrl-C and SIGTERM where Dask's code runs, some of which would swallow the exception that they raise."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType


@contextmanager
def deferred(put: Callable[[Callable[[], object]], object]) -> Iterator[None]:
    """Put the handler of the first signal in a queue, to be called where it is safe; the second is not deferred."""
    with ExitStack() as restored:

        def defer(handler: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None) -> None:
            restored.close()
            put(partial(handler, number, frame))

        if threading.current_thread() is threading.main_thread():  # only there are signals received
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if callable(handler):
                    restored.callback(signal.signal, number, handler)
                    signal.signal(number, partial(defer, handler))
        yield
