"""What a person sees on the way, all of it on stderr: notes, and a bar on a terminal or plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

from netlearn.training import Record, Trainer


def note(text: str) -> None:
    """Tell something that is not a result."""
    click.echo(text, err=True)


def percent(share: float | None) -> str:
    """Return a share as a percentage, such as "95.49 %"."""
    return "none" if share is None else f"{100 * share:.2f} %"


def download_bar(file: str) -> "tqdm[Any]":
    """Return the bar of one file's download, shown on a terminal only."""
    return tqdm(desc=file, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty())


@contextmanager
def training_progress(trainer: Trainer) -> Iterator[Callable[[Record], None]]:
    """Show how far a trainer is: yields what to call with each record."""
    if not sys.stderr.isatty():
        yield lambda record: _tell_epoch(trainer, record)
        return
    with tqdm(total=trainer.epochs * trainer.updates_per_epoch, unit=" updates", unit_scale=True) as bar:
        trainer.on_update = bar.update

        def show(record: Record) -> None:
            bar.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
            bar.set_postfix_str(_figures(record))

        yield show


def _tell_epoch(trainer: Trainer, record: Record) -> None:
    if record.update and record.update % trainer.updates_per_epoch == 0:
        note(f"epoch {record.epoch:.0f}/{trainer.epochs}  {_figures(record)}  {record.seconds:.1f} s")


def _figures(record: Record) -> str:
    return f"cost {record.train_cost:.4f}, validation accuracy {percent(record.validation_accuracy)}"
