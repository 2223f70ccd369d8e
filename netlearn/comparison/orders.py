"""What a worker of a cluster does: train a run, and return a parcel with its files.

Dask calls these functions by name. They return what fails as text: an exception that Dask cannot pickle would never
arrive.
"""

import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from netlearn import datasets
from netlearn.comparison.tasks import Task, perform
from netlearn.custom_cost import load_cost
from netlearn.datasets import Dataset
from netlearn.datasets.sources import sha256_of
from netlearn.errors import NetlearnError, RunError
from netlearn.numerics import blas
from netlearn.runs import (
    RUN_FILES,
    SUMS,
)
from netlearn.runs.setup import environment
from netlearn.training import Trainer

Environment = dict[str, str | int | None]
MOST_TEXT = 1000  # characters of what a worker says


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an order.

    Attributes:
        worker: its address.
        files: the run folder, by name; empty if there is a problem.
        environment: of the worker.
        problem: why there is no run.
        of_machine: whether another worker may not have that problem.
        note: for the user.
    """

    worker: str
    files: dict[str, bytes] = {}
    environment: Environment = {}
    problem: str | None = None
    of_machine: bool = False
    note: str | None = None


def read_parcel(content: bytes) -> Parcel:
    """Return a parcel.

    Raises:
        RunError: the bytes are none.
    """
    try:
        parcel = msgspec.msgpack.decode(content, type=Parcel)
        return msgspec.structs.replace(parcel, problem=_cut(parcel.problem), note=_cut(parcel.note))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise RunError(f"not a valid parcel: {error}") from error


def _cut(text: str | None) -> str | None:
    return text and " ".join(text.split())[:MOST_TEXT]


@dataclass(frozen=True)
class Running:
    """The run in this process, one at a time, and the orders that are to stop."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)
    trainers: dict[str, Trainer] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    @contextmanager
    def stoppable(self, order: str, trainer: Trainer) -> Iterator[None]:
        """Let `stop` stop a trainer while it trains."""
        with self.lock:
            self.trainers[order] = trainer
        stop([])
        try:
            yield
        finally:
            with self.lock:
                del self.trainers[order]


RUNNING = Running()


def stop(orders: Iterable[str]) -> None:
    """Stop the runs of orders, with a checkpoint, also those that have not begun."""
    with RUNNING.lock:
        RUNNING.stopped.update(orders)
        for order in RUNNING.stopped & RUNNING.trainers.keys():
            RUNNING.trainers[order].stop()


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C to the parent: called by Dask in each process of a cluster on this machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def inspect(costs: Mapping[str, str]) -> tuple[Environment, str | None]:
    """Return the environment of this worker, and why it cannot train, if so.

    Args:
        costs: the users' own costs, with the SHA-256 of their modules.
    """
    blas("float32")  # loads scipy's BLAS, so that the environment names it
    problem = None
    try:
        for cost, sha256 in costs.items():
            if module_sha256(cost) != sha256:
                problem = f"cost {cost!r}: its module must be the same as here; restart the worker after a change"
    except Exception as error:
        problem = _text_of(error)
    return environment(), problem


@cache  # as the module was when it was imported
def module_sha256(cost: str) -> str:
    """Return the SHA-256 of the module of a user's own cost, which is imported.

    Raises:
        CostError: it cannot be loaded.
    """
    load_cost(cost)
    file = getattr(sys.modules[cost.partition(":")[0]], "__file__", None)
    return sha256_of(Path(file)) if file else ""


def train(order: str, task: Task, resumed: Mapping[str, bytes], files: bytes) -> bytes:
    """Train or resume a run in this worker, and return its parcel.

    Args:
        order: names this call for `stop`.
        task: the run; its folder is that on the client.
        resumed: the files of the run so far, by name.
        files: of the data set, as `files_of` returns them.
    """
    from distributed import get_worker  # noqa: PLC0415 (an optional extra)

    worker = get_worker()
    try:
        with RUNNING.turn:
            parcel = _train(order, task, resumed, files, worker.address, worker.local_directory)
    except BaseException as error:  # an exit would end the worker
        of_machine = isinstance(error, OSError | MemoryError)
        parcel = Parcel(worker=worker.address, problem=_text_of(error), of_machine=of_machine)
    return msgspec.msgpack.encode(parcel)


def _train(order: str, task: Task, resumed: Mapping[str, bytes], files: bytes, worker: str, scratch: str) -> Parcel:
    with tempfile.TemporaryDirectory(dir=scratch, prefix="netlearn-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary, "run")
        if resumed:
            folder.mkdir()
        for name, content in resumed.items():
            (folder / name).write_bytes(content)
        load = partial(_load, files=files, scratch=scratch)
        outcome = perform(replace(task, folder=folder), load, partial(RUNNING.stoppable, order))
        results = {}
        if outcome.problem is None:
            results = {name: (folder / name).read_bytes() for name in (*RUN_FILES, SUMS) if (folder / name).exists()}
    where = folder if outcome.of_machine else task.folder  # a machine that failed is named with its own path
    problem, note = (text and text.replace(str(folder), str(where)) for text in (outcome.problem, outcome.note))
    parcel = Parcel(worker=worker, files=results, environment=environment(), problem=problem, note=note)
    return msgspec.structs.replace(parcel, of_machine=outcome.of_machine)


@lru_cache(maxsize=2)
def _load(name: str, files: bytes, scratch: str) -> Dataset:
    """Load a data set from its original files, by netlearn's own reader, under its name elsewhere."""
    if not files:
        return datasets.load(name)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="netlearn-data-") as temporary:
        paths = []
        for file, content in msgspec.msgpack.decode(files, type=dict[str, bytes]).items():
            paths.append(Path(temporary, file))
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(content)
        return replace(datasets.load(str(paths[0] if len(paths) == 1 else temporary)), name=name)


def _text_of(error: BaseException) -> str:
    return str(error) if isinstance(error, NetlearnError) else f"{type(error).__name__}: {error}"
