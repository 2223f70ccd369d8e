"""The runs of an experiment, done side by side in worker processes.

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
from netlearn.experiment import Experiment, folder_name
from netlearn.files import check_file
from netlearn.history import Run, is_whole, read_run, read_settings
from netlearn.launch import make_trainer, resume, run
from netlearn.runs import CONFIG, LONGEST_ROW, METRICS, MOST_METRICS, SUMMARY, RunFolder
from netlearn.settings import Settings
from netlearn.training import Trainer
from netlearn.workers import Workers

TUNING_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
TUNING_EPOCHS = 3


@dataclass(frozen=True)
class Task:
    """One run of an experiment."""

    variant: str
    settings: Settings
    folder: Path


def load_data(experiment: Experiment, load: Callable[[str], Dataset]) -> Experiment:
    """Load each data set once, and check that every variant can be trained on its own.

    Returns the experiment with "auto" replaced by what it found, so that every worker takes the same.

    Raises:
        NetlearnError: a data set cannot be had, or a variant does not fit it.
    """
    asked = {settings.data for settings in experiment.variants.values()}
    found = {name: load(name) for name in sorted(asked)}
    variants = {}
    for name, settings in experiment.variants.items():
        data = found[settings.data]
        variants[name] = msgspec.structs.replace(settings, data=data.name)
        make_trainer(variants[name], data.with_train_size(settings.train_size))
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
    """Let the end of a worker process be that of the mini-batch under way, with a checkpoint."""
    if threading.current_thread() is not threading.main_thread():  # signals are another's business
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: trainer.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def perform(task: Task) -> str | None:
    """Do one run, in whatever process, from where it stands; return what went wrong, or None."""
    try:
        trainer = make_trainer(task.settings, _data(task.settings.data).with_train_size(task.settings.train_size))
        if task.folder.is_symlink():
            return f"{task.folder}: is a link; the runs of a comparison lie in its folder"
        with _stopping_when_terminated(trainer):
            if not (task.folder / CONFIG).exists():
                run(task.settings, trainer, RunFolder(task.folder))
            elif read_settings(task.folder) == task.settings:
                resume(task.settings, trainer, RunFolder.existing(task.folder))
            else:
                return f"{task.folder}: holds a run with other settings; it was left as it is"
    except DivergenceError:
        return None  # the run folder tells of it
    except NetlearnError as error:
        return str(error)
    return None


def perform_all(
    tasks: Sequence[Task], workers: Workers, on_progress: Callable[[float, int], object] | None = None
) -> list[Run]:
    """Do the runs that are not done yet and read the folders of all.

    `on_progress` is told the epochs and the runs done so far.
    """

    def look() -> None:
        if on_progress is not None:
            epochs = [_epochs_done(task.folder) for task in tasks]
            on_progress(sum(epochs), sum((task.folder / SUMMARY).exists() for task in tasks))

    missing = [task for task in tasks if not is_done(task)]
    problems = dict(zip(missing, workers.map(perform, missing, look), strict=True))
    return [_result(task, problems.get(task), died=task in problems) for task in tasks]


def _result(task: Task, problem: str | None, *, died: bool) -> Run:
    """Return what a task left, or its problem; `died` tells what no problem and no end mean."""
    if problem is None:
        try:
            return read_run(task.folder, task.variant)
        except NetlearnError as error:
            problem = (
                "its worker process died, twice" if died and not (task.folder / SUMMARY).exists() else str(error)
            )
    return Run(task.variant, task.folder, task.settings, None, {}, problem)


def is_done(task: Task) -> bool:
    """Tell whether the folder of a task holds this run, with the same settings, complete."""
    if task.folder.is_symlink():
        return False
    try:
        run = read_run(task.folder, task.variant)
    except NetlearnError:
        return False
    return run.settings == task.settings and is_whole(run)


def _epochs_done(folder: Path) -> float:
    """Return the epochs that a run has recorded so far, from the last whole row of its metrics."""
    path = folder / METRICS
    try:
        check_file(path, MOST_METRICS)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LONGEST_ROW))
            *rows, _ = file.read(LONGEST_ROW).split(b"\n")
        return float(rows[-1].split(b",")[1])
    except (NetlearnError, OSError, ValueError, IndexError):
        return 0.0  # nothing yet, or nothing that can be read: the run itself will tell


def tune_rates(experiment: Experiment, folder: Path, workers: Workers) -> Experiment:
    """Choose each variant's learning rate on the validation set.

    A grid of 0.1 to 10 times its own is tried in short runs from the first seed; the rate with the best validation
    accuracy is taken, the smaller one of equals.
    """
    trials: dict[str, tuple[str, Settings]] = {}
    for name, settings in experiment.variants.items():
        for factor in TUNING_FACTORS:
            rate = float(f"{factor * (settings.learning_rate or 0):.3g}")
            short = msgspec.structs.replace(
                settings, learning_rate=rate, epochs=min(settings.epochs, TUNING_EPOCHS), seed=experiment.seeds[0]
            )
            trials[f"{folder_name(name)}-{rate:g}"] = (name, short)
    tasks = [Task(name, settings, folder / f"tuning-{trial}") for trial, (name, settings) in trials.items()]
    best: dict[str, tuple[float, float]] = {}
    for result in perform_all(tasks, workers):
        accuracy = result.summary.best_validation_accuracy if result.summary else None
        if accuracy is not None and accuracy > best.get(result.variant, (0.0, 0.0))[0]:
            best[result.variant] = (accuracy, result.settings.learning_rate or 0)
    variants = {
        name: msgspec.structs.replace(
            settings, learning_rate=best[name][1] if name in best else settings.learning_rate
        )
        for name, settings in experiment.variants.items()
    }
    return replace(experiment, variants=variants, tuning="done")
