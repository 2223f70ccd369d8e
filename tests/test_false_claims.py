"""How often conclusions claim something where nothing differs, and where something does.

`pytest tests/test_false_claims.py -s` prints the rates. Comparisons go through the runs that a folder is read into,
and a claim is what the printed sentences say.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.random import Generator
from scipy.stats import binom

from netlearn.comparison.analysis import Analysis, analyse
from netlearn.numerics import Array
from netlearn.runs import Run
from netlearn.settings import Settings, resolve
from tests.comparisons import summary

COMPARISONS = 1000
SPREAD = 0.005  # of accuracies around 90 %
NOISE: Mapping[str, Callable[[Generator, tuple[int, ...]], Array]] = {  # of spread 1, with mean 0
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(3, size=shape) / 3**0.5,
    "skewed": lambda rng, shape: 1 - rng.exponential(size=shape),  # as near 100 %: few seeds are much worse
    "ties": lambda rng, shape: np.round(rng.normal(size=shape)),
}
SUMMARY = summary()
FOLDER = Path("run")
PROBES = {"update": np.array([0.0, 500, 1000]), "epoch": np.array([0.0, 1, 2]), "train_cost": np.ones(3)} | {
    name: np.zeros(3) for name in ("learning_speed", "stuck")
}
CLAIM = re.compile(r"\b(is|are) (ahead of|behind)\b|differ clearly")


def seeds_of(variant: str, settings: Settings, early: Array, test: Array, validation: Array) -> Iterator[Run]:
    """Yield a run for each seed, with these accuracies."""
    curves = np.stack([early, early, validation], axis=1)
    seeded = zip(seeds_with(settings, len(early)), test.tolist(), validation.tolist(), curves, strict=True)
    for chosen, last, best, curve in seeded:
        summary = msgspec.structs.replace(
            SUMMARY, seed=chosen.seed, test_accuracy=last, best_validation_accuracy=best
        )
        yield Run(variant, FOLDER, chosen, summary, PROBES | {"validation_accuracy": curve})


@lru_cache
def seeds_with(settings: Settings, count: int) -> list[Settings]:
    return [msgspec.structs.replace(settings, seed=seed) for seed in range(count)]


def draws(rng: Generator, kind: str, variants: int, seeds: int) -> Array:
    """Return accuracies, (3, variants, seeds): early, test and validation, which follows the test accuracy.

    What the seeds have in common is larger than what differs between variants.
    """
    noise = NOISE[kind](rng, (2, variants, seeds))
    shared = 3 * rng.normal(size=(2, 1, seeds))
    early, test = 0.9 + SPREAD * (noise + shared)
    return np.stack([early, test, test + SPREAD * rng.normal(size=test.shape)])


def analysed(values: Array, settings: list[Settings], baseline: str | None = None, look: int = 1) -> Analysis:
    runs = [
        each
        for i, chosen in enumerate(settings)
        for each in seeds_of(f"v{i}", chosen, values[0, i], values[1, i], values[2, i])
    ]
    return analyse("", runs, baseline=baseline, look=look)


def claims(analysis: Analysis) -> bool:
    """Return whether the printed sentences claim anything."""
    found = CLAIM.search(analysis.conclusion) is not None
    assert found == bool(analysis.claims)
    return found


def check(label: str, false: int, of: int = COMPARISONS) -> None:
    """Check that a number of false claims is at most 5 %, and what chance may add once in 1,000 simulations."""
    print(f"{label}: {false} of {of}")
    assert false <= binom.ppf(0.999, of, 0.05)


PLAIN = [resolve({"data": "small", "epochs": 2})] * 8


ALSO = [
    *((2, 6, None), (2, 10, None), (3, 3, None), (3, 10, None), (8, 3, None), (8, 6, None), (8, 10, None)),
    *((8, 3, "v0"), (8, 10, "v0")),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variants", "seeds", "baseline"),
    [
        *((2, 3, None), (3, 6, None), (8, 6, "v0")),
        *(pytest.param(*each, marks=pytest.mark.long) for each in ALSO),
    ],
)
def test_at_most_5_percent_claim_anything_where_nothing_differs(
    variants: int, seeds: int, baseline: str | None
) -> None:
    rng = np.random.default_rng([variants, seeds])
    false = dict.fromkeys(NOISE, 0)
    for i in range(COMPARISONS):
        kind = list(NOISE)[i % len(NOISE)]
        values = draws(rng, kind, variants, seeds)
        false[kind] += claims(analysed(values, PLAIN[:variants], baseline))
    where = f"{variants} variants{' with a baseline' if baseline else ''}, {seeds} seeds"
    check(f"{where} {false}", sum(false.values()))
    for kind, count in false.items():
        check(f"  {kind}", count, COMPARISONS // len(NOISE))


@pytest.mark.slow
def test_adding_seeds_twice_claims_no_more() -> None:
    rng = np.random.default_rng(1)
    false = 0
    for i in range(COMPARISONS):
        values = draws(rng, list(NOISE)[i % len(NOISE)], 2, 12)
        looks = ((1, 6), (2, 9), (3, 12))
        false += any(claims(analysed(values[..., :seeds], PLAIN[:2], look=look)) for look, seeds in looks)
    check("2 variants, 6 seeds and twice 3 more", false)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [pytest.param(3, marks=pytest.mark.long), 6])
def test_choosing_the_best_of_each_cost_claims_no_more(seeds: int) -> None:
    grid: list[Settings] = [
        resolve({"data": "small", "epochs": 2, "cost": cost, "learning_rate": rate})
        for cost in ("quadratic", "cross-entropy")
        for rate in (0.1, 1.0, 10.0)
    ]
    rng = np.random.default_rng(2)
    false = 0
    for i in range(COMPARISONS):
        analysis = analysed(draws(rng, list(NOISE)[i % len(NOISE)], 6, seeds), grid)
        assert len(analysis.family.choice.variants) == 2
        false += claims(analysis)
    check(f"the best of 3 learning rates of 2 costs, {seeds} seeds", false)


@pytest.mark.slow
def test_difference_of_two_spreads_is_claimed_with_six_seeds() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(COMPARISONS):
        values = draws(rng, "normal", 2, 6)
        values[1, 1] += 2 * SPREAD * 2**0.5  # two standard deviations of the paired difference, in test accuracy
        claimed = analysed(values, PLAIN[:2]).claims
        found += any((claim.measure, claim.leader) == ("test_accuracy", "v1") for claim in claimed)
    print(f"found in {found} of {COMPARISONS}")
    assert found >= 0.8 * COMPARISONS
