"""Paired differences: variants compared seed by seed, if initial weights and mini-batches are the same.

The leading variant is compared with each of the others. Each interval is for one comparison, not for all together.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import msgspec

from netlearn.comparison.statistics import Row, by_accuracy, by_speed, paired
from netlearn.runs import Run

ACCURACY = "test_accuracy"
CONFIDENCE = 0.95
FEWEST_SEEDS = 3  # two differences may agree by chance, which makes the interval narrow


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """How far one variant is ahead of another in one measure, over the seeds of both.

    Attributes:
        measure: "test_accuracy", a fraction, or "updates_to_90" or "updates_to_80".
        leader: the variant with the highest mean accuracy, or with the fewest updates in the median.
        other: a variant whose runs are paired with the leader's.
        seeds: the number of seeds with a run of each.
        ahead: the number of seeds in which the leader has a higher accuracy, or fewer updates.
        never: the number of seeds in which the other variant never reached the accuracy.
        mean: the mean lead; None if a run never reached the accuracy.
        low: lower end of the 95 % interval of the mean lead (Student's t); None also if there is one seed.
        high: its upper end.
    """

    measure: str
    leader: str
    other: str
    seeds: int
    ahead: int
    never: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        """Whether the interval is above 0, with enough seeds."""
        return self.seeds >= FEWEST_SEEDS and self.low is not None and self.low > 0

    @property
    def includes_zero(self) -> bool:
        """Whether the interval includes 0."""
        return self.low is not None and self.high is not None and self.low <= 0 <= self.high

    @property
    def in_every_seed(self) -> bool:
        """Whether the leader is ahead in every seed."""
        return self.ahead == self.seeds


def pair_up(groups: Mapping[str, Sequence[Run]], rows: Sequence[Row]) -> tuple[Pair, ...]:
    """Return how far the best variant and the fastest one are ahead of the variants paired with them."""
    best, at, fastest = by_accuracy(rows), *by_speed(rows)

    def updates(run: Run) -> float:
        reached = run.updates_to(rows[0].reached[at].accuracy)
        return math.inf if reached is None else reached

    measures: list[tuple[str, list[Row], Callable[[Run], float | None], int]] = [
        (ACCURACY, best, lambda run: run.summary.test_accuracy if run.summary else None, 1),
        (f"updates_to_{100 * rows[0].reached[at].accuracy:.0f}", fastest, updates, -1),
    ]
    return tuple(
        _pair(measure, order[0].variant, other.variant, groups, value, sign)
        for measure, order, value, sign in measures
        for other in order[1:]
        if paired(groups[order[0].variant], groups[other.variant])
    )


def _pair(
    measure: str,
    leader: str,
    other: str,
    groups: Mapping[str, Sequence[Run]],
    value: Callable[[Run], float | None],
    sign: int,
) -> Pair:
    ours, theirs = ({run.settings.seed: value(run) for run in groups[name]} for name in (leader, other))
    both = [(a, b) for seed, a in ours.items() if a is not None and (b := theirs.get(seed)) is not None]
    leads = [sign * (a - b) for a, b in both]  # not a number where neither reached the accuracy
    mean, low, high = interval(leads) if all(map(math.isfinite, leads)) else (None, None, None)
    return Pair(
        measure=measure,
        leader=leader,
        other=other,
        seeds=len(both),
        ahead=sum(lead > 0 for lead in leads),
        never=sum(b == math.inf for _, b in both),
        mean=mean,
        low=low,
        high=high,
    )


def interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return the mean of some values and the ends of its 95 % interval, None for a single value."""
    from scipy.special import stdtrit  # noqa: PLC0415 (the quantiles of scipy.stats, which takes 0.4 s to import)

    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None, None
    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half
