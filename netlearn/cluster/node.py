"""What a worker of a cluster does. Dask calls these functions by name; they take and return bytes."""

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from netlearn.cluster import data
from netlearn.cluster.messages import DataFiles, Inspected, Needs, Order, Parcel, decode, encode
from netlearn.comparison.tasks import Task, perform
from netlearn.custom_cost import load_cost
from netlearn.datasets.sources import sha256_of
from netlearn.errors import NetlearnError
from netlearn.numerics import blas
from netlearn.runs import RUN_FILES, SUMS
from netlearn.runs.setup import environment
from netlearn.training import Trainer

_lock = threading.Lock()
_trainers: dict[str, Trainer] = {}
_stopped: set[str] = set()


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C to the parent: called by Dask in each process of a cluster on this machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def inspect(needs: bytes) -> bytes:
    """Answer whether this worker can train the runs of a comparison; see `Needs` and `Inspected`."""
    asked = decode(needs, Needs)
    blas("float32")  # loads scipy's BLAS, so that the environment names it
    problem = None
    try:
        for cost, sha256 in asked.costs.items():
            if module_sha256(cost) != sha256:
                problem = f"cost {cost!r}: its module must be the same as here; restart the worker after a change"
    except NetlearnError as error:
        problem = str(error)
    lacking = tuple(identity for identity in asked.data if not data.is_here(identity))
    return encode(Inspected(environment=environment(), lacking=lacking, problem=problem))


@cache  # as the module was when it was imported
def module_sha256(cost: str) -> str:
    """Return the SHA-256 of the module of a user's own cost, which is imported.

    Raises:
        CostError: it cannot be loaded.
    """
    load_cost(cost)
    file = getattr(sys.modules[cost.partition(":")[0]], "__file__", None)
    return sha256_of(Path(file)) if file else ""


def receive(files: bytes) -> None:
    """Store a data set; see `DataFiles`."""
    data.store(decode(files, DataFiles))


def train(content: bytes) -> bytes:
    """Train or resume the run of an order, in a folder of its own; see `Order` and `Parcel`."""
    from distributed import get_worker  # noqa: PLC0415 (an optional extra)

    order = decode(content, Order)
    with tempfile.TemporaryDirectory(dir=get_worker().local_directory, prefix="netlearn-") as temporary:
        folder = Path(temporary, "run")
        if order.files:
            folder.mkdir()
        for name, resumed in order.files.items():
            (folder / Path(name).name).write_bytes(resumed)
        task = Task(order.variant, order.settings, order.data, folder)
        outcome = perform(task, partial(data.load, identity=order.data), partial(_stoppable, order.id))
        files = {}
        if outcome.problem is None:
            files = {name: (folder / name).read_bytes() for name in (*RUN_FILES, SUMS) if (folder / name).exists()}

    def said(text: str | None) -> str | None:
        return text and text.replace(str(folder), order.folder)

    return encode(
        Parcel(files=files, environment=environment(), problem=said(outcome.problem), note=said(outcome.note))
    )


def stop(ids: list[str]) -> None:
    """Stop the runs of these orders, with a checkpoint, also those that have not begun."""
    with _lock:
        _stopped.update(ids)
        for each in ids:
            if each in _trainers:
                _trainers[each].stop()


@contextmanager
def _stoppable(order: str, trainer: Trainer) -> Iterator[None]:
    with _lock:
        _trainers[order] = trainer
        if order in _stopped:
            trainer.stop()
    try:
        yield
    finally:
        with _lock:
            del _trainers[order]
