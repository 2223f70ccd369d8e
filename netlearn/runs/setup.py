"""Setting up a run: its initial network, its trainer and its environment, after checks of its settings and data.

The seed gives separate random streams for the initial weights, the shuffling, dropout and augmentation. Runs
with the same seed and sizes therefore start from identical weights and see identical mini-batches, however else they
differ.
"""

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np
import scipy

from netlearn import __version__
from netlearn.activations import ACTIVATIONS, HiddenActivation
from netlearn.costs import Cost
from netlearn.custom_cost import NO_COSTS, NamedCosts, is_own, load_cost
from netlearn.datasets import Dataset
from netlearn.datasets.augmentation import Augmentation, make_deformer
from netlearn.errors import SettingsError
from netlearn.gradient_check import check_gradient
from netlearn.network import Network
from netlearn.numerics import BLAS_THREADS, blas_kernels
from netlearn.settings import Settings, settings_of_choice
from netlearn.training import Dropout, Trainer

OnVerified: TypeAlias = Callable[[str], object]
WEIGHTS_KEY, SHUFFLING_KEY, DROPOUT_KEY = range(3)  # of streams; 3 is that of augmentation, 4 that of label noise


def stream(settings: Settings, key: int) -> np.random.Generator:
    """Return one of the generators that are seeded by the seed of a run."""
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(key,)))


def initial_network(
    settings: Settings, sizes: Sequence[int], cost: str | Cost = "cross-entropy",
    activation: HiddenActivation | None = None,
) -> Network:  # fmt: skip
    """Return the initial network of a run, by default with the hidden layers' activation of its settings.

    Its weights and biases do not depend on the cost.

    Raises:
        SettingsError: no network can have these sizes with these settings.
    """
    activation, rng = activation or ACTIVATIONS[settings.activation], stream(settings, WEIGHTS_KEY)
    try:
        return Network(sizes, cost, activation, settings.initializer, rng, settings.dtype)
    except MemoryError as error:
        problem = f"a network {list(sizes)} does not fit in memory"
        raise SettingsError(f"hidden {list(settings.hidden)}: {problem}") from error


def checked_cost(
    settings: Settings, data: Dataset, costs: NamedCosts = NO_COSTS, on_verified: OnVerified = lambda text: None
) -> Cost:
    """Return the cost for a run on a data set, after `check_settings` and the gradient check of a user's own cost.

    `on_verified` is called with a line on that check.
    """
    check_settings(settings, data)
    cost = load_cost(settings.cost, costs)
    if is_own(settings.cost):
        found = check_gradient(cost, settings.cost, data.outputs, dtype=settings.dtype, batch=settings.batch_size)
        on_verified(f"cost {settings.cost}: {found}")
    return cost


def check_settings(settings: Settings, data: Dataset) -> None:
    """Raise a `SettingsError` unless settings fit a data set and each other."""
    size = len(training_part(settings, data).train)
    if settings.batch_size > size:
        raise SettingsError(
            f"batch_size {settings.batch_size}: must be from 1 to {size}, the training examples of {data.name}"
        )
    inputs, hidden = data.train.n_in, list(settings.hidden)
    if len(hidden) > 1 and hidden[0] == inputs and hidden[-1] == data.outputs:
        raise SettingsError(
            f"hidden {','.join(map(str, hidden))}: must be without the {inputs} inputs and {data.outputs} outputs, "
            f"which {data.name} has: {','.join(map(str, hidden[1:-1])) or 'none'}"
        )
    if settings.dropout and not settings.hidden:
        raise SettingsError(f"dropout {settings.dropout:g}: must be 0 without hidden layers, whose neurons it drops")
    if settings.max_norm != "off" and not settings.hidden:
        raise SettingsError(f"max_norm {settings.max_norm:g}: must be off without hidden layers, which it limits")
    if settings.augment != "none" and data.image is None:
        raise SettingsError(f"augment {settings.augment}: must be none, since {data.name} has no images")


def training_part(settings: Settings, data: Dataset) -> Dataset:
    """Return a data set with the number of training examples and the wrong labels that the settings ask for."""
    data = data if settings.train_size == "all" else data.with_train_size(settings.train_size)
    return data.with_label_noise(settings.label_noise, settings.seed) if settings.label_noise else data


def make_trainer(
    settings: Settings, data: Dataset, last: int | None = None, *, costs: NamedCosts = NO_COSTS,
    on_verified: OnVerified = lambda text: None,
) -> Trainer:  # fmt: skip
    """Return a trainer with a new network, given the whole data set; it stops after `last` updates at most.

    `costs` are the users' own that were given as objects; `on_verified` is that of `checked_cost`.

    Raises:
        SettingsError: no network can have these settings with this data.
        CostError: the user's own cost cannot be loaded or fails its gradient check.
    """
    cost = checked_cost(settings, data, costs, on_verified)
    data = training_part(settings, data)
    activation = ACTIVATIONS[settings.activation]
    dropout = Dropout(activation, settings.dropout, stream(settings, DROPOUT_KEY)) if settings.dropout else None
    sizes = [data.train.n_in, *settings.hidden, data.outputs]
    network = initial_network(settings, sizes, cost, dropout)
    deformed = _augmentation(settings, data)
    return Trainer(network, data, settings, rng=stream(settings, SHUFFLING_KEY), augmentation=deformed, last=last)


def _augmentation(settings: Settings, data: Dataset) -> Augmentation | None:
    if settings.augment == "none" or data.image is None:
        return None
    own = settings_of_choice(settings, "augment")
    name = ", ".join([settings.augment, *(f"{name} {value:g}" for name, value in own.items())])
    deformer = make_deformer(settings.augment, data.image, settings.dtype, **own)
    return Augmentation(name, deformer, settings.seed)


def environment() -> dict[str, str | int | None]:
    """Return what can change the last digits of results, and times: software, BLAS, processor and system."""
    return {
        "netlearn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "blas": blas_kernels(),
        "blas_threads": BLAS_THREADS,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
