"""The workers of a cluster that can train: inspected before their first order, supplied with the data once."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from netlearn.cluster import data, node
from netlearn.cluster.connection import answering
from netlearn.cluster.messages import Environment, Inspected, Needs, decode, encode
from netlearn.cluster.parcels import MUST_MATCH, mismatch
from netlearn.comparison.tasks import Task
from netlearn.custom_cost import is_own
from netlearn.errors import ClusterError
from netlearn.numerics import blas
from netlearn.runs.setup import environment

if TYPE_CHECKING:
    from distributed import Client

LOOK_EVERY = 1.0  # seconds between two looks at which workers there are
SUPPLIED = 8  # workers at once: the scheduler has a copy of the data for each
MAY_CHANGE_DIGITS = ("scipy", "blas", "cpu")  # of an environment


class Fleet:
    """The workers of a cluster, which come and go.

    Args:
        client: connected to the scheduler.
        address: of the cluster, as the user gave it.
        tasks: whose costs and data sets the workers need.
        note: called with notes for the user.

    Attributes:
        ready: the addresses of the workers that can train.
    """

    def __init__(self, client: "Client", address: str, tasks: Iterable[Task], note: Callable[[str], object]) -> None:
        self._client, self._address, self._note = client, address, note
        self._names = {task.data: task.settings.data for task in tasks}
        costs = sorted(filter(is_own, {task.settings.cost for task in tasks}))
        modules = {cost: node.module_sha256(cost) for cost in costs}
        self._needs = encode(Needs(costs=modules, data=tuple(self._names)))
        self._files: dict[tuple[str, ...], bytes] = {}
        self._admitted: set[str] = set()
        self._rejected: dict[str, str] = {}
        self._noted: set[str] = set()
        self._next_look = 0.0
        self.ready: set[str] = set()

    def look(self) -> None:
        """Update the workers that are ready, at most once a second.

        Raises:
            ClusterError: the scheduler no longer answers, or it has workers and none can train.
        """
        if monotonic() < self._next_look:
            return
        with answering(self._address):
            threads = self._client.nthreads()
            self._admit(threads.keys() - self._admitted - self._rejected.keys())
        self.ready = self._admitted & threads.keys()
        if threads and not self.ready and threads.keys() <= self._rejected.keys():
            reasons = Counter(self._rejected[worker] for worker in threads).most_common()
            said = ", ".join(f"{number} of {len(threads)}: {why}" for why, number in reasons)
            raise ClusterError(f"--cluster {self._address}: no worker can train: {said}")
        if not threads:
            self._tell(f"workers: {self._address} has none; waiting for the first")
        if any(threads[worker] > 1 for worker in self.ready):
            self._tell("workers: each trains one run at a time; start one for each core, with --nthreads 1")
        self._next_look = monotonic() + LOOK_EVERY

    def forget(self, worker: str) -> None:
        """Inspect a worker that has failed again before its next order."""
        self._admitted.discard(worker)
        self.ready.discard(worker)

    def _admit(self, new: Collection[str]) -> None:
        """Inspect new workers, send the data sets that they lack, and admit or reject each."""
        if not new:
            return
        versions = self._client.get_versions(packages=[*MUST_MATCH])  # needs no netlearn on the other side
        if why := mismatch(versions["scheduler"]["packages"], ["netlearn"]):
            raise ClusterError(f"--cluster {self._address}: its scheduler has {why}")
        asked = set()
        for worker in versions["workers"].keys() & new:
            if why := mismatch(versions["workers"][worker]["packages"]):
                self._reject(worker, f"has {why}")
            else:
                asked.add(worker)
        while asked:
            lacking = {}
            for worker, answer in self._run(node.inspect, self._needs, asked).items():
                inspected = decode(answer, Inspected)
                if inspected.problem is not None:
                    self._reject(worker, inspected.problem)
                elif inspected.lacking:
                    lacking[worker] = inspected.lacking
                else:
                    self._report(inspected.environment)
                    self._admitted.add(worker)
            self._supply(lacking)
            asked = lacking.keys() - self._rejected.keys()

    def _supply(self, lacking: dict[str, tuple[tuple[str, ...], ...]]) -> None:
        """Send data sets to one worker of each machine, from which its others have them too if they share a cache."""
        first = {worker.rpartition(":")[0]: worker for worker in sorted(lacking, reverse=True)}.values()
        for identity, name in self._names.items():
            if receivers := [worker for worker in first if identity in lacking[worker]]:
                if identity not in self._files:
                    self._files[identity] = encode(data.files_of(name, identity))
                for start in range(0, len(receivers), SUPPLIED):
                    self._run(node.receive, self._files[identity], receivers[start : start + SUPPLIED])

    def _run(self, function: Callable[[bytes], Any], content: bytes, workers: Collection[str]) -> dict[str, Any]:
        """Return what a function answers on each worker that can be reached, and reject those where it fails."""
        answers: dict[str, Any] = self._client.run(function, content, workers=list(workers), on_error="return")
        for worker, error in [*answers.items()]:
            if isinstance(error, Exception):
                del answers[worker]
                if not isinstance(error, OSError):  # those are Dask's own; a worker that is there is asked again
                    self._reject(worker, f"{type(error).__name__}: {error}")
        return answers

    def _reject(self, worker: str, why: str) -> None:
        self._rejected[worker] = why
        self._tell(f"worker {worker} is not used: {why}")

    def _report(self, found: Environment) -> None:
        """Print a note on what may change the last digits of a worker's results."""
        blas("float32")  # loads scipy's BLAS, so that the environment names it
        here = environment()
        for name in MAY_CHANGE_DIGITS:
            if found.get(name) != here[name]:
                theirs = f"{name} {found.get(name)}, here {here[name]}"
                self._tell(f"workers: some have {theirs}: the last digits of their results may differ")

    def _tell(self, text: str) -> None:
        """Print a note, once."""
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)
