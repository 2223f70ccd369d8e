"""The runs of an experiment, as tasks for parallel worker processes.

A run is a pure function of its settings, so the results do not depend on where and in which order runs are trained.
"""

import itertools
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TypeAlias

import msgspec

from netlearn.comparison.data import Load, load_once
from netlearn.comparison.experiment import Experiment, folder_name
from netlearn.comparison.pool import Workers
from netlearn.custom_cost import NamedCosts
from netlearn.errors import DamageError, DataError, DivergenceError, MismatchError, NetlearnError, RunError
from netlearn.runs import CHECKPOINT, CONFIG, SUMS, Run, RunFolder, data_identity, epochs_recorded, read_run
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import stored_settings, train_run
from netlearn.settings import Settings
from netlearn.training import Trainer

Stopping: TypeAlias = Callable[[Trainer], AbstractContextManager[object]]
MOST_LOOKED_AT = 200  # runs in progress


@dataclass(frozen=True)
class Task:
    """One run of an experiment, as plain data.

    Attributes:
        variant: its name in the experiment.
        settings: of the run, with the name of the data set.
        data: the identity of the data set: a run on other data is not this one.
        folder: of the run.
        costs: the users' own costs that were given as objects, which stay in this process.
    """

    variant: str
    settings: Settings
    data: tuple[str, ...]
    folder: Path
    costs: NamedCosts = field(default_factory=dict, compare=False)

    def has_settings(self, stored: Settings) -> bool:
        """Return whether settings are those of the task, except that the data may have been moved."""
        return msgspec.structs.replace(stored, data=self.settings.data) == self.settings

    def is_result(self, run: Run) -> bool:
        """Return whether a run has the settings and the data of the task."""
        return run.data == self.data and self.has_settings(run.settings)


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of a task.

    Attributes:
        problem: why its run has no result.
        note: for the user.
        of_machine: whether the problem is one of the machine, which another one may not have: its disk or its memory.
    """

    problem: str | None = None
    note: str | None = None
    of_machine: bool = False


def tasks_of(experiment: Experiment, folder: Path) -> list[Task]:
    """Return the runs of an experiment, seed by seed."""
    return [
        task_of(
            experiment, name, msgspec.structs.replace(settings, seed=seed), folder / f"{folder_name(name)}-{seed}"
        )
        for seed in experiment.seeds
        for name, settings in experiment.variants.items()
    ]


def task_of(experiment: Experiment, variant: str, settings: Settings, folder: Path) -> Task:
    """Return one run of an experiment."""
    data = experiment.data_sha256.get(settings.data, (settings.data,))
    return Task(variant, settings, data, folder, experiment.costs)


@contextmanager
def _stopping_when_terminated(trainer: Trainer) -> Iterator[None]:
    """Let SIGTERM stop the trainer, with a checkpoint, before it does what it would have done."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield
        return
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        trainer.stop()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if received:
            signal.raise_signal(signal.SIGTERM)


def perform(task: Task, load: Load = load_once, stopping: Stopping = _stopping_when_terminated) -> Outcome:
    """Train or resume one run, in any process; whatever fails is text in the outcome.

    Args:
        task: the run.
        load: returns its data set, given the name.
        stopping: returns a context for the training in which the trainer can be stopped.
    """
    try:
        return Outcome(note=_perform(task, load, stopping))
    except DivergenceError:
        return Outcome()  # the run folder says so
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) and multiprocessing.parent_process() is None:
            raise  # of the user; workers get none
        of_machine = isinstance(error, RunError | DataError | OSError | MemoryError)
        return Outcome(_problem(error, task), of_machine=of_machine and not isinstance(error, MismatchError))


def _problem(error: BaseException, task: Task) -> str:
    """Return in words why a run failed."""
    if isinstance(error, MismatchError):
        return f"{error}; it was left unchanged: move {task.folder} away and resume"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, KeyboardInterrupt):
        return f"cost {task.settings.cost!r}: fails when called: KeyboardInterrupt"
    return str(error) if isinstance(error, NetlearnError) else f"{type(error).__name__}: {error}"


