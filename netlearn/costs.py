"""Cost functions: how wrong an output is, each value beside the error δ that it sends back.

Arrays hold one example per column: weighted inputs z, activations a and targets y of the output layer have shape
(n_out, batch). A value is one number per example, shape (batch,); the mean over examples is taken by the caller.
"""

import importlib
import importlib.machinery
import math
import os
import sys
from pathlib import Path
from typing import Protocol

import numpy as np

from netlearn.activations import Activation, Array, Sigmoid, Softmax
from netlearn.errors import CostError, SettingsError


class Cost(Protocol):
    """What makes a cost function: two attributes and two methods that belong together."""

    @property
    def output(self) -> Activation:
        """The output layer's activation."""
        ...

    @property
    def learning_rate(self) -> float:
        """What a run uses when the user names none."""
        ...

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the cost C of each example, shape (batch,)."""
        ...

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write the output error δ = ∂C/∂z of each example, shape (n_out, batch), to `out` and return it."""
        ...


class Quadratic:
    """C = ½ Σ_j (a_j − y_j)² on sigmoid outputs (chapter 1, equation 6)."""

    output = Sigmoid()
    learning_rate = 3.0

    def __init__(self) -> None:
        self._prime: Array = np.empty((0, 0))

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return ½ Σ_j (a_j − y_j)²."""
        error = a - y
        result: Array = np.einsum("jx,jx->x", error, error) / 2
        return result

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = (a − y) σ'(z) (equation 30): the factor σ'(z) is the learning slowdown."""
        if self._prime.shape != out.shape or self._prime.dtype != out.dtype:
            self._prime = np.empty_like(out)
        np.subtract(a, y, out)
        return np.multiply(out, self.output.prime(a, self._prime), out)


class CrossEntropy:
    """C = −Σ_j [y_j ln a_j + (1−y_j) ln(1−a_j)] on sigmoid outputs (chapter 3, equations 57 and 63).

    A sum of one cross-entropy per output neuron, whose activation is read as the distribution (a_j, 1−a_j).
    """

    output = Sigmoid()
    learning_rate = 0.5

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the sum over neurons from z, where −ln a = ln(1 + e^−z) and −ln(1−a) = ln(1 + e^z).

        Both are ln(1 + e^−|z|), and on the wrong side |z| more, which counts by the share of y that lies there. No
        power overflows and no digit is lost: the cost is finite and never negative, saturated or not.
        """
        size = np.abs(z)
        result: Array = (np.where(z > 0, 1 - y, y) * size + np.log1p(np.exp(-size))).sum(axis=0)
        return result

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = a − y (equation 66): σ'(z) has cancelled, so the error alone sets the speed of learning."""
        return np.subtract(a, y, out)


class LogLikelihood:
    """C = −ln a_y on softmax outputs (chapter 3, equation 80); −Σ_j y_j ln a_j where y is a distribution."""

    output = Softmax()
    learning_rate = 0.1

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return −Σ_j y_j ln a_j from z: −ln a_j = ln Σ_k e^(z_k − z_j).

        The largest term of the sum is split off as the 1 of log1p, so that a tiny cost keeps all its digits.
        """
        z = z - z.max(axis=0)
        terms = np.exp(z)
        np.put_along_axis(terms, z.argmax(axis=0)[np.newaxis], 0, axis=0)
        result: Array = (y * (np.log1p(terms.sum(axis=0)) - z)).sum(axis=0)
        return result

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = a − y (equation 84): the logarithm cancels the softmax's derivative."""
        return np.subtract(a, y, out)


COSTS: dict[str, type[Cost]] = {
    "quadratic": Quadratic,
    "cross-entropy": CrossEntropy,
    "log-likelihood": LogLikelihood,
}

_PARTS = ("output", "learning_rate", "value", "delta")


def load_cost(name: str) -> Cost:
    """Return the cost of that name in `COSTS`, or a user's own, `package.module:ClassName`.

    A user's module is imported from the current folder or from what is installed. Before such a cost is used,
    `check_gradient` should have passed it, as a `Network` sees to.

    Raises:
        SettingsError: the name is neither in `COSTS` nor of the form `package.module:ClassName`.
        CostError: the user's class cannot be loaded or lacks a part of the protocol.
    """
    if name in COSTS:
        return COSTS[name]()
    module_name, colon, class_name = name.partition(":")
    if not (colon and module_name and class_name):
        raise SettingsError(f"cost {name!r}: allowed is {', '.join(COSTS)} or package.module:ClassName")
    cost = _make_cost(name, module_name, class_name)
    for part in _PARTS:
        if not hasattr(cost, part):
            raise CostError(f"cost {name!r}: the class has no {part!r}; a cost has {', '.join(_PARTS)}")
    rate = cost.learning_rate
    if not (isinstance(rate, int | float) and 0 < rate < math.inf):
        raise CostError(f"cost {name!r}: its learning_rate is {rate!r}; allowed is a number above 0")
    return cost


