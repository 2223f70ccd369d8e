"""config.toml of a run: its complete settings, with which it can be repeated."""

from pathlib import Path
from typing import Any

from netlearn.custom_cost import is_own, lies_in
from netlearn.errors import RunError, SettingsError
from netlearn.runs.files import read_bounded
from netlearn.runs.sums import NAME as SUMS
from netlearn.runs.sums import Sums
from netlearn.settings import Settings, check, check_format
from netlearn.toml import MOST_TOML, decode_toml

NAME = "config.toml"


def read(folder: Path, sums: Sums | None = None) -> Settings:
    """Return the settings of a run folder, without importing the code of the user's own cost.

    `sums` are the hashes of a complete folder, if they have been read already.
    """
    path = folder / NAME
    content = content_of(folder, sums)
    if "variants" in content:
        raise RunError(f"{folder}: is a comparison, not a run; resume it with netlearn compare --resume")
    try:
        settings = Settings(**{name: check(name, value, f"{path}: {name}") for name, value in content.items()})
    except TypeError as error:
        raise RunError(f"{path}: not the settings of a run: {error}") from error
    except SettingsError as error:
        raise RunError(str(error)) from error
    if is_own(settings.cost) and lies_in(settings.cost, folder):
        raise RunError(f"{path}: cost {settings.cost}: its code is in the run folder, which must not hold code")
    return settings


def content_of(folder: Path, sums: Sums | None = None, most: int = MOST_TOML) -> dict[str, Any]:
    """Return the content of the config.toml of a run or comparison, after checking only its size, format and hash."""
    path = folder / NAME
    if not path.exists():
        raise RunError(f"{folder}: not the folder of a run: it has no {NAME}")
    if sums is None and (folder / SUMS).exists():
        sums = Sums.read(folder)
    raw = sums.content(NAME, most) if sums else read_bounded(path, most)
    try:
        content = decode_toml(path, raw, most)
        check_format(path, content.pop("format", 1))
    except SettingsError as error:
        raise RunError(str(error)) from error
    return content
