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
RESULT_WITHIN = 20.0  # seconds to fetch a result that is there
STORING = 8  # parcels at once: each waits for the disk twenty times


class Cluster(Pool):
    """Workers whose runs are trained on a cluster; everything else is done by processes on this machine.

    Args:
        jobs: the number of processes on this machine.
        address: of the scheduler, tls://HOST:PORT, or "local:N" for N worker processes on this machine.
        tls_folder: holds ca.pem, cert.pem and key.pem; only for tls://.
        insecure: allows tcp://HOST:PORT, without encryption and certificates.
        note: called with notes for the user.

    Raises:
        SettingsError: the address, the folder and `insecure` do not fit together.
        ClusterError: Dask is not installed, or the scheduler does not answer in 10 seconds.
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
        """Return function(task) for each task, in order; runs are trained on the cluster."""
        if function is not perform:
            return super().map(function, tasks, look, on_result)
        return _Dispatch(self._client, self._address, tasks, self._note, on_result).finish(look)


class _Sent(NamedTuple):
    order: str
    task: Task
    allowed: list[str] | None


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
        self._client, self._address, self._note, self._on_result = client, address, note, on_result
        self._tasks, self._waiting = tasks, deque(tasks)
        self._fleet = Fleet(client, address, tasks, note)
        self._running: dict[Future, _Sent] = {}
        self._threads = futures.ThreadPoolExecutor(STORING)
        self._storing: set[Task] = set()
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
                while self._waiting or self._running or self._storing:
                    self._fleet.look()
                    self._take_back()
                    self._send()
                    self._receive()
                    look()
                self._fleet.note_lost()
        except ClusterError:
            raise
        except BaseException as error:
            self._recall(wait=isinstance(error, KeyboardInterrupt))
            raise
        finally:
            self._threads.shutdown()
        return [self._outcomes[task] for task in self._tasks]

    def _send(self) -> None:
        """Send as many orders as there are workers without one."""
        while self._waiting and len(self._running) < len(self._fleet.ready):
            task = self._waiting.popleft()
            try:
                resumed = parcels.files_to_resume(task)
            except NetlearnError as error:
                left = "; it was left unchanged" if isinstance(error, MismatchError) else ""
                self._end(task, Outcome(f"{error}{left}"))
                continue
            order, allowed, data = uuid4().hex, self._fleet.allowed, self._fleet.data[task.data]
            with answering(self._address):
                future = self._client.submit(orders.train, order, task, resumed, data, workers=allowed, pure=False)
            self._running[future] = _Sent(order, task, allowed)
            future.add_done_callback(lambda ended: self._events.put(partial(self._ended, ended)))

    def _take_back(self) -> None:
        """Take back the orders that only workers which are no longer ready may do."""
        for future, sent in [*self._running.items()]:
            if sent.allowed is not None and self._fleet.ready.isdisjoint(sent.allowed):
                del self._running[future]
                future.cancel()
                self._waiting.appendleft(sent.task)

    def _receive(self) -> None:
        """Deal with the next event, if there is one soon."""
        with suppress(queue.Empty):
            self._events.get(timeout=LOOK_EVERY)()

    def _ended(self, future: "Future") -> None:
        """Store the parcel of an order, or send it again."""
        sent = self._running.pop(future, None)
        if sent is None:
            return  # it was taken back
        task = sent.task
        if future.cancelled():  # by Dask, when the connection is lost
            self._waiting.appendleft(task)
            return
        try:
            parcel = orders.read_parcel(future.result(timeout=RESULT_WITHIN))
        except TimeoutError:  # the worker was lost with the result before it was fetched
            future.cancel()
            self._waiting.appendleft(task)
            return
        except Exception as error:  # Dask's KilledWorker counts the workers that a run has lost
            lost = getattr(error, "allowed_failures", None)
            why = f"{type(error).__name__}: {error}" if lost is None else f"lost {lost + 1} workers"
            self._end(task, Outcome(why))
            return
        if parcel.of_machine:
            self._fail(task, parcel.worker, parcel.problem or "")
            return
        storing = self._threads.submit(parcels.store, task, parcel)
        self._storing.add(task)
        storing.add_done_callback(lambda stored: self._events.put(partial(self._stored, task, stored)))
        self._send()

    def _stored(self, task: Task, stored: "futures.Future[Outcome]") -> None:
        self._storing.remove(task)
        self._end(task, stored.result())

    def _fail(self, task: Task, worker: str, why: str) -> None:
        """Leave out a worker on which a task failed, and try the task elsewhere, unless it is the third time."""
        failed = self._failed_on.setdefault(task, [])
        failed.append(worker)
        self._fleet.leave_out(worker, why)
        if len(failed) < FAILURES:
            self._waiting.appendleft(task)
        else:
            self._fleet.readmit(failed)
            self._end(task, Outcome(f"failed on {FAILURES} workers; on the last, {worker}: {why}"))

    def _end(self, task: Task, outcome: Outcome) -> None:
        self._outcomes[task] = outcome
        self._on_result(task, outcome)

    def _recall(self, *, wait: bool) -> None:
        """Ask the runs to stop, and wait for their checkpoints if wanted; nothing is reported any more."""
        self._note, self._on_result = lambda text: None, lambda task, outcome: None
        self._waiting.clear()
        with suppress(Exception):  # the scheduler may be gone, and the first error is the one to report
            self._client.run(orders.stop, [sent.order for sent in self._running.values()], on_error="ignore")
            until = monotonic() + GRACE
            while wait and (self._running or self._storing) and monotonic() < until:
                self._receive()
                self._waiting.clear()
        self._running.clear()
