"""What goes to stderr: notes, with bars on a terminal and plain lines elsewhere, or nothing with --quiet."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from tqdm import tqdm

from netlearn import datasets
from netlearn.cli.terminal import QUIETLY, asked, echo
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.findings import percent
from netlearn.comparison.shard import Shard
from netlearn.datasets import Dataset
from netlearn.runs.selection import MOST_SHOWN
from netlearn.slowdown import Record
from netlearn.text import counted, separator
from netlearn.training import Trainer

TRAINING_BAR = "{l_bar}{bar}| {remaining} left{postfix}"
BAR, NARROW_BAR = "{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}]", "{l_bar}{bar}| {remaining} left"
MOST_LINES = 25  # of progress, where there is no terminal
NARROW = 78  # columns: where fewer, a bar leaves out figures rather than shrinks


def note(text: str) -> None:
    """Print a note to stderr, if possible, above the progress bars."""
    with suppress(OSError), tqdm.external_write_mode(sys.stderr):
        echo(text, err=True)


def tell(text: str) -> None:
    """Print a note, unless the command was asked to be quiet."""
    if not asked(QUIETLY):
        note(text)


def bar(**given: Any) -> "tqdm[Any]":
    """Return a progress bar, which is shown only on a terminal, and not where the command was asked to be quiet."""
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()  # it may be closed
    tqdm.monitor_interval = 0  # its thread would refresh bars that stand still, and may not be allowed
    return tqdm(disable=not on_a_terminal or asked(QUIETLY), **given)


def _is_narrow() -> bool:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns < NARROW
    except (AttributeError, OSError, ValueError):  # it is no terminal
        return False


def load(name: str) -> Dataset:
    """Load a data set and show its download."""
    return datasets.load(name, download_bar)


def load_and_tell(name: str) -> Dataset:
    """Load a data set as `load` does, and print which one it is."""
    data = load(name)
    tell_data(data)
    return data


def tell_data(data: Dataset) -> None:
    """Print which data set is used, and its note."""
    counts = ", ".join(
        f"{len(examples):,} {part}"
        for part, examples in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    tell(f"data: {data.name} ({counts} examples){'' if data.where == data.name else f' from {data.where}'}")
    if data.note:
        tell(f"      {data.note}")


def download_bar(file: str) -> "tqdm[Any]":
    """Return a progress bar for the download of a file."""
    return bar(desc=file, unit="B", unit_scale=True, leave=False)


@contextmanager
def training_progress(trainer: Trainer) -> Iterator[Callable[[Record], None]]:
    """Show the progress of a trainer; yields a function to call with each record."""
    narrow = _is_narrow()
    with updates_bar(trainer, bar_format=TRAINING_BAR) as updates:

        def show(record: Record) -> None:
            accuracy = percent(record.validation_accuracy)
            if not updates.disable:
                updates.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
                updates.set_postfix_str(accuracy if narrow else f"cost {record.train_cost:.4f}, accuracy {accuracy}")
            elif trainer.schedule.epoch_ends(record.update):
                figures = f"cost {record.train_cost:.4f}, validation accuracy {accuracy}"
                tell(f"epoch {record.epoch:.0f}/{trainer.epochs}  {figures}  {record.seconds:.1f} s")

        yield show


@contextmanager
def updates_bar(trainer: Trainer, **given: Any) -> Iterator["tqdm[Any]"]:
    """Show the updates of a trainer in a progress bar."""
    with bar(total=trainer.schedule.last, unit=" updates", **given) as updates:
        trainer.on_progress = lambda: updates.update(trainer.update - updates.n)  # a resumed run does not start at 0
        yield updates


@contextmanager
def comparison_progress(plan: Experiment, shard: Shard | None = None) -> Iterator[Callable[[float, int], None]]:
    """Show the progress of an experiment, or a shard; yields a function of the epochs and the runs completed."""
    planned = [settings.epochs for _ in plan.seeds for settings in plan.variants.values()]
    mine = planned if shard is None else shard.of(planned)
    runs, epochs = len(mine), sum(mine)
    few = len(plan.variants) <= MOST_SHOWN
    mark = separator(plan.variants if few else ())
    names = mark.join(plan.variants) if few else f"{len(plan.variants):,} variants"
    part = f"; shard {shard} has {runs:,} of them" if shard else ""
    tell(f"runs: {len(planned):,}{mark}{names} from {counted(len(plan.seeds), 'seed')} each{part}")
    noted, every = 0, -(-runs // MOST_LINES) or 1
    begun: tuple[float, float] | None = None
    layout = NARROW_BAR if _is_narrow() else BAR
    with bar(total=epochs, unit=" epochs", bar_format=layout) as shown:

        def show(done: float, ended: int) -> None:
            nonlocal noted, begun
            text = f"{ended} of {runs} runs complete"
            if begun is None:
                begun = monotonic(), done
                shown.initial, noted = done, ended  # of a comparison that is resumed
            if not shown.disable:
                shown.n = done
                shown.set_description(text)
            elif ended // every > noted // every or noted < ended == runs:
                noted = ended
                seconds, new = monotonic() - begun[0], done - begun[1]
                left = tqdm.format_interval(seconds * (epochs - done) / new) if new else "?"
                tell(text if ended == runs else f"{text}, {left} left")

        yield show
