"""A worker process: how it starts, and that it outlives neither its parent nor the comparison."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from time import monotonic
from types import ModuleType
from typing import Any

from netlearn.errors import CostWarning
from netlearn.numerics import BLAS_THREADS, numerics

# Environment of a new process: it imports nothing from the current folder, and its BLAS starts no threads to spin.
ENVIRONMENT = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": str(BLAS_THREADS)}
STARTING = threading.Lock()  # held while what all threads share is changed for a new process


class WorkerProcess(SpawnProcess):
    """A fresh process that does not import the user's script, which would run again where it has no guard.

    A fork would copy the threads of this process's BLAS. Ctrl-C is for this process alone: the new one starts with
    that signal blocked.
    """

    def start(self) -> None:
        """Start the process."""
        with _starting():
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = script


class WorkerContext(SpawnContext):
    """How processes are started; it remembers them, so that they and no others of the program are ended."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[WorkerProcess] = []
        if sys.platform != "win32":
            with _starting():
                resource_tracker.ensure_running()  # Python's own helper, which the first queue would start elsewhere

    def Process(self, *arguments: Any, **given: Any) -> WorkerProcess:  # type: ignore[override]  # noqa: N802 (Python's)
        """Return a new process."""
        self.processes.append(WorkerProcess(*arguments, **given))
        return self.processes[-1]

    def end(self, within: float) -> None:
        """Send the processes SIGTERM, and kill those that do not end in some seconds, or at a second Ctrl-C."""
        started = [process for process in self.processes if process.pid is not None]
        alive, until = {process.sentinel for process in started}, monotonic() + within
        try:
            for process in started:
                with suppress(OSError):  # it is gone
                    process.terminate()
            while alive and monotonic() < until:
                alive -= {*connection.wait(alive, max(0, until - monotonic()))}
        finally:
            for process in started:
                with suppress(OSError):
                    process.kill()


def check_allowed(count: int) -> None:
    """Check that so many more processes and threads are allowed, which count alike: threads are started, and end.

    Python's pool would print a traceback, or wait for ever, where one of its own threads cannot be started.

    Raises:
        RuntimeError: they are not.
    """
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, daemon=True) for _ in range(count)]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    finally:
        end.set()
        for thread in started:
            thread.join()


def limit_on_processes() -> str:
    """Return the limit on the user's processes and threads in words, or "" if there is none."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return ""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return "" if limit == resource.RLIM_INFINITY else f" with ulimit -u {limit}"


@contextmanager
def _starting() -> Iterator[None]:
    """Give the processes that start here the environment of new ones, and block Ctrl-C in them."""
    with STARTING:
        before = {name: os.environ.get(name) for name in ENVIRONMENT}
        os.environ.update(ENVIRONMENT)
        if sys.platform != "win32":
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            if sys.platform != "win32":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value


def begin_worker() -> None:
    """Set up a new process."""
    gc.freeze()  # what is imported stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr  # what a user's own cost prints is no result
    warnings.simplefilter("ignore", CostWarning)  # the parent has checked the cost and warned
    threading.Thread(target=_end_with_parent, daemon=True).start()


def import_numerics() -> None:
    """Import what a run needs, in a process that has nothing else to do yet."""
    with numerics():
        pass


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # no process is left to take a result
