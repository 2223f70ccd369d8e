"""What the runs of a comparison show, and how its figures are written."""

from collections.abc import Sequence

import msgspec

from netlearn.comparison.claims import Claim, Family, Pair
from netlearn.comparison.neuron import Neuron
from netlearn.comparison.statistics import Race, Row

MOST_TEXTS = 10


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of a comparison show, as its summary.json has it.

    Attributes:
        title: of the comparison.
        conclusion: its sentences as one text.
        sentences: the conclusion.
        claims: the differences that are claimed.
        pairing: whether runs with the same seed had the same weights and mini-batches, in words.
        rows: the figures of each variant over its seeds, in the order of the variants.
        family: the tests of the differences between variants.
        pairs: the differences that they test.
        races: how often the fastest variant reached an accuracy before each of the others; a description.
        neurons: output, cost and gradient by epoch, where there is a single example to learn: no figure says more.
    """

    title: str
    conclusion: str
    sentences: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    pairing: str
    rows: tuple[Row, ...]
    family: Family = Family()
    pairs: tuple[Pair, ...] = ()
    races: tuple[Race, ...] = ()
    neurons: tuple[Neuron, ...] = ()

    @property
    def problems(self) -> list[str]:
        """A line for each run that did not finish, or did with a cost far above its first."""
        return [f"{row.variant}, {problem}" for row in self.rows for problem in row.problems]


def points(difference: float) -> str:
    """Return a difference of two fractions in percentage points, such as "−5.80"."""
    return f"{100 * difference:.2f}".replace("-", "−")


def interval(pair: Pair, sign: int = 1) -> str:
    """Return the interval of a pair's mean lead in points, such as "−5.80 to 43.92"; "-" if there is none."""
    if pair.low is None or pair.high is None:
        return "-"
    low, high = sorted((sign * pair.low, sign * pair.high))
    return "the same in each seed" if low == high else f"{points(low)} to {points(high)}"


def between(bracket: tuple[float, float]) -> str:
    """Return between which updates something happened, such as "1,000 to 2,000"."""
    after, by = bracket
    return f"{after:,.0f} to {by:,.0f}" if after < by else f"{by:,.0f}"


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage, such as "95.49 %", or "-" for None."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def with_spread(mean: float | None, spread: float | None) -> str:
    """Return a mean and its standard deviation as percentages, such as "96.26 ± 0.05 %"."""
    return percent(mean) if mean is None or spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f} %"


def number(value: float | None) -> str:
    """Return a number with three digits; "-" for none, and for a time too short to measure."""
    return f"{value:.3g}" if value else "-"


def shortened(texts: Sequence[str], where: str) -> list[str]:
    """Return as many of some texts as one reads, and how many more there are, and where."""
    left = len(texts) - MOST_TEXTS
    return [*texts] if left <= 1 else [*texts[:MOST_TEXTS], f"and {left:,} more, see {where}"]
