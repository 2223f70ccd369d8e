"""Tasks in parallel processes of this machine, any of which may die."""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from netlearn.comparison.process import (
    WorkerContext,
    begin_worker,
    check_allowed,
    import_numerics,
    limit_on_processes,
)
from netlearn.comparison.shared import Shared
from netlearn.datasets import Dataset, hold
from netlearn.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

LOOK_EVERY = 0.2  # seconds between two looks at the progress
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated
THREADS, FOR_EACH = 3, 3  # that a pool starts, with Python's helper; a worker's process and its threads


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
    """Processes that are kept from one call of `map` to the next, and replaced when one dies.

    Python ends all processes of a pool when one dies; SIGTERM lets a run save its state first. What was unfinished is
    submitted again. What was in progress at two deaths is then done alone, so that a task that kills its process
    takes no other with it.

    Args:
        jobs: how many processes there are.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._sets: list[Shared] = []
        self._context, self._executor = _open(jobs)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes; after an error, stop their tasks, which have 15 seconds to save their state."""
        if error is None:
            self._executor.shutdown()
        else:
            self._end()

    def start(self, tasks: int) -> None:
        """Start the processes for a number of tasks, which import what a run needs meanwhile."""
        with suppress(BrokenExecutor):  # `map` replaces it
            for _ in range(min(self._jobs, tasks)):
                self._submit(import_numerics)

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
        waiting, alone, running = deque(range(len(tasks))), deque[int](), dict[Future[Result], int]()
        deaths: Counter[int] = Counter()

        def end(number: int, result: Result | None) -> None:
            results[number] = result
            on_result(tasks[number], result)

        while waiting or alone or running:
            broken = False
            try:
                while (queue := waiting or alone) and len(running) < (self._jobs if waiting else 1):
                    future = self._submit(_call, self._sets, function, tasks[queue[0]])
                    running[future] = queue.popleft()
            except BrokenExecutor:
                broken = True
            done = wait(running, LOOK_EVERY, FIRST_COMPLETED).done
            if broken or any(isinstance(future.exception(), BrokenExecutor) for future in done):
                self._replace()
                done = {*running}
            was_alone = len(running) == 1
            for future in sorted(done, key=running.__getitem__, reverse=True):
                number = running.pop(future)
                if not isinstance(future.exception(), BrokenExecutor):
                    end(number, future.result())
                    continue
                deaths[number] += 1
                if deaths[number] == 1:
                    waiting.appendleft(number)
                elif was_alone:
                    end(number, None)
                else:
                    alone.append(number)
            look()
        return [results[number] for number in range(len(tasks))]

    def _submit(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Submit a call to a process, which is started if none is idle."""
        try:
            return self._executor.submit(function, *arguments)
        except BrokenExecutor:
            raise
        except (OSError, RuntimeError, EOFError) as error:  # no file, no process or no thread
            raise _not_started(error, self._jobs) from error

    def _replace(self) -> None:
        """End a pool that broke, and make a new one."""
        self._end()
        self._context, self._executor = _open(self._jobs)

    def _end(self) -> None:
        """End the processes, and then the pool."""
        try:
            self._context.end(GRACE)
        finally:
            with suppress(RuntimeError):  # its thread could not be started
                self._executor.shutdown(cancel_futures=True)


def _open(jobs: int) -> tuple[WorkerContext, ProcessPoolExecutor]:
    try:
        check_allowed(THREADS + jobs * FOR_EACH)
        context = WorkerContext()
        return context, ProcessPoolExecutor(jobs, context, initializer=begin_worker)
    except (OSError, RuntimeError) as error:  # too few files may be open, or too few processes be started
        raise _not_started(error, jobs) from error


def _not_started(error: Exception, jobs: int) -> WorkerError:
    reason, hint = getattr(error, "strerror", None) or error, "; --jobs 1 starts only one" if jobs > 1 else ""
    return WorkerError(f"a worker process cannot be started{limit_on_processes()}: {reason}{hint}")


def _call(sets: Sequence[Dataset], function: Callable[[Task], Result], task: Task) -> Result:
    for data in sets:
        hold(data)
    return function(task)
