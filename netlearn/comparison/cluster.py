"""Training the runs of a comparison on a Dask cluster, an optional extra.

Dask's scheduler decides which worker trains which run, moves the data sets, and repeats a run whose worker is lost. A
worker with other versions, or whose machine fails, is left out.
"""

import pickle
import re
import signal
import ssl
import time
import warnings
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from netlearn.comparison import orders
from netlearn.comparison.pool import GRACE, LOOK_EVERY, Pool
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.datasets import Dataset
from netlearn.errors import ClusterError, NetlearnError, SettingsError
from netlearn.runs import data_identity

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Remote

FAILURES = 3  # workers on which a run may fail, and that it may lose, where the scheduler is started here
MOST_AT_ONCE = 1000  # runs
WORKERS_EVERY = 1.0  # seconds between two looks at which workers there are
WITHIN = 10  # seconds for a scheduler to answer
SILENT = 51  # above every level of logging: netlearn says itself what Dask would log
CA, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"  # in the TLS folder
ADDRESS = re.compile(r"(tls|tcp)://.+:[0-9]+|local:([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-6])")
USAGE = (
    "must be tls://HOST:PORT with --tls-folder, local:N, N from 1 to 256, without --tls-folder and --insecure, or "
    "tcp://HOST:PORT with --insecure, which lets anyone who reaches that port run code as you"
)


class _Order(NamedTuple):
    task: Task
    allowed: set[str]
    parcel: "Remote"


