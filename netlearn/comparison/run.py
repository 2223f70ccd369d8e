"""One run: from settings to a trained network and its run folder."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

from netlearn.comparison.curves import curves_files
from netlearn.comparison.environment import environment
from netlearn.comparison.resumption import identity_of, restore
from netlearn.datasets import measure
from netlearn.errors import DivergenceError, RunError
from netlearn.numerics import Array
from netlearn.runs import (
    RunFolder,
    Summary,
    checkpoint,
    config,
    metrics,
    output_neurons,
    snapshots,
    summary,
    weights,
)
from netlearn.settings import Settings, write_toml
from netlearn.slowdown import Record
from netlearn.text import printable
from netlearn.training import State, Trainer


def run(
    settings: Settings,
    trainer: Trainer,
    folder: RunFolder,
    on_record: Callable[[Record], object] = lambda record: None,
    *,
    resumed: bool = False,
    draw: bool = True,
) -> Summary:
    """Train, and write everything that a run folder holds, with or without the learning curves.

    However the training ends, everything recorded so far is kept, with a checkpoint to resume from. A resumed run may
    have more epochs than before; its results are the same to the byte as without the interruption.

    Raises:
        DivergenceError: after the folder was completed.
        MismatchError: the folder holds a run with other settings, data or initial weights, and was not changed.
        DamageError: the checkpoint or the metrics of the run are damaged; the folder was not changed.
        CostError: the user's own cost raised an error.
        RunError: the folder cannot be written.
    """
    begun = perf_counter()
    per_epoch = trainer.schedule.updates_per_epoch if settings.snapshots else 0
    rows, taken = (
        metrics.MetricsWriter(folder.path),
        snapshots.SnapshotWriter(folder.path, trainer.network, per_epoch),
    )
    identity = identity_of(settings, trainer)
    if resumed:
        restore(trainer, folder, identity, rows, taken)
    folder.write(config.NAME, write_toml(settings))

    def save(state: State) -> None:
        rows.flush()
        taken.write()
        folder.write(checkpoint.NAME, checkpoint.encode(state, identity, rows.size, rows.sha256))

    trainer.on_checkpoint = save
    divergence = None
    try:
        for record in trainer:
            rows.write(record)
            taken.look(record.update)
            on_record(record)
    except DivergenceError as error:
        divergence = error
    except BaseException:
        with suppress(RunError):  # keep the weights if possible; the first error is the one to report
            folder.write(weights.LAST, weights.encode(trainer.network))
        raise
    folder.write(weights.LAST, weights.encode(trainer.network))
    if settings.patience != "off" and trainer.patience.best is not None:
        trainer.restore_best()
        folder.write(weights.BEST, weights.encode(trainer.network))
    taken.write()
    folder.write(output_neurons.NAME, output_neurons.encode(trainer.probe.samples))
    columns = rows.read() if rows.size else {}
    results = _summarize(settings, trainer, columns, divergence, begun)
    if draw and columns:
        for name, content in curves_files(settings, results, columns).items():
            folder.write(name, content)
    folder.write(summary.NAME, summary.encode(results))
    folder.finish()
    if divergence is not None:
        raise DivergenceError(f"{divergence}; the records until then are in {folder.path}") from divergence
    return results


def _summarize(
    settings: Settings, trainer: Trainer, columns: dict[str, Array], divergence: DivergenceError | None, begun: float
) -> Summary:
    epochs = trainer.update / trainer.schedule.updates_per_epoch
    train = test = None
    status: summary.Status = "diverged"
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
        data=summary.DataSummary(
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
