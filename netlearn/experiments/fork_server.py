"""Python's fork server, from which workers are forked: a process without threads that has imported what they need.

All processes of a program that use it share it, with its modules and its environment.
"""

import resource
import signal
from collections.abc import Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from typing import Any

from netlearn.experiments.process import ENVIRONMENT, starting

FEW_FILES = 64  # that may be open: too few for one more process


class Forked(ForkServerContext):
    """Starts forks of a fresh process, and remembers them."""

    def __init__(self) -> None:
        self.started: list[BaseProcess] = []

    def Process(self, *arguments: Any, **given: Any) -> ForkServerProcess:  # type: ignore[override]  # noqa: N802
        """Return a process that is not yet started."""
        process = ForkServerProcess(*arguments, **given)
        self.started.append(process)
        return process


def start(preload: Sequence[str]) -> bool:
    """Start the fork server, and have it import modules; return whether it could be started."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < FEW_FILES:
        return False
    forkserver.set_forkserver_preload(list(preload))
    try:
        with starting(ENVIRONMENT):
            resource_tracker.ensure_running()  # it would unblock the signal
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # Ctrl-C is for the parent
            try:
                forkserver.ensure_running()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except OSError:  # no file or process, or the path of its socket is too long
        return False
    return True
