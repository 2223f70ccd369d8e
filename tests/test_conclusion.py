"""Every sentence that a conclusion can have, made from runs and checked against the figures that it is made of."""

import dataclasses
import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from netlearn.comparison.analysis import analyse
from netlearn.comparison.findings import more_seeds, points
from netlearn.runs import Run
from tests.comparisons import FAILED, HIGH, LOW, Outcome, analysed, grid

NEAR = [(0.96 + 0.001 * i, 100) for i in (3, 1, 4, 2, 2, 1)]
NEVER: list[Outcome] = [(0.30 + 0.01 * i, None) for i in (4, 1, 3, 2, 2, 3)]
EARLY = "In early accuracy, the mean validation accuracy of the first epoch, "
TEST = "In test accuracy "
BRACKETS = "90 % validation accuracy was reached by a after 10 to 100 updates"
LATER = f"{BRACKETS}; by b after 100 to 500 updates (median)."
TOGETHER = "90 % validation accuracy was reached by a and b after 10 to 100 updates (median)."


def both(text: str) -> list[str]:
    """Return the sentences that say the same of both measures."""
    return [EARLY + text, TEST + text]


def unclear(first: str, other: str, seeds: int) -> str:
    return (
        f"no difference between {first} and {other} is clear (a is {{ab.mean}} points higher on average, {{ab.low}} "
        f"to {{ab.high}}); {seeds} seeds cannot tell differences below {{ab.detectable}} points from chance"
    )


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("a clear difference", {"a": HIGH, "b": LOW}, [*both("a is ahead of b by {ab}."), LATER]),
    ("nothing clear", {"a": HIGH, "b": NEAR}, [*both(f"{unclear('a', 'b', 6)}."), TOGETHER]),
    (
        "one seed",
        {"a": HIGH[:1], "b": LOW[:1]},
        [
            *both(
                "no difference between a and b is clear (a is {ab.mean} points higher); 1 seed is too few to "
                "tell it from chance."
            ),
            f"{BRACKETS}; by b after 100 to 500 updates.",
        ],
    ),
    (
        "two seeds",
        {"a": HIGH[:2], "b": LOW[:2]},
        [EARLY + "a is ahead of b by {ab}.", TEST + f"{unclear('a', 'b', 2).partition(' differences')[0]} ", LATER],
    ),
    (
        "two seeds that tell nothing of one pair",
        {"a": [(0.961, 100), (0.962, 100)], "b": [(0.9601, 100), (0.961, 100)], "c": [(0.90, 100), (0.94, 100)]},
        [
            EARLY,
            TEST + "no difference between a, b and c is clear (means from 92.00 to 96.15 %); 2 seeds cannot tell "
            "differences below {ab.detectable} points from chance, for some pairs not even those below 100.",
            "90 % validation accuracy was reached by a, b and c after 10 to 100 updates (median).",
        ],
    ),
    (
        "two seeds that tell nothing",
        {"a": [(0.96, 100), (0.90, 100)], "b": [(0.80, 100), (0.90, 100)]},
        [
            EARLY,
            TEST + "no difference between a and b is clear (a is 8.00 points higher on average, −100 to 100); 2 "
            "seeds are too few to tell a difference that varies so much from chance.",
            TOGETHER,
        ],
    ),
    ("ties", {"a": HIGH, "b": HIGH}, [*both("a and b are equal in each of 6 seeds."), TOGETHER]),
    (
        "two of three are equal",
        {"a": HIGH, "b": LOW, "c": HIGH},
        [
            *both("a is ahead of b by {ab}; c is equal to a in each of 6 seeds; c is ahead of b by {bc}."),
            "90 % validation accuracy was reached by a and c after 10 to 100 updates; by b after 100 to 500 updates "
            "(median).",
        ],
    ),
    (
        "one is equal to the baseline",
        {"a": HIGH, "b": LOW, "c": HIGH, "baseline": "a"},
        [*both("b is behind a by {ab}; c is equal to it in each of 6 seeds."), ""],
    ),
    (
        "the same lead in each of a few seeds proves nothing",
        {"a": HIGH[:3], "b": [(accuracy - 0.001, 100) for accuracy, _ in HIGH[:3]]},
        [
            EARLY,
            TEST + "no difference between a and b is clear (a is 0.10 points higher on average, the same in each "
            "seed); 3 seeds are too few to tell it from chance.",
            TOGETHER,
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
        [*both("a is ahead of b by {ab}."), LATER, "Runs that failed are left out: 1 of 6 of b."],
    ),
    (
        "no shared seed",
        {"a": HIGH[:1], "b": [(FAILED, None), *LOW[:1]]},
        [
            *both("nothing can be compared: no two variants share a finished seed."),
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
            *both(f"{unclear('b', 'a', 5)}; a diverged in 1 of 6 seeds, so that it is not said to be ahead."), LATER,
        ],
    ),
    (
        "the baseline has no finished seed",
        {"baseline": "c", "a": HIGH, "b": LOW, "c": [(FAILED, None)] * 6},
        [
            *both("nothing can be compared: no variant shares a finished seed with c."), LATER,
            "Runs that failed are left out: 6 of 6 of c.",
        ],
    ),
    (
        "never, and in some seeds only",
        {"a": HIGH, "b": NEVER, "c": [*NEVER[:4], (0.92, 500), (0.93, 1000)]},
        [
            EARLY + "a is ahead of b by {ab} and c by {ac}.",
            TEST + "a is ahead of b by {ab}; c cannot be told from a: 6 seeds are too few to tell a difference that "
            "varies so much from chance.",
            f"{BRACKETS} (median), by c in only 2 of 6 seeds, not by b.",
        ],
    ),
    (
        "three variants",
        {"a": HIGH, "b": LOW, "c": NEAR},
        [
            *both(
                "a is ahead of b by {ab}; c cannot be told from a: 6 seeds cannot tell differences below "
                "{ac.detectable} points from chance; c is ahead of b by {bc}."
            ),
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
            "differences below {ab.detectable} points from chance, for some pairs not even those below "
            "{ac.detectable}.",
            "90 % validation accuracy was reached by a, b and c after 10 to 100 updates (median).",
        ],
    ),
    (
        "more pairs of other variants than fit into a sentence",
        {"a": HIGH, "b": NEAR, "c": LOW, "d": NEVER},
        [
            *both(
                "a is ahead of c by {ac} and d by {ad}; b cannot be told from a: 6 seeds cannot tell differences "
                "below {ab.detectable} points from chance; 3 pairs of the other variants differ clearly too."
            ),
            "90 % validation accuracy was reached by a and b after 10 to 100 updates; by c after 100 to 500 updates "
            "(median), not by d.",
        ],
    ),
    (
        "a baseline",
        {"baseline": "b", "a": HIGH, "b": LOW, "c": NEVER, "d": LOW[::-1]},
        [
            *both(
                "a is ahead of the baseline b by {ab}; c is behind it by {bc}; d cannot be told from it: 6 seeds "
                "cannot tell differences below {bd.detectable} points from chance."
            ),
            f"{BRACKETS}; by b and d after 100 to 500 updates (median), not by c.",
        ],
    ),
    (
        "variants that are all behind the baseline",
        {"baseline": "a", "a": HIGH, "b": LOW, "c": LOW[::-1], "d": NEVER},
        [
            *both("b, c and d are behind a."),
            f"{BRACKETS}; by b and c after 100 to 500 updates (median), not by d.",
        ],
    ),
    (
        "seeds added twice",
        {"look": 3, "a": HIGH, "b": NEAR},
        [
            *both(f"{unclear('a', 'b', 6)}."),
            "Seeds were added twice, so that a difference must be clearer to be claimed: 0.25 % is the probability "
            "of any claim where nothing differs, instead of 4 %.",
            TOGETHER,
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
            *both("a and b are equal in each of 6 seeds."),
            "No variant reached 80 % validation accuracy in most of its seeds.",
        ],
    ),
    (
        "of many variants one finished few seeds",
        {"z": [(0.99, None), (FAILED, None)]} | {f"v{i}": [(0.96 - i / 100, 100), (0.962, 100)] for i in range(9)},
        [
            "Of 10 variants v0 has the best validation accuracy of those that finished all seeds, 96.10 % (v1 is ",
            *both(""),
            "90 % validation accuracy was reached first by v0, v1, v2 and 6 others after 10 to 100 updates (median).",
            "Runs that failed are left out: 1 of 2 of z.",
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
            "90 % validation accuracy was reached by the 12 variants after 10 to 100 updates (median).",
        ],
    ),
]  # fmt: skip


