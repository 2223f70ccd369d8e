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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from netlearn.comparison import orders
from netlearn.comparison.pool import GRACE, LOOK_EVERY, TRIES, Function, Look, OnResult, Pool, Workers, ignore
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.datasets import Dataset
from netlearn.errors import ClusterError, NetlearnError, SettingsError
from netlearn.runs import data_identity

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Remote

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


class Cluster(Workers):
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
        self._here, self._address, self._note, self._name = Pool(jobs), address, note, uuid4().hex
        self._connection, self._threads = ExitStack(), ThreadPoolExecutor(MOST_AT_ONCE)
        self._client = self._connection.enter_context(_connected(address, tls_folder, insecure=insecure))
        self._connection.enter_context(self._here)
        self._data: dict[tuple[str, ...], Remote] = {}
        self._copies: list[Remote] = []
        self._sent: dict[Future[Any], _Order] = {}
        self._present: set[str] = set()  # the workers at the last look
        self._left_out: dict[str, tuple[str, Task | None]] = {}  # workers: why, and the run that failed
        self._next_look, self._is_waiting = 0.0, False

    def __exit__(self, *error: object) -> None:
        """Close the connection, and with it the calls that wait for parcels."""
        self._connection.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def hold(self, sets: Sequence[Dataset]) -> None:
        """Give the data sets to Dask too, as results of calls, which it repeats when it loses one with its worker."""
        self._here.hold(sets)
        with _answering(self._address):
            for data in sets:
                identity = data_identity(data.name, data.sha256)
                self._data[identity] = self._client.submit(bytes, pickle.dumps(data), pure=False)

    def map(
        self, function: Function, tasks: Sequence[Any], look: Look = ignore, on_result: OnResult = ignore
    ) -> list[Any]:
        """Return function(task) for each task; see `Workers.map`. Runs are trained on the cluster.

        Raises:
            ClusterError: the scheduler no longer answers, or no worker can train.
        """
        if function is not perform:
            return self._here.map(function, tasks, look, on_result)

        def look_and_release() -> None:
            look()
            release()

        def take(task: Task, outcome: Outcome) -> None:
            if outcome.of_machine:  # given up: the workers on which it failed are not all at fault
                self._left_out = {worker: why for worker, why in self._left_out.items() if why[1] is not task}
            on_result(task, outcome)

        try:
            with deferred() as release:
                outcomes = super().map(function, tasks, look_and_release, take)
                self._next_look = 0.0
                with suppress(ClusterError):  # all runs are done
                    self._look()
                return outcomes
        except ClusterError:
            raise
        except BaseException:
            with suppress(Exception):  # the scheduler may be gone, and the first error is the one to report
                self._client.run(orders.stop, self._name, on_error="ignore")
                wait(self._sent, GRACE)  # for the checkpoints
            raise

    @property
    def _ready(self) -> set[str]:
        """The workers that can train."""
        return self._present - self._left_out.keys()

    def _has_room(self, running: Collection[Future[Any]]) -> bool:
        """Return whether fewer orders are in flight than there are workers, so that new ones get their share."""
        self._look()
        return sum(not self._sent[call].parcel.done() for call in running) < len(self._ready)

    def _submit(self, function: Any, task: Task) -> Future[Any]:  # noqa: ARG002 (it is `perform`)
        order = self._name, task, orders.module_sha256(task.settings.cost), orders.files_of(task.folder)
        with _answering(self._address):
            data = self._data[task.data]
            parcel = self._client.submit(orders.train, *order, data, workers=sorted(self._ready), pure=False)
        call = self._threads.submit(_received, task, parcel)
        self._sent[call] = _Order(task, self._ready, parcel)
        return call

    def _ended(self, running: Collection[Future[Any]]) -> Iterable[Future[Any]]:
        for order in self._sent.values():
            if self._ready.isdisjoint(order.allowed):
                order.parcel.cancel()
        time.sleep(0 if running else LOOK_EVERY)
        return wait(running, LOOK_EVERY, FIRST_COMPLETED).done

    def _result(self, call: Future[Any]) -> tuple[int, Any]:
        order = self._sent.pop(call)
        losses, worker, outcome = call.result()
        if not losses:
            return 0, outcome
        self._next_look = 0.0  # the scheduler may be lost
        if worker and worker not in self._left_out:  # Dask may give it an order that it was allowed before
            self._leave_out(worker, outcome.problem, order.task)
        problem = f"failed on {TRIES} or more workers, at last on {worker or 'lost ones'}: {outcome.problem}"
        return losses, Outcome(problem, of_machine=True)

    def _leave_out(self, worker: str, why: str, task: Task | None = None) -> None:
        self._left_out[worker] = why, task
        self._note(f"worker {worker} is not used: {why}")

    def _look(self) -> None:
        """Look at which workers there are, at most once a second.

        Raises:
            ClusterError: the scheduler no longer answers, or it has workers and none can train.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + WORKERS_EVERY
        with _answering(self._address):
            present = {*self._client.nthreads()}
            for worker in sorted(self._ready - present):
                self._note(f"worker {worker}: it was lost; what it trained is sent to another")
            new = present - self._present
            self._present &= present
            if new:
                self._admit(new)
        if self._present and not self._ready:
            reasons = "; ".join(sorted({self._left_out[worker][0] for worker in self._present}))
            raise ClusterError(f"--cluster {self._address}: no worker can train: {reasons}")
        if not self._present and not self._is_waiting:
            self._note(f"workers: {self._address} has none; waiting for the first")
        self._is_waiting = not self._present

    def _admit(self, new: set[str]) -> None:
        """Leave out new workers that have other versions, and let Dask copy the data to the others."""
        versions = self._client.get_versions(packages=[*orders.MUST_MATCH])  # needs no netlearn on the other side
        if why := orders.mismatch(versions["scheduler"]["packages"], ["netlearn"]):
            raise ClusterError(f"--cluster {self._address}: its scheduler has {why}")
        for worker in new & versions["workers"].keys():  # the others are asked again
            self._present.add(worker)
            if why := orders.mismatch(versions["workers"][worker]["packages"]):
                self._leave_out(worker, f"has {why}")
            else:
                for data in self._data.values():
                    self._copies.append(self._client.submit(len, data, workers=[worker], pure=False))


def _received(task: Task, parcel: "Remote") -> tuple[int, str, Outcome]:
    """Wait for the parcel of a run and store it; return how often the run was lost, the worker and the outcome."""
    from distributed import KilledWorker  # noqa: PLC0415 (an optional extra)

    try:
        worker, outcome = orders.receive(task, parcel.result())
    except CancelledError:  # it was taken back, or the connection is lost
        return 1, "", Outcome("no worker is left of those that it was sent to", of_machine=True)
    except KilledWorker as error:  # perhaps by another run on these workers
        return 2, "", Outcome(f"{error.last_worker.address} and others ended while they trained it", of_machine=True)
    except Exception as error:
        return 0, "", Outcome(str(error) if isinstance(error, NetlearnError) else f"{type(error).__name__}: {error}")
    return int(outcome.of_machine), worker, outcome


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
        "distributed.scheduler.allowed-failures": TRIES - 1,  # of a scheduler that is started here
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
