"""Every sentence that a conclusion can have, made from runs and checked against the figures that it is made of."""

import dataclasses
import re
from collections.abc import Sequence
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from wcwidth import wcswidth

from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.statistics import Reached, Row
from netlearn.comparison.table import cells, paragraphs, points, problems, table
from netlearn.runs import Run
from netlearn.settings import resolve
from tests.comparisons import UPDATES, row, run

FAILED = "failed"
Outcome = tuple[float | str | None, int | None]  # test accuracy, "failed" or None if it diverged; update at 90 %
HIGH = [(0.96 + 0.001 * i, 100) for i in (1, 3, 2, 4, 1, 2)]
LOW = [(0.90 + 0.001 * i, 500) for i in (4, 1, 3, 2, 2, 3)]
NEAR = [(0.96 + 0.001 * i, 100) for i in (3, 1, 4, 2, 2, 1)]
NEVER = [(0.30 + 0.01 * i, None) for i in (4, 1, 3, 2, 2, 3)]


def runs_of(variant: str, outcomes: Sequence[Outcome], **settings: Any) -> list[Run]:
    runs = []
    for seed, (accuracy, reached) in enumerate(outcomes):
        error = "diverged" if accuracy is None else None
        made = run(variant, seed, test_accuracy=accuracy, best_validation_accuracy=accuracy, error=error)
        noise = 0.1 * accuracy if isinstance(accuracy, float) else 0.0
        curve = np.array([(0.91 if reached is not None and update >= reached else 0.1) for update in UPDATES])
        curve += noise * (curve < 0.9)  # below the thresholds, so that seeds differ early too
        chosen = resolve({"data": "small", "epochs": 2, "seed": seed} | settings)
        made = dataclasses.replace(made, metrics=made.metrics | {"validation_accuracy": curve}, settings=chosen)
        if accuracy == FAILED:
            made = dataclasses.replace(made, summary=None, metrics={}, problem="its worker process died, twice")
        runs.append(made)
    return runs


def analysed(baseline: Any = None, look: Any = 1, **variants: Sequence[Outcome]) -> Analysis:
    runs = [each for name, outcomes in variants.items() for each in runs_of(name, outcomes)]
    return analyse("", runs, baseline=baseline, look=look)


