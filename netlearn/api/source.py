"""What a result is read from: the folders of its files, and the costs of its runs."""

import atexit
import shutil
import sys
import tempfile
import weakref
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np

from netlearn.costs import Cost
from netlearn.custom_cost import KNOWN, NamedCosts
from netlearn.errors import RunError, SettingsError

AnyCost: TypeAlias = str | Cost | type[Cost]


class Source:
    """The folder that a caller named, or a temporary one, and the costs that its runs may use.

    A temporary folder is removed when nothing refers to its source any more.

    Attributes:
        folder: where the files are.
        beside: the folder for the data set that they refer to; None if they are temporary.
        names: the costs whose code may be imported.
        given: the objects that some of them stand for.
    """

    def __init__(self, out: str | Path | None = None) -> None:
        self.names: list[str] = []
        self.given: dict[str, Cost | type[Cost]] = {}
        self._others: list[Source] = []
        if out is None:
            temporary = _temporary()
            weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
        self.folder = temporary / "result" if out is None else Path(out)
        self.beside = None if out is None else self.folder.parent

    @property
    def is_temporary(self) -> bool:
        """Whether any of the files will be removed."""
        return self.beside is None or any(each.is_temporary for each in self._others)

    @property
    def costs(self) -> NamedCosts:
        """The costs that may be used: as objects, or imported."""
        return {name: self.given.get(name) for name in self.names}

    def add(self, other: "Source") -> None:
        """Let the result be read from the folders and with the costs of another source too."""
        self.names += other.names
        self.given = other.given | self.given
        self._others.append(other)

    def name_of(self, cost: AnyCost) -> str:
        """Return the name of a cost: in `KNOWN`, module:ClassName, or module:ClassName(attribute=value)."""
        name = cost if isinstance(cost, str) else self._name_of_object(cost)
        if name not in self.names:
            self.names.append(name)
        return name

    def _name_of_object(self, cost: Cost | type[Cost]) -> str:
        kind = cost if isinstance(cost, type) else type(cost)
        if not all(hasattr(cost, part) for part in ("value", "delta")):
            raise SettingsError(f"cost {cost!r:.80}: must be a name, or a class or instance with value and delta")
        own = {} if kind is cost else {key: each for key, each in vars(cost).items() if not key.startswith("_")}
        public = {key: each.item() if isinstance(each, np.generic) else each for key, each in own.items()}
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


@cache
def session() -> Path:
    """Return a temporary folder that lasts until Python ends."""
    folder = _temporary()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _temporary() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="netlearn-"))
    except OSError as error:
        raise RunError(f"no temporary folder can be made: {error.strerror}") from error
