"""Worker processes: how they start, that none outlives its parent or the comparison, and values that they map."""

import gc
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar

from netlearn.errors import CostWarning, WorkerError
from netlearn.numerics import ALIGNMENT, BLAS_THREADS, numerics

Result = TypeVar("Result")

# Environment of a new process: it imports nothing from the current folder, and its BLAS starts no threads to spin.
ENVIRONMENT = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": str(BLAS_THREADS)}
STARTING = threading.Lock()  # held while what all threads share is changed for a new process


class Processes(ProcessPoolExecutor):
    """Fresh processes, started as tasks need them: a fork would copy the threads of this process's BLAS.

    Raises:
        WorkerError: a process cannot be started, also from `submit`.
    """

    def __init__(self, jobs: int) -> None:
        with _starting():  # also of Python's own helper
            _check_allowed(3 + 2 * jobs)  # that helper, two threads here, and two in each process
            super().__init__(jobs, multiprocessing.get_context("spawn"), initializer=_begin)

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """Submit a call, without an interrupt on the way; if a process has died, the future may never end."""
        with _starting():
            return super().submit(function, *arguments, **named)

    @property
    def is_broken(self) -> bool:
        """Whether a process has died; then Python ends all of them."""
        return bool(self._broken) or not all(process.is_alive() for process in [*self._processes.values()])

    def end(self, within: float) -> None:
        """Send the processes SIGTERM, and kill those that do not end in some seconds, or at a second Ctrl-C."""
        processes, until = [*self._processes.values()], monotonic() + within
        try:
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(max(0, until - monotonic()))
        finally:
            for process in processes:
                process.kill()
        with suppress(RuntimeError):  # its thread could not be started
            self.shutdown()


@contextmanager
def _starting() -> Iterator[None]:
    """Give the processes that start here the environment of new ones, without Ctrl-C and without the user's script.

    Ctrl-C is for this process alone, so theirs is blocked. They would import the script, which would run again where
    it has no guard.
    """
    with STARTING:
        script = sys.modules["__main__"]
        before = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        if sys.platform != "win32":
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.environ.update(ENVIRONMENT)
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        except BrokenExecutor:
            raise
        except AssertionError as error:  # as in a worker of multiprocessing.Pool
            raise WorkerError(f"a worker process cannot be started here: {error}; jobs=1 needs none") from error
        except (OSError, RuntimeError, EOFError) as error:  # no more files or processes are allowed
            why = getattr(error, "strerror", None) or error
            problem = f"a worker process cannot be started{_limit()}: {why}"
            raise WorkerError(f"{problem}; --jobs 1 starts only one") from error
        finally:
            sys.modules["__main__"] = script
            for name in ENVIRONMENT:
                del os.environ[name]
            os.environ.update(before)
            if sys.platform != "win32":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _check_allowed(count: int) -> None:
    """Start and end so many threads: Python's pool waits for ever where one of its own cannot be started."""
    end = threading.Event()
    with ThreadPoolExecutor(count) as threads:
        try:
            for _ in range(count):
                threads.submit(end.wait)
        finally:
            end.set()


def _limit() -> str:
    """Return the limit on the user's processes and threads, which the system counts alike, or "" if there is none."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return ""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return "" if limit == resource.RLIM_INFINITY else f" with ulimit -u {limit}"


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


class Shared:
    """A value whose arrays the processes map, read-only; unpickled there, it is the value itself.

    It must live until they have received it. It lies in a file without a name, which Linux has: nothing is left of
    it, however the processes end. Elsewhere a copy of it travels with each task.
    """

    def __init__(self, value: Any) -> None:
        self._value, self._name, self._parts = value, uuid.uuid4().hex, list[tuple[int, int]]()
        try:
            self._file = os.memfd_create("netlearn")
        except (AttributeError, OSError):
            return
        weakref.finalize(self, os.close, self._file)
        self._value, arrays = None, list[pickle.PickleBuffer]()
        content = pickle.PickleBuffer(pickle.dumps(value, 5, buffer_callback=arrays.append))
        with open(self._file, "wb", closefd=False) as file:
            for part in (content, *arrays):
                start = file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
                self._parts.append((start, start + file.write(part.raw())))

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._parts:
            return _itself, (self._value,)
        return _received, (f"/proc/{os.getpid()}/fd/{self._file}", tuple(self._parts), self._name)


def _itself(value: Any) -> Any:
    return value


@lru_cache(maxsize=8)
def _received(path: str, parts: tuple[tuple[int, int], ...], name: str) -> Any:
    """Return the value in a file; the name tells it from an earlier one that had the same place."""
    with Path(path).open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    pickled, *arrays = [content[start:end] for start, end in parts]
    return pickle.loads(pickled, buffers=arrays)  # noqa: S301 (from the parent)