EARLY = "In early accuracy, the mean validation accuracy of the first epoch, "
TEST = "In test accuracy "
BRACKETS = "90 % validation accuracy was reached by a after 10 to 100 updates"
BOTH = "90 % validation accuracy was reached by a and b after 10 to 100 updates (median)."
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "a clear difference",
        {"a": HIGH, "b": LOW},
        [
            EARLY + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds).",
            TEST + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds).",
            f"{BRACKETS}; by b after 100 to 500 updates (median).",
        ],
    ),
    (
        "nothing clear",
        {"a": HIGH, "b": NEAR},
        [
            EARLY + "no difference between a and b is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 6 seeds cannot tell differences below {ab.detectable} points.",
            TEST + "no difference between a and b is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 6 seeds cannot tell differences below {ab.detectable} points.",
            BOTH,
        ],
    ),
    (
        "one seed",
        {"a": HIGH[:1], "b": LOW[:1]},
        [
            EARLY + "no difference between a and b is clear (a is {ab.mean} points higher); 1 seed cannot tell a "
            "difference from chance.",
            TEST + "no difference between a and b is clear (a is {ab.mean} points higher); 1 seed cannot tell a "
            "difference from chance.",
            f"{BRACKETS}; by b after 100 to 500 updates.",
        ],
    ),
    (
        "two seeds",
        {"a": HIGH[:2], "b": LOW[:2]},
        [
            EARLY + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 2 seeds).",
            TEST + "no difference between a and b is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 2 seeds cannot tell ",
            f"{BRACKETS}; by b after 100 to 500 updates (median).",
        ],
    ),
    (
        "ties",
        {"a": HIGH, "b": HIGH},
        [
            EARLY + "a and b are equal in each of 6 seeds.",
            TEST + "a and b are equal in each of 6 seeds.",
            BOTH,
        ],
    ),
    (
        "the same lead in each of a few seeds proves nothing",
        {"a": HIGH[:3], "b": [(accuracy - 0.001, 100) for accuracy, _ in HIGH[:3]]},
        [
            EARLY,
            TEST + "no difference between a and b is clear (a is 0.10 points higher on average, the same in each "
            "seed); 3 seeds cannot tell a difference from chance.",
            BOTH,
        ],
    ),
    (
        "all runs of one failed",
        {"a": HIGH, "b": [(FAILED, None)] * 6},
        [
            "Only a finished, so that there is nothing to compare it with.",
            "Runs that failed are left out: 6 of 6 of b.",
        ],
    ),
    (
        "one run failed",
        {"a": HIGH, "b": [*LOW[:5], (FAILED, None)]},
        [
            EARLY + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 5 seeds).",
            TEST + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 5 seeds).",
            f"{BRACKETS}; by b after 100 to 500 updates (median).",
            "Runs that failed are left out: 1 of 6 of b.",
        ],
    ),
    (
        "no shared seed",
        {"a": HIGH[:1], "b": [(FAILED, None), *LOW[:1]]},
        [
            EARLY + "nothing can be compared: no two variants share a finished seed.",
            TEST + "nothing can be compared: no two variants share a finished seed.",
            f"{BRACKETS}; by b after 100 to 500 updates.",
            "Runs that failed are left out: 1 of 2 of b.",
        ],
    ),
    (
        "nothing finished",
        {"a": [(FAILED, None)], "b": [(None, None)]},
        ["No run of a and b finished.", "Runs that failed are left out: 1 of 1 of a."],
    ),
    (
        "a diverged",
        {"a": [*HIGH[:5], (None, 100)], "b": LOW},
        [
            EARLY + "no difference between b and a is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 5 seeds cannot tell differences below {ab.detectable} points; a diverged in 1 of 6 seeds, "
            "so that it is not said to be ahead.",
            TEST + "no difference between b and a is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 5 seeds cannot tell differences below {ab.detectable} points; a diverged in 1 of 6 seeds, "
            "so that it is not said to be ahead.",
            f"{BRACKETS}; by b after 100 to 500 updates (median).",
        ],
    ),
    (
        "never, and in some seeds only",
        {"a": HIGH, "b": NEVER, "c": [*NEVER[:4], (0.92, 500), (0.93, 1000)]},
        [
            EARLY + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds) and c by ",
            TEST + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds); c cannot be told from a: 6 "
            "seeds cannot tell a difference from chance.",
            f"{BRACKETS} (median), by c in only 2 of 6 seeds, not by b.",
        ],
    ),
    (
        "three variants",
        {"a": HIGH, "b": LOW, "c": NEAR},
        [
            EARLY + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds); c cannot be told from a: "
            "6 seeds cannot tell differences below {ac.detectable} points; c is ahead of b by {bc.mean} points "
            "({bc.low} to {bc.high}, 6 seeds).",
            TEST + "a is ahead of b by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds); c cannot be told from a: "
            "6 seeds cannot tell differences below {ac.detectable} points; c is ahead of b by {bc.mean} points "
            "({bc.low} to {bc.high}, 6 seeds).",
            "90 % validation accuracy was reached by a and c after 10 to 100 updates; by b after 100 to 500 updates "
            "(median).",
        ],
    ),
    (
        "none of three is clear",
        {"a": HIGH, "b": NEAR, "c": [*HIGH[3:], *HIGH[:3]]},
        [
            EARLY + "no difference between a, b and c is clear (means from 48.17 to 48.17 %); 6 seeds cannot tell "
            "differences below ",
            TEST + "no difference between a, b and c is clear (means from 96.22 to 96.22 %); 6 seeds cannot tell "
            "differences below {ab.detectable} points in one pair, {ac.detectable} in another.",
            "90 % validation accuracy was reached by a, b and c after 10 to 100 updates (median).",
        ],
    ),
    (
        "a baseline",
        {"baseline": "b", "a": HIGH, "b": LOW, "c": NEVER, "d": LOW[::-1]},
        [
            EARLY + "a by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds) is ahead of the baseline b; c by "
            "{bc.mean} points ({bc.low} to {bc.high}, 6 seeds) is behind it; d cannot be told from it: 6 seeds "
            "cannot tell differences below {bd.detectable} points.",
            TEST + "a by {ab.mean} points ({ab.low} to {ab.high}, 6 seeds) is ahead of the baseline b; c by "
            "{bc.mean} points ({bc.low} to {bc.high}, 6 seeds) is behind it; d cannot be told from it: 6 seeds "
            "cannot tell differences below {bd.detectable} points.",
            f"{BRACKETS}; by b and d after 100 to 500 updates (median), not by c.",
        ],
    ),
    (
        "variants that are all behind the baseline",
        {"baseline": "a", "a": HIGH, "b": LOW, "c": LOW[::-1], "d": NEVER},
        [
            EARLY + "b, c and d are behind a.",
            TEST + "b, c and d are behind a.",
            f"{BRACKETS}; by b and c after 100 to 500 updates (median), not by d.",
        ],
    ),
    (
        "seeds added twice",
        {"look": 3, "a": HIGH, "b": NEAR},
        [
            EARLY + "no difference between a and b is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 6 seeds cannot tell differences below {ab.detectable} points.",
            TEST + "no difference between a and b is clear (a is {ab.mean} points higher on average, {ab.low} to "
            "{ab.high}); 6 seeds cannot tell differences below {ab.detectable} points.",
            "Seeds were added twice, so that a difference must be clearer to be claimed: 0.25 % is the probability "
            "of any claim where nothing differs, instead of 4 %.",
            BOTH,
        ],
    ),
    (
        "one variant",
        {"a": HIGH},
        ["a has a test accuracy of 96.22 ± 0.12 %; it reached 90 % validation accuracy after 10 to 100 updates."],
    ),
    (
        "one variant that never got there",
        {"a": NEVER},
        ["a has a test accuracy of 32.50 ± 1.05 %; it reached 90 % validation accuracy in fewer than half of its "
         "seeds."],
    ),
    (
        "nobody got there",
        {"a": NEVER, "b": NEVER},
        [
            EARLY + "a and b are equal in each of 6 seeds.",
            TEST + "a and b are equal in each of 6 seeds.",
            "No variant reached 80 % validation accuracy in most of its seeds.",
        ],
    ),
    (
        "more than eight variants",
        {f"v{i}": [(x - 0.0002 * i - 0.02 * (i > 9), 100) for x, _ in (HIGH, NEAR)[i % 2]] for i in range(12)},
        [
            "Of 12 variants v0 has the best validation accuracy, 96.22 % (v1 is next with 96.20 %), and a test "
            "accuracy of 96.22 ± 0.12 %.",
            EARLY + "v0 is ahead of v11 by 0.13 points (0.09 to 0.17, 6 seeds); v1, v2, v3 and 7 others "
            "cannot be told from v0: 6 seeds cannot tell differences below ",
            TEST + "v0 is ahead of ",
            "90 % validation accuracy was reached by v0 after 10 to 100 updates (median).",
        ],
    ),
]  # fmt: skip


