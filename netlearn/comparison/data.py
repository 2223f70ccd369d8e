"""The data sets of an experiment: loaded once, checked, and shared with the workers."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import msgspec

from netlearn import datasets
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.pool import Workers
from netlearn.datasets import Dataset
from netlearn.errors import DataError
from netlearn.runs import data_identity
from netlearn.runs.setup import OnVerified, check_settings, checked_cost

Load: TypeAlias = Callable[[str], Dataset]


def load_data(
    experiment: Experiment, load: Load, workers: Workers, on_verified: OnVerified = lambda text: None
) -> Experiment:
    """Load each data set once, while the workers start, and check that every variant fits its data set.

    Returns the experiment with "auto" replaced by the name of the set found, and with the hashes of the sets, so that
    all workers use the same data, now and after resuming. `on_verified` is called with a line on the gradient check
    of each cost of the user's own.

    Raises:
        WorkerError: a worker process cannot be started.
        DataError: a data set is not the one that the experiment was begun with.
        NetlearnError: a data set is not available, or a variant does not fit it.
    """
    workers.start(len(experiment.seeds) * len(experiment.variants))
    found = {name: load(name) for name in sorted({settings.data for settings in experiment.variants.values()})}
    known = experiment.data_sha256
    for name, data in found.items():
        if known and data_identity(data.name, data.sha256) not in (
            [known[name]] if name in known else known.values()
        ):
            raise DataError(f"data {name}: its files must be those of the start of the comparison (by SHA-256)")
    variants, costs = {}, {}
    for name, settings in experiment.variants.items():
        data = found[settings.data]
        check_settings(settings, data)
        costs[settings.cost, settings.data, settings.dtype, settings.batch_size] = settings, data
        variants[name] = msgspec.structs.replace(settings, data=data.name)
    verified: dict[str, None] = {}
    for settings, data in costs.values():
        checked_cost(settings, data, experiment.costs, verified.setdefault)
    for text in verified:
        on_verified(text)
    hashes = {data.name: data_identity(data.name, data.sha256) for data in found.values()}
    for data in found.values():
        _ = data.train_sha256, data.appearance  # computed once, while the workers start
    workers.hold([*found.values()])
    return replace(experiment, variants=variants, data_sha256=hashes)


@lru_cache(maxsize=2)
def load_once(name: str) -> Dataset:
    """Load a data set, once in a process."""
    return datasets.load(name)
