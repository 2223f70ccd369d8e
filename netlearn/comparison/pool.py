"""Tasks in parallel processes of this machine, any of which may die."""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from netlearn.comparison.process import THREADS, Worker, check_allowed, end, import_numerics
from netlearn.comparison.shared import Shared
from netlearn.datasets import Dataset, hold
from netlearn.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

LOOK_EVERY = 0.2  # seconds between two looks at the progress
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated
MOST_DEATHS = 3  # of the process of a task


def cores() -> int:
    """Return how many processor cores this process may use."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Workers:
    """Does tasks one after the other in this thread, which a cost that no other process can import needs.

    Its subclasses do them elsewhere, several at once.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the tasks, if there was an error, and end the workers."""

    def start(self, tasks: int) -> None:
        """Start what a number of tasks needs, without waiting for it.

        Raises:
            WorkerError: a process cannot be started.
        """

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Give the data sets to the processes, whose `datasets.load` returns them from then on."""

    def share(self, value: Any) -> Any:
        """Return what stands for a value in tasks: for a process, which maps it, it is the value itself."""
        return value

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:
        """Return function(task) for each task, in order; None for a task whose process dies whenever it runs.

        An error of the function is raised here.

        Args:
            function: called with each task.
            tasks: begun in this order.
            look: called every so often.
            on_result: called with each task and its result as soon as there is one.

        Raises:
            WorkerError: a process cannot be started.
        """
        results: list[Result | None] = []
        for task in tasks:
            results.append(function(task))
            on_result(task, results[-1])
            look()
        return results


class Pool(Workers):
    """Processes that are kept from one call of `map` to the next, and replaced when they die.

    A task whose process dies is done again, and where that happens twice, a third time alone: it may have needed the
    memory that others had.

    Args:
        jobs: how many processes there are.
    """

    def __init__(self, jobs: int) -> None:
        self._sets: list[Shared] = []
        with _errors_named(jobs):
            check_allowed(1 + jobs * THREADS)
            self._workers = [Worker() for _ in range(jobs)]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes; their tasks, if there was an error, have 15 seconds to save their state."""
        end(self._workers, GRACE)

    def start(self, tasks: int) -> None:
        """Start the processes for a number of tasks, which import what a run needs meanwhile."""
        for place in range(min(len(self._workers), tasks)):
            self._submit(place, import_numerics)

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Let the processes map the data sets, from the next task on."""
        self._sets = [Shared(data) for data in sets]

    def share(self, value: Any) -> Any:
        """Return the value in memory that the processes map."""
        return Shared(value)

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:
        """Return function(task) for each task, in order; see `Workers.map`."""
        results: dict[int, Result | None] = {}
        waiting, alone, deaths = deque(range(len(tasks))), deque[int](), Counter[int]()
        running: dict[int, tuple[int, Future[Result]]] = {}  # by the place of the worker: the task and its call
        while waiting or alone or running:
            for place in range(len(self._workers)):
                if place not in running and (queue := waiting or (not running and alone)):
                    number = queue.popleft()
                    running[place] = number, self._submit(place, _call, self._sets, function, tasks[number])
            wait([call for _, call in running.values()], LOOK_EVERY, FIRST_COMPLETED)
            for place, (number, call) in [*running.items()]:
                died = isinstance(call.exception(), BrokenExecutor) if call.done() else self._workers[place].has_died
                if not call.done() and not died:
                    continue
                del running[place]
                if died:
                    deaths[number] += 1
                    with _errors_named(len(self._workers)):
                        self._workers[place] = Worker()
                if died and deaths[number] < MOST_DEATHS:
                    (waiting if deaths[number] == 1 else alone).appendleft(number)
                else:
                    results[number] = None if died else call.result()
                    on_result(tasks[number], results[number])
            look()
        return [results[number] for number in range(len(tasks))]

    def _submit(self, place: int, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        try:
            with _errors_named(len(self._workers)):
                return self._workers[place].submit(function, *arguments)
        except BrokenExecutor as error:  # its process died while it had no task
            call: Future[Result] = Future()
            call.set_exception(error)
            return call


@contextmanager
def _errors_named(jobs: int) -> Iterator[None]:
    try:
        yield
    except BrokenExecutor:
        raise
    except (OSError, RuntimeError, EOFError) as error:  # no more files may be open, or no process or thread started
        hint = "; --jobs 1 starts only one" if jobs > 1 else ""
        why = getattr(error, "strerror", None) or error
        raise WorkerError(f"a worker process cannot be started{_limit()}: {why}{hint}") from error


def _limit() -> str:
    """Return the limit on the user's processes and threads in words, or "" if there is none."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return ""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return "" if limit == resource.RLIM_INFINITY else f" with ulimit -u {limit}"


def _call(sets: Sequence[Dataset], function: Callable[[Task], Result], task: Task) -> Result:
    for data in sets:
        hold(data)
    return function(task)