class Cluster(Pool):
    """Workers whose runs are trained on a cluster; everything else is done by processes on this machine.

    Args:
        jobs: how many processes there are on this machine.
        address: of the scheduler, tls://HOST:PORT, or "local:N" for a cluster of N processes on this machine.
        tls_folder: holds ca.pem, cert.pem and key.pem; only for tls://.
        insecure: allows tcp://HOST:PORT, without encryption and certificates.
        note: called with notes for the user.

    Raises:
        SettingsError: the address, the folder and `insecure` do not fit together.
        ClusterError: Dask is not installed, or the scheduler does not answer in 10 seconds.
    """

    def __init__(
        self, jobs: int, address: str, tls_folder: Path | None = None, *, insecure: bool = False,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:  # fmt: skip
        super().__init__(jobs)
        self._address, self._note, self._name = address, note, uuid4().hex
        self._connection = ExitStack()
        self._client = self._connection.enter_context(_connected(address, tls_folder, insecure=insecure))
        self._data: dict[tuple[str, ...], Remote] = {}
        self._copies: list[Remote] = []
        self._present: set[str] = set()  # the workers at the last look
        self._left_out: dict[str, str] = {}  # of them, and why
        self._next_look = 0.0

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        with self._connection:
            super().__exit__(*error)

    def start(self, tasks: int) -> None:
        """Do nothing: the processes on this machine are needed last."""

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Give the data sets to Dask too, as results of calls, which it repeats when it loses one with its worker."""
        super().hold(sets)
        with _answering(self._address):
            for data in sets:
                identity = data_identity(data.name, data.sha256)
                self._data[identity] = self._client.submit(bytes, pickle.dumps(data), pure=False)

    def map(
        self, function: Callable[[Any], Any], tasks: Sequence[Any], look: Callable[[], object] = lambda: None,
        on_result: Callable[[Any, Any], object] = lambda task, result: None,
    ) -> list[Any]:  # fmt: skip
        """Return function(task) for each task, in order; runs are trained on the cluster.

        Raises:
            ClusterError: the scheduler no longer answers, or no worker can train.
        """
        if function is not perform:
            return super().map(function, tasks, look, on_result)
        waiting, outcomes, failed = deque(tasks), dict[Task, Outcome](), defaultdict[Task, list[str]](list)
        sent: dict[Future[tuple[str, Outcome]], _Order] = {}
        threads = ThreadPoolExecutor(MOST_AT_ONCE)
        try:
            with deferred() as release:
                while waiting or sent:
                    ready = self._ready()
                    for order in sent.values():
                        if ready.isdisjoint(order.allowed):
                            order.parcel.cancel()
                    while waiting and sum(order.parcel.status == "pending" for order in sent.values()) < len(ready):
                        order = self._send(waiting.popleft(), ready)
                        sent[threads.submit(_received, order)] = order
                    time.sleep(0 if sent else LOOK_EVERY)
                    for done in wait(sent, LOOK_EVERY, FIRST_COMPLETED).done:
                        task = sent.pop(done).task
                        if (outcome := self._judged(*done.result(), failed[task])) is None:
                            waiting.appendleft(task)
                        else:
                            outcomes[task] = outcome
                            on_result(task, outcome)
                    look()
                    release()
                self._look()
        except ClusterError:
            raise
        except BaseException:
            with suppress(Exception):  # the scheduler may be gone, and the first error is the one to report
                self._client.run(orders.stop, self._name, on_error="ignore")
                wait(sent, GRACE)  # for the checkpoints
            raise
        finally:
            threads.shutdown(wait=False, cancel_futures=True)  # those that wait end with the client
        return [outcomes[task] for task in tasks]

    def _send(self, task: Task, ready: set[str]) -> _Order:
        """Send an order, of which as many are in flight as there are workers, so that new ones get their share."""
        order = self._name, task, orders.module_sha256(task.settings.cost), orders.files_of(task.folder)
        with _answering(self._address):
            data = self._data[task.data]
            parcel = self._client.submit(orders.train, *order, data, workers=sorted(ready), pure=False)
        return _Order(task, ready, parcel)

    def _judged(self, worker: str, outcome: Outcome, failed: list[str]) -> Outcome | None:
        """Return the outcome of a run that failed on some workers before, or None if another is to train it."""
        if not outcome.of_machine:
            return outcome
        failed.append(worker)
        self._next_look = 0.0  # the scheduler may be lost
        if worker and worker not in self._left_out:  # Dask may give it an order that it was allowed before
            self._leave_out(worker, outcome.problem or "")
        if len(failed) < FAILURES:
            return None
        for each in failed:  # which is not the fault of all of them
            self._left_out.pop(each, None)
        return Outcome(f"failed on {FAILURES} workers, at last on {worker or 'lost ones'}: {outcome.problem}")

    def _leave_out(self, worker: str, why: str) -> None:
        self._left_out[worker] = why
        self._note(f"worker {worker} is not used: {why}")

    def _ready(self) -> set[str]:
        """Return the workers that can train, after a look at those that there are, at most once a second.

        Raises:
            ClusterError: the scheduler no longer answers, or it has workers and none can train.
        """
        if time.monotonic() >= self._next_look:
            is_news, self._next_look = bool(self._present) or not self._next_look, time.monotonic() + WORKERS_EVERY
            if new := self._look():
                with _answering(self._address):
                    self._admit(new)
            if self._present and self._present <= self._left_out.keys():
                reasons = "; ".join(sorted({self._left_out[worker] for worker in self._present}))
                raise ClusterError(f"--cluster {self._address}: no worker can train: {reasons}")
            if not self._present and is_news:
                self._note(f"workers: {self._address} has none; waiting for the first")
        return self._present - self._left_out.keys()

    def _look(self) -> set[str]:
        """Look at which workers there are, print a note on each that was lost, and return the new ones."""
        with _answering(self._address):
            present = {*self._client.nthreads()}
        for worker in sorted(self._present - present - self._left_out.keys()):
            self._note(f"worker {worker}: it was lost; what it trained is sent to another")
        self._present &= present
        return present - self._present

    def _admit(self, new: set[str]) -> None:
        """Leave out new workers that have other versions, and let Dask copy the data to the others."""
        versions = self._client.get_versions(packages=[*orders.MUST_MATCH])  # needs no netlearn on the other side
        if why := orders.mismatch(versions["scheduler"]["packages"], ["netlearn"]):
            raise ClusterError(f"--cluster {self._address}: its scheduler has {why}")
        answers = {worker: found for worker, found in versions["workers"].items() if worker in new}
        self._present |= answers.keys()  # the others are asked again
        for worker, found in answers.items():
            if why := orders.mismatch(found["packages"]):
                self._leave_out(worker, f"has {why}")
            else:
                copies = (
                    self._client.submit(len, each, workers=[worker], pure=False) for each in self._data.values()
                )
                self._copies += copies


def _received(order: _Order) -> tuple[str, Outcome]:
    """Wait for the parcel of an order and store it; return the worker and the outcome, in which failures are text."""
    try:
        return orders.receive(order.task, order.parcel.result())
    except CancelledError:  # it was taken back, or the connection is lost
        return "", Outcome("no worker is left of those that it was sent to", of_machine=True)
    except Exception as error:  # such as Dask's, that the run has lost several workers
        return "", Outcome(str(error) if isinstance(error, NetlearnError) else f"{type(error).__name__}: {error}")


@contextmanager
def _connected(address: str, tls_folder: Path | None, *, insecure: bool) -> "Iterator[Client]":
    """Connect to a scheduler, or start one with workers on this machine; see `Cluster`."""
    found = ADDRESS.fullmatch(address)
    if found is None or (tls_folder is not None, insecure) != (found[1] == "tls", found[1] == "tcp"):
        raise SettingsError(f"--cluster {address}: {USAGE}")
    try:
        import dask  # noqa: PLC0415 (an optional extra, which takes 0.5 s to import)
        from distributed import Client, LocalCluster, Security  # noqa: PLC0415
        from distributed.utils import silence_logging_cmgr  # noqa: PLC0415
    except ImportError as error:
        raise ClusterError(f"--cluster {address}: needs Dask: pip install 'netlearn[dask]'") from error
    limits = {
        "distributed.comm.timeouts.connect": WITHIN,
        "distributed.deploy.lost-worker-timeout": "1 hour",  # a process here that died may take long to start again
        "distributed.nanny.pre-spawn-environ.PYTHONSAFEPATH": 1,
        "distributed.scheduler.allowed-failures": FAILURES - 1,  # of a scheduler that is started here
    }
    place, security = address, Security() if found[1] else Security.temporary()
    if tls_folder is not None:
        files = [str(tls_folder / name) for name in (CA, CERTIFICATE, KEY)]
        if missing := [file for file in files if not Path(file).is_file()]:
            raise SettingsError(f"{missing[0]}: must be there; --tls-folder must hold {CA}, {CERTIFICATE} and {KEY}")
        options = dict(zip(("tls_ca_file", "tls_client_cert", "tls_client_key"), files, strict=True))
        security = Security(require_encryption=True, **options)
    with silence_logging_cmgr(SILENT), warnings.catch_warnings(), dask.config.set(limits), ExitStack() as stack:
        warnings.filterwarnings("ignore", module="distributed")
        with _answering(address, f"cannot be reached within {WITHIN} s"):
            if found[2]:
                local = LocalCluster(
                    int(found[2]), threads_per_worker=1, security=security, dashboard_address=None, memory_limit=None,
                    silence_logs=SILENT, preload=[orders.__name__],
                )  # fmt: skip
                place = stack.enter_context(local)
            client = Client(place, security=security, set_as_default=False, timeout=WITHIN)
            stack.enter_context(client)
        yield client


@contextmanager
def _answering(address: str, otherwise: str = "the scheduler no longer answers") -> Iterator[None]:
    """Turn errors of the connection into a `ClusterError`."""
    try:
        yield
    except NetlearnError:
        raise
    except Exception as error:  # Dask raises OSErrors, TimeoutErrors and RuntimeErrors
        reason = error.__cause__ or error
        if isinstance(reason, ssl.SSLError):
            otherwise = f"rejected: its certificate and that in --tls-folder must be signed by the {CA} of both"
        raise ClusterError(f"--cluster {address}: {otherwise}: {type(reason).__name__}: {reason}") from error


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Hold back the first Ctrl-C or SIGTERM until the function that is yielded is called, where it is safe.

    Some of Dask's code swallows the exceptions that the handlers raise. The second signal is not held back.
    """
    received: list[int] = []

    def hold_back(number: int, frame: FrameType | None) -> None:
        handlers.close()
        received.append(number)

    def release() -> None:
        while received:
            signal.raise_signal(received.pop())

    with ExitStack() as handlers:
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers.callback(signal.signal, number, signal.signal(number, hold_back))
        yield release
    release()
