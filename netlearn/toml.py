"""TOML files, read within bounds."""

import re
from pathlib import Path
from typing import Any

import msgspec

from netlearn.errors import SettingsError

MOST_TOML = 250_000  # bytes of settings
MOST_EXPERIMENT = 16_000_000  # bytes of an experiment: 100,000 variants have about 10 MB


def decode_toml(path: Path, raw: bytes | None = None, most: int = MOST_TOML) -> dict[str, Any]:
    """Return the content of a TOML file of at most `most` bytes; `raw` are these, if they have been read already.

    Raises:
        SettingsError: the file cannot be read, is too large or is not TOML.
    """
    try:
        if raw is None:
            with path.open("rb") as file:
                raw = file.read(most + 1)
        if len(raw) > most:
            raise SettingsError(f"{path}: must be at most {most:,} bytes")
        content: dict[str, Any] = msgspec.toml.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, nested too deeply
        raise SettingsError(f"{path}: not a TOML file: {_cause(raw or b'') or error}") from error
    return content


def _cause(raw: bytes) -> str:
    """Return what editors and habits commonly do to a TOML file, if it is that, else ""."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in raw[:100]:
        return "it is UTF-16; save it as UTF-8"
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        if any(quote in line for quote in "“”„‘’«»"):
            return f'line {number} has curly quotes; write straight ones, "'
        if re.search(r"=\s*\d+,\d+\s*(#.*)?$", line):
            return f"line {number} has a decimal comma; write a point"
    return ""
