"""Activation functions: what a neuron does with its weighted input z, each beside its derivative.

Arrays hold one example per column, shape (neurons, batch). Every function writes into `out` where it is given, so
that training allocates nothing, and returns what it wrote. A derivative is computed from the activation `a` that the
forward pass left behind, not from z again.
"""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
ONE = np.array(1, np.float32)  # a Python 1 costs 0.3 µs more a call


class Activation(Protocol):
    """What an output layer needs: a value for each weighted input."""

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return the activation a of the weighted input z, shape (neurons, batch)."""
        ...


class HiddenActivation(Activation, Protocol):
    """What a hidden layer needs as well: a derivative, element by element."""

    def prime(self, a: Array, out: Array | None = None) -> Array:
        """Return the derivative da/dz where the activation is a, shape (neurons, batch)."""
        ...


class Sigmoid:
    """σ(z) = 1/(1 + e^−z) (chapter 1, equation 3)."""

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return σ(z). Below z = −88, in float32, e^−z overflows to infinity, and σ comes out as 0.

        numpy warns of that unless it is called inside `numerics`, as the network does; to see to it here would cost
        each step 0.4 µs a layer.
        """
        out = np.negative(z, out)
        np.exp(out, out)
        np.add(out, ONE, out)
        return np.reciprocal(out, out)

    def prime(self, a: Array, out: Array | None = None) -> Array:
        """Return σ'(z) = σ(z)(1 − σ(z)): at most ¼, and near 0 where the neuron saturates."""
        out = np.subtract(ONE, a, out)
        return np.multiply(out, a, out)


class Tanh:
    """Hyperbolic tangent: a rescaled sigmoid, from −1 to 1 (chapter 3, equation 109)."""

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return tanh(z)."""
        return np.tanh(z, out)

    def prime(self, a: Array, out: Array | None = None) -> Array:
        """Return tanh'(z) = 1 − tanh²(z)."""
        out = np.multiply(a, a, out)
        return np.subtract(ONE, out, out)


class ReLU:
    """Rectified linear unit, max(0, z) (chapter 3, "Other models of artificial neuron")."""

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return max(0, z)."""
        return np.maximum(z, 0, out=out)

    def prime(self, a: Array, out: Array | None = None) -> Array:
        """Return 1 where the neuron is active and 0 elsewhere, z = 0 included."""
        return np.sign(a, out)


class Softmax:
    """a_j = e^z_j / Σ_k e^z_k (chapter 3, equation 78): a layer read as one probability distribution.

    For output layers only: its derivative mixes the neurons, so the cost's delta contains it.
    """

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return the softmax of each column; the largest z is subtracted first, so nothing overflows."""
        out = np.subtract(z, z.max(axis=0), out)
        np.exp(out, out)
        np.divide(out, out.sum(axis=0), out)
        return out


class Identity:
    """a = z: a linear output neuron."""

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return z, unchanged."""
        return np.positive(z, out)


ACTIVATIONS: dict[str, HiddenActivation] = {
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "relu": ReLU(),
}
