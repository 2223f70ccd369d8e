"""The mistakes of each variant of a comparison."""

from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from netlearn import datasets
from netlearn.datasets import Dataset
from netlearn.errors import DataError, NetlearnError
from netlearn.inspection.evaluation import is_data_of, predict
from netlearn.inspection.trained import load_network
from netlearn.plotting.answers import Answer
from netlearn.runs import Groups, Run, selection

if TYPE_CHECKING:
    from netlearn.plotting.style import Figure

MOST_SHOWN = 10  # mistakes of a variant


def mistakes(groups: Groups, title: str, costs: Collection[str]) -> "Figure | None":
    """Return the worst mistakes on the test set of each variant's first seed, or None if none can be shown.

    A variant is left out if its first run has no trained network, or if its data is not on this machine, has changed
    since the run or has no images.

    Args:
        groups: the runs of each variant.
        title: of the picture.
        costs: the users' own costs whose code may be imported.
    """
    from netlearn.plotting.inspection import variant_mistakes  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.seeds import short  # noqa: PLC0415

    shown = selection.select(groups)
    load = lru_cache(load_present)
    rows = []
    for name, (first, *_) in shown.items():
        with suppress(NetlearnError):
            data = load(first.settings.data)
            if data.image is not None and is_data_of(first, data):
                count, worst = _worst(first, data, costs)
                heading = f"{short(name, shown)}, seed {first.settings.seed}: {count:,} of {len(data.test):,} wrong"
                rows.append((heading, worst, data.image))
    return variant_mistakes(rows, selection.titled(title, groups)) if rows else None


def load_present(name: str) -> Dataset:
    """Return a data set that is on this machine."""
    if not datasets.is_present(name):
        raise DataError(f"data {name}: not on this machine")
    return datasets.load(name)


def _worst(run: Run, data: Dataset, costs: Collection[str]) -> tuple[int, list[Answer]]:
    """Return the number of mistakes and the worst of them."""
    cost = run.settings.cost
    predictions = predict(load_network(run, cost=cost if cost in costs else None), data.test)
    return int((~predictions.correct).sum()), predictions.worst(MOST_SHOWN)
