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
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from netlearn import datasets
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.custom_cost import load_cost
from netlearn.datasets import Dataset
from netlearn.datasets.sources import sha256_of
from netlearn.errors import NetlearnError
from netlearn.numerics import blas
from netlearn.runs import RUN_FILES, SUMS
from netlearn.runs.setup import environment
from netlearn.training import Trainer

Environment = dict[str, str | int | None]


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What comes back for an order.

    Attributes:
        worker: its address.
        outcome: of the run.
        files: the run folder, by name; empty if there is a problem.
        environment: of the worker.
    """

    worker: str
    outcome: Outcome = Outcome()
    files: dict[str, bytes] = {}
    environment: Environment = {}


class Running:
    """The run in this process, one at a time, and the orders that are to stop, even those that have not begun."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.trainers: dict[str, Trainer] = {}
        self.stopped: set[str] = set()

    @contextmanager
    def stoppable(self, order: str, trainer: Trainer) -> Iterator[None]:
        """Let `stop` stop a trainer while it trains."""
        self.trainers[order] = trainer  # before the look at what is to stop, as `stop` looks at trainers after it
        if order in self.stopped:
            trainer.stop()
        try:
            yield
        finally:
            del self.trainers[order]


RUNNING = Running()


def stop(orders: Iterable[str]) -> None:
    """Stop the runs of orders, with a checkpoint."""
    for order in orders:
        RUNNING.stopped.add(order)
        if trainer := RUNNING.trainers.get(order):
            trainer.stop()


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


def train(order: str, task: Task, resumed: Mapping[str, bytes], data: bytes) -> bytes:
    """Train or resume a run in this worker, and return its parcel.

    Args:
        order: names this call for `stop`.
        task: the run; its folder is that on the client.
        resumed: the files of the run so far, by name.
        data: the files of the data set, as `files_of` returns them.
    """
    from distributed import get_worker  # noqa: PLC0415 (an optional extra)

    worker, files = get_worker(), {}
    scratch = worker.local_directory
    try:
        with (
            RUNNING.turn,
            tempfile.TemporaryDirectory(dir=scratch, prefix="netlearn-", ignore_cleanup_errors=True) as temporary,
        ):
            folder = Path(temporary, "run")
            if resumed:
                folder.mkdir()
            for name, content in resumed.items():
                (folder / name).write_bytes(content)
            load = partial(_load, files=data, scratch=scratch)
            outcome = perform(replace(task, folder=folder), load, partial(RUNNING.stoppable, order))
            if outcome.problem is None:
                present = [name for name in (*RUN_FILES, SUMS) if (folder / name).exists()]
                files = {name: (folder / name).read_bytes() for name in present}
        if not outcome.of_machine:
            texts = outcome.problem, outcome.note
            problem, note = (text and text.replace(str(folder), str(task.folder)) for text in texts)
            outcome = Outcome(problem, note)
    except BaseException as error:  # an exit would end the worker
        outcome = Outcome(_text_of(error), of_machine=isinstance(error, OSError | MemoryError))
    if outcome.of_machine and scratch not in (outcome.problem or ""):
        outcome = Outcome(f"{outcome.problem}, in {scratch}", of_machine=True)  # it is named with its own path
    parcel = Parcel(worker=worker.address, outcome=outcome, files=files, environment=environment())
    return msgspec.msgpack.encode(parcel)


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
