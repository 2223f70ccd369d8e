"""The initial network of a run.

The seed gives separate random streams for the initial weights, the shuffling, dropout and augmentation. Runs
with the same seed and sizes therefore start from identical weights and see identical mini-batches, however else they
differ.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netlearn.activations import HiddenActivation
from netlearn.costs import Cost
from netlearn.errors import SettingsError
from netlearn.network import Network
from netlearn.settings import Settings

AUGMENTATION_STREAM = (3,)  # its spawn key, after those of `Streams`


class Streams(NamedTuple):
    """The generators of a run."""

    weights: np.random.Generator
    shuffling: np.random.Generator
    dropout: np.random.Generator


def streams(settings: Settings) -> Streams:
    """Return the generators that are seeded by the seed of a run."""
    return Streams(*map(np.random.default_rng, np.random.SeedSequence(settings.seed).spawn(3)))


def initial_network(
    settings: Settings,
    sizes: Sequence[int],
    cost: str | Cost = "cross-entropy",
    activation: HiddenActivation | None = None,
) -> Network:
    """Return the initial network of a run; its weights and biases do not depend on the cost.

    Args:
        settings: of the run.
        sizes: neurons in each layer.
        cost: in place of that of the settings.
        activation: of the hidden layers, in place of that of the settings.

    Raises:
        SettingsError: no network can have these sizes with these settings.
    """
    try:
        return Network(
            sizes,
            cost,
            activation or settings.activation,
            settings.initializer,
            rng=streams(settings).weights,
            dtype=settings.dtype,
        )
    except MemoryError as error:
        raise SettingsError(
            f"hidden {list(settings.hidden)}: a network {list(sizes)} does not fit in memory"
        ) from error
