"""The gradient check: the delta of a cost is compared with differences of its value.

The cost is called as in training: with arrays in the memory layout of the network's, and z, a and y read-only.
"""

import warnings
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlearn.activations import Sigmoid
from netlearn.costs import Cost
from netlearn.custom_cost import blaming
from netlearn.errors import CostError, CostWarning
from netlearn.numerics import Array, columns

EXAMPLES = 256
MODERATE, LARGEST = 5.0, 30.0  # |z|; beyond the first, a value computed from a is too inexact for small steps
STEP, WIDE_STEP = 1e-5, 0.1  # of the differences, up to MODERATE and beyond
TOLERANCE, WIDE_TOLERANCE = 1e-6, 1e-4  # likewise
SINGLE_TOLERANCE = 1e-3  # of float32, which rounds 1 − a
BATCHES, MOST = (1, 2, 10, 100), 1000  # examples in a batch of the check


@dataclass(frozen=True)
class Verified:
    """What the check of a right cost found.

    Attributes:
        points: how many derivatives were compared.
        worst: the largest error relative to the derivative, for weighted inputs up to `MODERATE`.
    """

    points: int
    worst: float

    def __str__(self) -> str:
        return f"gradient verified at {self.points:,} points, worst relative error {self.worst:.0e}"


def check_gradient(cost: Cost, name: str, outputs: int = 4, *, dtype: str = "float64", batch: int = 1) -> Verified:
    """Compare `cost.delta` with differences of `cost.value`, and check that both follow the protocol.

    Half of the targets are one-hot, half are distributions. For weighted inputs within ±5, derivatives in float64 may
    differ from central differences by 1e-6 of the derivative, or of 1 where that is smaller. Up to ±30, where output
    neurons are saturated, `delta` must have the mean that value has as its slope over a wide step, within the
    rounding error of 1 − a; a value that is not finite there causes a `CostWarning`. Where value has a kink, `delta`
    may be anything between the slopes on both sides. Both methods must also return the same in `dtype`, in batches of
    several sizes, and when called again.

    Args:
        cost: the cost.
        name: its name in errors.
        outputs: neurons of the output layer.
        dtype: of the run.
        batch: size of the run's mini-batches.

    Raises:
        CostError: the derivatives differ (the error gives both for the first neuron where they do), or the cost does
            not follow the protocol.
    """
    rng = np.random.default_rng(0)
    moderate = rng.uniform(-MODERATE, MODERATE, (outputs, EXAMPLES))
    large = rng.uniform(MODERATE, LARGEST, moderate.shape) * rng.choice((-1, 1), moderate.shape)
    classes = np.eye(outputs) if outputs > 1 else np.array([[0.0], [1.0]])
    hot = classes[rng.integers(len(classes), size=EXAMPLES)].T
    soft = rng.dirichlet(np.ones(outputs), EXAMPLES).T if outputs > 1 else rng.random((1, EXAMPLES))
    y = np.where(np.arange(EXAMPLES) % 2, hot, soft)
    with blaming(name), np.errstate(all="ignore"):  # what is not finite is reported
        check = _Check(cost, name)
        worst = check.moderate(moderate, y)
        check.large(large, y)
        if dtype == "float32":
            check.single(moderate, large, y)
        check.batches(moderate, y, {*BATCHES, min(batch, MOST)})
    return Verified(2 * moderate.size, worst)


