"""Regularization inside a step: dropout, and a limit on the norm of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from netlearn.activations import HiddenActivation
from netlearn.network import Network
from netlearn.numerics import Array, columns
from netlearn.training.descent import Step


class Dropout:
    """An activation whose neurons are dropped at random, during training only (chapter 3).

    Dropout is inverted: the neurons that stay are multiplied by 1/(1 − p), so that the expected value of their sum is
    the same as without dropout, and nothing needs scaling afterwards. (The book halves the weights instead.)

    Args:
        activation: of the hidden layers.
        rate: p, the probability of dropping a neuron, independently for each example.
        rng: chooses the neurons.

    Attributes:
        rng: a separate stream, so that other random numbers do not depend on dropout.
    """

    def __init__(self, activation: HiddenActivation, rate: float, rng: np.random.Generator) -> None:
        self.rng = rng
        self._activation = activation
        self._rate = rate
        self._active = False
        self._masks: dict[tuple[tuple[int, ...], np.dtype[Any]], Array] = {}

    @contextmanager
    def training(self) -> Iterator[None]:
        """Drop neurons within this context."""
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def value(self, z: Array, out: Array | None = None) -> Array:
        """Return the activation without dropout."""
        return self._activation.value(z, out)

    def value_and_prime(self, z: Array, a: Array, prime: Array) -> Array:
        """Write the activation to `a` and its derivative to `prime`; both are 0 where a neuron is dropped."""
        self._activation.value_and_prime(z, a, prime)
        if self._active:
            mask = self._draw(a)
            np.multiply(a, mask, a)
            np.multiply(prime, mask, prime)
        return a

    def _draw(self, like: Array) -> Array:
        """Return 0 for a neuron to be dropped and 1/(1 − p) otherwise, in a buffer for each shape."""
        key = like.shape, like.dtype
        if key not in self._masks:
            neurons, batch = like.shape
            self._masks[key] = columns(neurons, batch, like.dtype)
        mask = self._masks[key]
        self.rng.random(dtype=like.dtype, out=mask.T)
        np.greater_equal(mask, self._rate, out=mask)
        return np.divide(mask, 1 - self._rate, out=mask)


class MaxNorm:
    """Shortens the rows of the hidden layers' weights after each step (Srivastava et al., 2014, section 5.1).

    Args:
        network: changed in place.
        limit: the largest norm of a row.
    """

    def __init__(self, network: Network, limit: float) -> None:
        self._limit = limit
        self._rows = [(w, np.empty(len(w), w.dtype)) for w in network.weights[:-1]]

    def after(self, step: Step) -> Step:
        """Return a step that also applies the limit."""

        def limited(x: Array, y: Array) -> None:
            step(x, y)
            self.apply()

        return limited

    def apply(self) -> None:
        """Multiply each row that is too long by limit/norm."""
        for w, norm in self._rows:
            np.sqrt(np.einsum("ij,ij->i", w, w, out=norm), norm)
            if norm.max() > self._limit:
                np.divide(self._limit, np.maximum(norm, self._limit, out=norm), norm)
                np.multiply(w, norm[:, np.newaxis], w)
