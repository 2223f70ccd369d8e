"""Tasks in parallel processes, any of which may die."""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any, Self, TypeVar

from netlearn.comparison.process import Processes, Shared, import_numerics
from netlearn.datasets import Dataset, hold
from netlearn.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

LOOK_EVERY = 0.2  # seconds between two looks at the progress
GRACE = 15.0  # seconds for the tasks to save their state when they are terminated
TRIES = 3  # of a task that is lost, the last one alone


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
        self, function: Callable[[Task], Result], tasks: Sequence[Task], look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:  # fmt: skip
        """Return function(task) for each task, begun in order; None for a task whose process dies whenever it runs.

        An error of the function is raised here. `look` is called every so often, and `on_result` with each task and
        its result as soon as there is one.

        Raises:
            WorkerError: a process cannot be started.
        """
        results: list[Result | None] = []
        for task in tasks:
            results.append(function(task))
            on_result(task, results[-1])
            look()
        return results


class ParallelWorkers(Workers):
    """Do several tasks at once where any may be lost, with its process or its machine.

    A task that is lost is done again, and one that is lost a second time is done alone: one that always ends its
    process takes no other with it, and it may have needed the memory that others had.
    """

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:  # fmt: skip
        """Return function(task) for each task, in order; see `Workers.map`."""
        results: dict[int, Result | None] = {}
        waiting, alone, losses = deque(range(len(tasks))), deque[int](), Counter[int]()
        running: dict[Future[Result], int] = {}  # the numbers of their tasks
        submit = self._submitting(function)
        while waiting or alone or running:
            while self._has_room(len(running)) and (queue := waiting or (not running and alone)):
                number = queue.popleft()
                running[submit(tasks[number])] = number
            for call in self._ended(running):
                number = running.pop(call)
                is_lost, result = self._result(call)
                losses[number] += is_lost
                if is_lost and losses[number] < TRIES:
                    (waiting if losses[number] == 1 else alone).appendleft(number)
                else:
                    results[number] = result
                    on_result(tasks[number], result)
            look()
        return [results[number] for number in range(len(tasks))]

    def _submitting(self, function: Callable[[Task], Result]) -> Callable[[Task], "Future[Result]"]:
        """Return what submits a task."""
        raise NotImplementedError

    def _has_room(self, running: int) -> bool:
        """Return whether one more task may be submitted while so many run."""
        raise NotImplementedError

    def _ended(self, running: Mapping["Future[Result]", int]) -> Iterable["Future[Result]"]:
        """Wait a moment for calls; return those that ended."""
        raise NotImplementedError

    def _result(self, call: Future[Any]) -> tuple[bool, Any]:
        """Return whether a call that ended was lost, and the result of its task if that is given up now."""
        raise NotImplementedError


class Pool(ParallelWorkers):
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

    def _submitting(self, function: Callable[[Task], Result]) -> Callable[[Task], "Future[Result]"]:
        shared = Shared(function)

        def submit(task: Task) -> "Future[Result]":
            try:
                return self._processes.submit(_call, self._sets, shared, task)
            except (BrokenExecutor, WorkerError):
                if not self._processes.is_broken:
                    raise
                return Future()  # a process died just before

        return submit

    def _has_room(self, running: int) -> bool:
        return running < self._jobs

    def _ended(self, running: Mapping["Future[Result]", int]) -> Iterable["Future[Result]"]:
        ended = wait(running, LOOK_EVERY, FIRST_COMPLETED).done
        if not self._processes.is_broken:
            return ended
        self._processes.end(GRACE)  # for the checkpoints of the other tasks
        self._processes = Processes(self._jobs)
        return [*running]

    def _result(self, call: Future[Any]) -> tuple[bool, Any]:
        if not call.done() or isinstance(call.exception(), BrokenExecutor):
            return True, None
        return False, call.result()


def _call(sets: Sequence[Dataset], function: Callable[[Task], Result], task: Task) -> Result:
    for data in sets:
        hold(data)
    return function(task)
