"""The workers of a cluster that can train: inspected before their first run, and left out when they fail."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from netlearn.comparison import orders, parcels
from netlearn.comparison.connection import answering
from netlearn.comparison.tasks import Task
from netlearn.costs import COSTS
from netlearn.errors import ClusterError
from netlearn.numerics import blas
from netlearn.runs.setup import environment

if TYPE_CHECKING:
    from distributed import Client, Future

WORKERS_EVERY = 1.0  # seconds between two looks at which workers there are
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
        data: the files of each data set, which the scheduler keeps and moves, by identity.
    """

    def __init__(self, client: "Client", address: str, tasks: Sequence[Task], note: Callable[[str], object]) -> None:
        self._client, self._address, self._note = client, address, note
        own = sorted({task.settings.cost for task in tasks} - COSTS.keys())
        self._costs = {cost: orders.module_sha256(cost) for cost in own}
        self._names = {task.data: task.settings.data for task in tasks}
        self.data: dict[tuple[str, ...], Future] = {}
        self._admitted: set[str] = set()
        self._left_out: dict[str, str] = {}
        self._noted: set[str] = set()
        self._next_look = 0.0

    @property
    def ready(self) -> set[str]:
        """The addresses of the workers that can train."""
        return self._admitted - self._left_out.keys()

    def look(self) -> None:
        """Update the workers that are ready, at most once a second.

        Raises:
            ClusterError: the scheduler no longer answers, or it has workers and none can train.
        """
        if monotonic() < self._next_look:
            return
        threads = self.note_lost()
        with answering(self._address):
            self._admit(threads.keys() - self._admitted - self._left_out.keys())
        if threads and threads.keys() <= self._left_out.keys():
            reasons = Counter(self._left_out[worker] for worker in threads).most_common()
            listed = ", ".join(f"{number} of {len(threads)}: {why}" for why, number in reasons)
            raise ClusterError(f"--cluster {self._address}: no worker can train: {listed}")
        if not threads:
            self._tell(f"workers: {self._address} has none; waiting for the first")
        if any(threads[worker] > 1 for worker in self.ready):
            self._tell("workers: each trains one run at a time; start one for each core, with --nthreads 1")
        self._next_look = monotonic() + WORKERS_EVERY

    def note_lost(self) -> dict[str, int]:
        """Return how many threads each worker has that is there, and print a note on each that was lost."""
        with answering(self._address):
            threads: dict[str, int] = self._client.nthreads()
        for worker in sorted(self._admitted - threads.keys()):
            self._admitted.remove(worker)
            self._note(f"worker {worker}: it was lost; what it trained is sent to another")
        return threads

    def leave_out(self, worker: str, why: str) -> None:
        """Give a worker no more orders."""
        if worker not in self._left_out:  # Dask may give it one that it was allowed before
            self._tell(f"worker {worker} is not used: {why}")
        self._left_out[worker] = why
        self._next_look = 0.0

    def readmit(self, workers: Iterable[str]) -> None:
        """Give workers orders again: what failed on all of them was not their fault."""
        for worker in workers:
            self._left_out.pop(worker, None)

    def _admit(self, new: "set[str]") -> None:
        """Inspect new workers, admit or leave out each, and let the scheduler copy the data to them."""
        if not new:
            return
        versions = self._client.get_versions(packages=[*parcels.MUST_MATCH])  # needs no netlearn on the other side
        if why := parcels.mismatch(versions["scheduler"]["packages"], ["netlearn"]):
            raise ClusterError(f"--cluster {self._address}: its scheduler has {why}")
        asked = []
        for worker in sorted(versions["workers"].keys() & new):
            if why := parcels.mismatch(versions["workers"][worker]["packages"]):
                self.leave_out(worker, f"has {why}")
            else:
                asked.append(worker)
        answers = self._client.run(orders.inspect, self._costs, workers=asked, on_error="return") if asked else {}
        for worker, answer in answers.items():
            if isinstance(answer, OSError):
                continue  # Dask's own: if the worker is still there, it is asked again
            found, problem = ({}, repr(answer)) if isinstance(answer, Exception) else answer
            if problem is not None:
                self.leave_out(worker, problem)
                continue
            self._report(found)
            self._admitted.add(worker)
        if admitted := self._admitted & new:
            self._copy_data(sorted(admitted))

    def _copy_data(self, workers: list[str]) -> None:
        """Let new workers have the data sets; an order that comes before them moves them too."""
        for identity, name in self._names.items():
            if identity not in self.data or self.data[identity].status in {"cancelled", "error", "lost"}:
                files = parcels.files_of(name, identity)
                self.data[identity] = self._client.submit(
                    bytes, files, workers=workers, allow_other_workers=True, pure=False
                )
        Thread(target=self._replicate, args=([*self.data.values()], workers), daemon=True).start()

    def _replicate(self, data: "list[Future]", workers: list[str]) -> None:
        with suppress(Exception):  # it may wait for ever for a worker that is lost meanwhile
            self._client.replicate(data, workers=workers)

    def _report(self, found: orders.Environment) -> None:
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
