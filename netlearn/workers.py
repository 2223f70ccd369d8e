"""Runs tasks side by side in worker processes, and survives the death of any of them.

Each slot is a thread that feeds an executor of its own, so a worker that dies names the task it died of and takes
no other with it. What an executor is, a function decides: any of `concurrent.futures`, or one of that interface.
"""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 2
LOOK_EVERY = 0.2  # seconds between two looks at the progress


def worker_process() -> Executor:
    """Return an executor of one fresh process, which leaves Ctrl-C to its parent and does not outlive it."""
    context = multiprocessing.get_context("spawn")  # fork would copy the threads of the parent's BLAS
    return ProcessPoolExecutor(1, context, initializer=_begin_worker)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # nobody is left to take a result


class Workers:
    """A number of slots, each with an executor that is kept from one call of `map` to the next.

    Args:
        jobs: how many tasks run at once.
        make_executor: makes the executor of a slot, again after it broke.
    """

    def __init__(self, jobs: int, make_executor: Callable[[], Executor] = worker_process) -> None:
        self._jobs = jobs
        self._make_executor = make_executor
        self._threads = ThreadPoolExecutor(jobs)
        self._idle: queue.SimpleQueue[Executor] = queue.SimpleQueue()
        self._aborting = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._aborting.set()
            for process in multiprocessing.active_children():
                process.terminate()
        self._threads.shutdown(cancel_futures=error is not None)
        while not self._idle.empty():
            self._idle.get().shutdown()

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], look: Callable[[], object] = lambda: None
    ) -> list[Result | None]:
        """Return function(task) for each task, in order; None for a task that two workers died of.

        `look` is called from time to time meanwhile. An error that the function raises ends it all.
        """
        futures = [self._threads.submit(self._attempt, function, task) for task in tasks]
        pending: set[Future[Result | None]] = set(futures)
        while pending:
            done, pending = wait(pending, timeout=LOOK_EVERY)
            look()
            for future in done:
                future.result()
        return [future.result() for future in futures]

    def _attempt(self, function: Callable[[Task], Result], task: Task) -> Result | None:
        for _ in range(ATTEMPTS):
            if self._aborting.is_set():
                break
            executor = self._make_executor() if self._idle.empty() else self._idle.get()
            try:
                result = executor.submit(function, task).result()
            except BrokenExecutor:
                executor.shutdown()  # and wait: its thread must not meet the end of Python
            else:
                self._idle.put(executor)
                return result
        return None
