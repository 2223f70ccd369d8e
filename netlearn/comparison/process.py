"""A worker process: how it starts, and that it outlives neither its parent nor the comparison."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnContext, SpawnProcess
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar

from netlearn.errors import CostWarning
from netlearn.numerics import BLAS_THREADS, numerics

Result = TypeVar("Result")

# Environment of a new process: it imports nothing from the current folder, and its BLAS starts no threads to spin.
ENVIRONMENT = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": str(BLAS_THREADS)}
STARTING = threading.Lock()  # held while what all threads share is changed for a new process
THREADS = (
    4  # that a worker takes: its own two, and two of Python's here; the system counts processes and threads alike
)


class Worker(ProcessPoolExecutor):
    """A fresh process, in a pool of its own: Python ends all processes of a pool in which one dies.

    It is started with its first task. A fork would copy the threads of this process's BLAS.
    """

    def __init__(self) -> None:
        self._context = _Context()
        with _starting():  # also of Python's own helper
            super().__init__(1, self._context, initializer=_begin)

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """Submit a call, without an interrupt on the way; if the process has died, the future may never end."""
        with _starting():
            return super().submit(function, *arguments, **named)

    @property
    def process(self) -> SpawnProcess | None:
        """The process, once it is started."""
        return next((process for process in self._context.made if process.pid is not None), None)

    @property
    def has_died(self) -> bool:
        """Whether the process was started and is gone."""
        return self.process is not None and not self.process.is_alive()


class _Context(SpawnContext):
    """How a process is made; it remembers it, so that it and no other of the program is ended."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **given: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802 (Python's)
        self.made.append(SpawnProcess(*arguments, **given))
        return self.made[-1]


def end(workers: Sequence[Worker], within: float) -> None:
    """Send the processes SIGTERM, and kill those that do not end in some seconds, or at a second Ctrl-C."""
    processes, until = [worker.process for worker in workers if worker.process], monotonic() + within
    try:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(max(0, until - monotonic()))
    finally:
        for process in processes:
            process.kill()
    for worker in workers:
        with suppress(RuntimeError):  # its thread could not be started
            worker.shutdown(cancel_futures=True)


def check_allowed(count: int) -> None:
    """Start and end so many threads; Python's pool waits for ever where one of its own cannot be started.

    Raises:
        RuntimeError: they are not allowed.
    """
    end = threading.Event()
    with ThreadPoolExecutor(count) as threads:
        try:
            for _ in range(count):
                threads.submit(end.wait)
        finally:
            end.set()


@contextmanager
def _starting() -> Iterator[None]:
    """Give the processes that start here the environment of new ones, without Ctrl-C and without the user's script.

    Ctrl-C is for this process alone, so theirs is blocked. They would import the script, which would run again where
    it has no guard.
    """
    with STARTING:
        environment, script = dict(os.environ), sys.modules["__main__"]
        if sys.platform != "win32":
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.environ.update(ENVIRONMENT)
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            for name in ENVIRONMENT:
                del os.environ[name]
                if name in environment:
                    os.environ[name] = environment[name]
            if sys.platform != "win32":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin() -> None:
    gc.freeze()  # what is imported stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr  # what a user's own cost prints is no result
    warnings.simplefilter("ignore", CostWarning)  # the parent has checked the cost and warned
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)  # no process is left to take a result


def import_numerics() -> None:
    """Import what a run needs, in a process that has nothing else to do yet."""
    with numerics():
        pass
