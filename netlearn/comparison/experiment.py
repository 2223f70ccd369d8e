"""Experiments: variants of one network, each trained from several seeds.

An experiment file has `title`, `seeds`, `baseline`, a table `[defaults]`, a table `[variants.NAME]` for each variant,
a table `[vary]` of several values of some settings, and `about` (question, command, expected result, run time). A
file with the settings of one run is an experiment with one variant. Flags build one too.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from netlearn.comparison.sweep import NO_SWEEP, Layer, Sweep, values_in
from netlearn.custom_cost import NO_COSTS, NamedCosts, short_names
from netlearn.errors import NetlearnError, SettingsError
from netlearn.runs.files import sealed
from netlearn.runs.formats import MOST_CONFIG
from netlearn.runs.selection import MOST_SHOWN
from netlearn.settings import FIELDS, FORMAT, Settings, check, check_format, resolve
from netlearn.text import decode_toml, listed, nearest, unknown

FOR_THE_PAGE: dict[str, Any] = {"snapshots": True}
BUILT_IN = FOR_THE_PAGE | {"hidden": (100,), "initializer": "large", "epochs": 5}
BUILT_IN_COSTS = ("quadratic", "cross-entropy")
BUILT_IN_SEEDS = 6
MOST_SEEDS = 1000
SEALED = b"# of a comparison; its last line is the SHA-256 of the others\n"
MOST_NAME = 200  # bytes: a file system takes 255
MOST_TITLE = 80  # characters; the names of variants with more are in the legends
Tuning: TypeAlias = Literal["no", "to do", "done"]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment file has; settings and seeds are checked when they are read."""

    format: int = FORMAT
    about: Any = None
    title: str | None = None
    seeds: Any = BUILT_IN_SEEDS
    baseline: str | None = None
    looks: tuple[int, ...] = ()
    tuning: Tuning = "no"
    data_sha256: dict[str, tuple[str, ...]] = {}
    defaults: dict[str, Any] = {}
    variants: dict[str, dict[str, Any]] = {}
    vary: dict[str, Any] = {}


@dataclass(frozen=True)
class Experiment:
    """Variants by name, each trained from every seed; the seed in a variant's settings is not used.

    Attributes:
        title: of the pictures and the page.
        seeds: all different.
        variants: their settings.
        baseline: the variant that the others are compared with; None to compare all with each other.
        looks: the numbers of seeds from which conclusions were drawn; each of them is a look.
        tuning: whether the learning rates are to be tuned first.
        data_sha256: of each data set, the hashes of its files, once they were read; a resumed comparison checks them.
        costs: the users' own costs that were given as objects.
    """

    title: str
    seeds: tuple[int, ...]
    variants: dict[str, Settings]
    baseline: str | None = None
    looks: tuple[int, ...] = ()
    tuning: Tuning = "no"
    data_sha256: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    costs: NamedCosts = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check that the names of the variants are different, and the baseline is one of them."""
        if not self.variants:
            raise SettingsError("variants: must be one or more")
        folders = Counter(folder_name(name).casefold() for name in self.variants)  # some systems ignore the case
        for name in self.variants:
            if not name.isprintable():
                raise SettingsError(f"variant {name!r}: must have a printable name, in one line")
            if not folder_name(name):
                raise SettingsError(f"variant {name!r}: must have a name with letters or digits")
            if folders[folder_name(name).casefold()] > 1:
                raise SettingsError(f"variant {name!r}: names must differ in letters or digits, not in case alone")
        if self.baseline is not None and self.baseline not in self.variants:
            raise SettingsError(f"baseline {self.baseline!r}: {nearest(self.baseline, list(self.variants))}")

    @property
    def look(self) -> int:
        """Which look a conclusion from its seeds is: 1, and one more each time that seeds were added."""
        return 1 + len(looks_before(self.looks, self.seeds))

    def with_seeds(self, seeds: Sequence[int]) -> "Experiment":
        """Return the experiment with seeds added.

        Raises:
            SettingsError: they are not those that it has and others.
        """
        if missing := [str(seed) for seed in self.seeds if seed not in seeds]:
            raise SettingsError(f"--seeds: must keep the seeds of the comparison; {', '.join(missing)} is missing")
        added = [seed for seed in seeds if seed not in self.seeds]
        return replace(self, seeds=(*self.seeds, *added))

    def to_be_tuned(self) -> "Experiment":
        """Return the experiment with a learning rate that is to be chosen for each variant.

        Raises:
            SettingsError: some variants differ in nothing but that, and may be named by it.
        """
        found: dict[Settings, tuple[str, float]] = {}
        for name, settings in self.variants.items():
            rate = settings.learning_rate
            other, known = found.setdefault(msgspec.structs.replace(settings, learning_rate=1.0), (name, rate))
            if known != rate:
                why = f"variants {other!r} and {name!r} differ in the learning rate alone"
                raise SettingsError(f"tune: must be left out; {why}")
        return replace(self, tuning="to do")

    def looked_at(self) -> "Experiment":
        """Return the experiment with a conclusion drawn from its seeds."""
        return replace(self, looks=(*looks_before(self.looks, self.seeds), len(self.seeds)))


def looks_before(looks: Sequence[int], seeds: Sequence[int]) -> tuple[int, ...]:
    """Return the looks at a comparison before its present seeds, each as its number of seeds."""
    return tuple(count for count in looks if count < len(seeds))


def folder_name(variant: str) -> str:
    """Return a variant's name as it appears in the names of its run folders; of a long one the end is a hash."""
    name = re.sub(r"[^\w.=+]+", "-", variant).strip("-.")
    if len(name.encode()) <= MOST_NAME:
        return name
    end = f"-{hashlib.sha256(variant.encode()).hexdigest()[:8]}"
    return name.encode()[: MOST_NAME - len(end)].decode(errors="ignore") + end


