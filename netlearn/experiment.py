"""Experiments: variants of one network, each trained from several seeds, side by side.

An experiment file has a `title`, `seeds`, a table `[defaults]` and a table `[variants.NAME]` for each variant. A file
of one run's settings is an experiment with one variant. The command line can also build one from flags.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from netlearn.costs import COSTS, lies_in
from netlearn.errors import NetlearnError, SettingsError
from netlearn.settings import FIELDS, Settings, check, decode_toml, resolve, write_toml

BUILT_IN = {"hidden": (100,), "initializer": "large", "epochs": 10}
BUILT_IN_COSTS = ("quadratic", "cross-entropy")
BUILT_IN_SEEDS = 3
KEYS = ("title", "seeds", "tuning", "defaults", "variants")
TUNING = ("no", "to do", "done")
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Experiment:
    """Variants by name, each to be trained from every seed; the seed in a variant's settings is not used."""

    title: str
    seeds: tuple[int, ...]
    variants: dict[str, Settings]
    tuning: str = "no"  # of the learning rates: no, to do or done

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        if not self.variants:
            raise SettingsError("variants none: an experiment needs one or more")
        folders = [folder_name(name) for name in self.variants]
        for name, folder in zip(self.variants, folders, strict=True):
            if not folder or folders.count(folder) > 1:
                raise SettingsError(f"variant {name!r}: allowed are names that differ in their letters and digits")


def folder_name(variant: str) -> str:
    """Return a variant's name as it stands in the names of its run folders."""
    return re.sub(r"[^\w.=+]+", "-", variant).strip("-.")


def from_costs(costs: Sequence[str], seeds: int, flags: Mapping[str, Any]) -> Experiment:
    """Return the experiment that compares costs, with shared settings: the built-in ones, then the flags.

    Raises:
        SettingsError: a cost is named twice, there is only one, or the number of seeds is not allowed.
        CostError: a user's own cost cannot be loaded or fails its gradient check.
    """
    if len(costs) < 2:
        raise SettingsError(f"--cost {', '.join(costs)}: a comparison needs two or more")
    for cost in costs:
        if costs.count(cost) > 1:
            raise SettingsError(f"--cost {cost}: two variants of one name; allowed are costs that differ")
    variants = {cost: resolve(BUILT_IN, flags, {"cost": cost}) for cost in costs}
    return Experiment(" against ".join(costs), _seeds(seeds, "--seeds"), variants)


def read_experiment(path: Path, flags: Mapping[str, Any], seeds: int | None) -> Experiment:
    """Return the experiment of a TOML file; flags change its shared defaults, `seeds` replaces its seeds.

    The settings of one run, such as a run folder's, are one variant; its own seed gives way to the experiment's.

    Raises:
        SettingsError: the file cannot be read, or has a key or value that is not allowed.
        CostError: a user's own cost cannot be loaded or fails its gradient check.
    """
    content = decode_toml(path)
    if "variants" not in content and content.keys() & FIELDS.keys():
        settings = {key: value for key, value in content.items() if key != "seed"}
        content = {"variants": {str(content.get("cost", Settings().cost)): settings}}
    for key in content:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"allowed is {', '.join(KEYS)}"
            raise SettingsError(f"unknown key {path}: {key}: {hint}")
    title = content.get("title", path.stem)
    if not isinstance(title, str):
        raise SettingsError(f"{path}: title {title!r}: allowed is a text")
    tuning = content.get("tuning", TUNING[0])
    if tuning not in TUNING:
        raise SettingsError(f"{path}: tuning {tuning!r:.80}: allowed is {', '.join(TUNING)}")
    tables = {"defaults": content.get("defaults", {}), **_variants(path, content.get("variants", {}))}
    layers = {
        name: {key: check(key, value, f"{path}: {name}.{key}") for key, value in _table(path, name, table).items()}
        for name, table in tables.items()
    }
    for name, layer in layers.items():
        if "seed" in layer:
            raise SettingsError(f"{path}: {name}.seed {layer['seed']}: an experiment has `seeds` instead")
    defaults = layers.pop("defaults")
    given = content.get("seeds", BUILT_IN_SEEDS)
    try:
        chosen = _seeds(given, "seeds") if seeds is None else _seeds(seeds, "--seeds")
        variants = {name.removeprefix("variants."): resolve(defaults, flags, layer) for name, layer in layers.items()}
        return Experiment(title, chosen, variants, tuning)
    except NetlearnError as error:
        raise type(error)(f"{path}: {error}") from error


def refuse_code_beside(path: Path) -> None:
    """Refuse the file of a comparison's folder where the code of a cost lies in that folder too.

    Raises:
        SettingsError: it does, or the file cannot be read.
    """
    content = decode_toml(path)
    variants = content.get("variants")
    for table in [content.get("defaults"), *(variants.values() if isinstance(variants, dict) else ())]:
        cost = table.get("cost") if isinstance(table, dict) else None
        if isinstance(cost, str) and cost not in COSTS and lies_in(cost, path.parent):
            raise SettingsError(f"{path}: cost {cost}: its code lies in the folder, which may hold no code")


def _variants(path: Path, variants: Any) -> dict[str, Any]:
    return {f"variants.{name}": table for name, table in _table(path, "variants", variants).items()}


def _table(path: Path, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{path}: {name} {value!r}: allowed is a table, [{name}]")
    return value


def _seeds(given: Any, label: str) -> tuple[int, ...]:
    """Return seeds from a number of them or a list."""
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST_SEEDS:
        return tuple(range(given))
    if isinstance(given, list) and 1 <= len(given) <= MOST_SEEDS:
        seeds = tuple(check("seed", seed, label) for seed in given)
        if len(set(seeds)) == len(seeds):
            return seeds
    raise SettingsError(f"{label} {given!r}: allowed is a number from 1 to {MOST_SEEDS} or a list of different ones")


def write_experiment(experiment: Experiment) -> bytes:
    """Return an experiment as a file that `read_experiment` reads back."""
    variants = {name: msgspec.toml.decode(write_toml(settings)) for name, settings in experiment.variants.items()}
    shared = {
        key: value
        for key, value in next(iter(variants.values())).items()
        if key != "seed" and all(variant.get(key) == value for variant in variants.values())
    }
    own = {
        name: {key: value for key, value in variant.items() if key not in shared and key != "seed"}
        for name, variant in variants.items()
    }
    head = {"title": experiment.title, "seeds": list(experiment.seeds), "tuning": experiment.tuning}
    return msgspec.toml.encode(head | {"defaults": shared, "variants": own})
