"""The experiment that the arguments of `compare` describe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netlearn.api.given import Costs, items_of, settings_of
from netlearn.comparison import catalogue
from netlearn.comparison.experiment import (
    BUILT_IN,
    BUILT_IN_COSTS,
    BUILT_IN_SEEDS,
    Experiment,
    parse_seeds,
    read_experiment,
)
from netlearn.comparison.sweep import RANGE, Layer, Sweep, values_of
from netlearn.errors import SettingsError
from netlearn.settings import resolve

MOST_IN_TITLE = 4  # variants


def plan(
    what: Any, costs: Any, vary: Mapping[str, Any], seeds: Any, baseline: str | None, shared: Layer, known: Costs,
    beside: Path | None,
) -> Experiment:  # fmt: skip
    """Return the experiment; costs are added to `known`, and arrays are stored as `data_name` says.

    Raises:
        NetlearnError: an argument is not valid, or does not go with another.
    """
    if costs is not None and (what is not None or "cost" in shared):
        raise SettingsError("costs: must be without other variants and without cost")
    if isinstance(costs, str) or not isinstance(costs, Sequence | None):
        raise SettingsError(f"costs {costs!r:.80}: must be a list")
    if not isinstance(what, str | Path | Mapping | None):
        raise SettingsError(f"{what!r:.80}: must be an experiment, variants, or a list of runs or their folders")
    sweep = Sweep({name: _values(name, values, known) for name, values in vary.items()})
    chosen = parse_seeds(BUILT_IN_SEEDS if seeds is None else items_of(seeds), "seeds")
    if isinstance(what, str | Path):
        path = catalogue.find(Path(what))
        if path is None:
            raise SettingsError(f"{what}: must be an experiment; to compare runs, give a list of their folders")
        experiment = read_experiment(path, shared, None, sweep, baseline, known.given)
        known.names += [variant.cost for variant in experiment.variants.values()]
        return experiment if seeds is None else replace(experiment, seeds=chosen)
    if what is None:
        layers = _of_costs(costs, sweep, known)
    else:
        for name, own in what.items():
            if not isinstance(own, Mapping):
                raise SettingsError(f"variant {name!r}: {own!r:.80}: must be a mapping from settings to values")
        layers = {str(name): settings_of(own, known, beside) for name, own in what.items()}
    if any("seed" in layer for layer in (shared, *layers.values())):
        raise SettingsError("seed: must be given as seeds, for all variants")
    spread = sweep.spread(layers, len(chosen))
    variants = {name: resolve(BUILT_IN, shared, layer, costs=known.given) for name, layer in spread.items()}
    title = " against ".join(variants) if len(variants) <= MOST_IN_TITLE else f"{len(variants)} variants"
    return Experiment(title, chosen, variants, baseline, is_sweep=bool(vary), costs=known.given)


def _values(name: str, given: Any, known: Costs) -> tuple[Any, ...]:
    """Return the values of a setting that is varied."""
    items = [given] if isinstance(given, str) and RANGE.fullmatch(given) else items_of(given)
    if not isinstance(items, list):
        raise SettingsError(f"vary {name} {given!r:.80}: must be a list of values, or a range such as 0.1:1:log3")
    return values_of(name, map(known.name_of, items) if name == "cost" else items, f"vary {name}")


def _of_costs(costs: Any, sweep: Sweep, known: Costs) -> dict[str, Layer]:
    if costs is None:
        if sweep.values:
            return {"": {}}
        costs = BUILT_IN_COSTS
    layers: dict[str, Layer] = {known.label_of(cost): settings_of({"cost": cost}, known) for cost in costs}
    if len(layers) < (1 if sweep.values else 2) or len(layers) < len(costs):
        raise SettingsError(f"costs {', '.join(layers) or '[]'}: must be two or more with different names")
    return layers
