"""Comparing two networks: McNemar's exact test on the examples that only one of them answers correctly."""

from collections.abc import Sequence
from itertools import combinations

import msgspec

from netlearn.inspection.evaluation import Evaluated

SIGNIFICANT = 0.05
SMALLEST = 1e-4  # p value that is printed; "< 0.0001" below


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs on the same examples.

    Attributes:
        first, second: the run folders.
        only_first, only_second: how many examples only this run answers correctly.
        p: p value of McNemar's exact two-sided test; the null hypothesis is that both are equally good.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p: float

    def describe(self) -> str:
        """Return the result in one sentence."""
        test = f"McNemar's exact test, p {f'= {self.p:.2g}' if self.p >= SMALLEST else f'< {SMALLEST:.4f}'}"
        if self.p >= SIGNIFICANT:
            return (
                f"No significant difference between {self.first} and {self.second}: only the first is correct on "
                f"{self.only_first:,} examples, only the second on {self.only_second:,} ({test})."
            )
        ranked = sorted([(self.only_second, self.second), (self.only_first, self.first)])
        (fewer, worse), (more, better) = ranked
        return (
            f"{better} is significantly better than {worse}: only the former is correct on {more:,} examples, only "
            f"the latter on {fewer:,} ({test})."
        )


def compare_pairs(evaluated: Sequence[Evaluated]) -> tuple[Pair, ...]:
    """Return the result for each pair of runs that were evaluated on the same examples."""
    pairs = []
    for first, second in combinations(evaluated, 2):
        a, b = first.predictions.correct, second.predictions.correct
        only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
        pairs.append(
            Pair(
                first=first.evaluation.run,
                second=second.evaluation.run,
                only_first=only_first,
                only_second=only_second,
                p=mcnemar(only_first, only_second),
            )
        )
    return tuple(pairs)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p value of McNemar's exact test.

    If both are equally good, an example that only one answers correctly is like the toss of a fair coin (Q. McNemar,
    "Note on the sampling error of the difference between correlated proportions or percentages", 1947).
    """
    from scipy.stats import binomtest  # noqa: PLC0415 (takes half a second to import)

    tosses = only_first + only_second
    return float(binomtest(only_first, tosses).pvalue) if tosses else 1.0
