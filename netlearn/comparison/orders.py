"""What goes to a worker of a cluster, what it does, and how the parcel that comes back is checked and stored.

Dask calls `train` and `stop` by name. What fails comes back as text: an exception that Dask cannot pickle would never
arrive.
"""

import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from netlearn import __version__, runs
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.custom_cost import is_own, load_cost
from netlearn.datasets.sources import sha256_of
from netlearn.errors import CostError, RunError
from netlearn.runs.checkpoint import check_whole
from netlearn.runs.files import MOST_BYTES
from netlearn.runs.reader import determining_settings
from netlearn.settings import write_toml
from netlearn.training import Trainer

Parcel: TypeAlias = tuple[str, Outcome, dict[str, bytes]]  # the worker, the outcome, and the files of the run, if any

MUST_MATCH = {"netlearn": __version__, "numpy": np.__version__}  # of a worker
ALWAYS = {runs.CONFIG, runs.SUMMARY, runs.METRICS, runs.WEIGHTS, runs.OUTPUT_NEURONS, runs.CHECKPOINT}
MOST_TEXT = 1000  # characters of what a worker says
TURN = threading.Lock()  # of the one run at a time in this process
TRAINING: dict[str, Trainer] = {}  # that run, by the name of its client


def mismatch(found: Mapping[str, object], packages: Iterable[str] = MUST_MATCH) -> str | None:
    """Return why what has these versions of packages is rejected, or None."""
    for package in packages:
        if found.get(package) != MUST_MATCH[package]:
            return f"{package} {found.get(package) or 'missing'}: must be {MUST_MATCH[package]}, as here"
    return None


@cache  # as the module was when it was imported
def module_sha256(cost: str) -> str:
    """Return the SHA-256 of the module of a user's own cost, which is imported, or "" for another cost.

    Raises:
        CostError: it cannot be loaded.
    """
    if not is_own(cost):
        return ""
    load_cost(cost)
    file = getattr(sys.modules[cost.partition(":")[0]], "__file__", None)
    return sha256_of(Path(file)) if file else ""


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of the run so far in a folder, but those that cannot be read; no link is followed."""
    files = {}
    for name in () if folder.is_symlink() else (*runs.RUN_FILES, runs.SUMS):
        with suppress(RunError):
            files[name] = runs.read_bounded(folder / name, MOST_BYTES)
    return files


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C to the parent: called by Dask in each process of a cluster on this machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def stop(client: str) -> None:
    """Stop the run of a client in this process, with a checkpoint."""
    if trainer := TRAINING.get(client):
        trainer.stop()


@contextmanager
def _stoppable(client: str, trainer: Trainer) -> Iterator[None]:
    TRAINING[client] = trainer
    try:
        yield
    finally:
        del TRAINING[client]


def train(client: str, task: Task, cost_sha256: str, resumed: Mapping[str, bytes], data: bytes) -> bytes:
    """Train or resume a run in this worker, one at a time, and return its parcel.

    Args:
        client: who wants it, for `stop`.
        task: the run; its folder is that on the client.
        cost_sha256: `module_sha256` of its cost.
        resumed: the files of the run so far, by name.
        data: the data set, pickled, as all that Dask carries.
    """
    from distributed import get_worker  # noqa: PLC0415 (an optional extra)

    worker, files, scratch = get_worker().address, {}, get_worker().local_directory
    try:
        with TURN, tempfile.TemporaryDirectory(dir=scratch, prefix="netlearn-", ignore_cleanup_errors=True) as parent:
            if module_sha256(task.settings.cost) != cost_sha256:
                why = "its module must be the same as on the client; restart the worker after a change"
                raise CostError(f"cost {task.settings.cost!r}: {why}")  # noqa: TRY301
            folder = Path(parent, "run")
            folder.mkdir()
            for name, content in resumed.items():
                (folder / name).write_bytes(content)
            here = replace(task, folder=folder)
            outcome = perform(here, lambda name: pickle.loads(data), partial(_stoppable, client))  # noqa: S301
            if outcome.problem is None:
                files = files_of(folder)
            if not outcome.of_machine:
                problem, note = (
                    said and said.replace(str(folder), str(task.folder)) for said in (outcome.problem, outcome.note)
                )
                outcome = Outcome(problem, note)
    except BaseException as error:  # an exit would end the worker
        outcome = Outcome(f"{type(error).__name__}: {error}", of_machine=True)
    if outcome.of_machine:  # the error of a full disk does not say which
        outcome = Outcome(f"{outcome.problem}, in {scratch}", of_machine=True)
    return msgspec.msgpack.encode((worker, outcome, files))


def receive(task: Task, content: bytes) -> tuple[str, Outcome]:
    """Read a parcel and store its run in the folder of its task; return the worker and the outcome, texts cut.

    Raises:
        RunError: it is no parcel, or not the run of the task, and nothing was stored.
    """
    try:
        worker, said, files = msgspec.msgpack.decode(content, type=Parcel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"not a valid parcel: {error}") from error
    if said.problem is None:
        _store(task, files)
    problem, note = (text and " ".join(text.split())[:MOST_TEXT] for text in (said.problem, said.note))
    return worker[:MOST_TEXT], Outcome(problem, note, said.of_machine)


def _store(task: Task, files: Mapping[str, bytes]) -> None:
    """Write the files of a parcel beside the folder of its task, check every one, and move them into it."""
    parent = task.folder.parent
    if task.folder.is_symlink():
        raise RunError(f"{task.folder}: must not be a link; the runs of a comparison must be in its folder")
    with runs.writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
    if unknown := files.keys() - {*runs.RUN_FILES, runs.SUMS}:
        raise RunError(f"its parcel was rejected: it holds {min(unknown)!r:.80}: must be the files of a run")
    with tempfile.TemporaryDirectory(dir=parent, prefix=".netlearn-") as temporary:
        received = runs.RunFolder(Path(temporary, "run"))
        received.path.mkdir()
        for name, content in files.items():
            received.write(name, content)
        try:
            _check(task, files, received.path)
        except RunError as error:
            raise RunError(f"its parcel was rejected: {str(error).replace(str(received.path), 'it')}") from error
        with runs.RunFolder.open(task.folder) as folder:
            folder.adopt(received)


def _check(task: Task, files: Mapping[str, bytes], folder: Path) -> None:
    """Read every file of a parcel, in a folder, as a stranger's.

    Raises:
        RunError: they are not the run of the task, complete, intact, and from a worker with the same versions.
    """
    run = runs.read_run(folder, task.variant)
    same = task.is_result(run) and files[runs.CONFIG] == write_toml(task.settings)
    if not same or run.summary is None or run.summary.seed != task.settings.seed:
        raise RunError(f"{folder}: holds a run with other settings or data")
    if rejected := mismatch(run.summary.environment):
        raise RunError(f"{folder}: is of {rejected}")
    needed = ALWAYS if run.summary.status != "diverged" else ALWAYS - {runs.METRICS, runs.CHECKPOINT}
    if task.settings.patience != "off" and run.summary.best_epoch is not None:
        needed = needed | {runs.BEST_WEIGHTS}
    if missing := needed - files.keys():
        raise RunError(f"{folder}: has no {min(missing)}")
    runs.Sums.read(folder).check_all()
    for name in {runs.WEIGHTS, runs.BEST_WEIGHTS} & files.keys():
        run.weights(name)
    run.samples()
    run.snapshots()
    if runs.CHECKPOINT in files:
        identity = determining_settings(task.settings) | {"data": list(task.data)}
        check_whole(folder / runs.CHECKPOINT, identity, files.get(runs.METRICS, b""))
