"""Progress bars that suit where they are shown: in a notebook, on a terminal, or not at all in a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from netlearn import datasets
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.table import percent
from netlearn.datasets import Dataset
from netlearn.slowdown import Record
from netlearn.training import Trainer


def bar(*, shown: bool, **given: Any) -> Any:
    """Return a progress bar of tqdm; a script whose stderr is not a terminal gets none."""
    from tqdm.auto import tqdm  # noqa: PLC0415 (in a notebook it imports ipywidgets)

    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    return tqdm(disable=(False if in_notebook else None) if shown else True, **given)


def load_data(name: str, *, shown: bool) -> Dataset:
    """Load a data set, with a bar for each file that is downloaded."""
    return datasets.load(name, lambda file: bar(shown=shown, desc=file, unit="B", unit_scale=True, leave=False))


@contextmanager
def training_bar(trainer: Trainer, *, shown: bool) -> Iterator[Callable[[Record], None]]:
    """Show a bar of updates; yield a function to call with each record."""
    with bar(shown=shown, total=trainer.schedule.last, unit=" updates") as updates:
        trainer.on_progress = lambda: updates.update(trainer.update - updates.n)

        def show(record: Record) -> None:
            updates.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
            updates.set_postfix_str(f"validation accuracy {percent(record.validation_accuracy)}")

        yield show


@contextmanager
def comparison_bar(experiment: Experiment, *, shown: bool) -> Iterator[Callable[[float, int], None]]:
    """Show a bar of the epochs of all runs; yield a function of the epochs and the runs completed."""
    runs = len(experiment.seeds) * len(experiment.variants)
    total = len(experiment.seeds) * sum(settings.epochs for settings in experiment.variants.values())
    with bar(shown=shown, total=total, unit=" epochs", bar_format="{l_bar}{bar}| {n:.1f}/{total} epochs") as epochs:

        def show(completed: float, done: int) -> None:
            epochs.set_description(f"{done} of {runs} runs complete", refresh=False)
            epochs.update(completed - epochs.n)

        yield show
