"""The arguments of calls: their types, for editors, and the settings and the experiment that they describe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from netlearn.api.source import AnyCost, Source, session
from netlearn.comparison import catalogue
from netlearn.comparison.experiment import (
    BUILT_IN_COSTS,
    BUILT_IN_SEEDS,
    Experiment,
    from_variants,
    parse_seeds,
    read_experiment,
)
from netlearn.comparison.sweep import RANGE, Layer, Sweep, values_of
from netlearn.custom_cost import short_names
from netlearn.datasets import KEYS, store
from netlearn.errors import DataError, SettingsError
from netlearn.settings import check

Data: TypeAlias = str | Path | Mapping[str, ArrayLike] | Sequence[ArrayLike]
OrOff: TypeAlias = float | Literal["off"]


class GivenSettings(TypedDict, total=False):
    """The settings of the reference, but for cost and data; the schema in `netlearn.settings` checks their values."""

    hidden: int | Sequence[int]
    activation: str
    initializer: str | tuple[float, float]
    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: str
    momentum: OrOff
    beta1: OrOff
    beta2: OrOff
    epsilon: OrOff
    l2: float
    l1: float
    max_norm: OrOff
    dropout: float
    halve_after: int | Literal["off"]
    patience: int | Literal["off"]
    seed: int
    augment: str
    elastic_sigma: OrOff
    elastic_alpha: OrOff
    train_size: int | Literal["all"]
    label_noise: float
    dtype: str
    probe_every: int
    track_test: bool
    snapshots: bool


class Variant(GivenSettings, total=False):
    """The settings in which a variant differs from the others."""

    cost: AnyCost
    data: Data


def settings_of(given: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Return settings checked by the schema; None stands for a setting that is not given.

    Costs are added to the source, and arrays are stored as `data_name` says.

    Raises:
        SettingsError: there is no such setting, or its value is not valid.
        DataError: the arrays given as data are not those of a data set.
    """
    plain = {name: _plain(value) for name, value in given.items() if value is not None and name != "data"}
    if "cost" in plain:
        plain["cost"] = source.name_of(plain["cost"])
    checked = {name: check(name, value, name) for name, value in plain.items()}
    if given.get("data") is not None:  # last, since it may be stored
        checked["data"] = check("data", data_name(given["data"], source.beside), "data")
    return checked


def _plain(value: Any) -> Any:
    """Return a value as a TOML file would hold it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return [_plain(each) for each in value] if isinstance(value, list | tuple | range) else value


def items_of(given: Any) -> Any:
    """Return a list of the items of a collection; anything else as it is."""
    plain = _plain(given)
    return list(map(_plain, plain)) if isinstance(plain, Iterable) and not isinstance(plain, str) else plain


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


def plan(
    what: Any, costs: Any, vary: Mapping[str, Any], seeds: Any, baseline: str | None, shared: Layer, source: Source
) -> Experiment:
    """Return the experiment; costs are added to the source, and arrays are stored as `data_name` says.

    Raises:
        NetlearnError: an argument is not valid, or does not go with another.
    """
    if costs is not None and (what is not None or "cost" in shared):
        raise SettingsError("costs: must be without other variants and without cost")
    if isinstance(costs, str) or not isinstance(costs, Iterable | None):
        raise SettingsError(f"costs {costs!r:.80}: must be a list")
    if not isinstance(what, str | Path | Mapping | None):
        raise SettingsError(f"{what!r:.80}: must be an experiment, variants, or a list of runs or their folders")
    if not isinstance(vary, Mapping):
        raise SettingsError(f"vary {vary!r:.80}: must be a mapping from settings to lists of values")
    sweep = Sweep({name: _values(name, values, source) for name, values in vary.items()})
    chosen = parse_seeds(BUILT_IN_SEEDS if seeds is None else items_of(seeds), "seeds")
    if isinstance(what, str | Path):
        path = catalogue.find(Path(what))
        if path is None:
            raise SettingsError(f"{what}: must be an experiment; to compare runs, give a list of their folders")
        experiment = read_experiment(path, shared, None, sweep, baseline, source.given)
        source.names += [variant.cost for variant in experiment.variants.values()]
        if "data" in shared:
            experiment = replace(experiment, data_sha256={})
        return experiment if seeds is None else replace(experiment, seeds=chosen)
    if what is None:
        several = seeds is not None and len(chosen) > 1
        layers = _of_costs(costs, sweep, source, fewest=1 if several or sweep.values else 2)
    else:
        for name, own in what.items():
            if not isinstance(own, Mapping):
                raise SettingsError(f"variant {name!r}: {own!r:.80}: must be a mapping from settings to values")
        layers = {str(name): settings_of(own, source) for name, own in what.items()}
    if any("seed" in layer for layer in (shared, *layers.values())):
        raise SettingsError("seed: must be given as seeds, for all variants")
    return from_variants(layers, shared, chosen, sweep, baseline, source.given)


def _values(name: str, given: Any, source: Source) -> tuple[Any, ...]:
    """Return the values of a setting that is varied."""
    items = [given] if isinstance(given, str) and RANGE.fullmatch(given) else items_of(given)
    if not isinstance(items, list):
        raise SettingsError(f"vary {name} {given!r:.80}: must be a list of values, or a range such as 0.1:1:log3")
    return values_of(name, map(source.name_of, items) if name == "cost" else items, f"vary {name}")


def _of_costs(costs: Any, sweep: Sweep, source: Source, *, fewest: int) -> dict[str, Layer]:
    if costs is None:
        if sweep.values:
            return {}
        costs = BUILT_IN_COSTS
    names = list(map(source.name_of, costs))
    short = short_names(names)
    layers: dict[str, Layer] = {short[name]: settings_of({"cost": name}, source) for name in names}
    if len(layers) < max(fewest, len(costs)):
        what = "two or more with different names, or one with several seeds"
        raise SettingsError(f"costs {', '.join(layers) or '[]'}: must be {what}")
    return layers
