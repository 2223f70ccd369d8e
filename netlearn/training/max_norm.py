"""Max-norm regularization: a limit on the norm of the weights into each hidden neuron."""

from collections.abc import Callable

import numpy as np

from netlearn.network import Network
from netlearn.numerics import Array


class MaxNorm:
    """Shortens the rows of the hidden layers' weights after each step (Srivastava et al., 2014, section 5.1).

    Args:
        network: changed in place.
        limit: the largest norm of a row.
    """

    def __init__(self, network: Network, limit: float) -> None:
        self._limit = limit
        self._rows = [(w, np.empty(len(w), w.dtype)) for w in network.weights[:-1]]

    def after(self, step: Callable[[Array, Array], object]) -> Callable[[Array, Array], object]:
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
