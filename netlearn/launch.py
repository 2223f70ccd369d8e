"""One run: from settings to a trained network and a folder that tells all about it.

The seed feeds two streams, one for the initial weights and one for the shuffling, so runs that share seed and sizes
start from identical weights and see identical mini-batches, whatever else they differ in.
"""

import os
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from netlearn import __version__
from netlearn.activations import Array
from netlearn.checkpoints import identify
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError, NetlearnError, RunError, SettingsError
from netlearn.history import check_maker
from netlearn.metrics import read_metrics
from netlearn.network import Network
from netlearn.numerics import BLAS_THREADS
from netlearn.runs import BEST, CURVES, METRICS, WEIGHTS, RunFolder, Summary
from netlearn.settings import Settings
from netlearn.slowdown import Record
from netlearn.training import Trainer


def make_trainer(settings: Settings, data: Dataset) -> Trainer:
    """Return a trainer, with a new network, for settings whose learning rate is filled in.

    Raises:
        SettingsError: the mini-batch is larger than the training set, or no network can have these settings.
        CostError: the user's own cost cannot be loaded or fails its gradient check.
    """
    if settings.learning_rate is None:
        raise SettingsError("learning_rate: settings that come from `resolve` have one")
    if settings.batch_size > len(data.train):
        raise SettingsError(
            f"batch_size {settings.batch_size}: allowed is 1 to {len(data.train)}, "
            f"the training examples of {data.name}"
        )
    sizes = [data.train.x.shape[1], *settings.hidden, data.outputs]
    weights_seed, shuffling_seed = np.random.SeedSequence(settings.seed).spawn(2)
    try:
        network = Network(
            sizes,
            cost=settings.cost,
            activation=settings.activation,
            initializer=settings.initializer,
            rng=np.random.default_rng(weights_seed),
            dtype=settings.dtype,
        )
    except MemoryError as error:
        raise SettingsError(f"hidden {list(settings.hidden)}: a network {sizes} does not fit in memory") from error
    return Trainer(
        network,
        data,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        rng=np.random.default_rng(shuffling_seed),
        l2=settings.l2,
        patience=settings.patience,
        probe_every=settings.probe_every,
        track_test=settings.track_test,
    )


def resume(
    settings: Settings, trainer: Trainer, folder: RunFolder, on_record: Callable[[Record], object] | None = None
) -> Summary:
    """Train on from where the run in a folder stands, with settings that differ in their epochs at most.

    The end is that of a run that was never interrupted, to the byte.

    Raises:
        DivergenceError: after the folder was completed.
        RunError: the checkpoint is not one of such a run, a newer netlearn was here, or the folder cannot be written.
    """
    with folder.alone():
        check_maker(folder.path)
        folder.go_back_to_checkpoint(trainer, identify(settings, trainer.data))
        return _run(settings, trainer, folder, on_record)


def run(
    settings: Settings, trainer: Trainer, folder: RunFolder, on_record: Callable[[Record], object] | None = None
) -> Summary:
    """Train, and write everything that the run folder holds.

    Whatever ends the training, what was recorded until then is kept, and a checkpoint to go on from.

    Raises:
        DivergenceError: after the folder was completed.
        RunError: the folder cannot be written.
    """
    with folder.alone():
        return _run(settings, trainer, folder, on_record)


def _run(
    settings: Settings, trainer: Trainer, folder: RunFolder, on_record: Callable[[Record], object] | None
) -> Summary:
    begun = perf_counter()
    folder.write_settings(settings)
    identity = identify(settings, trainer.data)
    trainer.on_checkpoint = lambda state: folder.write_checkpoint(state, identity)
    error = None
    network = trainer.network
    try:
        for record in trainer:
            folder.write_record(record)
            if on_record is not None:
                on_record(record)
    except DivergenceError as divergence:
        error = divergence
    except BaseException:
        with suppress(RunError):  # what was learned is kept where it can be; the first error is the one to tell
            folder.write_weights(WEIGHTS, network.weights, network.biases)
        raise
    folder.write_weights(WEIGHTS, network.weights, network.biases)
    if settings.patience is not None and trainer.best is not None:
        trainer.restore_best()
        folder.write_weights(BEST, network.weights, network.biases)
    folder.write_samples(trainer.probe.samples)
    metrics = read_metrics(folder.path / METRICS)
    summary = _summarize(settings, trainer, metrics, error, begun)
    if metrics:
        _write_curves(folder, settings, trainer, metrics)
    folder.write_summary(summary)  # last: a folder with a summary is complete
    if error is not None:
        raise DivergenceError(f"{error}; what was recorded is in {folder.path}") from error
    return summary


def _write_curves(folder: RunFolder, settings: Settings, trainer: Trainer, metrics: dict[str, Array]) -> None:
    from netlearn.plotting.run import curves  # noqa: PLC0415 (matplotlib takes 0.4 s to import; nothing before needs it)
    from netlearn.plotting.style import render  # noqa: PLC0415

    sizes = "-".join(map(str, trainer.network.sizes))
    data = Path(trainer.data.name).name
    title = f"{settings.cost}, {sizes}, η = {settings.learning_rate:g}, λ = {settings.l2:g}, {data}"
    figure = curves(metrics, trainer.updates_per_epoch, title, len(trainer.data.train))
    for name in CURVES:
        folder.write(name, render(figure, Path(name).suffix[1:]))


def _summarize(
    settings: Settings, trainer: Trainer, metrics: dict[str, Array], error: NetlearnError | None, begun: float
) -> Summary:
    epochs = trainer.update / trainer.updates_per_epoch
    train_cost = train_accuracy = test_cost = test_accuracy = None
    recall: tuple[float | None, ...] = ()
    if error is None:
        train_cost, train_accuracy = trainer.probe.evaluate(trainer.data.train)
        test_cost, test_accuracy = trainer.probe.evaluate(trainer.data.test)
        recall = trainer.probe.recall(trainer.data.test)
        ended = "stopped early" if trainer.out_of_patience() else "interrupted"
        status = "finished" if epochs == settings.epochs else ended
    return Summary(
        status="diverged" if error else status,
        error=str(error) if error else None,
        updates=trainer.update,
        epochs=epochs,
        best_epoch=trainer.best.epoch if trainer.best else None,
        best_validation_accuracy=trainer.best.accuracy if trainer.best else None,
        validation_accuracy=float(metrics["validation_accuracy"][-1]) if metrics else None,
        train_cost=train_cost,
        train_accuracy=train_accuracy,
        test_cost=test_cost,
        test_accuracy=test_accuracy,
        recall=recall,
        seed=settings.seed,
        sizes=trainer.network.sizes,
        initial_weights_sha256=trainer.start_sha256,
        mini_batches_sha256=trainer.shuffling.sha256.hex(),
        data=_describe(trainer.data),
        environment=environment(),
        training_seconds=round(trainer.seconds, 3),
        total_seconds=round(perf_counter() - begun, 3),
    )


def _describe(data: Dataset) -> dict[str, Any]:
    counts = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    return {"name": data.name, "where": data.where, "note": data.note, **counts, "sha256": data.sha256}


def environment() -> dict[str, Any]:
    """Return the part of the machine that can change a result's last digits, or its time."""
    blas: dict[str, Any] = next((pool for pool in threadpool_info() if pool["user_api"] == "blas"), {})
    return {
        "netlearn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": " ".join(str(blas.get(key, "")) for key in ("internal_api", "version", "architecture")).strip(),
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