class _Check:
    """A cost under test."""

    def __init__(self, cost: Cost, name: str) -> None:
        self._cost = cost
        self._name = name

    def delta(self, z: Array, y: Array) -> Array:
        """Return what `delta` writes, which must be finite."""
        out = _laid_out(np.full_like(z, np.nan))
        self._cost.delta(_locked(z), _locked(self._activation(z)), _locked(y), out)
        if not np.isfinite(out).all():
            j, x = np.argwhere(~np.isfinite(out))[0]
            raise self._error(
                f"delta must write a finite number for every neuron and example to `out`, "
                f"but {_place(z, y, j, x)} it is {out[j, x]}"
            )
        return out

    def value(self, z: Array, y: Array) -> Array:
        """Return the value of each example, which may not be finite."""
        return self._cost.value(_locked(z), _locked(self._activation(z)), _locked(y)).astype(np.float64)

    def _activation(self, z: Array) -> Array:
        a = _laid_out(np.full_like(z, np.nan))
        self._cost.output.value(_locked(z), a)  # by position, as the network calls it
        if not np.array_equal(a, self._cost.output.value(_locked(z))):
            raise self._error("the value of its output activation must write to `out` what it returns")
        return a

    def moderate(self, z: Array, y: Array) -> float:
        """Compare with central differences for moderate weighted inputs; return the largest relative error."""
        value, delta = self.value(z, y), self.delta(z, y)
        if not np.isfinite(value).all():
            n = z.shape[1]
            raise self._error(f"value must return a finite number per example, shape ({n},) for {n}")
        lower, upper = self._slopes(z, y, STEP)
        numeric = (lower + upper) / 2
        error = abs(delta - numeric) / _scale(delta, numeric)
        kink = (abs(upper - lower) > 100 * STEP) & (_outside(delta, lower, upper) <= TOLERANCE)
        error[kink] = 0
        self._compare(z, y, delta, numeric, error > TOLERANCE)
        return float(error.max())

    def large(self, z: Array, y: Array) -> None:
        """Compare with wide differences where neurons are saturated; warn if value is not finite there."""
        self._warn_unless_finite(z, y)
        delta = self.delta(z, y)
        lower, upper = self._slopes(z, y, WIDE_STEP)
        numeric, mean = (lower + upper) / 2, self._means(z, y, delta)
        rounding = 4 * np.finfo(z.dtype).eps * np.exp(abs(z)) / WIDE_STEP  # of ln(1 − a)
        allowed = WIDE_TOLERANCE * _scale(delta, numeric) + rounding
        error = np.minimum(abs(mean - numeric), _outside(delta, lower, upper))
        self._compare(z, y, delta, numeric, error > allowed)  # False where value is not finite

    def single(self, moderate: Array, large: Array, y: Array) -> None:
        """Compare float32 with float64, at weighted inputs that are exact in both."""
        self._warn_unless_finite(large.astype(np.float32), y.astype(np.float32))
        for z in (moderate, large):
            pair = z.astype(np.float32), y.astype(np.float32)
            exact, found = (self.delta(*(array.astype(dtype) for array in pair)) for dtype in ("float64", "float32"))
            wrong = np.argwhere(abs(exact - found) > SINGLE_TOLERANCE * _scale(exact, found))
            if wrong.size:
                j, x = wrong[0]
                raise self._error(
                    f"delta must be the same in float32 and float64: {_place(z, y, j, x)} "
                    f"it is {found[j, x]:.7g} and {exact[j, x]:.7g}"
                )
        pair = moderate.astype(np.float32), y.astype(np.float32)
        values = [self.value(*(array.astype(dtype) for array in pair)) for dtype in ("float64", "float32")]
        if not np.all(abs(values[0] - values[1]) <= SINGLE_TOLERANCE * _scale(*values)):
            raise self._error("value must be the same in float32 and float64")

    def batches(self, z: Array, y: Array, sizes: Collection[int]) -> None:
        """Check that delta and value of an example depend neither on the other examples nor on the call."""
        whole = self.delta(z, y), self.value(z, y)
        for size in sorted(sizes):
            chosen = np.arange(size) % EXAMPLES
            part = z[:, chosen], y[:, chosen]
            for method, found, expected in (
                ("delta", self.delta(*part), whole[0][:, chosen]), ("value", self.value(*part), whole[1][chosen])
            ):  # fmt: skip
                if not np.allclose(found, expected, rtol=1e-9, atol=1e-9):
                    raise self._error(
                        f"{method} of an example must not depend on the others: in a batch of {size} "
                        f"it is not what it is in a batch of {EXAMPLES}"
                    )
        again = self.delta(z, y), self.value(z, y)
        for method, then, now in zip(("delta", "value"), whole, again, strict=True):
            if not np.array_equal(then, now):
                raise self._error(f"{method} must return the same when it is called again with the same arrays")

    def _slopes(self, z: Array, y: Array, step: float) -> tuple[Array, Array]:
        """Return the one-sided differences of value, left and right of each weighted input."""
        lower, upper = np.empty_like(z), np.empty_like(z)
        middle = self.value(z, y)
        for j in range(len(z)):
            bump = np.zeros_like(z)
            bump[j] = step
            lower[j] = (middle - self.value(z - bump, y)) / step
            upper[j] = (self.value(z + bump, y) - middle) / step
        return lower, upper

    def _means(self, z: Array, y: Array, delta: Array) -> Array:
        """Return the mean of `delta` over the wide step, by Simpson's rule."""
        mean = np.empty_like(z)
        for j in range(len(z)):
            bump = np.zeros_like(z)
            bump[j] = WIDE_STEP
            mean[j] = (self.delta(z - bump, y)[j] + 4 * delta[j] + self.delta(z + bump, y)[j]) / 6
        return mean

    def _compare(self, z: Array, y: Array, delta: Array, numeric: Array, wrong: NDArray[np.bool_]) -> None:
        if wrong.any():
            j, x = np.argwhere(wrong)[0]
            raise self._error(
                f"delta is not the derivative of value: {_place(z, y, j, x)} "
                f"delta gives {delta[j, x]:.7g}, central differences of value give {numeric[j, x]:.7g}"
            )

    def _warn_unless_finite(self, z: Array, y: Array) -> None:
        wrong = np.flatnonzero(~np.isfinite(self.value(z, y)))
        if not wrong.size:
            return
        x = wrong[0]
        alone = np.diag(z[:, x]), np.tile(y[:, x : x + 1], len(z))  # one neuron at its z, the others at 0
        j = int(np.isfinite(self.value(*alone)).argmin())
        hint = "compute it from z instead of a"
        if isinstance(self._cost.output, Sigmoid):
            hint += ": −ln a is np.logaddexp(0, -z), −ln(1 − a) is np.logaddexp(0, z)"
        warnings.warn(
            f"cost {self._name!r}: value is not finite in {z.dtype} {_place(z, y, j, x)}; {hint}",
            CostWarning,
            stacklevel=2,
        )

    def _error(self, text: str) -> CostError:
        return CostError(f"cost {self._name!r}: {text}")


def _laid_out(array: Array) -> Array:
    """Return a copy of an array in the memory layout of the network's."""
    n, batch = array.shape
    copy = columns(n, batch, array.dtype)
    copy[:] = array
    return copy


def _locked(array: Array) -> Array:
    copy = _laid_out(array)
    copy.flags.writeable = False
    return copy


def _scale(one: Array, other: Array) -> Array:
    """Return what an error of derivatives is relative to: the larger one, or 1."""
    scale: Array = np.maximum(1, np.maximum(abs(one), abs(other)))
    return scale


def _outside(delta: Array, lower: Array, upper: Array) -> Array:
    """Return how far delta is outside of the slopes on both sides."""
    return np.maximum(np.minimum(lower, upper) - delta, delta - np.maximum(lower, upper))


def _place(z: Array, y: Array, j: int, x: int) -> str:
    return f"at z = {z[j, x]:.4g}, y = {y[j, x]:.4g}"
