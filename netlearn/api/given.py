"""What a caller gives in Python, turned into what a file of settings can say."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netlearn.api.place import session
from netlearn.api.settings import AnyCost, Data
from netlearn.custom_cost import KNOWN, GivenCost, NamedCosts
from netlearn.datasets import KEYS, store
from netlearn.errors import DataError, SettingsError
from netlearn.settings import check


class Costs:
    """The costs of one result: their names in settings, and those that only this process knows.

    Attributes:
        names: the names of all, whose code may be imported.
        given: the classes and instances that cannot be imported, by name.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.given: dict[str, GivenCost] = {}

    @property
    def named(self) -> NamedCosts:
        """The costs that may be used: as objects, or imported."""
        return {name: self.given.get(name) for name in self.names}

    def name_of(self, cost: AnyCost) -> str:
        """Return the name of a cost: in `KNOWN`, module:ClassName, or module:ClassName(attribute=value)."""
        name = cost if isinstance(cost, str) else self._name_of_object(cost)
        if name not in self.names:
            self.names.append(name)
        return name

    def _name_of_object(self, cost: GivenCost) -> str:
        kind = cost if isinstance(cost, type) else type(cost)
        if not all(hasattr(cost, part) for part in ("value", "delta")):
            raise SettingsError(f"cost {cost!r:.80}: must be a name, or a class or instance with value and delta")
        public = {} if kind is cost else {key: each for key, each in vars(cost).items() if not key.startswith("_")}
        shown = ", ".join(f"{key}={value!r}" for key, value in public.items() if isinstance(value, int | float | str))
        if built_in := [name for name, known in KNOWN.items() if kind is known]:
            return f"{built_in[0]}({shown})" if shown else built_in[0]
        name = f"{kind.__module__}:{kind.__name__}"
        if kind is cost:
            found = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None)
            if found is cost and kind.__module__ != "__main__":
                return name
        else:
            name = f"{name}({shown})"
        first, number = name, 1
        while self.given.setdefault(name, cost) is not cost:
            number += 1
            name = f"{first} {number}"
        return name

    def label_of(self, cost: AnyCost) -> str:
        """Return what the variant with this cost is called."""
        name = self.name_of(cost)
        return name if isinstance(cost, str) else name.partition(":")[2] or name

    def add(self, other: "Costs") -> None:
        """Add the costs of another result."""
        self.names += [name for name in other.names if name not in self.names]
        self.given = other.given | self.given


def settings_of(given: Mapping[str, Any], costs: Costs, beside: Path | None = None) -> dict[str, Any]:
    """Return settings checked by the schema; None stands for a setting that is not given.

    Costs are added to `costs`, and arrays are stored as `data_name` says.

    Raises:
        SettingsError: there is no such setting, or its value is not valid.
        DataError: the arrays given as data are not those of a data set.
    """
    plain = {name: _plain(value) for name, value in given.items() if value is not None and name != "data"}
    if "cost" in plain:
        plain["cost"] = costs.name_of(plain["cost"])
    checked = {name: check(name, value, name) for name, value in plain.items()}
    if given.get("data") is not None:  # last, since it may be stored
        checked["data"] = check("data", data_name(given["data"], beside), "data")
    return checked


def _plain(value: Any) -> Any:
    """Return a value as a TOML file would hold it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, range) else value


def items_of(given: Any) -> Any:
    """Return a list of the items of a collection; anything else as it is."""
    plain = _plain(given)
    return list(plain) if isinstance(plain, Iterable) and not isinstance(plain, str) else plain


def data_name(data: Data, beside: Path | None = None) -> str:
    """Return the name of a data set; arrays are stored in the folder `beside`, or in a temporary one of the session.

    Raises:
        DataError: they are not the arrays of a data set.
    """
    if isinstance(data, str | Path):
        return str(data)
    if not isinstance(data, Mapping | Sequence):
        raise DataError(f"data: {type(data).__name__}; must be a name, a path, or the arrays {', '.join(KEYS)}")
    return str(store(data, beside or session()))
