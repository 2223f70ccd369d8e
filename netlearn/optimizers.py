"""Optimizers: how the gradient of a mini-batch becomes a step of the network's parameters."""

from typing import Protocol

from netlearn.network import Network
from netlearn.numerics import Array


class Optimizer(Protocol):
    """Changes the weights and biases of a network, mini-batch after mini-batch.

    Attributes:
        learning_rate: η, which may be changed between steps.
    """

    learning_rate: float

    def step(self, network: Network, x: Array, y: Array) -> None:
        """Change the parameters once, by the examples x, (n_in, m), with targets y, (n_out, m)."""
        ...


class SGD:
    """Stochastic gradient descent with L2 regularization (chapter 3, equations 93 and 94).

    w → (1 − ηλ/n) w − η/m Σ ∂C_x/∂w and b → b − η/m Σ ∂C_x/∂b, which the backward pass does as it goes: each
    matrix product adds to the weights, and no gradient is stored.

    Args:
        learning_rate: η.
        weight_decay: λ/n, the regularization per training example.
    """

    def __init__(self, learning_rate: float, weight_decay: float) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def step(self, network: Network, x: Array, y: Array) -> None:
        """Take one step against the gradient."""
        network.descend(x, y, self.learning_rate, 1 - self.learning_rate * self.weight_decay)


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD}
