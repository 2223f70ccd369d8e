"""The network that a run starts from.

The seed feeds two random streams, one for the initial weights and one for the shuffling. Runs with the same seed and
sizes therefore start from identical weights and see identical mini-batches, whatever else they differ in.
"""

from collections.abc import Sequence

import numpy as np

from netlearn.costs import Cost
from netlearn.errors import SettingsError
from netlearn.network import Network
from netlearn.settings import Settings


def streams(settings: Settings) -> tuple[np.random.Generator, np.random.Generator]:
    """Return the generators of the initial weights and of the shuffling."""
    weights, shuffling = np.random.SeedSequence(settings.seed).spawn(2)
    return np.random.default_rng(weights), np.random.default_rng(shuffling)


def initial_network(settings: Settings, sizes: Sequence[int], cost: str | Cost = "cross-entropy") -> Network:
    """Return the network that a run starts from; its weights and biases do not depend on the cost.

    Raises:
        SettingsError: no network can have these sizes with these settings.
    """
    weights_rng, _ = streams(settings)
    try:
        return Network(sizes, cost, settings.activation, settings.initializer, rng=weights_rng, dtype=settings.dtype)
    except MemoryError as error:
        raise SettingsError(
            f"hidden {list(settings.hidden)}: a network {list(sizes)} does not fit in memory"
        ) from error