@dataclasses.dataclass
class Figures:
    """The figures of a pair as text; as a whole they read "1.20 points (0.30 to 2.10, 6 seeds)"."""

    mean: str
    seeds: int
    low: str = ""
    high: str = ""
    detectable: str = ""

    def __str__(self) -> str:
        return f"{self.mean} points ({self.low} to {self.high}, {self.seeds} seeds)"


def needed(seeds: int, level: float) -> float:
    """Return the mean, in standard errors, that is found with a probability of 80 %."""
    critical = stats.t.isf(level / 2, seeds - 1)
    return float(brentq(lambda mean: stats.nct.sf(critical, seeds - 1, mean) - 0.8, 0.1, 10 * critical))


def at_most_100(difference: float) -> str:
    return points(difference) if -1 < difference < 1 else points(np.sign(difference)).removesuffix(".00")


def figures(runs: Sequence[Run], measure: str, level: float) -> dict[str, Figures]:
    """Return the figures of each pair of variants, computed from the runs with scipy.stats."""
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
        text = Figures(points(abs(leads.mean()) if leads.size else 0.0), leads.size)
        if len(leads) > 1 and np.ptp(leads) > 1e-9:
            interval = stats.ttest_1samp(leads, 0).confidence_interval(1 - level)
            text.low, text.high = at_most_100(interval.low), at_most_100(interval.high)
            text.detectable = at_most_100(needed(len(leads), level) * leads.std(ddof=1) / len(leads) ** 0.5)
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
    lead = re.search("is ahead of|is behind|are behind|are ahead of|differ clearly", analysis.conclusion)
    assert bool(analysis.claims) == (lead is not None)


