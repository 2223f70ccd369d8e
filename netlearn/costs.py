"""Cost functions, each value beside its delta, the error that it sends back.

Arrays have one example per column: weighted inputs z, activations a and targets y of the output layer have shape
(n_out, batch). A value is one number per example, shape (batch,); the caller takes the mean over the examples.
"""

from typing import Protocol

import numpy as np

from netlearn.activations import Activation, Sigmoid, Softmax
from netlearn.numerics import Array


class Cost(Protocol):
    """A cost function: two attributes and two methods that belong together."""

    @property
    def output(self) -> Activation:
        """The activation of the output layer."""

    @property
    def learning_rate(self) -> float:
        """The default learning rate η of gradient descent with this cost."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the cost C of each example, shape (batch,)."""

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write the output error δ = ∂C/∂z of each example, shape (n_out, batch), to `out` and return it."""


class Quadratic:
    """C = ½ Σ_j (a_j − y_j)² on sigmoid outputs (chapter 1, equation 6)."""

    output = Sigmoid()
    learning_rate = 3.0
    _prime: Array = np.empty((0, 0))  # room for σ'(z), made anew for another batch size

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return ½ Σ_j (a_j − y_j)², where a − y is (1 − y) σ(z) − y σ(−z), which keeps its digits as a nears 1."""
        e = np.exp(-np.abs(z))
        error = (1 - y) * a - y * np.where(z > 0, e, 1) / (1 + e)
        return np.asarray(np.einsum("jx,jx->x", error, error) / 2)

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = (a − y) σ'(z) (chapter 2, equation 30). The factor σ'(z) is the learning slowdown."""
        if self._prime.shape != out.shape or self._prime.dtype != out.dtype:
            self._prime = np.empty_like(out)
        self.output.value_and_prime(z, out, self._prime)
        np.subtract(out, y, out)
        return np.multiply(out, self._prime, out)


class CrossEntropy:
    """C = −Σ_j [y_j ln a_j + (1−y_j) ln(1−a_j)] on sigmoid outputs (chapter 3, equations 57 and 63).

    It is a sum of one cross-entropy per output neuron, whose activation is read as the distribution (a_j, 1−a_j).
    """

    output = Sigmoid()
    learning_rate = 0.5

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the cost, computed from z, where −ln a = ln(1 + e^−z) and −ln(1−a) = ln(1 + e^z).

        Both are ln(1 + e^−|z|), plus |z| if z is on the wrong side. Nothing overflows and no digits are lost, so
        the cost is finite and never negative, however saturated the neuron is.
        """
        size = np.abs(z)
        value: Array = (np.where(z > 0, 1 - y, y) * size + np.log1p(np.exp(-size))).sum(axis=0)
        return value

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = a − y (equation 66). σ'(z) has cancelled: the larger the error, the faster the learning."""
        return np.subtract(a, y, out)


class LogLikelihood:
    """C = −ln a_y on softmax outputs (chapter 3, equation 80); −Σ_j y_j ln a_j where y is a distribution."""

    output = Softmax()
    learning_rate = 0.1

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the cost, computed from z, where −ln a_j = ln Σ_k e^(z_k − z_j).

        The largest term of the sum becomes the 1 of log1p, so that a tiny cost keeps all its digits.
        """
        z = z - z.max(axis=0)
        terms = np.exp(z)
        np.put_along_axis(terms, z.argmax(axis=0)[np.newaxis], 0, axis=0)
        value: Array = (y * (np.log1p(terms.sum(axis=0)) - z)).sum(axis=0)
        return value

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = a − y (equation 84). The logarithm cancels the derivative of the softmax."""
        return np.subtract(a, y, out)


COSTS: dict[str, type[Cost]]
COSTS = {"quadratic": Quadratic, "cross-entropy": CrossEntropy, "log-likelihood": LogLikelihood}
