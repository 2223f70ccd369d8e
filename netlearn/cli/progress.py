"""What a person sees on the way, all of it on stderr: notes, and a bar on a terminal or plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
from tqdm import tqdm

from netlearn.datasets import Dataset
from netlearn.experiment import Experiment
from netlearn.slowdown import Record
from netlearn.training import Trainer

TRAINING_BAR = "{l_bar}{bar}| {remaining} left{postfix}"  # fits a terminal of 80 columns
BAR = "{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}]"


def note(text: str) -> None:
    """Tell something that is not a result; where nobody can hear it, the work goes on."""
    with suppress(OSError):
        click.echo(text, err=True)


def on_a_terminal() -> bool:
    """Tell whether a person is watching stderr; it may be closed."""
    return sys.stderr is not None and sys.stderr.isatty()


def tell_data(data: Dataset) -> None:
    """Tell which data set is used, and why where that might surprise."""
    counts = ", ".join(
        f"{len(examples):,} {part}"
        for part, examples in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    note(f"data: {data.name} ({counts} examples) from {data.where}")
    if data.note:
        note(f"      {data.note}")


def percent(share: float | None) -> str:
    """Return a share as a percentage, such as "95.49 %"."""
    return "none" if share is None else f"{100 * share:.2f} %"


def download_bar(file: str) -> "tqdm[Any]":
    """Return the bar of one file's download, shown on a terminal only."""
    return tqdm(desc=file, unit="B", unit_scale=True, leave=False, disable=not on_a_terminal())


@contextmanager
def training_progress(trainer: Trainer) -> Iterator[Callable[[Record], None]]:
    """Show how far a trainer is: yields what to call with each record."""
    if not on_a_terminal():
        yield lambda record: _tell_epoch(trainer, record)
        return
    with tqdm(total=trainer.epochs * trainer.updates_per_epoch, bar_format=TRAINING_BAR) as bar:
        trainer.on_update = lambda: bar.update(trainer.update - bar.n)  # a resumed run starts further on

        def show(record: Record) -> None:
            bar.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
            bar.set_postfix_str(f"cost {record.train_cost:.4f}, accuracy {percent(record.validation_accuracy)}")

        yield show


@contextmanager
def training_bar() -> Iterator[Callable[[Trainer], None]]:
    """Show a bar of updates, on a terminal only: yields what to call with the trainer."""
    with tqdm(unit=" updates", disable=not on_a_terminal()) as bar:

        def watch(trainer: Trainer) -> None:
            bar.reset(trainer.epochs * trainer.updates_per_epoch)
            trainer.on_update = bar.update

        yield watch


def _tell_epoch(trainer: Trainer, record: Record) -> None:
    if record.update and record.update % trainer.updates_per_epoch == 0:
        note(f"epoch {record.epoch:.0f}/{trainer.epochs}  {_figures(record)}  {record.seconds:.1f} s")


def _figures(record: Record) -> str:
    return f"cost {record.train_cost:.4f}, validation accuracy {percent(record.validation_accuracy)}"


@contextmanager
def comparison_progress(plan: Experiment, *, quiet: bool) -> Iterator[Callable[[float, int], None]]:
    """Show how far all runs of an experiment are: yields what to call with the epochs and the runs done."""
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
    told = 0

    def tell(epochs: float, done: int) -> None:
        nonlocal told
        if done > told:
            note(f"{done} of {runs} runs done")
        told = done

    yield tell
