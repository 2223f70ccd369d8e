"""Dropout: each step leaves out hidden neurons chosen at random (chapter 3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from netlearn.activations import HiddenActivation
from netlearn.numerics import Array, columns


class Dropout:
    """An activation whose neurons are dropped during training only.

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
