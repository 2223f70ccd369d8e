"""Parallel tasks in worker processes, any of which may die.

Each slot is a thread with its own executor, so that only the task of a worker that dies is retried. Any executor of
`concurrent.futures`, or with its interface, can replace a process.
"""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from netlearn.errors import CostWarning, WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 2
LOOK_EVERY = 0.2  # seconds between two looks at the progress
SAFE_PATH = "PYTHONSAFEPATH"
STARTING = threading.Lock()  # held while what all threads share is changed for a new process
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated


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


class _Raised(NamedTuple):
    """An error that the task's function raised, as opposed to one of the executor."""

    error: BaseException


def _guarded(function: Callable[[Task], Result], task: Task) -> Result | _Raised:
    try:
        return function(task)
    except BaseException as error:  # an exit in a task would silently end the worker or the caller
        return _Raised(error)


class Workers:
    """A number of slots, each with an executor that is kept from one call of `map` to the next.

    Args:
        jobs: how many tasks run at once.
        make_executor: makes the executor of a slot, and again after it broke.
    """

    def __init__(self, jobs: int, make_executor: Callable[[], Executor] = WorkerProcess) -> None:
        self._jobs = jobs
        self._make_executor = make_executor
        self._threads = ThreadPoolExecutor(jobs)
        self._idle: queue.SimpleQueue[Executor] = queue.SimpleQueue()
        self._all: set[Executor] = set()
        self._running: Sequence[Future[Any]] = ()
        self._aborting = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._aborting.set()
                for worker in self._processes():
                    worker.terminate()
                wait(self._running, GRACE)  # a second Ctrl-C ends this
        finally:
            for worker in self._processes():
                worker.kill()
            self._threads.shutdown(cancel_futures=error is not None)
            for executor in self._all:
                executor.shutdown()

    def _processes(self) -> list[WorkerProcess]:
        return [executor for executor in self._all if isinstance(executor, WorkerProcess)]

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:
        """Return function(task) for each task, in order; None for a task whose executor broke twice.

        An error of the function is raised here.

        Args:
            function: called with each task, in an executor.
            tasks: begun in this order.
            look: called every so often.
            on_result: called with each task and its result as soon as there is one.

        Raises:
            WorkerError: a worker process cannot be started.
        """
        try:
            futures = [self._threads.submit(self._attempt, function, task) for task in tasks]
        except RuntimeError as error:  # no thread
            raise WorkerError(f"a worker cannot be started: {error}") from error
        self._running = futures
        task_of = dict(zip(futures, tasks, strict=True))
        ended: queue.SimpleQueue[Future[Result | None]] = queue.SimpleQueue()
        for future in futures:
            future.add_done_callback(ended.put)
        while task_of:
            with suppress(queue.Empty):
                future = ended.get(timeout=LOOK_EVERY)
                on_result(task_of.pop(future), future.result())
            look()
        return [future.result() for future in futures]

    def _attempt(self, function: Callable[[Task], Result], task: Task) -> Result | None:
        for _ in range(ATTEMPTS):
            if self._aborting.is_set():
                break
            executor = self._take()
            try:
                result = executor.submit(_guarded, function, task).result()
            except Exception:
                self._all.discard(executor)
                executor.shutdown()  # wait for its thread, which must not outlive Python
                continue
            self._idle.put(executor)
            if isinstance(result, _Raised):
                raise result.error
            return result
        return None

    def _take(self) -> Executor:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        try:
            executor = self._make_executor()
        except (OSError, RuntimeError) as error:  # no file, no process or no thread
            reason = getattr(error, "strerror", None) or error
            raise WorkerError(f"a worker process cannot be started: {reason}; --jobs 1 starts only one") from error
        self._all.add(executor)
        return executor


class InProcess(Workers):
    """Tasks one after the other in this thread, for costs that no other process can import."""

    def __init__(self) -> None:
        super().__init__(1)

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:
        """Return function(task) for each task, in order, with a call of `on_result` and `look` after each."""
        results: list[Result | None] = []
        for task in tasks:
            results.append(function(task))
            on_result(task, results[-1])
            look()
        return results
