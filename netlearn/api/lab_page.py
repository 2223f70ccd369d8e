"""`netlearn.lab`: the page in which two networks learn live."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from collections.abc import Sequence
from pathlib import Path

from netlearn import datasets
from netlearn.api.display import Page
from netlearn.api.given import data_name
from netlearn.api.result import Result
from netlearn.api.settings import Data
from netlearn.comparison.existing import read_comparison
from netlearn.errors import RunError, SettingsError
from netlearn.report.lab import DEFAULTS
from netlearn.report.lab import lab as make
from netlearn.runs import holds_comparison
from netlearn.settings import Settings, nearest


def lab(folder: str | Path | Result | None = None, *, data: Data | None = None, variants: Sequence[str] = ()) -> Page:
    """Return the lab: a page in which two networks learn live, from identical weights on identical mini-batches.

    Args:
        folder: a comparison, its folder or its result, whose settings the networks begin with. Without it they are
            784-30-10 with large initial weights on the bundled digits, quadratic beside cross-entropy.
        data: what the networks learn from, as in `train`; by default that of the comparison.
        variants: which two of the comparison, if it has more.

    Raises:
        NetlearnError: there is no such comparison, variant or data, or the page cannot train it.
    """
    networks = DEFAULTS if folder is None else _two(folder, variants)
    if folder is None and variants:
        raise SettingsError(f"variants {', '.join(variants)}: must be those of a comparison, so give its folder")
    name = networks[0].data if data is None else data_name(data)
    return Page(make(datasets.load(name), networks).decode())


def _two(folder: str | Path | Result, variants: Sequence[str]) -> list[Settings]:
    """Return the settings of the first run of two variants of a comparison."""
    path = folder.folder if isinstance(folder, Result) else Path(folder)
    if not holds_comparison(path):
        raise RunError(f"{path}: not the folder of a comparison; netlearn compare makes one")
    found = {name: runs[0].settings for name, runs in read_comparison(path).groups.items()}
    for name in variants:
        if name not in found:
            raise SettingsError(f"variant {name!r}: {nearest(name, found)}")
    chosen = list(variants) or list(found)
    if len(chosen) != 2:
        raise SettingsError(
            f"variants {len(chosen)}: the lab shows two; name them with --variant, twice: {', '.join(found)}"
        )
    return [found[name] for name in chosen]
