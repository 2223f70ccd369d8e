"""The experiments that come with netlearn, by name: the files in configs/, each of which answers one question.

A file begins with a comment of labelled lines: its question, its command, what to expect and how long it takes. An
empty line, with or without a "#", ends it; remarks may follow.
"""

import difflib
import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from netlearn.errors import SettingsError
from netlearn.runs import CONFIG

LABELS = ("Question", "Command", "Expected", "Run time")


def folder() -> Path:
    """Return where the files are: beside the package in a checkout, inside it once installed."""
    inside = Path(__file__).with_name("configs")
    return inside if inside.is_dir() else Path(__file__).parents[1] / "configs"


def files() -> dict[str, Path]:
    """Return the files by the names of their experiments."""
    return {path.stem: path for path in sorted(folder().glob("*.toml"), key=lambda path: path.stem)}


def comment(path: Path) -> dict[str, str]:
    """Return what the comment at the top of a file says, by label, each text in one line."""
    lines = takewhile(lambda line: line.startswith("# "), path.read_text(encoding="utf-8").splitlines())
    _, *parts = re.split(rf"(?:^|\s)({'|'.join(LABELS)}): ", " ".join(line.lstrip("# ") for line in lines))
    return {label: " ".join(text.split()) for label, text in zip(parts[::2], parts[1::2], strict=True)}


def find(argument: Path) -> Path | None:
    """Return the experiment file that an argument names or is; None where it is a folder.

    Raises:
        SettingsError: there is nothing of this name.
    """
    if argument.suffix == ".toml":
        return argument
    known = files()
    if str(argument) in known and not (argument / CONFIG).is_file():
        return known[str(argument)]
    if argument.exists():
        return None
    near = ", ".join(nearest_first(str(argument), known))
    raise SettingsError(f"{argument}: no run folder and no experiment; allowed are {near}")


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names, those that look most like a name first."""
    return sorted(known, key=lambda each: -difflib.SequenceMatcher(None, name, each).ratio())
