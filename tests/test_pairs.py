"""Variants with the same seeds, initial weights and mini-batches are compared seed by seed."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import ttest_1samp

from netlearn.comparison.conclusion import conclusion
from netlearn.comparison.pairs import Pair, interval, pair_up
from netlearn.comparison.statistics import Row, group, summarize
from netlearn.comparison.table import table
from netlearn.runs import Run
from tests.commands import QUICK, compare
from tests.comparisons import UPDATES, run

Outcome = tuple[float | None, int | None]  # test accuracy, update at which 90 % was reached
LATE = [(0.6703, None), (0.7725, None), (0.868, None)]
EARLY = [(0.9626, 100), (0.9632, 100), (0.962, 500)]


def runs_of(variant: str, outcomes: Sequence[Outcome], **given: Any) -> list[Run]:
    runs = []
    for seed, (accuracy, reached) in enumerate(outcomes):
        error = "the cost is no longer finite" if accuracy is None else None
        made = run(variant, seed, test_accuracy=accuracy, error=error, **given)
        curve = np.array([0.91 if reached is not None and update >= reached else 0.1 for update in UPDATES])
        runs.append(dataclasses.replace(made, metrics=made.metrics | {"validation_accuracy": curve}))
    return runs


def compared(*variants: list[Run]) -> tuple[tuple[Row, ...], tuple[Pair, ...]]:
    groups = group([each for variant in variants for each in variant])
    rows = tuple(summarize(name, runs) for name, runs in groups.items())
    return rows, pair_up(groups, rows)


def sentence(**variants: Sequence[Outcome]) -> str:
    return conclusion(*compared(*(runs_of(name, outcomes) for name, outcomes in variants.items())))


def cells(text: str, label: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip().startswith(label)]
    return line.strip().removeprefix(label).split()


def test_pair_holds_the_mean_difference_and_its_t_interval() -> None:
    _, (accuracy, updates) = compared(runs_of("late", LATE), runs_of("early", EARLY))
    leads = [early[0] - late[0] for early, late in zip(EARLY, LATE, strict=True) if early[0] and late[0]]
    expected = ttest_1samp(leads, 0).confidence_interval(0.95)
    assert (accuracy.measure, accuracy.leader, accuracy.other) == ("test_accuracy", "early", "late")
    assert (accuracy.seeds, accuracy.ahead) == (3, 3)
    assert (accuracy.mean, accuracy.low, accuracy.high) == pytest.approx((np.mean(leads), *expected))
    assert (updates.measure, updates.leader, updates.other) == ("updates_to_90", "early", "late")
    assert (updates.seeds, updates.ahead, updates.never, updates.mean, updates.low) == (3, 3, 3, None, None)


@pytest.mark.parametrize("count", [2, 3, 30])
def test_interval_is_that_of_students_t(count: int) -> None:
    values = np.random.default_rng(count).normal(0.1, 0.2, count).tolist()
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((np.mean(values), *expected))


def test_difference_in_every_seed_is_clear_though_the_seeds_spread_more() -> None:
    spread = [0.70, 0.80, 0.90]  # ± 10 points, but one always 1 point below the other
    low = [(accuracy - 0.01 + 0.0001 * i, 500) for i, accuracy in enumerate(spread)]
    text = sentence(low=low, high=[(accuracy, 500) for accuracy in spread])
    assert "In test accuracy high ended ahead of low by 0.99 points" in text
    assert "in 3 of 3 seeds (95 % interval 0.97 to 1.01)" in text


def test_few_seeds_with_an_interval_around_0_are_too_few_to_be_sure() -> None:
    assert sentence(late=LATE, early=EARLY) == (
        "In test accuracy early ended ahead of late by 19.23 points on average, in 3 of 3 seeds "
        "(95 % interval −5.40 to 43.87, which includes 0: 3 seeds are too few to be sure); "
        "early reached 90 % validation accuracy first, after 100 updates, "
        "ahead of late in 3 of 3 seeds (late never got there in 3)."
    )


@pytest.mark.parametrize(("seeds", "words"), [(1, "1 seed is too few"), (2, "2 seeds are too few")])
def test_one_or_two_seeds_are_too_few_to_tell(seeds: int, words: str) -> None:
    text = sentence(late=[(0.95, 500), (0.949, 500)][:seeds], early=EARLY[:seeds])
    assert text.startswith(f"{words} to tell a difference from chance")
    assert "interval" not in text.partition(";")[0]


def test_difference_that_changes_its_sign_is_not_clear_with_3_seeds_or_30() -> None:
    for seeds in (3, 30):
        rng = np.random.default_rng(0)
        start, noise = 0.97 + 0.01 * rng.random(seeds), 0.001 * rng.normal(size=seeds)
        noise[:2] = 0.001, -0.001
        a, b = ([(float(accuracy), 500) for accuracy in end] for end in (start, start + noise))
        text = sentence(a=a, b=b)
        assert text.startswith("No difference in test accuracy is clear")
        assert f"of {seeds} seeds" in text
        assert "too few" not in text
        assert text.endswith("no variant reached 90 % validation accuracy clearly before the others.")


def test_equal_results_are_no_difference() -> None:
    text = sentence(a=EARLY, b=EARLY)
    assert text == (
        "There is no difference in test accuracy between a and b; "
        "no variant reached 90 % validation accuracy clearly before the others."
    )


def test_thirty_seeds_make_a_small_difference_clear() -> None:
    rng = np.random.default_rng(1)
    start = 0.9 + 0.05 * rng.random(30)
    gain = 0.002 + 0.001 * rng.normal(size=30)
    text = sentence(a=[(float(x), 500) for x in start], b=[(float(x), 100) for x in start + gain])
    assert text.startswith("In test accuracy b ended ahead of a by 0.2")
    assert "includes 0" not in text
    assert text.endswith("after 100 updates, ahead of a by 400 updates in each of 30 seeds.")


def test_seed_that_never_reached_the_accuracy_counts_as_behind_and_leaves_no_mean() -> None:
    rows, pairs = compared(runs_of("a", EARLY), runs_of("b", [(0.9, 500), (0.9, None), (0.9, 1000)]))
    assert (pairs[1].ahead, pairs[1].never, pairs[1].mean) == (3, 1, None)
    assert conclusion(rows, pairs).endswith("ahead of b in 3 of 3 seeds (b never got there in 1).")


def test_seed_in_which_neither_reached_the_accuracy_has_no_leader() -> None:
    _, pairs = compared(
        runs_of("a", [(0.9, 100), (0.9, 100), (0.9, None)]), runs_of("b", [(0.9, 500), (0.9, 500), (0.9, None)])
    )
    assert [(pair.seeds, pair.ahead, pair.never) for pair in pairs if pair.measure == "updates_to_90"] == [(3, 2, 1)]


def test_run_that_diverged_has_no_accuracy_to_compare_but_never_reached_90_percent() -> None:
    _, (accuracy, updates) = compared(runs_of("a", EARLY), runs_of("b", [(0.9, 500), (0.9, 500), (None, None)]))
    assert (accuracy.seeds, accuracy.ahead) == (2, 2)
    assert (updates.seeds, updates.ahead, updates.never) == (3, 3, 1)


def test_runs_that_stopped_early_are_pairs_as_far_as_both_trained() -> None:
    stopped = runs_of("b", LATE, updates=500, mini_batches_sha256="x")
    _, pairs = compared(runs_of("a", EARLY), stopped)
    assert {pair.other for pair in pairs} == {"b"}


@pytest.mark.parametrize("other", [{"initial_weights_sha256": "x"}, {"mini_batches_sha256": "x"}])
def test_variants_that_are_not_paired_keep_the_rule_of_the_spread(other: dict[str, str]) -> None:
    rows, pairs = compared(runs_of("a", EARLY), runs_of("b", LATE, **other))
    assert pairs == ()
    assert "more than the spread of the seeds" in conclusion(rows, pairs)
    assert table(rows, pairs) == table(rows)


def test_paired_and_unpaired_variants_are_each_judged_by_their_rule() -> None:
    rows, pairs = compared(
        runs_of("a", EARLY), runs_of("b", [(0.95, 500), (0.952, 500), (0.949, 500)]),
        runs_of("c", [(0.5, None)] * 3, mini_batches_sha256="x"),
    )  # fmt: skip
    assert {pair.other for pair in pairs} == {"b"}
    end, speed = conclusion(rows, pairs).split("; not paired: ")[0], conclusion(rows, pairs).split("; ")[-1]
    assert end.startswith("In test accuracy a ended ahead of b by")
    assert "not paired: In test accuracy a ends 46.26 points above c, more than the spread" in conclusion(rows, pairs)
    assert "which c did not reach in 3 of 3 seeds" in speed


def test_many_variants_are_named_without_figures_which_are_in_the_table() -> None:
    others = {name: [(0.96 - 0.1 * i, 500), (0.9, 500), (0.95, 500)] for i, name in enumerate("bcd")}
    rows, pairs = compared(*(runs_of(name, some) for name, some in ({"a": EARLY} | others).items()))
    end = conclusion(rows, pairs).partition(";")[0]
    assert end == "In test accuracy a ended ahead of b, c and d (the 95 % interval includes 0 for b, c and d)"
    assert len(cells(table(rows, pairs).replace(" of ", "/"), "points behind the best (seeds)")) == 7
    assert "points" not in conclusion(rows, pairs)


def test_table_has_the_paired_differences_below_their_measures() -> None:
    rows, pairs = compared(runs_of("late", [(0.95, 500), (0.94, 500), (0.91, 1000)]), runs_of("early", EARLY))
    text = table(rows, pairs)
    assert cells(text, "points behind the best (seeds)") == ["2.93", "(3", "of", "3)", "-"]
    assert cells(text, "updates behind the first (seeds)") == ["433", "(3", "of", "3)", "-"]
    assert "−2.14 to 7.99" in text
    assert "95 % interval" in table(rows, pairs, markdown=True)


def test_table_has_no_line_of_intervals_where_there_are_none() -> None:
    rows, pairs = compared(runs_of("late", LATE[:1]), runs_of("early", EARLY[:1]))
    assert "interval" not in table(rows, pairs)


@pytest.mark.usefixtures("in_this_process", "one_picture", "unrendered")
def test_figures_of_the_pairs_are_in_summary_json_and_in_the_output() -> None:
    result = compare(*QUICK, "--epochs", "1", "--out", "out", "-q")
    assert result.exit_code == 0, result.output
    summary = msgspec.json.decode(Path("out/summary.json").read_bytes())
    accuracy = next(pair for pair in summary["pairs"] if pair["measure"] == "test_accuracy")
    assert accuracy["seeds"] == 2
    assert not math.isnan(accuracy["mean"])
    assert "points behind the best (seeds)" in result.stdout
    assert summary["conclusion"] in result.stdout
