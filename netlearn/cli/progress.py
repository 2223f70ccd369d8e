"""Progress, on stderr: notes, and a bar on a terminal or plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import click
from tqdm import tqdm

from netlearn.datasets import Dataset
from netlearn.experiments.experiment import Experiment
from netlearn.experiments.table import percent
from netlearn.slowdown import Record
from netlearn.training import Trainer

TRAINING_BAR = "{l_bar}{bar}| {remaining} left{postfix}"  # fits a terminal of 80 columns
BAR = "{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}]"


def note(text: str) -> None:
    """Print a note that is not a result; if it cannot be printed, continue."""
    with suppress(OSError):
        click.echo(text, err=True)


def on_a_terminal() -> bool:
    """Return whether stderr is a terminal; it may be closed."""
    return sys.stderr is not None and sys.stderr.isatty()


def note_data(data: Dataset) -> None:
    """Print which data set is used, and its note, if any."""
    counts = ", ".join(
        f"{len(examples):,} {part}"
        for part, examples in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    note(f"data: {data.name} ({counts} examples) from {data.where}")
    if data.note:
        note(f"      {data.note}")


def download_bar(file: str) -> "tqdm[Any]":
    """Return a progress bar for one file's download, shown on a terminal only."""
    return tqdm(desc=file, unit="B", unit_scale=True, leave=False, disable=not on_a_terminal())


@contextmanager
def training_progress(trainer: Trainer) -> Iterator[Callable[[Record], None]]:
    """Show the progress of a trainer; yield what to call with each record."""
    if not on_a_terminal():
        yield lambda record: _note_epoch(trainer, record)
        return
    with _updates_bar(trainer, bar_format=TRAINING_BAR) as bar:

        def show(record: Record) -> None:
            bar.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
            bar.set_postfix_str(f"cost {record.train_cost:.4f}, accuracy {percent(record.validation_accuracy)}")

        yield show


@contextmanager
def _updates_bar(trainer: Trainer, **given: Any) -> Iterator["tqdm[Any]"]:
    with tqdm(total=trainer.schedule.last, unit=" updates", disable=not on_a_terminal(), **given) as bar:
        trainer.on_progress = lambda: bar.update(trainer.update - bar.n)  # a resumed run does not start at 0
        yield bar


@contextmanager
def verification_progress() -> Iterator[Callable[[Trainer], None]]:
    """Show a bar of updates, on a terminal only; yield what to call with the trainer."""
    with ExitStack() as stack:

        def watch(trainer: Trainer) -> None:
            stack.enter_context(_updates_bar(trainer))

        yield watch


def _note_epoch(trainer: Trainer, record: Record) -> None:
    if trainer.schedule.epoch_ends(record.update):
        figures = f"cost {record.train_cost:.4f}, validation accuracy {percent(record.validation_accuracy)}"
        note(f"epoch {record.epoch:.0f}/{trainer.epochs}  {figures}  {record.seconds:.1f} s")


@contextmanager
def comparison_progress(plan: Experiment, *, quiet: bool) -> Iterator[Callable[[float, int], None]]:
    """Show the progress of all runs of an experiment; yield what to call with the epochs and the runs done."""
    runs = len(plan.seeds) * len(plan.variants)
    epochs = len(plan.seeds) * sum(settings.epochs for settings in plan.variants.values())
    if quiet:
        yield lambda epochs, done: None
        return
    note(f"runs: {runs}, {', '.join(plan.variants)} from {len(plan.seeds)} seeds each")
    if on_a_terminal():
        with tqdm(total=epochs, unit=" epochs", bar_format=BAR) as bar:

            def show(epochs: float, done: int) -> None:
                bar.n = epochs
                bar.set_description(f"{done} of {runs} runs done")

            yield show
        return
    noted = 0

    def show_done(epochs: float, done: int) -> None:
        nonlocal noted
        if done > noted:
            note(f"{done} of {runs} runs done")
        noted = done

    yield show_done
