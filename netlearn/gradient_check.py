"""The gradient check: the delta of a cost is compared with differences of its value.

The cost is called as in training: with arrays in the memory layout of the network's, and z, a and y read-only.
"""

import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from netlearn.activations import Activation, Sigmoid
from netlearn.costs import Cost
from netlearn.custom_cost import Blaming
from netlearn.diagnosis import Points, constant_in_logarithm, explain
from netlearn.errors import CostError, CostWarning
from netlearn.numerics import Array, columns

EXAMPLES, FEWEST, POINTS = 256, 16, 2560  # most and fewest examples; their number times that of outputs
MODERATE, SATURATED = 5.0, 30.0  # |z|; beyond the first, a value computed from a is too inexact for small steps
STEP, WIDE_STEP = 1e-5, 0.1  # of the differences, up to MODERATE and beyond
TOLERANCE, WIDE_TOLERANCE = 1e-6, 1e-4  # likewise
ACCEPTED = 1e-4  # error of a delta that is right but for a constant in the logarithms of value
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
    neurons are saturated, the mean of `delta` over a wide step must be the slope of value over it, within the
    rounding error of 1 − a. Where value has a kink, `delta` may be anything between the slopes on both sides. Both
    methods must also return the same in `dtype`, in batches of several sizes, and when called again.

    A `CostWarning` says where a cost can be used although value is not what it should be: not finite or bounded where
    outputs are badly wrong, or made for one-hot targets alone.

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
    examples = max(FEWEST, min(EXAMPLES, POINTS // outputs))
    moderate = rng.uniform(-MODERATE, MODERATE, (outputs, examples))
    large = rng.uniform(MODERATE, SATURATED, moderate.shape) * rng.choice((-1, 1), moderate.shape)
    classes = np.eye(outputs) if outputs > 1 else np.array([[0.0], [1.0]])
    hot = classes[rng.integers(len(classes), size=examples)].T
    soft = rng.dirichlet(np.ones(outputs), examples).T if outputs > 1 else rng.random((1, examples))
    y = np.where(np.arange(examples) % 2, hot, soft)
    with Blaming(name), np.errstate(all="ignore"):  # what is not finite is reported
        check = _Check(cost, name)
        worst = check.moderate(moderate, y)
        y = hot if check.takes_only_hot else y
        check.large(large, y)
        if dtype == "float32":
            check.single(moderate, large, y)
        check.batches(moderate, y, {*BATCHES, min(batch, MOST)})
    return Verified(2 * moderate.size, worst)


class _Check:
    """A cost under test."""

    def __init__(self, cost: Cost, name: str, output: Activation | None = None) -> None:
        self._cost, self._name = cost, name
        self._output = output or cost.output
        self._is_bounded = False  # whether it was said
        self.takes_only_hot = False

    def delta(self, z: Array, y: Array) -> Array:
        """Return what `delta` writes, which must be finite."""
        out = laid_out(np.full_like(z, np.nan))
        result = self._cost.delta(*self._locked(z, y), out)
        if np.isnan(out).all() and np.shape(result) == out.shape and np.isfinite(result).all():
            raise self._error("delta returns its result but does not write it to `out`; out[:] = … does")
        if not np.isfinite(out).all():
            j, x = np.argwhere(~np.isfinite(out))[0]
            raise self._error(
                f"delta must write a finite number for every neuron and example to `out`, "
                f"but {_place(z, y, j, x)} it is {out[j, x]}"
            )
        return out

    def value(self, z: Array, y: Array) -> Array:
        """Return the value of each example, which may not be finite."""
        return self._cost.value(*self._locked(z, y)).astype(np.float64)

    def _locked(self, z: Array, y: Array) -> tuple[Array, Array, Array]:
        """Return z, a and y as a network passes them to a cost, but read-only."""
        return laid_out(z, locked=True), laid_out(self._activation(z), locked=True), laid_out(y, locked=True)

    def _activation(self, z: Array) -> Array:
        a = laid_out(np.full_like(z, np.nan))
        self._output.value(laid_out(z, locked=True), a)  # by position, as the network calls it
        if np.isnan(a).all():
            raise self._error("output.value must write the activation to `out`; out[:] = … does")
        return a

    def moderate(self, z: Array, y: Array) -> float:
        """Compare with central differences for moderate weighted inputs; return the largest relative error."""
        value, delta = self.value(z, y), self.delta(z, y)
        if not np.isfinite(value).all():
            n = z.shape[1]
            raise self._error(f"value must return a finite number per example, shape ({n},) for {n}")
        if not (np.array_equal(delta, self.delta(z, y)) and np.array_equal(value, self.value(z, y))):
            raise self._error("value and delta must return the same when they are called again with the same arrays")
        numeric, error = self._errors(z, y, delta)
        wrong = error > TOLERANCE
        is_hot = ((y == 0) | (y == 1)).all(axis=0)
        if not wrong.any():
            return float(error.max())
        if not wrong[:, is_hot].any():
            self.takes_only_hot = True
            self._warn(
                "delta is the derivative of value for desired outputs 0 and 1, as all data has, but not between"
            )
            return float(error[:, is_hot].max())
        points = Points(self._output, z, self._activation(z), y, delta, numeric)
        if error.max() < ACCEPTED and (epsilon := constant_in_logarithm(points)) is not None:
            self._is_bounded = True
            self._warn(
                f"value has a constant inside a logarithm, about {epsilon:.1g}, which bounds it where outputs are "
                f"badly wrong; delta is right but for {error.max():.0e}"
            )
            return float(error.max())
        raise self._difference(z, y, delta, numeric, wrong, explain(points, partial(self._error_with, z, y)))

    def _errors(self, z: Array, y: Array, delta: Array) -> tuple[Array, Array]:
        """Return central differences of value, and the relative error of delta, 0 where it is between two slopes."""
        lower, upper = self._slopes(z, y, STEP)
        numeric = (lower + upper) / 2
        error = abs(delta - numeric) / _scale(delta, numeric)
        error[(abs(upper - lower) > 100 * STEP) & (_outside(delta, lower, upper) <= TOLERANCE)] = 0
        return numeric, error

    def _error_with(self, z: Array, y: Array, output: Activation) -> float:
        """Return the largest error of the same cost with another output activation."""
        other = _Check(self._cost, self._name, output)
        return float(other._errors(z, y, other.delta(z, y))[1].max())

    def large(self, z: Array, y: Array) -> None:
        """Compare with wide differences where neurons are saturated; warn if value is not finite there."""
        self._warn_unless_finite(z, y)
        delta = self.delta(z, y)
        lower, upper = self._slopes(z, y, WIDE_STEP)
        numeric, mean = (lower + upper) / 2, self._means(z, y, delta)
        rounding = 4 * np.finfo(z.dtype).eps * np.exp(abs(z)) / WIDE_STEP  # of ln(1 − a)
        allowed = WIDE_TOLERANCE * _scale(delta, numeric) + rounding
        wrong = np.minimum(abs(mean - numeric), _outside(delta, lower, upper)) > allowed  # False if not finite
        if not wrong.any():
            return
        goes_on = abs(delta) >= 0.9 * abs(self._activation(z) - y)
        if not (goes_on & (abs(numeric) < abs(delta)) & (numeric * delta >= 0))[wrong].all():
            raise self._difference(z, y, delta, numeric, wrong)
        if not self._is_bounded:
            self._warn(
                "value stops growing where outputs are badly wrong, though delta is right: a is clipped or has a "
                "constant added inside a logarithm"
            )

    def single(self, moderate: Array, large: Array, y: Array) -> None:
        """Compare float32 with float64, at weighted inputs that are exact in both."""
        self._warn_unless_finite(large.astype(np.float32), y.astype(np.float32))
        for z in (moderate, large):
            pair: tuple[Array, Array] = z.astype(np.float32), y.astype(np.float32)
            exact_pair: tuple[Array, Array] = pair[0].astype(np.float64), pair[1].astype(np.float64)
            found, exact = self.delta(*pair), self.delta(*exact_pair)
            wrong = np.argwhere(abs(exact - found) > SINGLE_TOLERANCE * _scale(exact, found))
            if wrong.size:
                j, x = wrong[0]
                raise self._error(
                    f"delta must be the same in float32 and float64: {_place(z, y, j, x)} "
                    f"it is {found[j, x]:.7g} and {exact[j, x]:.7g}"
                )
            if z is moderate:  # elsewhere value may not be finite
                value, exactly = self.value(*pair), self.value(*exact_pair)
                if not np.all(abs(exactly - value) <= SINGLE_TOLERANCE * _scale(exactly, value)):
                    raise self._error("value must be the same in float32 and float64")

    def batches(self, z: Array, y: Array, sizes: Collection[int]) -> None:
        """Check that delta and value of an example do not depend on the other examples."""
        whole = self.delta(z, y), self.value(z, y)
        for size in sorted(sizes):
            chosen = np.arange(size) % z.shape[1]
            part = z[:, chosen], y[:, chosen]
            for method, found, expected in (
                ("delta", self.delta(*part), whole[0][:, chosen]), ("value", self.value(*part), whole[1][chosen])
            ):  # fmt: skip
                if not np.allclose(found, expected, rtol=1e-9, atol=1e-9):
                    raise self._error(
                        f"{method} of an example must not depend on the others: in a batch of {size} "
                        f"it is not what it is in a batch of {z.shape[1]}"
                    )

    def _slopes(self, z: Array, y: Array, step: float) -> tuple[Array, Array]:
        """Return the one-sided differences of value, left and right of each weighted input."""
        middle = self.value(z, y)
        rises = [(middle - self.value(low, y), self.value(high, y) - middle) for low, high in _beside(z, step)]
        lower, upper = np.array(rises).swapaxes(0, 1) / step
        return lower, upper

    def _means(self, z: Array, y: Array, delta: Array) -> Array:
        """Return the mean of `delta` over the wide step, by Simpson's rule."""
        beside = enumerate(_beside(z, WIDE_STEP))
        sums = [self.delta(low, y)[j] + 4 * delta[j] + self.delta(high, y)[j] for j, (low, high) in beside]
        return np.array(sums) / 6

    def _difference(
        self, z: Array, y: Array, delta: Array, numeric: Array, wrong: NDArray[np.bool_], why: str | None = None
    ) -> CostError:
        j, x = np.argwhere(wrong)[0]
        return self._error(
            f"delta is not the derivative of value: {f'{why}; ' if why else ''}{_place(z, y, j, x)} "
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
        if isinstance(self._output, Sigmoid):
            hint += ": −ln a is np.logaddexp(0, -z), −ln(1 − a) is np.logaddexp(0, z)"
        self._warn(f"value is not finite in {z.dtype} {_place(z, y, j, x)}; {hint}")

    def _warn(self, text: str) -> None:
        warnings.warn(f"cost {self._name!r}: {text}", CostWarning, stacklevel=4)

    def _error(self, text: str) -> CostError:
        return CostError(f"cost {self._name!r}: {text}")


def laid_out(array: Array, *, locked: bool = False) -> Array:
    """Return a copy of an array in the memory layout of the network's, read-only if `locked`."""
    n, batch = array.shape
    copy = columns(n, batch, array.dtype)
    copy[:] = array
    copy.flags.writeable = not locked
    return copy


def _beside(z: Array, step: float) -> Iterator[tuple[Array, Array]]:
    """Yield z with each weighted input, one after the other, lowered and raised by a step."""
    for j in range(len(z)):
        bump = np.zeros_like(z)
        bump[j] = step
        yield z - bump, z + bump


def _scale(one: Array, other: Array) -> Array:
    """Return what an error of derivatives is relative to: the larger one, or 1."""
    return np.asarray(np.maximum(1, np.maximum(abs(one), abs(other))))


def _outside(delta: Array, lower: Array, upper: Array) -> Array:
    """Return how far delta is outside of the slopes on both sides."""
    return np.maximum(np.minimum(lower, upper) - delta, delta - np.maximum(lower, upper))


def _place(z: Array, y: Array, j: int, x: int) -> str:
    return f"at z = {z[j, x]:.4g}, y = {y[j, x]:.4g}"
