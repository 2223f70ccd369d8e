"""Divergence: detecting that the cost of a network is no longer finite, and the error for it."""

import math

import numpy as np

from netlearn.errors import DivergenceError
from netlearn.network import Network


def output_layer_is_finite(network: Network, *, regularized: bool) -> bool:
    """Return whether the biases of the output layer are finite, and with L2 regularization its weights too.

    With the costs of `COSTS`, any number that is not finite reaches those biases in the next update. If λ makes the
    weights grow, their squares in the L2 term overflow long before.
    """
    w, b = network.weights[-1], network.biases[-1]
    return math.isfinite(np.vdot(b, b) + (np.vdot(w, w) if regularized else 0.0))


def divergence(update: int, learning_rate: float) -> DivergenceError:
    """Return the error for a cost that is not finite after an update."""
    if update == 0:
        return DivergenceError(
            "the cost is not finite at update 0, before any step: it must be finite for every z, or the initial "
            "weights must be smaller"
        )
    return DivergenceError(
        f"the cost is no longer finite after update {update} with learning rate {learning_rate:g}; "
        f"a smaller one, such as {learning_rate / 10:g}, may help"
    )
