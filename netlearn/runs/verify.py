"""Repeating a stored run and comparing the results."""

import tempfile
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import asdict

from netlearn.custom_cost import check_named
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError, RunError
from netlearn.runs.checkpoint import CHECKPOINT, check_identity, encode_checkpoint, read_checkpoint
from netlearn.runs.files import Sums
from netlearn.runs.folder import RunFolder
from netlearn.runs.formats import METRICS, SUMMARY, MetricsWriter
from netlearn.runs.reader import Run, read_run
from netlearn.runs.setup import environment, make_trainer
from netlearn.runs.tensors import BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, WEIGHTS
from netlearn.runs.train_run import checkpoint_identity, train_run
from netlearn.settings import Settings
from netlearn.training import Trainer

NOT_REPEATED = ("environment", "training_seconds", "total_seconds", "data")  # of a summary
NEWER = tuple(f"{name} in {SUMMARY}" for name in ("shuffling_sha256", "calibration_error", "data.appearance"))


class Difference(msgspec.Struct, frozen=True):
    """A part of the environment or the data that differs from that of the stored run."""

    name: str
    then: Any
    now: Any


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a run was repeated exactly.

    It is `identical` if all that the settings determine is the same to the byte: weights, checkpoint, output neurons,
    snapshots, measurements, results, and the data's name, counts and files. Times, pictures and the environment are
    not compared.
    """

    identical: bool
    updates: int  # of both runs
    differing: tuple[str, ...]  # files, columns and results
    largest_difference: float  # of any weight or bias
    differences: tuple[Difference, ...]  # in the environment or the data, which may be the reason


def verify(
    folder: Path,
    load: Callable[[str], Dataset],
    watching: Callable[[Trainer], AbstractContextManager[object]] = nullcontext,
    *,
    costs: Collection[str] = (),
) -> Verdict:
    """Repeat the run in a folder up to its last update, and compare all that its settings determine.

    The run may have ended in any way. `load` returns a data set, given its name, `watching` a context manager for the
    training, given the trainer; `costs` are the users' own whose code may be imported.

    Raises:
        RunError: it is not the folder of such a run, or a file was changed.
        SettingsError: the run has a user's own cost that is not among `costs`.
    """
    then = read_run(folder)
    weights_then = then.weights()  # before the training, which may take an hour
    check_named(then.settings.cost, costs, folder)
    data = load(then.settings.data)
    begin = partial(make_trainer, then.settings, data, last=then.summary.updates if then.summary else 0)
    trainer, resumed = begin(), begin()
    try:
        checked, resumable = _restore(folder, then.settings, resumed), True
    except RunError:
        checked, resumable = True, False
    (then.sums or Sums.read(folder)).check_all()  # all that was read is still the run's
    with watching(trainer), tempfile.TemporaryDirectory() as temporary:
        with RunFolder.create(Path(temporary, "run")) as again, suppress(DivergenceError):
            train_run(then.settings, trainer, again)
        now, again_resumed = read_run(again.path), begin()
        weights_now = now.weights()
        _restore(again.path, then.settings, again_resumed)
    differing = _differing(then, now)
    if checked and not (resumable and _end(resumed) == _end(again_resumed)):
        differing.append(CHECKPOINT)
    gaps = [np.abs(array - weights_now[name]).max() for name, array in weights_then.items()]
    return Verdict(
        identical=not differing,
        updates=trainer.update,
        differing=tuple(differing),
        largest_difference=float(max(gaps)),
        differences=tuple(_environment_differences(then, data)),
    )


def _restore(folder: Path, settings: Settings, trainer: Trainer) -> bool:
    """Restore a trainer from the checkpoint in a folder; return whether it has one."""
    path = folder / CHECKPOINT
    if not path.exists():
        return False
    check_identity(path, checkpoint_identity(settings, trainer))
    state, metadata = read_checkpoint(path, trainer)
    MetricsWriter(folder).restore(metadata.metrics_bytes, metadata.metrics_sha256)
    trainer.restore(state)
    return True


def _end(trainer: Trainer) -> bytes:
    """Return the state, without times, in which a trainer ends: what counts of a checkpoint is where it leads."""
    with suppress(DivergenceError):
        for _ in trainer:
            pass
    return encode_checkpoint(replace(trainer.state(), seconds=0.0), {})


def _differing(then: Run, now: Run) -> list[str]:
    """Return the files, the columns of metrics.csv and the fields of summary.json that differ."""
    stored, repeated = _determined(then), _determined(now)
    older = {name for name in NEWER if stored.get(name) is None}
    found = [name for name in stored | repeated if name not in older and stored.get(name) != repeated.get(name)]
    renamed = then.summary is not None and then.summary.data.name != then.settings.data
    return [*found, *([f"data.name in {SUMMARY}"] if renamed else [])]


def _determined(run: Run) -> dict[str, object]:
    """Return all that the settings determine of a complete run, by what a difference in it is called."""
    if run.sums is None or run.summary is None:
        return {}
    files = {name: run.sums.hashes.get(name) for name in (WEIGHTS, BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS)}
    columns = {
        f"{name} in {METRICS}": run.metrics[name].tobytes() for name in sorted(run.metrics.keys() - {"seconds"})
    }
    results = {name: value for name, value in asdict(run.summary).items() if name not in NOT_REPEATED}
    data = asdict(run.summary.data) | {"sha256": list(run.summary.data.sha256.values())}
    results |= {
        f"data.{name}": value for name, value in data.items() if name not in {"name", "where", "note", "classes"}
    }
    return files | columns | {f"{name} in {SUMMARY}": value for name, value in results.items()}


def _environment_differences(then: Run, data: Dataset) -> list[Difference]:
    stored = {**then.summary.environment, **then.summary.data.sha256} if then.summary else {}
    now = {**environment(), **data.sha256}
    return [Difference(name, stored.get(name), now[name]) for name in now if stored.get(name) != now[name]]
