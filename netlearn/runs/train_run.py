"""One run: from settings to a trained network and its run folder, and from where it was interrupted on."""

import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import scipy
from threadpoolctl import threadpool_info

from netlearn import __version__
from netlearn.datasets import measure
from netlearn.errors import DamageError, DivergenceError, MismatchError, RunError
from netlearn.numerics import BLAS_THREADS, Array
from netlearn.runs.checkpoint import CHECKPOINT, check_identity, encode_checkpoint, read_checkpoint
from netlearn.runs.folder import RunFolder
from netlearn.runs.formats import (
    CONFIG,
    SUMMARY,
    DataSummary,
    MetricsWriter,
    Status,
    Summary,
    encode_summary,
    read_config,
)
from netlearn.runs.reader import determining_settings, run_identity
from netlearn.runs.tensors import (
    BEST_WEIGHTS,
    OUTPUT_NEURONS,
    WEIGHTS,
    SnapshotWriter,
    encode_samples,
    encode_weights,
)
from netlearn.settings import Settings, write_toml
from netlearn.slowdown import Record
from netlearn.text import printable
from netlearn.training import State, Trainer

Draw: TypeAlias = Callable[[Settings, Summary, dict[str, Array]], Mapping[str, bytes]]


def train_run(
    settings: Settings,
    trainer: Trainer,
    folder: RunFolder,
    on_record: Callable[[Record], object] = lambda record: None,
    *,
    resumed: bool = False,
    draw: Draw | None = None,
) -> Summary:
    """Train, and write everything that a run folder holds.

    However the training ends, everything recorded so far is kept, with a checkpoint to resume from. A resumed run may
    have more epochs than before; its results are the same to the byte as without the interruption.

    Args:
        settings: of the run.
        trainer: as `make_trainer` returns it.
        folder: of the run.
        on_record: called with each record.
        resumed: whether the folder holds the run, to be continued.
        draw: returns pictures by the names of their files, given the settings, the results and the columns of
            metrics.csv.

    Raises:
        DivergenceError: after the folder was completed.
        MismatchError: the folder holds a run with other settings, data or initial weights, and was not changed.
        DamageError: the checkpoint or the metrics of the run are damaged; the folder was not changed.
        CostError: the user's own cost raised an error.
        RunError: the folder cannot be written.
    """
    begun = perf_counter()
    per_epoch = trainer.schedule.updates_per_epoch if settings.snapshots else 0
    rows, snapshots = MetricsWriter(folder.path), SnapshotWriter(folder.path, trainer.network, per_epoch)
    identity = checkpoint_identity(settings, trainer)
    if resumed:
        _restore(trainer, folder, identity, rows, snapshots)
    folder.write(CONFIG, write_toml(settings))

    def save(state: State) -> None:
        rows.flush()
        snapshots.write()
        folder.write(CHECKPOINT, encode_checkpoint(state, identity, rows.size, rows.sha256))

    trainer.on_checkpoint = save
    divergence = None
    try:
        for record in trainer:
            rows.write(record)
            snapshots.take(record.update)
            on_record(record)
    except DivergenceError as error:
        divergence = error
    except BaseException:
        with suppress(RunError):  # keep the weights if possible; the first error is the one to report
            folder.write(WEIGHTS, encode_weights(trainer.network))
        raise
    folder.write(WEIGHTS, encode_weights(trainer.network))
    if settings.patience != "off" and trainer.patience.best is not None:
        trainer.restore_best()
        folder.write(BEST_WEIGHTS, encode_weights(trainer.network))
    snapshots.write()
    folder.write(OUTPUT_NEURONS, encode_samples(trainer.probe.samples))
    columns = rows.read() if rows.size else {}
    results = _summarize(settings, trainer, columns, divergence, begun)
    if draw is not None and columns:
        for name, content in draw(settings, results, columns).items():
            folder.write(name, content)
    folder.write(SUMMARY, encode_summary(results))
    folder.finish()
    if divergence is not None:
        raise DivergenceError(f"{divergence}; the records until then are in {folder.path}") from divergence
    return results


