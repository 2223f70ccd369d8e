"""A worker process: started fresh, it outlives neither its parent nor the comparison."""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from netlearn.errors import CostWarning

SAFE_PATH = "PYTHONSAFEPATH"
STARTING = threading.Lock()  # held while what all threads share is changed for a new process


class _Context(SpawnContext):
    """Starts fresh processes, since fork would copy the threads of the parent's BLAS, and remembers them."""

    def __init__(self) -> None:
        self.started: list[BaseProcess] = []

    def Process(self, *arguments: Any, **given: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        process = SpawnProcess(*arguments, **given)
        self.started.append(process)
        return process


class WorkerProcess(ProcessPoolExecutor):
    """One fresh process, which leaves Ctrl-C to its parent and does not outlive it."""

    def __init__(self) -> None:
        self._context = _Context()
        try:
            with _importing_nothing_from_here():  # nor may the process that tracks semaphores, started first
                super().__init__(1, self._context, initializer=_begin_worker)
                self.submit(os.getpid)  # starts the process, or fails to
        except BaseException:
            self.kill()  # without a thread that gives it work, it would wait forever
            raise

    def terminate(self) -> None:
        """Send SIGTERM to the process, and to no other, even if it is stopped."""
        for process in self._context.started:
            if process.pid is not None:
                with suppress(Exception):  # it is gone
                    process.terminate()
                    os.kill(process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process."""
        for process in self._context.started:
            with suppress(Exception):
                process.kill()


@contextmanager
def _importing_nothing_from_here() -> Iterator[None]:
    """Keep a process that is being started from importing modules in the current folder, and the user's script.

    A fresh process imports the script of its parent, which would run it again where it has no guard.
    """
    with STARTING:
        before, script = os.environ.get(SAFE_PATH), sys.modules["__main__"]
        os.environ[SAFE_PATH] = "1"
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            del os.environ[SAFE_PATH]
            if before is not None:
                os.environ[SAFE_PATH] = before


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", CostWarning)  # the parent has checked the cost and warned
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # no process is left to take a result
