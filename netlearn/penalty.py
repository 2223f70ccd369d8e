"""L1 and L2 regularization: the terms that the weights add to the cost and to its gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import absolute, sign

from netlearn.numerics import Array, axpy, numerics


@dataclass(frozen=True)
class Penalty:
    """λ/2n Σw² of L2 and λ/n Σ|w| of L1 regularization (chapter 3, equations 87 and 95); biases are left alone.

    Attributes:
        l2, l1: λ of each.
        n: the size of the training set, also when other examples are evaluated.
    """

    l2: float = 0.0
    l1: float = 0.0
    n: int = 1

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
