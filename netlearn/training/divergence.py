"""Divergence: whether a network can still learn, and what to tell whoever trains it if not."""

import math

import numpy as np

from netlearn.errors import DivergenceError
from netlearn.network import Network


def output_layer_is_finite(network: Network, *, regularized: bool) -> bool:
    """Return whether the biases of the output layer are finite, and with L2 regularization its weights too.

    With the costs of `COSTS` anything that is not finite reaches those biases in the next update. Where λ makes
    weights grow, their squares overflow in the L2 term long before.
    """
    w, b = network.weights[-1], network.biases[-1]
    return math.isfinite(np.vdot(b, b) + (np.vdot(w, w) if regularized else 0.0))


def divergence(update: int, learning_rate: float) -> DivergenceError:
    """Return the error for a cost that is not finite after that update."""
    if update == 0:
        return DivergenceError(
            "the cost is not finite at update 0, before any step: it must be computed so that it is finite for "
            "every z, or the initial weights must be smaller"
        )
    return DivergenceError(
        f"the cost is no longer finite after update {update} with learning rate {learning_rate:g}; "
        f"a smaller one, such as {learning_rate / 10:g}, may help"
    )