def _summarize(
    settings: Settings, trainer: Trainer, columns: dict[str, Array], divergence: DivergenceError | None, begun: float
) -> Summary:
    epochs = trainer.update / trainer.schedule.updates_per_epoch
    train = test = None
    status: Status = "diverged"
    if divergence is None:
        train, test = trainer.probe.evaluate(trainer.data.train), trainer.probe.evaluate(trainer.data.test)
        status = "stopped early" if trainer.ended_early() else "interrupted"
        if epochs == settings.epochs:
            status = "finished"
    data, best = trainer.data, trainer.patience.best
    return Summary(
        status=status,
        error=str(divergence) if divergence else None,
        updates=trainer.update,
        epochs=epochs,
        best_epoch=best.epoch if best else None,
        best_validation_accuracy=best.accuracy if best else None,
        validation_accuracy=float(columns["validation_accuracy"][-1]) if columns else None,
        train_cost=train.cost if train else None,
        train_accuracy=train.accuracy if train else None,
        test_cost=test.cost if test else None,
        test_accuracy=test.accuracy if test else None,
        recall=test.recall if test else (),
        seed=settings.seed,
        sizes=trainer.network.sizes,
        initial_weights_sha256=trainer.initial_sha256,
        mini_batches_sha256=_with_data(trainer, trainer.batches.sha256),
        shuffling_sha256=_with_data(trainer, trainer.batches.origin) if trainer.batches.origin else None,
        data=DataSummary(
            name=data.name, where=printable(data.where), note=data.note, train=len(data.train),
            validation=len(data.validation), test=len(data.test), sha256=dict(data.sha256),
            appearance=measure(data),
        ),
        environment=environment(),
        training_seconds=round(trainer.seconds, 3),
        total_seconds=round(perf_counter() - begun, 3),
    )  # fmt: skip


def _with_data(trainer: Trainer, rows: bytes) -> str:
    """Return the hash of mini-batches, given that of their rows: it includes the examples that these rows hold."""
    return hashlib.sha256(bytes.fromhex(trainer.data.train_sha256) + rows).hexdigest()


def checkpoint_identity(settings: Settings, trainer: Trainer) -> dict[str, Any]:
    """Return the identity of a run in its checkpoints: settings, data and initial weights."""
    return run_identity(settings, trainer.data.sha256) | {"initial_weights": trainer.initial_sha256}


def _restore(
    trainer: Trainer, folder: RunFolder, identity: Mapping[str, Any], rows: MetricsWriter, snapshots: SnapshotWriter
) -> None:
    """Restore a trainer and the writers of its run from the checkpoint, or begin again if there is none.

    Afterwards the folder is that of an interrupted run; it is not changed if this fails.
    """
    path = folder.path / CHECKPOINT
    size, sha256, state = 0, hashlib.sha256().hexdigest(), None
    with _as_damage():
        if path.exists() or path.is_symlink():
            check_identity(path, identity)
            state, size, sha256 = read_checkpoint(path, trainer)
            snapshots.restore(state.update)
        rows.restore(size, sha256)
    if state is not None:
        trainer.restore(state)
    folder.open_again()
    rows.truncate()


def stored_settings(folder: Path) -> Settings:
    """Return the settings of a run to be resumed, which must be those of its checkpoint."""
    settings = read_config(folder)
    path = folder / CHECKPOINT
    if path.exists():
        with _as_damage():
            check_identity(path, determining_settings(settings))
    return settings


@contextmanager
def _as_damage() -> Iterator[None]:
    try:
        yield
    except MismatchError:
        raise
    except RunError as error:
        raise DamageError(str(error)) from error


def environment() -> dict[str, str | int | None]:
    """Return what can change the last digits of results, and times: software, BLAS, processor and system."""
    blas = {
        " ".join(str(pool.get(key, "")) for key in ("internal_api", "version", "architecture")).strip()
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    return {
        "netlearn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "blas": ", ".join(sorted(blas)),
        "blas_threads": BLAS_THREADS,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