def from_costs(
    costs: Sequence[str], seeds: Any, flags: Mapping[str, Any], sweep: Sweep = NO_SWEEP, baseline: str | None = None
) -> Experiment:
    """Return the experiment that compares costs, or shows how one varies over the seeds that are asked for.

    No costs are given where the sweep varies the cost.
    """
    chosen = parse_seeds(BUILT_IN_SEEDS if seeds is None else seeds, "--seeds")
    if len(costs) < 2 and not sweep.values and (seeds is None or len(chosen) < 2):
        raise SettingsError(f"--cost {', '.join(costs)}: must be two or more, or one with several seeds (--seeds N)")
    if twice := [cost for cost in costs if costs.count(cost) > 1]:
        raise SettingsError(f"--cost {twice[0]}: is given twice; the costs must differ")
    names = short_names(costs)
    layers = {names[cost]: {"cost": cost} for cost in costs}
    return from_variants(layers, flags, chosen, sweep, names.get(baseline or "", baseline))


def from_variants(
    layers: Mapping[str, Layer], shared: Layer, seeds: Sequence[int], sweep: Sweep = NO_SWEEP,
    baseline: str | None = None, costs: NamedCosts = NO_COSTS,
) -> Experiment:  # fmt: skip
    """Return the experiment with variants of the built-in network, in a sweep or not.

    `layers` are the variants' own settings, none where the sweep varies all that differs; `shared` those of all.
    """
    layered = sweep.spread(layers, len(seeds)).items()
    variants = {name: resolve(BUILT_IN, shared, layer, costs=costs) for name, layer in layered}
    title = title_of(layers)
    if sweep.values:
        title = " × ".join(sweep.values) + (f" with {' and '.join(layers)}" if layers else "")
    return Experiment(title, tuple(seeds), variants, baseline, costs=costs)


def title_of(names: Collection[str]) -> str:
    """Return the title of a comparison that has none: the names of its variants, or how many there are."""
    title = " against ".join(names)
    return title if len(names) <= MOST_SHOWN and len(title) <= MOST_TITLE else f"{len(names):,} variants"


