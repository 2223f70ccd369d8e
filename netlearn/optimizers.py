"""Optimizers: how the gradient of a mini-batch becomes a step of the network's parameters; regularization.

Each is a function of the vector w of all parameters and the gradient ∇C of the regularized cost, in the notation of
PyTorch's documentation or, for momentum, of the book. It updates its state in place and may overwrite the gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy import absolute, add, divide, multiply, sign, sqrt

from netlearn.network import Network
from netlearn.numerics import Array, axpy, numerics, zeros


@dataclass(frozen=True)
class Penalty:
    """λ/2n Σw² of L2 and λ/n Σ|w| of L1 regularization (chapter 3, equations 87 and 95); biases are left alone."""

    l2: float = 0.0  # λ of each
    l1: float = 0.0
    n: int = 1  # the size of the training set, also when other examples are evaluated

    def value(self, weights: Sequence[Array]) -> float:
        """Return the terms that the weights of all layers add to the cost."""
        with numerics():
            squares = sum(float(np.vdot(w, w)) for w in weights) if self.l2 else 0.0
            sizes = sum(float(absolute(w).sum(dtype=np.float64)) for w in weights) if self.l1 else 0.0
        return (self.l2 / 2 * squares + self.l1 * sizes) / self.n

    def add_gradient(self, w: Array, nabla: Array, scratch: Array) -> None:
        """Add λ/n w and λ/n sgn(w) (equations 88 and 96) to the gradient; all are vectors of the same length."""
        if self.l2:
            axpy(self.l2 / self.n, w, nabla)
        if self.l1:
            axpy(self.l1 / self.n, sign(w, scratch), nabla)


class Optimizer:
    """Changes the weights and biases of a network, mini-batch after mini-batch.

    Args:
        network: changed in place.
        learning_rate: η, which may be changed between steps.
        penalty: the regularization, whose gradient is added to that of the cost.
        own: the optimizer's own settings, by name; the others have their defaults.

    Attributes:
        state: the vectors that it keeps from step to step, each as long as the vector of all parameters.
        steps: steps taken.
    """

    settings: ClassVar[dict[str, float]] = {}  # the defaults of its own settings
    rate: ClassVar[float | None] = None  # the default η, if it does not depend on the cost
    vectors: ClassVar[int] = 0  # in its state

    def __init__(self, network: Network, learning_rate: float, penalty: Penalty | None = None, **own: float) -> None:
        self.network = network
        self.learning_rate = learning_rate
        self.penalty = penalty or Penalty()
        self.own, self.steps = {**self.settings, **own}, 0
        w, nabla = network.parameters, network.nabla
        self.state = tuple(zeros(w.vector.shape, w.vector.dtype) for _ in range(self.vectors))
        self._scratch = np.empty_like(w.vector)
        self._penalized = w.weights, nabla.weights, self._scratch[: w.weights.size]

    def step(self, x: Array, y: Array) -> None:
        """Update the parameters with one mini-batch, x of shape (n_in, m) and y of shape (n_out, m)."""
        self.network.gradient(x, y)
        self.penalty.add_gradient(*self._penalized)
        self.steps += 1
        self._change(self.network.parameters.vector, self.network.nabla.vector)

    def _change(self, w: Array, nabla: Array) -> None:
        raise NotImplementedError

    def restore(self, state: tuple[Array, ...], steps: int) -> None:
        """Restore the state after the given number of steps."""
        for own, stored in zip(self.state, state, strict=True):
            np.copyto(own, stored)
        self.steps = steps


class SGD(Optimizer):
    """Stochastic gradient descent: w → w − η∇C (chapter 3, equations 93 and 94)."""

    def step(self, x: Array, y: Array) -> None:
        """Update the parameters, within the matrix products of the backward pass if there is no L1 term."""
        if self.penalty.l1:
            super().step(x, y)
        else:
            self.steps += 1
            self.network.descend(x, y, self.learning_rate, 1 - self.learning_rate * self.penalty.l2 / self.penalty.n)

    def _change(self, w: Array, nabla: Array) -> None:
        axpy(-self.learning_rate, nabla, w)


class Momentum(Optimizer):
    """Gradient descent with momentum: v → μv − η∇C, w → w + v (chapter 3, equations 107 and 108)."""

    settings: ClassVar = {"momentum": 0.9}
    vectors = 1

    def _change(self, w: Array, nabla: Array) -> None:
        (v,) = self.state
        multiply(v, self.own["momentum"], v)
        axpy(-self.learning_rate, nabla, v)
        add(w, v, w)


class Nesterov(Momentum):
    """Momentum with a gradient that looks ahead: v → μv − η∇C, w → w + μv − η∇C, as in PyTorch's SGD."""

    def _change(self, w: Array, nabla: Array) -> None:
        (v,) = self.state
        multiply(v, self.own["momentum"], v)
        axpy(-self.learning_rate, nabla, v)
        axpy(self.own["momentum"], v, w)
        axpy(-self.learning_rate, nabla, w)


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squares: v → β₂v + (1−β₂)(∇C)², w → w − η∇C/(√v + ε)."""

    settings: ClassVar = {"beta2": 0.99, "epsilon": 1e-8}
    rate, vectors = 0.001, 1

    def _change(self, w: Array, nabla: Array) -> None:
        (v,), root, beta2 = self.state, self._scratch, self.own["beta2"]
        multiply(v, beta2, v)
        axpy(1 - beta2, multiply(nabla, nabla, root), v)
        add(sqrt(v, root), self.own["epsilon"], root)
        axpy(-self.learning_rate, divide(nabla, root, nabla), w)


class Adam(Optimizer):
    """RMSprop with momentum, with both means corrected for their start at zero.

    m → β₁m + (1−β₁)∇C, v → β₂v + (1−β₂)(∇C)², w → w − η m̂/(√v̂ + ε), in step t m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).
    """

    settings: ClassVar = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    rate, vectors = 0.001, 2

    def _change(self, w: Array, nabla: Array) -> None:
        (m, v), root, beta1, beta2 = self.state, self._scratch, self.own["beta1"], self.own["beta2"]
        multiply(m, beta1, m)
        axpy(1 - beta1, nabla, m)
        multiply(v, beta2, v)
        axpy(1 - beta2, multiply(nabla, nabla, nabla), v)
        multiply(sqrt(v, root), (1 - beta2**self.steps) ** -0.5, root)
        add(root, self.own["epsilon"], root)
        axpy(-self.learning_rate / (1 - beta1**self.steps), divide(m, root, nabla), w)


OPTIMIZERS: dict[str, type[Optimizer]]
OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "nesterov": Nesterov, "rmsprop": RMSprop, "adam": Adam}
