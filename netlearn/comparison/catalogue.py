"""The experiments that come with netlearn: the files in configs/, by name."""

from pathlib import Path

import msgspec

from netlearn.errors import SettingsError
from netlearn.runs import CONFIG
from netlearn.text import decode_toml, suggestion


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an experiment is for."""

    question: str = ""
    command: str = ""
    expected: str = ""
    run_time: str = ""
    chapter: int = 0  # of the book; 0 for what goes beyond it


def folder() -> Path:
    """Return the folder of the files, which is beside the package in a checkout and inside it once installed."""
    inside = Path(__file__).parents[1] / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "configs"


def files() -> dict[str, Path]:
    """Return the files by name of the experiment."""
    return {path.stem: path for path in sorted(folder().glob("*.toml"), key=lambda path: path.stem)}


def read_about(path: Path) -> About:
    """Return the description in an experiment file."""
    return msgspec.convert(decode_toml(path).get("about", {}), About)


def descriptions() -> dict[str, About]:
    """Return the `about` of each file, by name of the experiment."""
    return {name: read_about(path) for name, path in files().items()}


def by_chapter() -> dict[str, dict[str, About]]:
    """Return the `about` of each file by its name, below headings: the book's chapters first."""
    known = sorted(descriptions().items(), key=lambda item: item[1].chapter or 100)
    headings: dict[str, dict[str, About]] = {}
    for name, about in known:
        headings.setdefault(f"Chapter {about.chapter}" if about.chapter else "Beyond the book", {})[name] = about
    return headings


def find(argument: Path) -> Path | None:
    """Return the experiment file for a name or path, or None if it is a run folder."""
    if argument.suffix == ".toml":
        return argument
    known = files()
    if str(argument) in known and not (argument / CONFIG).is_file():
        return known[str(argument)]
    if argument.exists():
        return None
    beside = {path.name for path in argument.parent.glob("*/")}
    names = beside if len(argument.parts) > 1 else beside | known.keys()
    near = suggestion(argument.name, names)
    hint = f"did you mean {argument.parent / near}?" if near else "netlearn compare --list lists the experiments"
    raise SettingsError(f"{argument}: no such folder or experiment; {hint}")
