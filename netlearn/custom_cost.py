"""Costs that users write: loading one by its name, and naming it in its errors; `gradient_check` checks it."""

import ast
import copy
import importlib
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from shlex import quote
from typing import Any, TypeAlias

import numpy as np

from netlearn.costs import COSTS, Cost
from netlearn.errors import CostError, NetlearnError, SettingsError
from netlearn.literature import LITERATURE
from netlearn.numerics import Array

KNOWN: Mapping[str, type[Cost]] = COSTS | LITERATURE
GivenCost: TypeAlias = Cost | type[Cost]
NamedCosts: TypeAlias = Mapping[str, GivenCost | None]  # costs that may be used; None: imported, as its name says
NO_COSTS: NamedCosts = {}
PARTS = ("output", "learning_rate", "value", "delta")
LARGEST_NUMBER = 1e9  # of a setting, such as a learning rate or λ; the bound also rejects infinity and NaN


def load_cost(name: str, costs: NamedCosts = NO_COSTS) -> Cost:
    """Return the cost of a name in `KNOWN`, or a user's own, `package.module:ClassName` or `…:ClassName(gamma=2)`.

    A user's module is imported from the current folder or the installed packages, unless `costs` has its class or an
    instance, of which a copy is returned. Call `check_gradient` before such a cost is used.

    Raises:
        SettingsError: the name is of neither form.
        CostError: the class has no such parameters; a user's cannot be loaded or has not all parts of a cost.
    """
    given = costs.get(name)
    if given is not None and not isinstance(given, type):
        return CustomCost(copy.deepcopy(given), name)
    head, parameters = parse_name(name)
    with Blaming(name, "cannot be loaded"):
        if not is_own(name):
            return KNOWN[head](**parameters)
        kind = given or _imported(*head.split(":"))
        if not isinstance(kind, type):
            raise CostError(f"cost {name!r}: must be a class, not a {type(kind).__name__}")
        _check_parts(kind, name, ("value", "delta"))  # before anything of it is called
        return CustomCost(kind() if given else kind(**parameters), name)


def parse_name(name: str) -> tuple[str, dict[str, Any]]:
    """Return what stands before the parentheses of a cost's name, and the parameters in them.

    Raises:
        SettingsError: it is neither a name in `KNOWN` nor package.module:ClassName, with parameters or not.
    """
    head, parenthesis, rest = name.partition("(")
    parameters: dict[str, Any] = {}
    if parenthesis:
        try:
            given = _keywords(f"f({rest}")
        except (ValueError, SyntaxError) as error:
            raise SettingsError(
                f"cost {name!r}: parameters must be given as NAME=VALUE, such as {head}(gamma=2)"
            ) from error
        parameters = {each: _literal(value, f"cost {name!r}: {each}") for each, value in given.items()}
    module, colon, kind = head.partition(":")
    if head not in KNOWN and not (colon and module and kind.isidentifier()):
        raise SettingsError(f"cost {name!r}: must be {', '.join(KNOWN)} or package.module:ClassName")
    return head, parameters


def _keywords(text: str) -> dict[str, ast.expr]:
    """Return the arguments of a call such as "f(a=1, b=2)", which must be named."""
    call = ast.parse(text, mode="eval").body
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)) or call.args:
        raise ValueError(text)
    named = {each.arg: each.value for each in call.keywords if each.arg}
    if len(named) < len(call.keywords):  # **mapping, or one twice
        raise ValueError(text)
    return named


def _literal(value: ast.expr, label: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError) as error:
        text = ast.unparse(value)
        allowed = "a number, a text in quotes, True, False, None, or a list of such values"
        raise SettingsError(f"{label}={text}: must be {allowed}") from error


def is_own(name: str) -> bool:
    """Return whether a cost is a user's own, whose code is imported."""
    return name.partition("(")[0] not in KNOWN


