"""Costs that users write: loading one by `package.module:ClassName`, and checking its gradient before it is used."""

import importlib
import importlib.machinery
import math
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from netlearn.costs import COSTS, Cost
from netlearn.errors import CostError, NetlearnError, SettingsError
from netlearn.numerics import Array

METHODS = ("value", "delta")
PARTS = ("output", "learning_rate", *METHODS)


def load_cost(name: str) -> Cost:
    """Return the cost of that name in `COSTS`, or a user's own, `package.module:ClassName`.

    A user's module is imported from the current folder or from what is installed. `check_gradient` should accept such
    a cost before it is used.

    Raises:
        SettingsError: the name is neither in `COSTS` nor of the form `package.module:ClassName`.
        CostError: the user's class cannot be loaded or lacks a part of the protocol.
    """
    if name in COSTS:
        return COSTS[name]()
    module_name, colon, class_name = name.partition(":")
    if not (colon and module_name and class_name):
        raise SettingsError(f"cost {name!r}: must be {', '.join(COSTS)} or package.module:ClassName")
    cost = _instantiate(name, module_name, class_name)
    _check_parts(cost, name, PARTS)
    rate = cost.learning_rate
    if not (isinstance(rate, int | float) and 0 < rate < math.inf):
        raise CostError(f"cost {name!r}: learning_rate {rate!r}: must be a number above 0")
    return cost


def lies_in(name: str, folder: Path) -> bool:
    """Return whether the module of a user's cost is a file in that folder, or below it, without importing it."""
    first, *rest = name.partition(":")[0].split(".")
    if not first or first in sys.modules:
        return False
    here = os.getcwd()  # noqa: PTH109 (a string is what the path finder takes)
    spec = importlib.machinery.PathFinder.find_spec(first, [here, *sys.path])
    if spec is None:
        return False
    places = [Path(place).joinpath(*rest) for place in spec.submodule_search_locations or ()]
    return any(place.resolve().is_relative_to(folder.resolve()) for place in [*places, Path(spec.origin or "/")])


def check_named(cost: str, named: Collection[str], where: Path) -> None:
    """Check that the user named a run's own cost: a run folder alone never causes an import.

    Args:
        cost: the run's cost.
        named: the costs that the user named.
        where: the run, for the error.

    Raises:
        SettingsError: it is a user's own cost that was not named.
    """
    if cost not in COSTS and cost not in named:
        raise SettingsError(
            f"{where}: has the user's own cost {cost}, whose code is imported only if named: --cost {cost}"
        )


@contextmanager
def blaming(name: str, what: str = "fails when called") -> Iterator[None]:
    """Turn whatever the code of a user's own cost raises into a `CostError`; other costs' errors pass."""
    try:
        yield
    except NetlearnError:
        raise
    except (Exception, SystemExit) as error:
        if name in COSTS:
            raise
        raise CostError(f"cost {name!r}: {what}: {type(error).__name__}: {error}") from error


def _instantiate(name: str, module_name: str, class_name: str) -> Cost:
    folder = os.getcwd()  # noqa: PTH109 (a string is what sys.path holds)
    sys.path.insert(0, folder)
    try:
        with blaming(name, "cannot be loaded"):
            found = getattr(importlib.import_module(module_name), class_name)
            if not isinstance(found, type):
                raise CostError(f"cost {name!r}: must be a class, not a {type(found).__name__}")
            _check_parts(found, name, METHODS)  # before anything of it is called
            cost: Cost = found()
    finally:
        sys.path.remove(folder)
    return cost


def _check_parts(cost: object, name: str, parts: Collection[str]) -> None:
    for part in parts:
        if not hasattr(cost, part):
            raise CostError(f"cost {name!r}: the class has no {part!r}; a cost has {', '.join(PARTS)}")


def check_gradient(cost: Cost, name: str, outputs: int = 4, tolerance: float = 1e-6) -> None:
    """Compare `cost.delta` with central differences of `cost.value`, in float64.

    There are 64 examples with that many outputs, weighted inputs within ±5 (beyond, a value computed from a lacks the
    digits that differences need), and one-hot targets for half of them, distributions for the others. The derivatives
    may differ by `tolerance` times the larger of 1 and either of them.

    Raises:
        CostError: naming the first neuron where they differ, with both numbers, or why the check was impossible.
    """
    rng = np.random.default_rng(0)
    z = rng.uniform(-5, 5, (outputs, 64))
    hot = np.eye(outputs)[rng.integers(outputs, size=64)].T if outputs > 1 else rng.integers(2, size=(1, 64))
    soft = rng.dirichlet(np.ones(outputs), 64).T if outputs > 1 else rng.random((1, 64))
    y = np.where(np.arange(64) % 2, hot, soft)
    with blaming(name), np.errstate(all="ignore"):  # a value that is not finite is reported below
        delta, numeric = _both_derivatives(cost, name, z, y)
    scale = np.maximum(1, np.maximum(abs(delta), abs(numeric)))
    wrong = np.argwhere(abs(delta - numeric) > tolerance * scale)
    if wrong.size:
        j, x = wrong[0]
        raise CostError(
            f"cost {name!r}: delta is not the derivative of value: at z = {z[j, x]:.4g}, y = {y[j, x]:.4g} "
            f"delta gives {delta[j, x]:.7g}, central differences of value give {numeric[j, x]:.7g}"
        )


def _both_derivatives(cost: Cost, name: str, z: Array, y: Array) -> tuple[Array, Array]:
    """Return what `delta` writes and the differences of `value`, and check that both follow the protocol."""

    def value(z: Array) -> Array:
        result = cost.value(z, cost.output.value(z), y)
        if np.shape(result) != (z.shape[1],) or not np.isfinite(result).all():
            raise CostError(f"cost {name!r}: value must return a finite number per example, shape (64,) for 64")
        return result

    a, delta = np.full_like(z, np.nan), np.full_like(z, np.nan)
    cost.output.value(z, a)  # by position, as the network calls it
    if not np.array_equal(a, cost.output.value(z)):
        raise CostError(f"cost {name!r}: the value of its output activation must write to `out` what it returns")
    given = z.copy(), a.copy(), y.copy()
    cost.delta(*given, delta)
    if np.isnan(delta).any():
        raise CostError(f"cost {name!r}: delta must write a number for every neuron and example to `out`")
    if not all(map(np.array_equal, given, (z, a, y))):
        raise CostError(f"cost {name!r}: delta must leave z, a and y unchanged")
    step = 1e-5
    numeric = np.empty_like(z)
    for j in range(len(z)):
        bump = np.zeros_like(z)
        bump[j] = step
        numeric[j] = (value(z + bump) - value(z - bump)) / (2 * step)
    return delta, numeric
