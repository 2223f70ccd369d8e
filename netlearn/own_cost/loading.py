"""Loading a user's own cost by its name, `package.module:ClassName`."""

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from numbers import Real
from pathlib import Path
from typing import Any

from netlearn.costs import COSTS, Cost
from netlearn.errors import CostError, NetlearnError, SettingsError
from netlearn.numerics import Array
from netlearn.own_cost.given import given

METHODS = ("value", "delta")
PARTS = ("output", "learning_rate", *METHODS)
LARGEST = 1e9  # as a setting may be
MOST_TEXT = 200  # characters of a user's error


def load_cost(name: str) -> Cost:
    """Return the cost of a name in `COSTS`, or a user's own, `package.module:ClassName`.

    A user's module is imported from the current folder or the installed packages. Call `check_gradient` before such a
    cost is used.

    Raises:
        SettingsError: the name is neither in `COSTS` nor of the form `package.module:ClassName`.
        CostError: the user's class cannot be loaded or does not have all parts of a cost.
    """
    if name in COSTS:
        return COSTS[name]()
    module_name, colon, class_name = name.partition(":")
    if not (colon and module_name and class_name):
        raise SettingsError(f"cost {name!r}: must be {', '.join(COSTS)} or package.module:ClassName")
    with blaming(name, "cannot be loaded"):
        return OwnCost(_instantiate(name, module_name, class_name), name)


class OwnCost:
    """A user's own cost, which gets z, a and y read-only, so that it cannot change them by mistake."""

    def __init__(self, cost: Cost, name: str) -> None:
        _check_parts(cost, name, PARTS)
        self._cost = cost
        self.output = cost.output
        rate = cost.learning_rate
        if not isinstance(rate, Real) or isinstance(rate, bool) or not 0 < rate <= LARGEST:
            raise CostError(f"cost {name!r}: learning_rate {rate!r:.40}: must be a number above 0, up to {LARGEST:g}")
        self.learning_rate = float(rate)

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the user's value."""
        return self._cost.value(_read_only(z), _read_only(a), _read_only(y))

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Let the user's delta write to `out`."""
        return self._cost.delta(_read_only(z), _read_only(a), _read_only(y), out)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def lies_in(name: str, folder: Path) -> bool:
    """Return whether the module of a user's cost is in a folder or below it, without importing it."""
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
    """Check that a cost of the run `where` is in `COSTS` or named: a run folder alone never causes an import."""
    if cost not in COSTS and cost not in named:
        raise SettingsError(
            f"{where}: cost {cost}: must be named with --cost {cost} (in Python, cost=), since its code is imported"
        )


@contextmanager
def blaming(name: str, what: str = "fails when called") -> Iterator[None]:
    """Turn errors of a user's own cost into a `CostError`, and send what it prints to stderr."""
    if name in COSTS:
        yield
        return
    try:
        with redirect_stdout(sys.stderr):
            yield
    except NetlearnError:
        raise
    except (Exception, SystemExit) as error:
        raise CostError(f"cost {name!r}: {what}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """Return the text of an error, even if its own `__str__` fails."""
    try:
        text = " ".join(str(error).split())[:MOST_TEXT]
    except Exception:
        text = ""
    hint = " (z, a and y must be left unchanged)" if "read-only" in text else ""
    return f"{type(error).__name__}: {text}{hint}"


def _instantiate(name: str, module_name: str, class_name: str) -> Cost:
    found = given(name)
    if found is None:
        found = _imported(module_name, class_name)
        if not isinstance(found, type):
            raise CostError(f"cost {name!r}: must be a class, not a {type(found).__name__}")
    if not isinstance(found, type):
        return found
    _check_parts(found, name, METHODS)  # before anything of it is called
    cost: Cost = found()
    return cost


def _imported(module_name: str, class_name: str) -> Any:
    folder = os.getcwd()  # noqa: PTH109 (a string is what sys.path holds)
    sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module_name), class_name)
    finally:
        with suppress(ValueError):  # the user's code may have changed the path
            sys.path.remove(folder)


def _check_parts(cost: object, name: str, parts: Collection[str]) -> None:
    for part in parts:
        if not hasattr(cost, part):
            raise CostError(f"cost {name!r}: the class has no {part!r}; a cost has {', '.join(PARTS)}")