def needed(seeds: int, level: float) -> float:
    """Return the mean, in standard errors, that is found with a probability of 80 %."""
    critical = stats.t.isf(level / 2, seeds - 1)
    return float(brentq(lambda mean: stats.nct.sf(critical, seeds - 1, mean) - 0.8, 0.1, 10 * critical))


def figures(runs: Sequence[Run], measure: str, level: float) -> dict[str, SimpleNamespace]:
    """Return the figures of each pair of variants, computed from the runs with scipy.stats and as text."""
    values: dict[str, dict[int, float]] = {}
    for each in runs:
        if each.summary is not None and each.summary.test_accuracy is not None:
            early = float(np.mean(each.metrics["validation_accuracy"][each.metrics["epoch"] <= 1]))
            value = early if measure == "early" else each.summary.test_accuracy
            values.setdefault(each.variant, {})[each.settings.seed] = value
    found = {}
    for one, other in combinations(values, 2):
        leads = np.array([values[one][seed] - values[other][seed] for seed in values[one] if seed in values[other]])
        leads *= -1 if leads.sum() < -1e-9 else 1
        text = SimpleNamespace(mean=points(abs(leads.mean()) if leads.size else 0.0))
        if len(leads) > 1 and np.ptp(leads) > 1e-9:
            interval = stats.ttest_1samp(leads, 0).confidence_interval(1 - level)
            text.low, text.high = points(interval.low), points(interval.high)
            text.detectable = points(needed(len(leads), level) * leads.std(ddof=1) / len(leads) ** 0.5)
        found[one + other] = text
    return found


