"""Tasks in parallel processes of this machine, any of which may die, and values in memory that these map."""

import mmap
import os
import pickle
import sys
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

from netlearn.comparison.process import THREADS, Worker, check_allowed, end, import_numerics
from netlearn.datasets import Dataset, hold
from netlearn.errors import WorkerError
from netlearn.numerics import ALIGNMENT

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


class Pool(Workers):
    """Processes that are kept from one call of `map` to the next, and replaced when they die.

    A task whose process dies is done again, and where that happens twice, a third time alone: it may have needed the
    memory that others had.
    """

    def __init__(self, jobs: int) -> None:
        self._sets: list[Shared] = []
        with _errors_named(jobs):
            check_allowed(1 + jobs * THREADS)
            self._workers = [Worker() for _ in range(jobs)]

    def __exit__(self, *error: object) -> None:
        """End the processes; their tasks have 15 seconds to save their state."""
        end(self._workers, GRACE)

    def start(self, tasks: int) -> None:
        """Start the processes for a number of tasks, which import what a run needs meanwhile."""
        for place in range(min(len(self._workers), tasks)):
            self._submit(place, import_numerics)

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Let the processes map the data sets, from the next task on."""
        self._sets = [Shared(data) for data in sets]

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], look: Callable[[], object] = lambda: None,
        on_result: Callable[[Task, Result | None], object] = lambda task, result: None,
    ) -> list[Result | None]:  # fmt: skip
        """Return function(task) for each task, in order; see `Workers.map`. The processes map the function too."""
        results: dict[int, Result | None] = {}
        waiting, alone, deaths = deque(range(len(tasks))), deque[int](), Counter[int]()
        running: dict[int, tuple[int, Future[Result]]] = {}  # by the place of the worker: the task and its call
        shared = Shared(function)
        while waiting or alone or running:
            for place in range(len(self._workers)):
                if place not in running and (queue := waiting or (not running and alone)):
                    number = queue.popleft()
                    running[place] = number, self._submit(place, _call, self._sets, shared, tasks[number])
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


class Shared:
    """A value whose arrays the processes of a pool map, read-only; unpickled there, it is the value itself.

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
