"""Tasks in parallel processes, any of which may die."""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any, Self, TypeAlias, cast

from netlearn.comparison.process import Processes, Shared, import_numerics
from netlearn.datasets import Dataset, hold
from netlearn.errors import WorkerError

Function: TypeAlias = Callable[[Any], Any]
Look: TypeAlias = Callable[[], object]
OnResult: TypeAlias = Callable[[Any, Any], object]

LOOK_EVERY = 0.2  # seconds between two looks at the progress
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated
TRIES = 3  # of a task that is lost, the last one alone


def cores() -> int:
    """Return how many processor cores this process may use."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def ignore(*_: object) -> None:
    """Do nothing."""


class Workers:
    """Does tasks one after the other in this thread, which a cost that no other process can import needs.

    Its subclasses do several at once, of which any may be lost, with its process or its machine. A task that is lost
    is done again, and one that is lost a second time is done alone: one that always ends its process takes no other
    with it, and it may have needed the memory that others had.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers, after their tasks have saved their state."""

    def start(self, tasks: int) -> None:
        """Start what a number of tasks needs, without waiting for it.

        Raises:
            WorkerError: a process cannot be started.
        """

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Give the data sets to the processes, whose `datasets.load` returns them from then on."""

    def map(
        self, function: Function, tasks: Sequence[Any], look: Look = ignore, on_result: OnResult = ignore
    ) -> list[Any]:
        """Return function(task) for each task, begun in order; None for a task whose process dies whenever it runs.

        An error of the function is raised here. `look` is called every so often, and `on_result` with each task and
        its result as soon as there is one.

        Raises:
            WorkerError: a process cannot be started.
        """
        results: dict[int, Any] = {}
        waiting, alone, losses = deque(range(len(tasks))), deque[int](), Counter[int]()
        running: dict[Future[Any], int] = {}  # the numbers of their tasks
        while waiting or alone or running:
            while self._has_room(running) and (queue := waiting or (not running and alone)):
                number = queue.popleft()
                running[self._submit(function, tasks[number])] = number
            for call in self._ended(running):
                number = running.pop(call)
                lost, result = self._result(call)
                was_alone = losses[number] >= TRIES - 1
                losses[number] += lost
                if lost and not was_alone:
                    (waiting if losses[number] < TRIES - 1 else alone).appendleft(number)
                else:
                    results[number] = result
                    on_result(tasks[number], result)
            look()
        return [results[number] for number in range(len(tasks))]

    def _has_room(self, running: Collection[Future[Any]]) -> bool:
        """Return whether one more task may be submitted beside those that run."""
        return not running

    def _submit(self, function: Any, task: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(task))
        return done

    def _ended(self, running: Collection[Future[Any]]) -> Iterable[Future[Any]]:
        """Wait a moment for calls; return those that ended."""
        return [*running]

    def _result(self, call: Future[Any]) -> tuple[int, Any]:
        """Return how often the task of a call that ended was lost, and its result, also if it is given up now."""
        return 0, call.result()


class Pool(Workers):
    """Processes of this machine, kept from one call of `map` to the next, and replaced when one dies."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._sets = jobs, list[Shared]()
        self._processes = Processes(jobs)

    def __exit__(self, *error: object) -> None:
        """End the processes; their tasks have 15 seconds to save their state."""
        self._processes.end(GRACE)

    def start(self, tasks: int) -> None:
        """Start the processes for a number of tasks, which import what a run needs meanwhile."""
        for _ in range(min(self._jobs, tasks)):
            self._processes.submit(import_numerics)

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Let the processes map the data sets, from the next task on."""
        self._sets = [Shared(data) for data in sets]

    def map(
        self, function: Function, tasks: Sequence[Any], look: Look = ignore, on_result: OnResult = ignore
    ) -> list[Any]:
        """Return function(task) for each task; see `Workers.map`. The processes map the function too."""
        return super().map(cast(Function, Shared(function)), tasks, look, on_result)

    def _submit(self, function: Any, task: Any) -> Future[Any]:
        try:
            return self._processes.submit(_call, self._sets, function, task)
        except (BrokenExecutor, WorkerError):
            if not self._processes.is_broken:
                raise
            return Future()  # a process died just before

    def _has_room(self, running: Collection[Future[Any]]) -> bool:
        return len(running) < self._jobs

    def _ended(self, running: Collection[Future[Any]]) -> Iterable[Future[Any]]:
        ended = wait(running, LOOK_EVERY, FIRST_COMPLETED).done
        if not self._processes.is_broken:
            return ended
        self._processes.end(GRACE)  # for the checkpoints of the other tasks
        self._processes = Processes(self._jobs)
        return [*running]

    def _result(self, call: Future[Any]) -> tuple[int, Any]:
        is_lost = not call.done() or isinstance(call.exception(), BrokenExecutor)
        return (1, None) if is_lost else (0, call.result())


def _call(sets: Sequence[Dataset], function: Any, task: Any) -> Any:
    for data in sets:
        hold(data)
    return function(task)
