"""A worker process: it outlives neither its parent nor the comparison."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from netlearn.errors import CostWarning
from netlearn.numerics import BLAS_THREADS

# Environment of a new process: it imports nothing from the current folder, and its BLAS starts no threads to spin.
ENVIRONMENT = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": str(BLAS_THREADS)}
STARTING = threading.Lock()  # held while what all threads share is changed for a new process


def start_fork_server() -> bool:
    """Start a process that imports what all workers need, for `WorkerProcess`; return whether there can be one."""
    if sys.platform != "linux":
        return False
    from netlearn.comparison import fork_server  # noqa: PLC0415 (Windows lacks what it imports)

    return fork_server.start()


class WorkerProcess(ProcessPoolExecutor):
    """One process, which leaves Ctrl-C to its parent and does not outlive it.

    Args:
        forked: whether it is a fork of the process that `start_fork_server` started, or a fresh one; a fork of the
            caller would copy the threads of its BLAS.

    Attributes:
        started: the processes that were started, one unless that failed.
    """

    def __init__(self, *, forked: bool = False) -> None:
        self.started: list[BaseProcess] = []
        context: Any = type(multiprocessing.get_context("forkserver" if forked else "spawn"))()
        make = context.Process

        def remember(*arguments: Any, **given: Any) -> BaseProcess:
            self.started.append(make(*arguments, **given))
            return self.started[-1]

        context.Process = remember
        try:
            with starting({} if forked else ENVIRONMENT):  # the process that tracks semaphores comes first
                super().__init__(1, context, initializer=_begin_worker)
                self.submit(os.getpid)  # starts the process, or fails to
        except BaseException:
            self.kill()  # without a thread that gives it work, it would wait forever
            raise

    def terminate(self) -> None:
        """Send SIGTERM to the process, and to no other, even if it is stopped."""
        for process in self.started:
            if process.pid is not None:
                with suppress(Exception):  # it is gone
                    process.terminate()
                    os.kill(process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process."""
        for process in self.started:
            with suppress(Exception):
                process.kill()


@contextmanager
def starting(environment: Mapping[str, str]) -> Iterator[None]:
    """Give processes that are being started an environment, and keep them from importing the user's script.

    They would import the script of their parent, which would run it again where it has no guard.
    """
    with STARTING:
        before, script = {name: os.environ.get(name) for name in environment}, sys.modules["__main__"]
        os.environ.update(environment)
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value


def _begin_worker() -> None:
    gc.freeze()  # what is imported stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr  # what a user's own cost prints is no result
    warnings.simplefilter("ignore", CostWarning)  # the parent has checked the cost and warned
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # no process is left to take a result