def short_name(name: str) -> str:
    """Return the name of a cost without its module."""
    head, colon, rest = name.partition(":")
    return rest if colon and "(" not in head else name


def short_names(costs: Iterable[str]) -> dict[str, str]:
    """Return what tables and pictures call costs: without their module, if no other is called the same."""
    costs = list(dict.fromkeys(costs))
    counts = Counter(map(short_name, costs))
    return {cost: short_name(cost) if counts[short_name(cost)] == 1 else cost for cost in costs}


def check_named(cost: str, named: Collection[str], where: Path) -> None:
    """Check that a cost of the run `where` is netlearn's or named: a run folder alone never causes an import."""
    if is_own(cost) and cost not in named:
        option = f"--cost {quote(cost)} (in Python, cost=)"
        raise SettingsError(f"{where}: cost {cost}: must be named with {option}, since its code is imported")


def shell_command(words: str, costs: Iterable[str], *folders: Path | str) -> str:
    """Return a command on folders, such as "netlearn verify runs/x", that names the own costs among theirs."""
    named = [f"--cost {quote(cost)}" for cost in sorted({*costs}) if is_own(cost)]
    return " ".join(["netlearn", words, *(quote(str(folder)) for folder in folders), *named])


def _imported(module: str, kind: str) -> Any:
    folder = os.getcwd()  # noqa: PTH109 (a string is what sys.path holds)
    sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module), kind)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # one that the user's module needs
            raise
        places = "the current folder, PYTHONPATH and the installed packages"
        raise ModuleNotFoundError(f"{error}; it is looked for in {places}") from error
    finally:
        if folder in sys.path:  # the user's code may have changed the path
            sys.path.remove(folder)


@dataclass(frozen=True)
class Blaming:
    """A context that turns errors of a user's own cost into a `CostError`, which says what went wrong with it."""

    name: str
    what: str = "fails when called"

    def __enter__(self) -> None:
        """Nothing is prepared, so that a context can be used again in every step."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception | SystemExit) and not isinstance(error, NetlearnError):
            text = " ".join(str(error).split())[:200]
            hint = " (z, a and y must be left unchanged)" if "read-only" in text else ""
            raise CostError(f"cost {self.name!r}: {self.what}: {type(error).__name__}: {text}{hint}") from error


class CustomCost:
    """A user's own cost, with all parts of a cost; an error in it names it."""

    def __init__(self, cost: Cost, name: str) -> None:
        _check_parts(cost, name, PARTS)
        self._cost, self._name, self._blaming = cost, name, Blaming(name)
        self.output = cost.output
        if isinstance(self.output, type | str) or not hasattr(self.output, "value"):
            raise CostError(
                f"cost {name!r}: output {self.output!r:.40}: must be an instance of an activation, such as Sigmoid()"
            )
        rate = cost.learning_rate
        if not isinstance(rate, Real) or isinstance(rate, bool) or not 0 < rate <= LARGEST_NUMBER:
            raise CostError(
                f"cost {name!r}: learning_rate {rate!r:.40}: must be a number above 0, up to {LARGEST_NUMBER:g}"
            )
        self.learning_rate = float(rate)

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the user's value, a number per example."""
        with self._blaming:
            values = self._cost.value(z, a, y)
        n = z.shape[1]
        if not (isinstance(values, np.ndarray) and values.shape == (n,) and values.dtype.kind in "fiu"):
            found = (
                f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            )
            raise CostError(
                f"cost {self._name!r}: value must return a number per example, shape ({n},) for {n}, not {found}; "
                "sum over axis 0 alone, which has the outputs"
            )
        return values

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Let the user's delta write to `out`."""
        with self._blaming:
            return self._cost.delta(z, a, y, out)


def _check_parts(cost: object, name: str, parts: Collection[str]) -> None:
    for part in parts:
        if not hasattr(cost, part):
            raise CostError(f"cost {name!r}: the class has no {part!r}; a cost has {', '.join(PARTS)}")
