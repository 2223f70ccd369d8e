"""What the system does to a command: signals that stop it, and the address space that it needs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from netlearn.errors import NetlearnError

COMMAND, WORKER = 500_000, 150_000  # kB of address space that a command reserves, and more for each worker process


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


@contextmanager
def stopping_on_signals(stop: Callable[[], object]) -> Iterator[list[int]]:
    """Call `stop` at the first Ctrl-C or SIGTERM, and stop Python at the second; yields the signals received."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        stop()
        handlers.close()

    with ExitStack() as handlers:
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, handle)
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


def check_address_space(workers: int = 0) -> None:
    """Check that `ulimit -v` is enough for a command and its workers: with less, OpenBLAS hangs or ends the process.

    Raises:
        NetlearnError: it is not.
    """
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    least = COMMAND + workers * WORKER
    if limit != resource.RLIM_INFINITY and limit < 1024 * least:
        hint = " or --jobs smaller" if workers > 1 else ""
        raise NetlearnError(f"ulimit -v {limit // 1024}: must be at least {least}{hint}")
