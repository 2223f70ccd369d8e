"""Initial weights and biases: how they are drawn."""

from typing import TypeAlias

import numpy as np

from netlearn.errors import SettingsError
from netlearn.layout import Parameters

Initializer: TypeAlias = str | tuple[float, float]
INITIALIZERS = ("scaled", "large")


def initialize(parameters: Parameters, initializer: Initializer, rng: np.random.Generator) -> None:
    """Set initial weights and biases.

    Args:
        parameters: of a network; all are set.
        initializer: "scaled" draws weights from N(0, 1/n_in) (chapter 3, "Weight initialization"), "large" from
            N(0, 1) (chapter 1), biases from N(0, 1) in both cases; a pair (w, b) sets every weight and every bias.
        rng: all initializers and dtypes draw the same numbers from it.

    Raises:
        SettingsError: there is no such initializer.
    """
    if isinstance(initializer, str) and initializer not in INITIALIZERS:
        raise SettingsError(f"initializer {initializer!r}: must be scaled, large or a pair of numbers w,b")
    for w, b in zip(parameters.w, parameters.b, strict=True):
        if isinstance(initializer, str):
            w[:] = rng.standard_normal(w.shape) / (np.sqrt(w.shape[1]) if initializer == "scaled" else 1)
            b[:] = rng.standard_normal(b.shape)
        else:
            w[:], b[:] = initializer