@pytest.mark.parametrize(("given", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_sentence_says_what_the_figures_show(given: dict[str, Any], expected: list[str]) -> None:
    analysis = analysed(**given)
    variants = len(given.keys() - {"baseline", "look"})
    tests = max(1, 2 * (variants - 1 if "baseline" in given else variants * (variants - 1) // 2))
    level = {1: 0.04, 3: 0.0025}[given.get("look", 1)] / tests
    assert len(analysis.sentences) == len(expected), analysis.sentences
    for sentence, start in zip(analysis.sentences, expected, strict=True):
        measure = "test" if sentence.startswith(TEST) else "early"
        whole = start.format(**figures(analysis.runs, measure, level))
        assert (sentence if whole.endswith(".") else sentence[: len(whole)]) == whole
    lead = re.search("is ahead of|is behind|are behind|are ahead of", analysis.conclusion)
    assert bool(analysis.claims) == (lead is not None)


def grid(best: float) -> Analysis:
    runs = []
    for cost, chosen in (("quadratic", 1.0), ("cross-entropy", best)):
        for rate in (0.1, 1.0, 10.0):
            outcomes = [(x - 0.2 * (rate != chosen), y) for x, y in (LOW if cost == "quadratic" else HIGH)]
            runs += runs_of(f"{cost} η = {rate:g}", outcomes, cost=cost, learning_rate=rate)
    return analyse("", runs)


def test_best_of_each_cost_is_named_with_the_seeds_that_chose_it() -> None:
    chosen, early, *_ = grid(best=1.0).sentences
    assert chosen == (
        "The best of each cost, by validation accuracy on seeds 0 and 1: quadratic η = 1 and cross-entropy η = 1; "
        "these are compared on the other seeds."
    )
    assert "cross-entropy η = 1 is ahead of quadratic η = 1 by" in early
    assert early.endswith(", 4 seeds).")
    assert (
        "learning_rate=10 of cross-entropy lies at the edge of what was tried: there may be a better value."
        in grid(best=10.0).sentences
    )


def neuron(variant: str, outputs: Sequence[float], **settings: Any) -> Run:
    made = run(variant)
    assert made.summary is not None
    epochs = np.arange(len(outputs), dtype=float)
    a = np.array(outputs)
    metrics = {
        "update": epochs, "epoch": epochs, "output_error": a, "train_cost": a**2 / 2, "speed_1": a,
        "validation_accuracy": np.round(1 - a), "stuck": 0 * a, "learning_speed": 0 * a,
    }  # fmt: skip
    summary = msgspec.structs.replace(made.summary, data=msgspec.structs.replace(made.summary.data, train=1))
    chosen = resolve({"data": "neuron", "hidden": (), "epochs": len(outputs) - 1} | settings)
    return dataclasses.replace(made, metrics=metrics, summary=summary, settings=chosen)


def test_neuron_is_told_by_its_output_and_has_no_accuracy() -> None:
    runs = [neuron("slow", [0.9, 0.8, 0.7, 0.49]), neuron("fast", [0.9, 0.4, 0.2, 0.1]), neuron("stuck", [0.9] * 4)]
    analysis = analyse("", runs)
    assert analysis.sentences == (
        "The output of fast fell below ½ first, after 1 epoch.",
        "Then came slow after 3.",
        "The output of stuck stayed above ½ for 3 epochs.",
    )
    assert (analysis.pairs, analysis.races, analysis.claims) == ((), (), ())
    slow = analysis.neurons[0]
    assert (slow.epochs, slow.outputs, slow.below_half) == ((0, 1, 2, 3), (0.9, 0.8, 0.7, 0.49), 3)


# Tables.


@pytest.fixture
def rows() -> list[Row]:
    reached = (
        Reached(0.8, (100, 200, 300), 3, (50, 100, 200)),
        Reached(0.9, (1000, 2000), 3, (500, 1000)),
        Reached(0.95, (), 3),
    )
    failed: dict[str, Any] = {"problems": ("seed 1: it diverged",), "finished": 0, "learning_speed_0": None}
    return [row("quadratic", 0.772, 0.1, reached=reached), row("mine", None, None, **failed)]


def test_table_has_a_column_for_each_variant_and_no_line_that_says_nothing(rows: list[Row]) -> None:
    found = {line[0].strip(): line[1:] for line in cells(rows)}
    assert found == {
        "": ["quadratic", "mine"],
        "learning rate η": ["0.5", "0.5"],
        "seeds finished": ["3 of 3", "0 of 3"],
        "test accuracy": ["77.20 ± 10.00 %", "-"],
        "lowest seed": ["77.20 %", "-"],
        "best validation accuracy": ["77.20 %", "-"],
        "updates to 80 % validation": ["100 to 200", "never"],
        "updates to 90 % validation": ["1,000 to 2,000 (in 2 of 3)", "never"],
        "learning speed at update 0": ["1", "-"],
        "learning speed at update 100": ["0.5", "0.5"],
        "badly wrong outputs after epoch 1": ["1.00 %", "1.00 %"],
        "seconds per epoch": ["0.25", "0.25"],
    }
    assert "lowest seed" not in table([row("a", 0.9, None, seeds=1), row("b", 0.8, None, seeds=1)])


def test_calibration_is_compared_seed_by_seed_and_claims_nothing() -> None:
    errors = {"a": 0.05, "b": 0.01}
    analysis = analyse(
        "t",
        [
            run(name, seed, calibration_error=error + 0.001 * seed)
            for name, error in errors.items()
            for seed in range(6)
        ],
    )
    lines = [[cell.strip() for cell in line] for line in cells(analysis.rows, analysis.pairs, (), analysis.family)]
    place = next(i for i, line in enumerate(lines) if line[0] == "calibration error")
    assert lines[place][1:] == ["5.25 ± 0.19 %", "1.25 ± 0.19 %"]
    assert lines[place + 1] == ["points behind the best (seeds)", "4.00 (6 of 6)", "-"]
    assert not analysis.claims
    assert "calibration" not in analysis.conclusion


def test_differences_stand_below_their_measures() -> None:
    analysis = analysed(a=HIGH, b=LOW)
    found = {
        line[0].strip(): line[1:] for line in cells(analysis.rows, analysis.pairs, analysis.races, analysis.family)
    }
    assert found["points behind the best (seeds)"] == ["-", "5.97 (6 of 6)"]
    assert found["later than the first (seeds)"] == ["-", "6 of 6, p = 0.031"]
    (pair,) = [pair for pair in analysis.pairs if pair.measure == "test_accuracy"]
    assert found["interval"][1] == f"{points(pair.low or 0)} to {points(pair.high or 0)}"
    baseline = analysed("a", a=HIGH, b=LOW)
    found = {line[0].strip(): line[1:] for line in cells(baseline.rows, baseline.pairs, family=baseline.family)}
    assert found["points ahead of the baseline (seeds)"] == ["-", "−5.97 (0 of 6)"]
    assert found["interval"][1] == f"{points(-(pair.high or 0))} to {points(-(pair.low or 0))}"


NAME = "quadratic + momentum with scaled weights"


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("count", [2, 3, 5, 8, 60])
def test_table_and_sentences_fit_the_terminal_with_words_whole(width: int, count: int) -> None:
    variants = {f"{NAME} {i}": [(x - 0.001 * i, y) for x, y in HIGH] for i in range(count)}
    analysis = analysed(**variants)
    text = table(analysis.rows, analysis.pairs, analysis.races, analysis.family, width=width)
    assert max(map(wcswidth, text.splitlines())) <= width
    assert "validation" in text
    for word in NAME.split():
        assert word in text
    for line in paragraphs(analysis.sentences, width):
        assert max(map(wcswidth, line.splitlines())) <= width
        assert line.startswith("- ")


def test_variants_below_each_other_have_the_figures_that_they_have_beside_each_other() -> None:
    analysis = analysed(**{name: [(x - 0.01 * i, y) for x, y in HIGH] for i, name in enumerate("abcde")})
    beside = table(analysis.rows, analysis.pairs, analysis.races, analysis.family, width=400)
    below = table(analysis.rows, analysis.pairs, analysis.races, analysis.family, width=80)
    figures = re.findall(r"\d+\.\d+ ± \d+\.\d+ %|\d[\d,]* to \d[\d,]*", beside)
    assert figures
    assert sorted(re.findall(r"\d+\.\d+ ± \d+\.\d+ %|\d[\d,]* to \d[\d,]*", below)) == sorted(figures)


def test_markdown_table_has_the_same_cells(rows: list[Row]) -> None:
    lines = table(rows, markdown=True).splitlines()
    assert lines[:2] == ["|  | quadratic | mine |", "| --- | ---: | ---: |"]
    assert "| updates to 90 % validation | 1,000 to 2,000 (in 2 of 3) | never |" in lines
    plain = [line.split() for line in table(rows).splitlines()[1:]]
    assert [line.replace("|", " ").split() for line in lines[2:]] == plain


def test_bar_in_the_name_of_a_variant_adds_no_column_to_the_markdown_table(rows: list[Row]) -> None:
    head, *lines = table([row("a|b", 0.9, 0.01), rows[0]], markdown=True).splitlines()
    assert head == r"|  | a\|b | quadratic |"
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in (head, *lines)} == {4}


def test_columns_of_wide_characters_are_aligned() -> None:
    lines = table([row("交差エントロピー誤差関数", 0.9, 0.01), row("b", 0.9, 0.01)]).splitlines()
    assert len({wcswidth(line) for line in lines}) == 1


def test_different_data_of_variants_is_stated() -> None:
    lines = table([row("a", 0.9, 0.1), row("b", 0.9, 0.1, data="other")]).splitlines()
    assert lines[1].split() == ["data", "(not", "the", "same)", "small", "other"]


def test_problems_name_variant_and_seed(rows: list[Row]) -> None:
    assert problems(rows) == ["mine, seed 1: it diverged"]
