"""Which differences are claimed: figures recomputed with scipy.stats, and who cannot be said to be ahead."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from netlearn.comparison.analysis import Analysis, analyse, read_runs
from netlearn.comparison.claims import Family, Pair, alpha_of, claims_of, compare_pair, find_claims, t_test
from netlearn.comparison.statistics import group
from netlearn.settings import resolve
from tests.commands import compare
from tests.comparisons import analysed, grid, outcomes_of, run

LEAD = [0.01, 0.012, 0.009, 0.011, 0.01, 0.0105]  # clear with six seeds


def raised(by: float, start: float = 0.9) -> list[float]:
    return [start + by + lead for lead in LEAD]


def claimed(analysis: Analysis, measure: str = "test_accuracy") -> list[tuple[str, str]]:
    return [(claim.leader, claim.other) for claim in analysis.claims if claim.measure == measure]


@pytest.mark.parametrize("count", [2, 3, 6, 30])
@pytest.mark.parametrize("level", [0.02, 0.0007])
def test_t_test_is_that_of_scipy(count: int, level: float) -> None:
    values = np.random.default_rng(count).normal(0.1, 0.2, count)
    found, expected = t_test(values.tolist(), level), stats.ttest_1samp(values, 0)
    interval = expected.confidence_interval(1 - level)
    assert found[:4] == pytest.approx((values.mean(), interval.low, interval.high, expected.pvalue))
    noncentrality = found.detectable / (values.std(ddof=1) / count**0.5) if found.detectable else 0.0
    critical = stats.t.isf(level / 2, count - 1)
    assert stats.nct.sf(critical, count - 1, noncentrality) == pytest.approx(0.8, abs=1e-4)


def test_one_difference_has_no_interval_and_equal_ones_have_the_p_of_their_signs() -> None:
    assert t_test([0.1], 0.02) == (0.1, None, None, None, None)
    assert t_test([0.0] * 3, 0.02).p == 1
    assert t_test([0.25] * 6, 0.02) == (0.25, 0.25, 0.25, 2 / 64, None)


def test_rounding_of_accuracies_makes_no_spread_of_its_own() -> None:
    values = {"a": {seed: 0.1 * seed + 0.3 for seed in range(9)}, "b": {seed: 0.1 * seed for seed in range(9)}}
    pair = compare_pair("test_accuracy", "a", "b", values, 0.02)
    assert pair is not None
    assert (pair.mean, pair.low, pair.p, pair.claimed) == (0.3, 0.3, 2 / 2**9, True)


@pytest.mark.parametrize(
    ("variants", "baseline", "tests"), [(2, None, 2), (3, None, 6), (8, None, 56), (8, "v0", 14), (2, "v1", 2)]
)
def test_family_is_all_pairs_or_those_with_the_baseline_in_both_measures(
    variants: int, baseline: str | None, tests: int
) -> None:
    groups = group([each for i in range(variants) for each in outcomes_of(f"v{i}", [0.9, 0.91 + i / 1000, 0.92])])
    family, pairs = find_claims(groups, baseline)
    assert (family.tests, len(pairs), family.level) == (tests, tests, 0.04 / tests)
    assert all(baseline in pair.names for pair in pairs if baseline)


def test_all_looks_together_have_5_percent() -> None:
    assert alpha_of(1) == 0.04
    assert sum(map(alpha_of, range(1, 60))) == pytest.approx(0.05)
    assert [analysed(look=look, a=raised(0), b=[0.9] * 6).family.alpha for look in (1, 2, 3)] == [0.04, 0.005, 0.0025]


def test_claim_has_an_interval_without_0_and_what_is_not_claimed_one_with_0() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        start, noise = 0.9 + 0.01 * rng.random(6), rng.normal(0.002, 0.002, 6)
        for pair in analysed(a=start.tolist(), b=(start + noise).tolist()).pairs:
            assert pair.low is not None
            assert pair.claimed == (pair.low > 0)


def test_variant_with_a_diverged_seed_is_behind_but_never_ahead() -> None:
    assert claimed(analysed(a=raised(0.02), b=[0.9] * 6)) == [("a", "b")]
    assert claimed(analysed(a=[*raised(0.02)[:5], None], b=[0.9] * 6)) == []
    assert claimed(analysed(a=[0.9] * 6, b=[*raised(-0.05)[:5], None])) == [("a", "b")]


def test_only_seeds_that_both_finished_are_compared() -> None:
    runs = [*outcomes_of("a", raised(0)), *outcomes_of("b", [0.5, 0.5, 0.9, 0.9], first=4)]
    (early, test) = analyse("", runs).pairs
    assert (early.seeds, test.seeds) == (2, 2)
    assert test.mean == pytest.approx(np.mean([0.91, 0.9105]) - 0.5)
    assert analyse("", [*outcomes_of("a", [0.9] * 3), *outcomes_of("b", [0.5] * 3, first=3)]).pairs == ()


def test_variant_that_finished_few_seeds_is_not_the_one_that_others_are_measured_by() -> None:
    analysis = analyse("", [*outcomes_of("a", raised(0)), *outcomes_of("b", [0.9] * 6), *outcomes_of("c", [0.99])])
    assert claimed(analysis) == [("a", "b")]
    assert "In test accuracy a is ahead of b" in analysis.conclusion


def test_baseline_keeps_the_power_of_planned_comparisons() -> None:
    small = [0.9 + 0.002 * i for i in (5, 2, 4, 1, 3, 6)]
    others = {f"v{i}": [0.9] * 6 for i in range(6)}
    assert claimed(analysed(a=small, v=[0.9] * 6)) == [("a", "v")]
    assert ("a", "v0") not in claimed(analysed(a=small, **others))
    assert ("a", "v0") in claimed(analysed("v0", a=[x + 0.0035 for x in small], **others))
    assert ("a", "v0") not in claimed(analysed(a=[x + 0.0035 for x in small], **others))


def test_of_many_variants_the_leader_is_compared_with_each_and_all_pairs_are_counted() -> None:
    rng = np.random.default_rng(0)
    analysis = analysed(**{f"v{i}": (0.9 + 0.01 * rng.random(6)).tolist() for i in range(12)})
    assert analysis.family.tests == 2 * 66
    assert len(analysis.pairs) == 22


GRID = grid({"quadratic": 1.0, "cross-entropy": 10.0}, dict.fromkeys(("quadratic", "cross-entropy"), raised(0)))


def test_best_of_each_cost_is_chosen_on_seeds_that_are_then_not_compared() -> None:
    family, pairs = find_claims(group(GRID))
    assert family.choice.variants == ("quadratic η = 1", "cross-entropy η = 10")
    assert family.choice.seeds == (0, 1)
    assert family.choice.edges == ("learning_rate=10 of cross-entropy",)
    assert (family.tests, [pair.seeds for pair in pairs]) == (2, [4, 4])
    baseline, _ = find_claims(group(GRID), "quadratic η = 0.1")
    assert (baseline.choice.variants, baseline.tests) == ((), 10)


def test_single_seed_chooses_the_best_of_each_cost_and_leaves_all_compared() -> None:
    family, pairs = find_claims(group([each for each in GRID if each.settings.seed == 0]))
    assert family.choice.variants == ("quadratic η = 1", "cross-entropy η = 10")
    assert family.choice.seeds == ()
    assert family.choice.edges == ("learning_rate=10 of cross-entropy",)
    assert (family.tests, len(pairs), claims_of(pairs)) == (30, 30, ())


@pytest.mark.parametrize(("other", "edge"), [("b:Own", "a:Own"), ("b:Other", "Own")])
def test_own_cost_at_the_edge_is_named_without_its_module_where_that_tells_it_apart(other: str, edge: str) -> None:
    family, _ = find_claims(group(grid({"a:Own": 10.0, other: 1.0}, dict.fromkeys(("a:Own", other), raised(0)))))
    assert family.choice.edges == (f"learning_rate=10 of {edge}",)


def test_choice_is_made_by_the_chosen_seeds_alone() -> None:
    lucky = outcomes_of("quadratic η = 0.1", [0.95, 0.95, *[0.1] * 4], cost="quadratic", learning_rate=0.1)
    family, pairs = find_claims(group([*lucky, *[each for each in GRID if each.variant != "quadratic η = 0.1"]]))
    assert family.choice.variants[0] == "quadratic η = 0.1"
    assert claims_of(pairs)[0].leader == "cross-entropy η = 10"


# What is stored, recomputed from the files of the runs.

EXPERIMENT = """
seeds = 5
[defaults]
data = "mnist-5k"
hidden = [6]
epochs = 2
train_size = 600
[variants.a]
[variants.b]
cost = "quadratic"
[variants.c]
learning_rate = 1e6
l2 = 1e6
[variants.d]
l2 = 1e-12
"""


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, float]]]:
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]
    return json.loads((folder / "summary.json").read_text()), rows


def by_seed(variant: str) -> dict[int, tuple[float, float, float]]:
    """Return early and test accuracy and the negative calibration error of the finished runs, from their files."""
    found = {}
    for seed in range(5):
        if (Path("out") / f"{variant}-{seed}/metrics.csv").is_file():
            summary, rows = read(Path("out") / f"{variant}-{seed}")
            if summary["status"] == "finished":
                early = [row["validation_accuracy"] for row in rows if row["epoch"] <= 1]
                found[seed] = (float(np.mean(early)), summary["test_accuracy"], -summary["calibration_error"])
    return found


@pytest.mark.usefixtures("in_this_process")
def test_figures_are_those_that_scipy_computes_from_the_files() -> None:
    Path("four.toml").write_text(EXPERIMENT)
    Path("out").mkdir()
    assert compare("four.toml", "--out", "out", "--force", "--seeds", "1", "-q").exit_code == 0
    Path("out/b-3").write_text("in the way")
    result = compare("--resume", "out", "--seeds", "5", "-q")
    assert (result.exit_code, "--resume out" in result.stderr) == (1, True)
    summary = json.loads(Path("out/summary.json").read_text())
    values = {name: by_seed(name) for name in "abcd"}
    assert {name: len(each) for name, each in values.items()} == {"a": 5, "b": 4, "c": 0, "d": 5}
    rows = {row["variant"]: row for row in summary["rows"]}
    assert [rows["b"][key] for key in ("seeds", "finished", "failed", "diverged")] == [5, 4, 1, 0]
    assert [rows["c"][key] for key in ("seeds", "finished", "failed", "diverged")] == [5, 0, 0, 5]
    level = summary["family"]["alpha"] / summary["family"]["tests"]
    assert (summary["family"]["tests"], summary["family"]["look"], summary["family"]["alpha"]) == (12, 2, 0.005)
    assert len(summary["pairs"]) == 9  # c has no finished run
    for pair in summary["pairs"]:
        place = ("early_accuracy", "test_accuracy", "calibration_error").index(pair["measure"])
        ours, theirs = values[pair["leader"]], values[pair["other"]]
        leads = [ours[seed][place] - theirs[seed][place] for seed in sorted(ours.keys() & theirs.keys())]
        assert (pair["seeds"], pair["ahead"]) == (len(leads), sum(lead > 1e-12 for lead in leads))
        assert pair["mean"] == pytest.approx(np.mean(leads), abs=1e-9)
        if np.ptp(leads) > 1e-9:
            expected = stats.ttest_1samp(leads, 0)
            interval = expected.confidence_interval(1 - level)
            assert [pair["low"], pair["high"], pair["p"]] == pytest.approx(
                [interval.low, interval.high, expected.pvalue], rel=1e-6, abs=1e-9
            )
        else:  # d differs from a by nothing that the accuracies show
            assert ({pair["leader"], pair["other"]}, pair["p"]) == ({"a", "d"}, 1)
        assert pair["claimed"] == (pair["p"] < level and place < 2)
    assert summary["claims"] == [
        {key: pair[key] for key in ("measure", "leader", "other", "mean", "low", "high", "p", "seeds")}
        for pair in summary["pairs"]
        if pair["claimed"]
    ]
    for name, row in rows.items():
        tests = [test for _, test, _ in values[name].values()]
        assert row["test_accuracy"] == (pytest.approx(np.mean(tests)) if tests else None)
        check_brackets(name, row)


def check_brackets(variant: str, row: dict[str, Any]) -> None:
    for reached in row["reached"]:
        ends = []
        for folder in Path("out").glob(f"{variant}-?"):
            if folder.is_dir() and (found := read(folder))[0]["status"] == "finished":
                over = [i for i, each in enumerate(found[1]) if each["validation_accuracy"] >= reached["accuracy"]]
                ends += [(found[1][max(0, over[0] - 1)]["update"], found[1][over[0]]["update"])] if over else []
        assert reached["after"] == sorted(after for after, _ in ends)
        assert reached["updates"] == sorted(update for _, update in ends)


def test_same_seed_by_train_and_by_compare_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {
        "kept": dataclasses.replace(run(seed=1), settings=resolve({"seed": 1, "data": "small", "snapshots": True})),
        "bare": dataclasses.replace(run(seed=1), settings=resolve({"seed": 1, "data": "small"})),
    }
    monkeypatch.setattr("netlearn.comparison.analysis.read_run", lambda folder: stored[folder.name])
    notes: list[str] = []
    analysis = read_runs([Path("kept"), Path("bare")], notes.append)
    assert [row.seeds for row in analysis.rows] == [1]
    assert "not counted" in notes[0]


def test_pair_names_both_variants() -> None:
    (pair,) = [pair for pair in analysed(a=[0.9], b=[0.8]).pairs if pair.measure == "test_accuracy"]
    assert isinstance(pair, Pair)
    assert (pair.names, pair.p, pair.claimed, pair.detectable) == (("a", "b"), None, False, None)
    assert Family().level == 0.04
