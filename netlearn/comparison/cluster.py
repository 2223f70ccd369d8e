"""Training the runs of a comparison on a Dask cluster, an optional extra.

Dask's scheduler decides which worker trains which run, moves the data set, and repeats a run whose worker is lost.
Workers are inspected before they get anything; one that fails is left out.
"""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from netlearn.comparison import orders, parcels
from netlearn.comparison.connection import answering, connected, deferred
from netlearn.comparison.fleet import Fleet
from netlearn.comparison.pool import GRACE, LOOK_EVERY, Pool
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.errors import ClusterError, MismatchError, NetlearnError

if TYPE_CHECKING:
    from distributed import Client, Future

FAILURES = 3  # workers on which a run may fail
STORING = 8  # parcels fetched and stored at once: each waits for the disk twenty times


class Cluster(Pool):
    """Workers whose runs are trained on a cluster; everything else is done by processes on this machine.

    The arguments and errors are those of `connected`, with the number of processes on this machine, and a function
    that is called with notes for the user.
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

    def start(self, tasks: int) -> None:
        """Do nothing: the processes on this machine are needed last."""

    def map(
        self,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        look: Callable[[], object] = lambda: None,
        on_result: Callable[[Any, Any], object] = lambda task, result: None,
    ) -> list[Any]:
        """Return function(task) for each task, in order; runs are trained on the cluster."""
        if function is not perform:
            return super().map(function, tasks, look, on_result)
        return _Dispatch(self._client, self._address, tasks, self._note, on_result).finish(look)


class _Sent(NamedTuple):
    order: str
    task: Task
    allowed: list[str]


class _Dispatch:
    """Runs, as many at a time as there are workers, each trained again elsewhere where a worker fails it."""

    def __init__(
        self,
        client: "Client",
        address: str,
        tasks: Sequence[Task],
        note: Callable[[str], object],
        on_result: Callable[[Task, Outcome], object],
    ) -> None:
        self._client, self._address, self._on_result = client, address, on_result
        self._tasks, self._waiting = tasks, deque(tasks)
        self._fleet = Fleet(client, address, tasks, note)
        self._sent: dict[Future, _Sent] = {}
        self._stored: dict[Future, futures.Future[tuple[str, Outcome]]] = {}  # of those that are trained
        self._threads = futures.ThreadPoolExecutor(STORING)
        self._events: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._failed_on: dict[Task, list[str]] = {}
        self._outcomes: dict[Task, Outcome] = {}

    def finish(self, look: Callable[[], object]) -> list[Outcome]:
        """Return the outcome of each task, in order; `look` is called every so often.

        Raises:
            ClusterError: the scheduler no longer answers, or no worker can train.
        """
        try:
            with deferred(self._events.put):
                while self._waiting or self._sent:
                    self._fleet.look()
                    self._take_back()
                    self._send()
                    self._handle()
                    look()
                self._fleet.note_lost()
        except ClusterError:
            raise
        except BaseException as error:
            self._recall(wait=isinstance(error, KeyboardInterrupt))
            raise
        finally:
            self._threads.shutdown(
                wait=False, cancel_futures=True
            )  # of those left, the end of the client ends the wait
        return [self._outcomes[task] for task in self._tasks]

    def _send(self) -> None:
        """Send as many orders as there are workers without one."""
        allowed = sorted(self._fleet.ready)
        while self._waiting and len(self._sent) - len(self._stored) < len(allowed):
            task = self._waiting.popleft()
            try:
                resumed = parcels.files_to_resume(task)
            except NetlearnError as error:
                left = "; it was left unchanged" if isinstance(error, MismatchError) else ""
                self._end(task, Outcome(f"{error}{left}"))
                continue
            order, data = uuid4().hex, self._fleet.data[task.data]
            with answering(self._address):
                future = self._client.submit(orders.train, order, task, resumed, data, workers=allowed, pure=False)
            self._sent[future] = _Sent(order, task, allowed)
            future.add_done_callback(lambda done: self._events.put(partial(self._trained, done)))

    def _take_back(self) -> None:
        """Take back the orders that only workers which are no longer ready may do."""
        for future, sent in [*self._sent.items()]:
            if self._fleet.ready.isdisjoint(sent.allowed):
                with answering(self._address):
                    future.cancel()
                self._again(future)

    def _again(self, future: "Future") -> None:
        self._stored.pop(future, None)
        self._waiting.appendleft(self._sent.pop(future).task)

    def _handle(self) -> None:
        """Deal with the next event, if there is one soon."""
        with suppress(queue.Empty):
            self._events.get(timeout=LOOK_EVERY)()

    def _trained(self, future: "Future") -> None:
        """Fetch and store the parcel of an order; if it is lost before, Dask has it made again."""
        if future in self._sent:
            task = self._sent[future].task
            stored = self._threads.submit(lambda: parcels.receive(task, future.result()))
            self._stored[future] = stored
            stored.add_done_callback(lambda _: self._events.put(partial(self._received, future)))

    def _received(self, future: "Future") -> None:
        """Report the outcome of an order, or send it again."""
        if future not in self._stored:
            return  # it was taken back
        sent = self._sent[future]
        try:
            worker, outcome = self._stored[future].result()
        except futures.CancelledError:  # by Dask, when the connection is lost
            self._again(future)
            return
        except Exception as error:  # Dask's KilledWorker counts the workers that a run has lost
            lost = getattr(error, "allowed_failures", None)
            why = f"{type(error).__name__}: {error}" if lost is None else f"lost {lost + 1} workers"
            worker, outcome = "", Outcome(why)
        if outcome.of_machine:
            failed = self._failed_on.setdefault(sent.task, [])
            failed.append(worker)
            self._fleet.leave_out(worker, outcome.problem or "")
            if len(failed) < FAILURES:
                self._again(future)
                return
            self._fleet.readmit(failed)
            outcome = Outcome(f"failed on {FAILURES} workers; on the last, {worker}: {outcome.problem}")
        del self._sent[future], self._stored[future]
        self._end(sent.task, outcome)

    def _end(self, task: Task, outcome: Outcome) -> None:
        self._outcomes[task] = outcome
        self._on_result(task, outcome)

    def _recall(self, *, wait: bool) -> None:
        """Ask the runs to stop, and wait for their checkpoints if wanted; no outcome is reported any more."""
        self._on_result = lambda task, outcome: None
        with suppress(Exception):  # the scheduler may be gone, and the first error is the one to report
            self._client.run(orders.stop, [sent.order for sent in self._sent.values()], on_error="ignore")
            until = monotonic() + GRACE
            while wait and self._sent and monotonic() < until:
                self._handle()
