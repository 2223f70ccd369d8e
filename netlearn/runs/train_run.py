"""One run: from settings to a trained network and its run folder, and from where it was interrupted on."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

from netlearn.calibration import calibration_error
from netlearn.errors import DamageError, DivergenceError, MismatchError, RunError
from netlearn.numerics import Array, blas_kernels
from netlearn.runs.checkpoint import CHECKPOINT, check_identity, encode_checkpoint, read_checkpoint
from netlearn.runs.folder import EXTENSION, RunFolder
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
from netlearn.runs.reader import determining_settings, read_run, run_identity
from netlearn.runs.setup import environment
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
    settings: Settings, trainer: Trainer, folder: RunFolder,
    on_record: Callable[[Record], object] = lambda record: None, *,
    resumed: bool = False, draw: Draw | None = None, on_note: Callable[[str], object] = lambda note: None,
) -> Summary:  # fmt: skip
    """Train, and write everything that a run folder holds.

    However the training ends, everything recorded so far is kept, with a checkpoint to resume from. A resumed run may
    have more epochs than before; its results are the same to the byte as without the interruption. A complete run
    stays as it is until the longer one is complete.

    `trainer` is that of `make_trainer`; `folder`, if `resumed`, holds the run to be continued. `on_record` is called
    with each record, `on_note` with notes for the user. `draw` returns pictures by the names of their files, given
    the settings, the results and the columns of metrics.csv.

    Raises:
        DivergenceError: after the folder was completed.
        MismatchError: the folder holds a run with other settings, data or initial weights, and was not changed.
        DamageError: the checkpoint or the metrics of the run are damaged; the folder was not changed.
        CostError: the user's own cost raised an error.
        RunError: the folder cannot be written.
    """
    train = partial(_train, settings, trainer, on_record, draw, on_note)
    if not resumed or not _is_extended(folder.path, settings):
        results = train(folder, resumed=resumed)
    else:
        if (folder.path / CHECKPOINT).exists():
            check_identity(folder.path / CHECKPOINT, checkpoint_identity(settings, trainer))
        extension = folder.extension(anew=(epochs_begun(folder.path) or 0) > settings.epochs)
        try:
            results = train(extension, resumed=True)
        except DamageError:
            extension = folder.extension(anew=True)
            results = train(extension, resumed=True)
        if results.status != "interrupted":
            folder.adopt(extension)
    if results.error is not None:
        raise DivergenceError(f"{results.error}; the records until then are in {folder.path}")
    return results


def _train(
    settings: Settings, trainer: Trainer, on_record: Callable[[Record], object], draw: Draw | None,
    on_note: Callable[[str], object], folder: RunFolder, *, resumed: bool,
) -> Summary:  # fmt: skip
    begun = perf_counter()
    per_epoch = trainer.schedule.updates_per_epoch if settings.snapshots else 0
    rows, snapshots = MetricsWriter(folder.path), SnapshotWriter(folder.path, trainer.network, per_epoch)
    identity = checkpoint_identity(settings, trainer)
    kernels = _restore(trainer, folder, identity, rows, snapshots) if resumed else []
    now = blas_kernels()
    if kernels and kernels[-1] != now:
        on_note(
            f"{folder.path}: was begun with other BLAS kernels ({kernels[-1]}) than it is resumed with ({now}): its "
            "last digits may differ from those of a run without interruption"
        )
    kernels = [*dict.fromkeys([*kernels, now])]
    folder.write(CONFIG, write_toml(settings))

    def save(state: State) -> None:
        rows.flush()
        snapshots.write()
        hashes = (rows.sha256, snapshots.sha256)
        folder.write(CHECKPOINT, encode_checkpoint(state, identity, rows.size, *hashes, tuple(kernels)))

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
    if settings.patience != "off" and trainer.improvement.best is not None:
        trainer.restore_best()
        folder.write(BEST_WEIGHTS, encode_weights(trainer.network))
    snapshots.write()
    folder.write(OUTPUT_NEURONS, encode_samples(trainer.probe.samples))
    columns = rows.read() if rows.size else {}
    results = _summarize(settings, trainer, columns, divergence, begun, kernels)
    for name, content in (draw(settings, results, columns) if draw and columns else {}).items():
        folder.write(name, content)
    folder.write(SUMMARY, encode_summary(results))
    folder.finish()
    return results


def _summarize(
    settings: Settings, trainer: Trainer, columns: dict[str, Array], divergence: DivergenceError | None, begun: float,
    kernels: Sequence[str],
) -> Summary:  # fmt: skip
    epochs = trainer.update / trainer.schedule.updates_per_epoch
    train = test = None
    status: Status = "diverged"
    if divergence is None:
        train, test = trainer.probe.evaluate(trainer.data.train), trainer.probe.evaluate(trainer.data.test)
        ended: Status = "stopped early" if trainer.ended_early() else "interrupted"
        status = "finished" if epochs == settings.epochs else ended
    data, best = trainer.data, trainer.improvement.best
    return Summary(
        status=status, error=str(divergence) if divergence else None, updates=trainer.update, epochs=epochs,
        best_epoch=best.epoch if best else None, best_validation_accuracy=best.accuracy if best else None,
        validation_accuracy=float(columns["validation_accuracy"][-1]) if columns else None,
        train_cost=train.cost if train else None, train_accuracy=train.accuracy if train else None,
        test_cost=test.cost if test else None, test_accuracy=test.accuracy if test else None,
        recall=test.recall if test else (), seed=settings.seed, sizes=trainer.network.sizes,
        calibration_error=calibration_error(test.confidence, test.correct) if test else None,
        initial_weights_sha256=trainer.initial_sha256,
        mini_batches_sha256=_with_data(trainer, trainer.batches.sha256),
        shuffling_sha256=_with_data(trainer, trainer.batches.origin),
        data=DataSummary(
            name=data.name, where=printable(data.where), note=printable(data.note), train=len(data.train),
            validation=len(data.validation), test=len(data.test), sha256=dict(data.sha256),
            appearance=data.appearance, classes=data.classes,
        ),
        environment=environment() | {"blas": " → ".join(kernels)},
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
) -> list[str]:
    """Restore a trainer and the writers of its run from the checkpoint, or begin again if there is none.

    Return the BLAS kernels that it was trained with so far, if they are known. Afterwards the folder is that of an
    interrupted run; it is not changed if this fails.
    """
    path, kernels = folder.path / CHECKPOINT, list[str]()
    if path.exists() or path.is_symlink():
        with _as_damage():
            check_identity(path, identity)
            state, metadata = read_checkpoint(path, trainer)
            snapshots.restore(state.update, metadata.snapshots_sha256)
            rows.restore(metadata.metrics_bytes, metadata.metrics_sha256)
        trainer.restore(state)
        kernels += metadata.blas
    folder.open_again()
    rows.truncate()
    return kernels


def _is_extended(folder: Path, settings: Settings) -> bool:
    """Return whether a folder holds a complete run, of which the settings are a longer one."""
    try:
        done = read_run(folder)
    except RunError:
        return False
    return done.is_complete() and settings.epochs > done.settings.epochs


def epochs_begun(folder: Path) -> int | None:
    """Return the epochs to which a complete run was being trained further when that was interrupted, or None."""
    try:
        return read_config(folder / EXTENSION).epochs
    except RunError:
        return None


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
