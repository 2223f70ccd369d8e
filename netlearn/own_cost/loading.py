"""Loading a user's own cost by its name, `package.module:ClassName`."""

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from netlearn.costs import COSTS, Cost
from netlearn.errors import CostError, SettingsError
from netlearn.own_cost.given import given
from netlearn.own_cost.guard import METHODS, OwnCost, blaming, check_parts


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


def _instantiate(name: str, module_name: str, class_name: str) -> Cost:
    found = given(name)
    if found is None:
        found = _imported(module_name, class_name)
        if not isinstance(found, type):
            raise CostError(f"cost {name!r}: must be a class, not a {type(found).__name__}")
    if not isinstance(found, type):
        return found
    check_parts(found, name, METHODS)  # before anything of it is called
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
