"""Parallel tasks in worker processes, any of which may die.

Each slot is a thread with its own executor, so that only the task of a worker that dies is retried. Any executor of
`concurrent.futures`, or with its interface, can replace a process.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from netlearn.comparison.process import WorkerProcess
from netlearn.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 2
LOOK_EVERY = 0.2  # seconds between two looks at the progress
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated


class _Raised(NamedTuple):
    """An error that the task's function raised, as opposed to one of the executor."""

    error: BaseException


def _nothing() -> None:
    """Do nothing."""


def _guarded(before: Callable[[], object], function: Callable[[Task], Result], task: Task) -> Result | _Raised:
    try:
        before()
        return function(task)
    except BaseException as error:  # an exit in a task would silently end the worker or the caller
        return _Raised(error)


class Workers:
    """A number of slots, each with an executor that is kept from one call of `map` to the next.

    Args:
        jobs: how many tasks run at once.
        make_executor: makes the executor of a slot, and again after it broke.

    Attributes:
        before: called in the executor before each task.
        when_idle: called in an executor that has no more tasks while others are busy.
    """

    def __init__(self, jobs: int, make_executor: Callable[[], Executor] = WorkerProcess) -> None:
        self._jobs = jobs
        self._make_executor = make_executor
        self.before: Callable[[], object] = _nothing
        self.when_idle: Callable[[], object] | None = None
        self._threads = ThreadPoolExecutor(jobs)
        self._idle: queue.SimpleQueue[Executor] = queue.SimpleQueue()
        self._all: set[Executor] = set()
        self._running: Sequence[Future[Any]] = ()
        self._aborting = threading.Event()
        self._all_begun = threading.Event()

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

    @property
    def at_once(self) -> int:
        """The number of runs at a time."""
        return self._jobs

    def _processes(self) -> list[WorkerProcess]:
        return [executor for executor in self._all if isinstance(executor, WorkerProcess)]

    def start(self, tasks: int, prepare: Callable[[], object]) -> None:
        """Start the executors for a number of tasks, and let each call a function without waiting for it.

        Raises:
            WorkerError: a worker process cannot be started.
        """
        started = [self._take() for _ in range(min(self._jobs, tasks))]
        for executor in started:
            executor.submit(prepare)
            self._idle.put(executor)

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
            self._all_begun.clear()
            futures = [
                self._threads.submit(self._attempt, function, task, is_last=number == len(tasks))
                for number, task in enumerate(tasks, 1)
            ]
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

    def _attempt(self, function: Callable[[Task], Result], task: Task, *, is_last: bool) -> Result | None:
        if is_last:
            self._all_begun.set()
        for _ in range(ATTEMPTS):
            if self._aborting.is_set():
                break
            executor = self._take()
            try:
                result = executor.submit(_guarded, self.before, function, task).result()
            except Exception:
                self._all.discard(executor)
                executor.shutdown()  # wait for its thread, which must not outlive Python
                continue
            if self.when_idle is not None and self._all_begun.is_set():
                with suppress(Exception):  # the next task finds out that it broke
                    executor.submit(self.when_idle)
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
        except (OSError, RuntimeError, EOFError) as error:  # no file, no process, no thread or no fork server
            reason = getattr(error, "strerror", None) or error
            raise WorkerError(f"a worker process cannot be started: {reason}; --jobs 1 starts only one") from error
        self._all.add(executor)
        return executor


class InProcess(Workers):
    """Tasks one after the other in this thread, for costs that no other process can import."""

    def __init__(self) -> None:
        super().__init__(1)

    def start(self, tasks: int, prepare: Callable[[], object]) -> None:
        """Do nothing: this thread has started."""

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
