"""Whether runs with the same seed are paired: by their hashes, they started and went on alike."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from netlearn.runs import Run, Summary
from netlearn.text import listed

Seed: TypeAlias = Mapping[str, Summary]  # of the runs with one seed, by variant
Same: TypeAlias = Callable[[Summary, Summary], bool]


def pairing(runs: Sequence[Run]) -> str:
    """Return in words whether runs with the same seed are paired, and which variants are the exceptions."""
    by_seed: dict[int, dict[str, Summary]] = {}
    for run in runs:
        if run.summary is not None and run.shortfall is None:
            by_seed.setdefault(run.settings.seed, {})[run.variant] = run.summary
    shared = [found for found in by_seed.values() if len(found) > 1]
    if not shared:
        return "Not paired: no seed has two finished runs."
    had = {"initial weights": _had(shared, _same_weights), "mini-batches": _had(shared, _same_batches)}
    one, other = sorted(had, key=lambda what: had[what] != "identical")
    if had[one] == had[other] and had[one] in {"identical", "different"}:
        label, what = "Paired" if had[one] == "identical" else "Not paired", f"{had[one]} {one} and {other}"
    else:
        label = "Half paired" if had[one] == "identical" else "Partly paired"
        link = "but" if had[other].endswith("different") else "and"
        what = f"{_with(had[one], one)}, {link} {_with(had[other], other)}"
    return f"{label}: runs with the same seed had {what} (by SHA-256)."


def _had(shared: Sequence[Seed], same: Same) -> str:
    """Return "identical" if the runs of each seed had the same, or what else they had, such as "different"."""
    apart: dict[str, None] = {}
    for found in shared:
        usual = max(found.values(), key=lambda each: sum(same(each, other) for other in found.values()))
        apart |= dict.fromkeys(name for name, each in found.items() if not same(usual, each))
    if not apart:
        return "identical"
    if 2 * len(apart) < max(map(len, shared)):
        return f"identical but for {listed(list(apart))}"
    alike = any(same(one, other) for found in shared for one, other in combinations(found.values(), 2))
    return "partly different" if alike else "different"


def _with(how: str, what: str) -> str:
    """Return "identical mini-batches but for b"."""
    adjective, exceptions, names = how.partition(" but for ")
    return f"{adjective} {what}{exceptions}{names}"


def _same_weights(one: Summary, other: Summary) -> bool:
    return one.initial_weights_sha256 == other.initial_weights_sha256


def _same_batches(one: Summary, other: Summary) -> bool:
    """Return whether two runs had identical mini-batches, as far as both trained."""
    if one.updates == other.updates:
        return one.mini_batches_sha256 == other.mini_batches_sha256
    return one.shuffling_sha256 is not None and one.shuffling_sha256 == other.shuffling_sha256
