"""The runs of an experiment, as tasks that worker processes do side by side.

A run is a pure function of its settings, so the results do not depend on where and in which order runs are done.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import msgspec

from netlearn import datasets
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError, NetlearnError
from netlearn.experiments.experiment import Experiment, folder_name
from netlearn.experiments.run import resume, run
from netlearn.experiments.setup import checked_cost, make_trainer
from netlearn.experiments.workers import Workers
from netlearn.runs import Run, RunFolder, config, metrics, read_run, sums
from netlearn.settings import Settings
from netlearn.training import Trainer

TUNING_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
TUNING_EPOCHS = 3


@dataclass(frozen=True)
class Task:
    """One run of an experiment."""

    variant: str
    settings: Settings
    folder: Path


def load_data(experiment: Experiment, load: Callable[[str], Dataset]) -> Experiment:
    """Load each data set once, and check that every variant fits its own.

    Returns the experiment with "auto" replaced by the set that was found, so that all workers take the same.

    Raises:
        NetlearnError: a data set is not available, or a variant does not fit it.
    """
    names = {settings.data for settings in experiment.variants.values()}
    found = {name: load(name) for name in sorted(names)}
    variants = {}
    for name, settings in experiment.variants.items():
        data = found[settings.data]
        checked_cost(settings, data)
        variants[name] = msgspec.structs.replace(settings, data=data.name)
    return replace(experiment, variants=variants)


def tasks_of(experiment: Experiment, folder: Path) -> list[Task]:
    """Return the runs of an experiment, seed by seed."""
    return [
        Task(name, msgspec.structs.replace(settings, seed=seed), folder / f"{folder_name(name)}-{seed}")
        for seed in experiment.seeds
        for name, settings in experiment.variants.items()
    ]


@lru_cache(maxsize=2)
def _data(name: str) -> Dataset:
    return datasets.load(name)


@contextmanager
def _stopping_when_terminated(trainer: Trainer) -> Iterator[None]:
    """Let SIGTERM stop the trainer, with a checkpoint, in a worker process."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: trainer.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def perform(task: Task) -> str | None:
    """Do one run, or resume it, in whatever process; return its problem, or None."""
    try:
        trainer = make_trainer(task.settings, _data(task.settings.data))
        if task.folder.is_symlink():
            return f"{task.folder}: is a link; the runs of a comparison must lie in its folder"
        with _stopping_when_terminated(trainer):
            if not (task.folder / config.NAME).exists():
                with RunFolder.create(task.folder) as folder:
                    run(task.settings, trainer, folder)
            else:
                with RunFolder.existing(task.folder) as folder:
                    if config.read(task.folder) != task.settings:
                        return f"{task.folder}: holds a run with other settings; it was left unchanged"
                    resume(task.settings, trainer, folder)
    except DivergenceError:
        return None  # the run folder says so
    except NetlearnError as error:
        return str(error)
    return None


def perform_all(
    tasks: Sequence[Task], workers: Workers, on_progress: Callable[[float, int], object] = lambda epochs, runs: None
) -> list[Run]:
    """Do the runs that are not done yet and read the folders of all.

    `on_progress` is called with the epochs and the runs done so far.
    """

    def look() -> None:
        epochs = [metrics.epochs_recorded(task.folder) for task in tasks]
        on_progress(sum(epochs), sum((task.folder / sums.NAME).exists() for task in tasks))

    missing = [task for task in tasks if not is_done(task)]
    problems = dict(zip(missing, workers.map(perform, missing, look), strict=True))
    return [_result(task, problems.get(task), tried=task in problems) for task in tasks]


def _result(task: Task, problem: str | None, *, tried: bool) -> Run:
    """Return the run in a task's folder, or one that failed with its problem."""
    if problem is None:
        try:
            return read_run(task.folder, task.variant)
        except NetlearnError as error:
            died = tried and not (task.folder / sums.NAME).exists()
            problem = "its worker process died, twice" if died else str(error)
    return Run(task.variant, task.folder, task.settings, None, {}, problem)


def is_done(task: Task) -> bool:
    """Return whether the folder of a task holds this run, with the same settings, complete."""
    if task.folder.is_symlink():
        return False
    try:
        done = read_run(task.folder, task.variant)
    except NetlearnError:
        return False
    return done.settings == task.settings and done.is_complete()


def tune_rates(experiment: Experiment, folder: Path, workers: Workers) -> Experiment:
    """Choose each variant's learning rate on the validation set.

    Short runs from the first seed try 0.1 to 10 times the variant's own rate. The one with the best validation
    accuracy is chosen, the smallest among equals.
    """
    trials: dict[str, tuple[str, Settings]] = {}
    for name, settings in experiment.variants.items():
        for factor in TUNING_FACTORS:
            rate = float(f"{factor * settings.learning_rate:.3g}")
            short = msgspec.structs.replace(
                settings,
                learning_rate=rate,
                epochs=min(settings.epochs, TUNING_EPOCHS),
                seed=experiment.seeds[0],
                snapshots=False,
            )
            trials[f"{folder_name(name)}-{rate:g}"] = (name, short)
    tasks = [Task(name, settings, folder / f"tuning-{trial}") for trial, (name, settings) in trials.items()]
    best: dict[str, tuple[float, float]] = {}
    for result in perform_all(tasks, workers):
        accuracy = result.summary.best_validation_accuracy if result.summary else None
        if accuracy is not None and accuracy > best.get(result.variant, (0.0, 0.0))[0]:
            best[result.variant] = (accuracy, result.settings.learning_rate)
    variants = {
        name: msgspec.structs.replace(
            settings, learning_rate=best[name][1] if name in best else settings.learning_rate
        )
        for name, settings in experiment.variants.items()
    }
    return replace(experiment, variants=variants, tuning="done")
