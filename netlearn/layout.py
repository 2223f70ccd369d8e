"""Where a network's numbers lie in memory: parameters in one vector, the arrays of a pass in reused buffers."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import DTypeLike

from netlearn.activations import Activation, HiddenActivation
from netlearn.numerics import Array, columns, zeros

MOST_WORKSPACES = 8


class Parameters:
    """One vector of all weights and then all biases; `w` and `b` are views of it, one per layer.

    Attributes:
        vector: all parameters.
        weights: the part of it that holds all weights.
        w, b: weights (n_out, n_in) and biases (n_out, 1) of each layer.
        transposed: w^T, (n_in, n_out), and b, (n_out,), of each layer, as BLAS reads and writes them.
    """

    def __init__(self, sizes: Sequence[int], dtype: DTypeLike) -> None:
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(sizes)] + [(n_out, 1) for n_out in sizes[1:]]
        ends = list(accumulate(rows * columns for rows, columns in shapes))
        self.vector = zeros((ends[-1],), dtype)
        parts = [part.reshape(shape) for part, shape in zip(np.split(self.vector, ends[:-1]), shapes, strict=True)]
        self.weights = self.vector[: ends[len(sizes) - 2]]
        self.w, self.b = tuple(parts[: len(parts) // 2]), tuple(parts[len(parts) // 2 :])
        self.transposed = [(w.T, b[:, 0]) for w, b in zip(self.w, self.b, strict=True)]

    def sha256(self) -> str:
        """Return the hash of all parameters, which identifies the initial weights of a run."""
        return hashlib.sha256(self.vector.tobytes()).hexdigest()


class Workspace:
    """The results of one pass, layer by layer; the next pass with the same batch size overwrites them.

    Attributes:
        z: weighted inputs, (n, batch) each.
        a: activations, (n, batch) each.
        delta: errors ∂C/∂z of each example's cost, (n, batch) each.
        ones: (batch,), which sums over examples in a product.
        forward, backward, gradient: the arrays of each layer in the order of a pass, ready to use.
    """

    def __init__(self, parameters: Parameters, hidden: HiddenActivation, output: Activation, batch: int) -> None:
        dtype, transposed = parameters.vector.dtype, parameters.transposed
        self.z, self.a, self.delta, prime = ([columns(len(b), batch, dtype) for b in parameters.b] for _ in range(4))
        self.ones = np.ones(batch, dtype)
        activate: list[tuple[Callable[..., Array], tuple[Array, ...]]] = [
            (hidden.value_and_prime, buffers) for buffers in zip(self.z, self.a, prime, strict=True)
        ]
        activate[-1] = output.value, (self.z[-1], self.a[-1])
        self.forward = [(w_t, b, z, z.T, *how) for (w_t, b), z, how in zip(transposed, self.z, activate, strict=True)]
        w_t, delta = [w_t for w_t, _ in transposed], self.delta
        self.backward = list(zip(w_t[:0:-1], delta[:0:-1], prime[-2::-1], delta[-2::-1], strict=True))
        self.gradient = list(zip(range(len(w_t)), delta, self.a, strict=True))


class Workspaces(dict[int, Workspace]):
    """The workspace of each batch size, made when it is first needed; eight at most are kept.

    Args:
        parameters: of the network.
        hidden, output: its activations.
    """

    def __init__(self, parameters: Parameters, hidden: HiddenActivation, output: Activation) -> None:
        super().__init__()
        self._of = parameters, hidden, output

    def __missing__(self, batch: int) -> Workspace:
        """Make the workspace of a batch size."""
        if len(self) == MOST_WORKSPACES:
            self.clear()
        return self.setdefault(batch, Workspace(*self._of, batch))