def lies_in(name: str, folder: Path) -> bool:
    """Tell whether the module of a user's cost is a file of that folder, or below it; it is not imported."""
    first, *rest = name.partition(":")[0].split(".")
    if not first or first in sys.modules:
        return False
    here = os.getcwd()  # noqa: PTH109 (as `_make_cost` has it)
    spec = importlib.machinery.PathFinder.find_spec(first, [here, *sys.path])
    if spec is None:
        return False
    places = [Path(place).joinpath(*rest) for place in spec.submodule_search_locations or ()]
    return any(place.resolve().is_relative_to(folder.resolve()) for place in [*places, Path(spec.origin or "/")])


def _make_cost(name: str, module_name: str, class_name: str) -> Cost:
    folder = os.getcwd()  # noqa: PTH109 (a string is what sys.path holds)
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
        cost: Cost = getattr(module, class_name)()
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        raise CostError(f"cost {name!r}: cannot be loaded: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
    return cost


def check_gradient(cost: Cost, name: str, outputs: int = 4, tolerance: float = 1e-6) -> None:
    """Compare `cost.delta` with central differences of `cost.value`, in float64.

    The examples are 64, of that many outputs, with weighted inputs up to ±5, where a value that is computed from a
    has the digits that differences need. Half of the targets are one-hot, half are distributions. The difference may
    be `tolerance` times the larger of 1 and the two derivatives.

    Raises:
        CostError: naming the first neuron where they differ, with both numbers, or what made the check impossible.
    """
    rng = np.random.default_rng(0)
    z = rng.uniform(-5, 5, (outputs, 64))
    hot = np.eye(outputs)[rng.integers(outputs, size=64)].T if outputs > 1 else rng.integers(2, size=(1, 64))
    soft = rng.dirichlet(np.ones(outputs), 64).T if outputs > 1 else rng.random((1, 64))
    y = np.where(np.arange(64) % 2, hot, soft)
    try:
        with np.errstate(all="ignore"):  # a value that is not finite is told below, in one line
            delta, numeric = _both_derivatives(cost, name, z, y)
    except CostError:
        raise
    except Exception as error:  # a user's method may raise anything
        raise CostError(f"cost {name!r}: fails when called: {type(error).__name__}: {error}") from error
    scale = np.maximum(1, np.maximum(abs(delta), abs(numeric)))
    wrong = np.argwhere(abs(delta - numeric) > tolerance * scale)
    if wrong.size:
        j, x = wrong[0]
        raise CostError(
            f"cost {name!r}: delta is not the derivative of value: at z = {z[j, x]:.4g}, y = {y[j, x]:.4g} "
            f"delta gives {delta[j, x]:.7g}, central differences of value give {numeric[j, x]:.7g}"
        )


def _both_derivatives(cost: Cost, name: str, z: Array, y: Array) -> tuple[Array, Array]:
    """Return what `delta` writes and what differences of `value` give, seeing to it that both keep the protocol."""

    def value(z: Array) -> Array:
        result = cost.value(z, cost.output.value(z), y)
        if np.shape(result) != (z.shape[1],) or not np.isfinite(result).all():
            raise CostError(f"cost {name!r}: value must return a finite number per example, shape (64,) for 64")
        return result

    a, delta = np.full_like(z, np.nan), np.full_like(z, np.nan)
    cost.output.value(z, a)  # as the network calls it, by position
    if not np.array_equal(a, cost.output.value(z)):
        raise CostError(f"cost {name!r}: the value of its output activation must write to `out` what it returns")
    given = z.copy(), a.copy(), y.copy()
    cost.delta(*given, delta)
    if np.isnan(delta).any():
        raise CostError(f"cost {name!r}: delta must write a number for every neuron and example to `out`")
    if not all(map(np.array_equal, given, (z, a, y))):
        raise CostError(f"cost {name!r}: delta must leave z, a and y as they are")
    step = 1e-5
    numeric = np.empty_like(z)
    for j in range(len(z)):
        bump = np.zeros_like(z)
        bump[j] = step
        numeric[j] = (value(z + bump) - value(z - bump)) / (2 * step)
    return delta, numeric
