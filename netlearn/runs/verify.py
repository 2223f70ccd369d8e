"""Repeating a stored run and comparing the results."""

import tempfile
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from netlearn.custom_cost import check_named
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError
from netlearn.runs.files import Sums, lock
from netlearn.runs.folder import RunFolder
from netlearn.runs.formats import METRICS, SUMMARY
from netlearn.runs.reader import Run, read_locked, read_run
from netlearn.runs.setup import make_trainer
from netlearn.runs.tensors import BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, WEIGHTS
from netlearn.runs.train_run import environment, train_run
from netlearn.training import Trainer

NOT_REPEATED = ("environment", "training_seconds", "total_seconds", "data")  # of a summary


class Difference(msgspec.Struct, frozen=True):
    """A part of the environment or the data that differs from that of the stored run."""

    name: str
    then: Any
    now: Any


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a run was repeated exactly.

    Attributes:
        identical: whether all results that the settings determine are the same to the byte.
        updates: the number of updates in both runs.
        differing: the files, columns and results that differ.
        largest_difference: of any weight or bias.
        differences: in the environment or the data, which may be the reason.
    """

    identical: bool
    updates: int
    differing: tuple[str, ...]
    largest_difference: float
    differences: tuple[Difference, ...]


def verify(
    folder: Path,
    load: Callable[[str], Dataset],
    watching: Callable[[Trainer], AbstractContextManager[object]] = nullcontext,
    *,
    costs: Collection[str] = (),
) -> Verdict:
    """Repeat the run in a folder up to its last update, and compare all results that the settings determine.

    Args:
        folder: of a run that has ended in any way.
        load: returns a data set, given its name.
        watching: returns a context manager for the training, given the trainer.
        costs: the users' own costs whose code may be imported.

    Raises:
        RunError: it is not the folder of such a run, is in use, or a file was changed.
        SettingsError: the run has a user's own cost that is not among `costs`.
    """
    with lock(folder, shared=True):
        then = read_locked(folder)
        Sums.read(folder).check_all()
        weights_then = then.weights()  # before the training, which may take an hour
    check_named(then.settings.cost, costs, folder)
    data = load(then.settings.data)
    trainer = make_trainer(then.settings, data, last=then.summary.updates if then.summary else 0)
    with watching(trainer), tempfile.TemporaryDirectory() as temporary:
        with RunFolder.create(Path(temporary, "run")) as again, suppress(DivergenceError):
            train_run(then.settings, trainer, again)
        now = read_run(again.path)
        weights_now = now.weights()
    differing = _differing(then, now)
    gaps = [np.abs(array - weights_now[name]).max() for name, array in weights_then.items()]
    return Verdict(
        identical=not differing,
        updates=trainer.update,
        differing=tuple(differing),
        largest_difference=float(max(gaps)),
        differences=tuple(_environment_differences(then, data)),
    )


def _differing(then: Run, now: Run) -> list[str]:
    """Return the files, the columns of metrics.csv and the fields of summary.json that differ."""
    hashes = [run.sums.hashes if run.sums else {} for run in (then, now)]
    files = (WEIGHTS, BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS)
    found = [name for name in files if hashes[0].get(name) != hashes[1].get(name)]
    for name in sorted((then.metrics.keys() | now.metrics.keys()) - {"seconds"}):
        stored, repeated = (run.metrics.get(name, np.empty(0)) for run in (then, now))
        if not np.array_equal(stored, repeated, equal_nan=True):
            found.append(f"{name} in {METRICS}")
    summaries = [msgspec.to_builtins(run.summary) for run in (then, now)]
    names = [name for name in summaries[0] if name not in NOT_REPEATED]
    if then.summary and then.summary.shuffling_sha256 is None:  # of an older run
        names.remove("shuffling_sha256")
    return found + [f"{name} in {SUMMARY}" for name in names if summaries[0][name] != summaries[1][name]]


def _environment_differences(then: Run, data: Dataset) -> list[Difference]:
    stored = {**then.summary.environment, **then.summary.data.sha256} if then.summary else {}
    now = {**environment(), **data.sha256}
    return [Difference(name, stored.get(name), now[name]) for name in now if stored.get(name) != now[name]]