@pytest.mark.parametrize(
    ("other", "seeds", "listed"),
    [
        (LOW, range(6), None), (HIGH, range(6), None),  # clear, and equal
        (NEAR, range(3), "6"), (NEAR, range(6), "12"), (NEAR, [4, 2], "2,4,0,1,3,5"),
    ],
)  # fmt: skip
def test_more_seeds_are_offered_where_a_difference_is_not_clear(
    other: list[Outcome], seeds: Sequence[int], listed: str | None
) -> None:
    command = more_seeds(analysed(a=HIGH, b=other), seeds, "my runs")
    assert command == (f"netlearn compare --resume 'my runs' --seeds {listed}" if listed else "")


def test_variants_that_diverged_are_named_where_they_would_be_ahead() -> None:
    lost = (None, 100)
    analysis = analysed("c", c=LOW, a=[*HIGH[:5], lost], b=[lost, *HIGH[1:]], d=[lost, *NEVER[1:]])
    assert [claim.other for claim in analysis.claims] == ["d", "d"]
    said = "a and b diverged in some seeds, so that they are not said to be ahead."
    assert [sentence.endswith(said) for sentence in analysis.sentences[:2]] == [True, True]


def test_best_of_each_cost_is_named_with_the_seeds_that_chose_it() -> None:
    outcomes = {
        cost: [accuracy for accuracy, _ in each] for cost, each in (("quadratic", LOW), ("cross-entropy", HIGH))
    }
    inside, at_the_edge = (
        analyse("", grid({"quadratic": 1.0, "cross-entropy": best}, outcomes)).sentences for best in (1.0, 10.0)
    )
    chosen, early, *_ = inside
    assert chosen == (
        "The best of each cost, by validation accuracy on seeds 0 and 1: quadratic η = 1 and cross-entropy η = 1; "
        "these are compared on the other seeds."
    )
    assert "cross-entropy η = 1 is ahead of quadratic η = 1 by" in early
    assert early.endswith(", 4 seeds).")
    assert (
        "learning_rate=10 of cross-entropy lies at the edge of what was tried: there may be a better value."
        in at_the_edge
    )


def test_single_seed_names_the_best_of_each_cost_and_says_that_more_seeds_compare_them() -> None:
    costs = ("quadratic", "cross-entropy")
    runs = grid({"quadratic": 1.0, "cross-entropy": 10.0}, {cost: [0.9] for cost in costs})
    chosen, edge, *_ = analyse("", runs).sentences
    assert chosen == (
        "The best of each cost, by validation accuracy: quadratic η = 1 and cross-entropy η = 10; "
        "comparing them takes more seeds, which did not choose them."
    )
    assert edge.startswith("learning_rate=10 of cross-entropy lies at the edge")
