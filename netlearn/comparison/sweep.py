"""Sweeps: every combination of some values of some settings, on top of the variants of an experiment."""

import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from netlearn.custom_cost import short_names
from netlearn.errors import SettingsError
from netlearn.runs import name_of, text_of
from netlearn.settings import FIELDS, IN_FILES, check, must_be, number_type
from netlearn.text import listed, unknown

MOST_RUNS = 100_000
RANGE = re.compile(r"([^:]+):([^:]+):(log)?(\d+)")
Layer: TypeAlias = Mapping[str, Any]  # settings that replace others


@dataclass(frozen=True)
class Sweep:
    """The values of the settings to be varied.

    Attributes:
        values: of each varied setting, in the order of the product; the last one changes fastest.
        random: how many of the combinations to draw; None for all.
        random_seed: of the draw.
    """

    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    random: int | None = None
    random_seed: int = 0

    def spread(self, variants: Mapping[str, Layer], seeds: int) -> dict[str, dict[str, Any]]:
        """Return the settings of each variant with each combination of the values, named by what varies.

        `seeds` is the number of runs of each. Where there are no variants, the values alone make some.

        Raises:
            SettingsError: a variant has a setting that is to be varied, or there are more than `MOST_RUNS` runs.
        """
        if not self.values:
            if self.random is not None:
                raise SettingsError(f"--random {self.random}: must be with --vary, whose combinations it draws from")
            return {name: dict(layer) for name, layer in variants.items()}
        for setting in self.values:
            if own := [name for name, layer in variants.items() if setting in layer]:
                raise SettingsError(f"vary {setting}: must be left out; variants set it themselves: {listed(own)}")
        axes = [
            list(variants.items()) or [("", {})],
            *([(name, value) for value in self.values[name]] for name in self.values),
        ]
        total = math.prod(map(len, axes))
        drawn = total if self.random is None else min(self.random, total)
        if drawn * seeds > MOST_RUNS:
            raise SettingsError(
                f"vary: {drawn * seeds:,} runs ({drawn:,} variants from {seeds} seeds): must be at most "
                f"{MOST_RUNS:,}; --random draws some of the combinations"
            )
        spread: dict[str, dict[str, Any]] = {}
        short = short_names(self.values.get("cost", ()))
        for index in range(total) if drawn == total else self._draw(drawn, total):
            (name, layer), *chosen = _combination(axes, index)
            named = {key: short[value] if key == "cost" else value for key, value in chosen}
            name = f"{name} {name_of(named)}".strip()
            if name in spread:
                raise SettingsError(f"variant {name}: must differ from the others in its first ten digits")
            spread[name] = dict(layer) | dict(chosen)
        return spread

    def _draw(self, drawn: int, total: int) -> list[int]:
        """Return some of the first whole numbers, in ascending order."""
        generator = random.Random(self.random_seed)  # noqa: S311 (no secret)
        found: set[int] = set()
        while len(found) < drawn:
            found.add(int(generator.random() * total))  # the only method whose numbers Python promises to keep
        return sorted(found)


NO_SWEEP = Sweep()


def _combination(axes: Sequence[Sequence[Any]], index: int) -> list[Any]:
    """Return one element of the product of some sequences; the last one changes fastest."""
    chosen = []
    for axis in reversed(axes):
        index, at = divmod(index, len(axis))
        chosen.append(axis[at])
    return chosen[::-1]


def values_of(name: str, items: Iterable[Any], label: str, texts: Sequence[str] | None = None) -> tuple[Any, ...]:
    """Return the values of a setting to be varied.

    Args:
        name: of the setting.
        items: values as in a TOML file, and ranges such as "0.01:10:log7" or "0:0.9:10".
        label: names the setting in errors.
        texts: the items as the user typed them; None for those of a file.

    Raises:
        SettingsError: there is no such setting, a value is not valid or given twice, or there are none.
    """
    if name == "seed":
        raise SettingsError(f"{label}: must be given as seeds, for all variants")
    if name not in FIELDS:
        raise unknown(label, name, FIELDS)
    number = number_type(name)
    allowed = must_be(name, IN_FILES if texts is None else "{}+{}")
    if number is not None:
        allowed += ", or a range such as 0.01:10:log7"
    values: list[Any] = []
    for i, item in enumerate(items):
        found = RANGE.fullmatch(item) if isinstance(item, str) and number is not None else None
        spaced = [item] if found is None else _spaced(found, label, whole=number is int)
        shown = None if texts is None else texts[i]
        values += [check(name, value, label, shown=shown, allowed=allowed) for value in spaced]
    if not values:
        raise SettingsError(f"{label}: must have one or more values")
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise SettingsError(f"{label}: must have different values; {text_of(twice)} is there twice")
    return tuple(values)


def values_in(path: Path, table: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values of the settings in the table `[vary]` of a file, each given as a list or a range."""
    vary = {}
    for name, given in table.items():
        if not isinstance(given, list) and not RANGE.fullmatch(str(given)):
            raise SettingsError(f"{path}: vary.{name} {given!r}: must be a list, or a range such as 0.01:10:log7")
        vary[name] = values_of(name, given if isinstance(given, list) else [given], f"{path}: vary.{name}")
    return vary


def _spaced(found: re.Match[str], label: str, *, whole: bool) -> list[int] | list[float]:
    """Return the values of a range: as few digits of each as keep even steps, or on a log scale keep them apart."""
    shown, log, count = found[0], found[3] is not None, int(found[4])
    try:
        start, stop = float(found[1]), float(found[2])
    except ValueError as error:
        raise SettingsError(f"{label} {shown}: must be FROM:TO:COUNT or FROM:TO:logCOUNT") from error
    if not -math.inf < start < stop < math.inf:
        raise SettingsError(f"{label} {shown}: must run from a number to a larger one")
    if log and start <= 0:
        raise SettingsError(f"{label} {shown}: must start above 0 on a log scale")
    if not 2 <= count <= MOST_RUNS:
        raise SettingsError(f"{label} {shown}: must have from 2 to {MOST_RUNS:,} values")
    exact = (np.geomspace if log else np.linspace)(start, stop, count).tolist()
    if whole:
        return [round(value) for value in exact]
    for digits in range(3 if log else 6, 17):
        values = [start, *(float(f"{value:.{digits}g}") for value in exact[1:-1]), stop]
        if len(set(values)) == count:
            break
    return values
