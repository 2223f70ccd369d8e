"""Training the tasks of a comparison on a cluster, and drawing on this machine."""

import concurrent.futures
import queue
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from netlearn.cluster import node
from netlearn.cluster.connection import answering, connected
from netlearn.cluster.fleet import Fleet
from netlearn.cluster.parcels import order_of, store
from netlearn.cluster.signals import deferred
from netlearn.comparison.pool import GRACE, LOOK_EVERY, Pool
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.errors import ClusterError, MismatchError, NetlearnError

if TYPE_CHECKING:
    from distributed import Client, Future

LOSSES = 3  # workers that a task may lose
STORING = 8  # parcels at once: each waits for the disk twenty times


class ClusterWorkers(Pool):
    """Workers whose runs are trained on a cluster; everything else is done by processes on this machine.

    Args:
        jobs: the number of processes on this machine.
        address: of the cluster; see `connected`, also for the errors, for `tls_folder` and for `insecure`.
        tls_folder: the folder with the certificates.
        insecure: allows a cluster without certificates.
        note: called with notes for the user.
    """

    def __init__(
        self,
        jobs: int,
        address: str,
        tls_folder: Path | None = None,
        *,
        insecure: bool = False,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:
        super().__init__(jobs)
        self._address, self._note = address, note
        self._connection = ExitStack()
        self._client = self._connection.enter_context(connected(address, tls_folder, insecure=insecure))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connection."""
        with self._connection:
            super().__exit__(kind, error, traceback)

    def start(self, tasks: int, prepare: Callable[[], object]) -> None:
        """Do nothing: the processes on this machine are needed last."""

    def map(
        self,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Any, Any], object] = lambda task, result: None,
    ) -> list[Any]:
        """Return function(task) for each task, in order."""
        if function is not perform:
            return super().map(function, tasks, look, on_result)
        return Dispatch(self._client, self._address, tasks, self._note, on_result).finish(look)


class _Sent(NamedTuple):
    order: str
    task: Task
    future: "Future"


class Dispatch:
    """Tasks, each sent to one worker at a time, and to another if that worker is lost.

    Args:
        client: connected to the scheduler.
        address: of the cluster, as the user gave it.
        tasks: the runs.
        note: called with notes for the user.
        on_result: called with each run and its outcome as soon as there is one.
    """

    def __init__(
        self,
        client: "Client",
        address: str,
        tasks: Sequence[Task],
        note: Callable[[str], object],
        on_result: Callable[[Task, Outcome], object] = lambda task, outcome: None,
    ) -> None:
        self._client, self._address, self._note, self._on_result = client, address, note, on_result
        self._tasks, self._waiting = tasks, deque(tasks)
        self._fleet = Fleet(client, address, tasks, note)
        self._running: dict[str, _Sent] = {}  # by the address of the worker
        self._threads = ThreadPoolExecutor(STORING)
        self._storing: set[Task] = set()
        self._events: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._losses: Counter[Task] = Counter()
        self._outcomes: dict[Task, Outcome] = {}

    def finish(self, look: Callable[[], object]) -> list[Outcome]:
        """Return the outcome of each task, in order; `look` is called every so often.

        Raises:
            ClusterError: the scheduler no longer answers, or no worker can train.
        """
        try:
            with deferred(self._events.put):
                while self._waiting or self._running or self._storing:
                    self._fleet.look()
                    for worker in self._running.keys() - self._fleet.ready:
                        self._lose(worker)
                    self._send()
                    self._receive()
                    look()
        except ClusterError:
            raise
        except BaseException as error:
            self._recall(wait=isinstance(error, KeyboardInterrupt))
            raise
        finally:
            self._threads.shutdown()
        return [self._outcomes[task] for task in self._tasks]

    def _send(self) -> None:
        """Send an order to each worker that has none."""
        for worker in sorted(self._fleet.ready - self._running.keys()):
            while self._waiting and worker not in self._running:
                task = self._waiting.popleft()
                try:
                    order, content = order_of(task)
                except MismatchError as error:
                    self._end(task, Outcome(f"{error}; it was left unchanged"))
                    continue
                except NetlearnError as error:
                    self._end(task, Outcome(str(error)))
                    continue
                with answering(self._address):
                    future = self._client.submit(node.train, content, workers=[worker], pure=False)
                self._running[worker] = _Sent(order, task, future)
                future.add_done_callback(
                    lambda ended, worker=worker: self._events.put(partial(self._ended, worker, ended))
                )

    def _receive(self) -> None:
        """Deal with the next event, if there is one soon."""
        with suppress(queue.Empty):
            self._events.get(timeout=LOOK_EVERY)()

    def _ended(self, worker: str, future: "Future") -> None:
        """Send a worker the next order, and store the parcel of its last one."""
        sent = self._running.get(worker)
        if sent is None or sent.future is not future:
            return  # the worker was lost
        if future.cancelled():  # by Dask, when the connection is lost
            del self._running[worker]
            self._waiting.appendleft(sent.task)
            return
        try:
            content = future.result()
        except Exception as error:
            self._lose(worker, f"{type(error).__name__}: {error}")
            return
        storing = self._threads.submit(store, sent.task, content)
        self._storing.add(sent.task)
        del self._running[worker]
        storing.add_done_callback(lambda stored: self._events.put(partial(self._stored, sent.task, stored)))
        self._send()

    def _stored(self, task: Task, stored: "concurrent.futures.Future[Outcome]") -> None:
        self._storing.remove(task)
        self._end(task, stored.result())

    def _lose(self, worker: str, why: str = "it was lost") -> None:
        """Take a task back from a worker that failed, and give it up if it is the third."""
        task = self._running.pop(worker).task
        self._fleet.forget(worker)
        self._losses[task] += 1
        if self._losses[task] < LOSSES:
            self._waiting.appendleft(task)
            self._note(f"worker {worker}: {why}; {task.folder.name} is sent to another")
        else:
            self._end(task, Outcome(f"lost {LOSSES} workers; the last: {why}"))

    def _end(self, task: Task, outcome: Outcome) -> None:
        self._outcomes[task] = outcome
        self._on_result(task, outcome)

    def _recall(self, *, wait: bool) -> None:
        """Ask the runs to stop, and wait for their checkpoints if wanted; nothing is reported any more."""
        self._note, self._on_result = lambda text: None, lambda task, outcome: None
        self._waiting.clear()
        with suppress(Exception):  # the scheduler may be gone, and the first error is the one to report
            orders = [sent.order for sent in self._running.values()]
            self._client.run(node.stop, orders, workers=list(self._running), on_error="ignore")
            until = monotonic() + GRACE
            while wait and self._running and monotonic() < until:
                self._receive()
                self._waiting.clear()
        self._running.clear()
