"""The identity of a run: everything that determines its results."""

from collections.abc import Mapping
from typing import Any

import msgspec

from netlearn.settings import Settings

NOT_DETERMINING = ("epochs", "data")  # a run may be extended, and its data may be moved


def plain(settings: Settings) -> dict[str, Any]:
    """Return the settings that determine the results of a run, as in JSON."""
    given: dict[str, Any] = msgspec.to_builtins(settings)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if name not in NOT_DETERMINING
    }


def of_data(name: str, sha256: Mapping[str, str]) -> tuple[str, ...]:
    """Return the identity of a data set: the SHA-256 of its files in their order, or its name if it has no files.

    It does not depend on the location and the names of the files.
    """
    return tuple(sha256.values()) or (name,)


def identify(settings: Settings, sha256: Mapping[str, str]) -> dict[str, Any]:
    """Return the identity of a run, given the SHA-256 of each file of its data set; its epochs are left out."""
    return plain(settings) | {"data": list(of_data(settings.data, sha256))}