def read_experiment(
    path: Path, flags: Mapping[str, Any], seeds: Any = None, sweep: Sweep = NO_SWEEP, baseline: str | None = None,
    costs: NamedCosts = NO_COSTS,
) -> Experiment:  # fmt: skip
    """Return the experiment in a TOML file.

    Args:
        path: the file.
        flags: settings that replace the file's defaults.
        seeds: replaces the file's seeds, and the seed of a file with the settings of one run.
        sweep: varies more settings than the file does, or replaces its values.
        baseline: replaces the file's.
        costs: the users' own costs that were given as objects.

    Raises:
        NetlearnError: the file cannot be read, has an unknown key or an invalid value, or a cost cannot be loaded.
    """
    raw = decode_toml(path)
    of_one_run = "variants" not in raw and bool(raw.keys() & FIELDS.keys())
    if of_one_run:
        name = str(raw.get("cost", FIELDS["cost"].default))
        if others := [key for key in raw if key in File.__struct_fields__ and key not in {"format", "about", "vary"}]:
            raise SettingsError(f"{path}: {others[0]}: is of an experiment, whose settings must be in [defaults]")
        rest = {key: raw[key] for key in ("format", "vary") if key in raw}
        settings = {key: value for key, value in raw.items() if key not in {"seed", "about", *rest}}
        raw = rest | {"defaults": settings, "variants": {} if "vary" in rest or sweep.values else {name: {}}}
    content = content_of(path, raw)

    def checked(table: Mapping[str, Any], name: str) -> dict[str, Any]:
        where = f"{path}: " if of_one_run else f"{path}: {name}."
        if "seed" in table:
            raise SettingsError(f"{where}seed {table['seed']}: must be given as `seeds`, for all variants")
        return {key: check(key, value, f"{where}{key}") for key, value in table.items()}

    defaults = checked(content.defaults, "defaults")
    layers = {name: checked(table, f"variants.{name}") for name, table in content.variants.items()}
    vary = values_in(path, content.vary)
    for key in flags:
        own = [name for name, layer in layers.items() if key in layer]
        if own or key in vary:
            who = f"variants of {path} set it themselves: {listed(own)}" if own else f"{path} varies it"
            raise SettingsError(f"--{key.replace('_', '-')}: must be left out; {who}")
    sweep = replace(sweep, values={**vary, **sweep.values})
    stored = {} if "format" in raw else FOR_THE_PAGE  # a comparison's own config.toml says what its runs have
    if not baseline and not (sweep.values and content.baseline in layers):  # a sweep renames the variants
        baseline = content.baseline
    try:
        chosen = parse_seeds(content.seeds, "seeds") if seeds is None else parse_seeds(seeds, "--seeds")
        spread = sweep.spread(layers, len(chosen))
        variants = {name: resolve(stored, defaults, flags, layer, costs=costs) for name, layer in spread.items()}
        title = path.stem if content.title is None else content.title
        looks, tuning, hashes = content.looks, content.tuning, content.data_sha256
        return Experiment(title, chosen, variants, baseline, looks, tuning, hashes, costs)
    except NetlearnError as error:
        raise type(error)(f"{path}: {error}") from error


def costs_in(content: File) -> set[str]:
    """Return the costs that a file names, without importing any."""
    tables = [content.defaults, *content.variants.values()]
    return {str(table["cost"]) for table in tables if "cost" in table}


def content_of(path: Path, raw: Mapping[str, Any]) -> File:
    """Return what a file has whose TOML has been decoded."""
    for key in raw:
        if key in FIELDS:
            raise SettingsError(f"{path}: {key}: must be in [defaults] or in a variant")
        if key not in File.__struct_fields__:
            raise unknown(f"{path}: {key}", key, File.__struct_fields__)
    check_format(path, raw.get("format", FORMAT))
    try:
        return msgspec.convert(raw, File)
    except msgspec.ValidationError as error:
        what, _, where = str(error).replace("`object`", "a table").rpartition(" - at ")
        raise SettingsError(f"{path}: {where.strip('`$.')}: {what}") from error


def parse_seeds(given: Any, label: str) -> tuple[int, ...]:
    """Return seeds, given their number or a list of them."""
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST_SEEDS:
        return tuple(range(given))
    if isinstance(given, list) and 1 <= len(given) <= MOST_SEEDS:
        seeds = tuple(check("seed", seed, label) for seed in given)
        if len(set(seeds)) == len(seeds):
            return seeds
    raise SettingsError(f"{label} {given!r}: must be a number from 1 to {MOST_SEEDS} or a list of different seeds")


def write_experiment(experiment: Experiment) -> bytes:
    """Return an experiment as the config.toml of a comparison, which `read_experiment` reads.

    Raises:
        SettingsError: it would be larger than what can be read.
    """
    variants = {name: msgspec.structs.asdict(settings) for name, settings in experiment.variants.items()}
    shared = {
        key: value
        for key, value in next(iter(variants.values())).items()
        if key != "seed" and all(variant[key] == value for variant in variants.values())
    }
    own = {
        name: {key: value for key, value in variant.items() if key not in shared and key != "seed"}
        for name, variant in variants.items()
    }
    head: dict[str, Any] = {"format": FORMAT, "title": experiment.title, "seeds": experiment.seeds}
    head |= {"baseline": experiment.baseline} if experiment.baseline else {}
    head |= {"looks": experiment.looks, "tuning": experiment.tuning}
    content = msgspec.toml.encode(head | {"data_sha256": experiment.data_sha256, "defaults": shared, "variants": own})
    if len(content) > MOST_CONFIG:
        raise SettingsError(
            f"variants: {len(own):,} with these settings: must fit into {MOST_CONFIG:,} bytes of TOML"
        )
    return content


def sealed_experiment(experiment: Experiment) -> bytes:
    """Return an experiment as `write_experiment` does, with a hash by which damage is noticed when it is resumed."""
    return sealed(SEALED + write_experiment(experiment))