def _perform(task: Task, load: Load, stopping: Stopping) -> str | None:
    """Train or resume a run; return a note for the user, if any."""
    data = load(task.settings.data)
    if data_identity(data.name, data.sha256) != task.data:
        raise DataError(f"data {data.name}: was changed while the comparison was in progress")
    if task.folder.is_symlink():
        raise RunError(f"{task.folder}: must not be a link; the runs of a comparison must be in its folder")
    trainer = make_trainer(task.settings, data, costs=task.costs)
    with stopping(trainer), RunFolder.open(task.folder) as folder:
        if not (task.folder / CONFIG).exists():
            had_files = folder.remove_files()
            train_run(task.settings, trainer, folder)
            return f"{task.folder}: was trained again from the start: it had no {CONFIG}" if had_files else None
        if _holds_another(task):
            raise MismatchError(f"{task.folder}: holds a run with other settings")
        notes: list[str] = []
        try:
            train_run(task.settings, trainer, folder, resumed=True, on_note=notes.append)
        except DamageError as error:
            folder.remove_files()
            train_run(task.settings, trainer, folder)
            return f"{task.folder}: was trained again from the start, since it could not be resumed: {error}"
    return "; ".join(notes) or None


def _holds_another(task: Task) -> bool:
    """Return whether a folder holds a run with other settings, rather than the task's with a damaged config.toml."""
    try:
        stored = stored_settings(task.folder)
    except RunError:
        return False
    has_run = (task.folder / CHECKPOINT).exists() or (task.folder / SUMS).exists()
    return has_run and not task.has_settings(stored)


def perform_all(
    tasks: Sequence[Task],
    workers: Workers,
    on_progress: Callable[[float, int], object] = lambda epochs, runs: None,
    on_note: Callable[[str], object] = lambda note: None,
    *,
    note_failures: bool = True,
) -> list[Run]:
    """Train the runs that are not complete yet, and read the folders of all.

    Args:
        tasks: the runs, begun in this order.
        workers: train them.
        on_progress: called with the epochs done so far, and with the number of runs that have ended.
        on_note: called with notes for the user.
        note_failures: whether a run that fails or diverges is one, as soon as it does.
    """
    pending = {task.folder: task for task in tasks if not is_done(task)}
    runs = {task.folder: _result(task, Outcome()) for task in tasks if task.folder not in pending}
    epochs_ended = sum(run.settings.epochs for run in runs.values())

    def report_progress() -> None:
        begun = itertools.takewhile(Path.exists, itertools.islice(pending, MOST_LOOKED_AT))
        on_progress(epochs_ended + sum(map(epochs_recorded, begun)), len(runs))

    def on_result(task: Task, outcome: Outcome | None) -> None:
        nonlocal epochs_ended
        epochs_ended += task.settings.epochs  # however early it ended: none are left
        runs[task.folder] = run = _result(pending.pop(task.folder), outcome)
        if outcome is not None and outcome.note is not None:
            on_note(outcome.note)
        if note_failures and run.shortfall is not None:
            on_note(f"{run.variant}, seed {run.settings.seed}: {run.shortfall}")

    report_progress()
    workers.map(perform, list(pending.values()), report_progress, on_result)
    return [runs[task.folder] for task in tasks]


def _result(task: Task, outcome: Outcome | None) -> Run:
    """Return the run in the folder of a task, or a failed one; the outcome is None if its worker died."""
    problem = "its worker process died whenever it was trained" if outcome is None else outcome.problem
    if problem is None:
        try:
            found = read_run(task.folder, task.variant)
        except NetlearnError as error:
            problem = str(error)
        else:
            if task.is_result(found):
                return found
            problem = f"{task.folder}: holds a run with other settings or data"
    return Run(task.variant, task.folder, task.settings, None, {}, " ".join(problem.split()))


def is_done(task: Task) -> bool:
    """Return whether the folder of a task holds its run, complete and intact."""
    if task.folder.is_symlink():
        return False
    try:
        done = read_run(task.folder, task.variant)
    except NetlearnError:
        return False
    return task.is_result(done) and done.is_complete()
