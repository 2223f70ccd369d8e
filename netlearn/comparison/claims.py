"""Which differences between variants the seeds show: paired t-tests, and what they can tell.

Two measures decide: `test_accuracy`, and `early_accuracy`, the mean validation accuracy over the probes of the first
epoch. A conclusion claims anything at all in at most 5 % of the comparisons in which nothing differs:

- Variants are compared seed by seed, over the seeds that both finished.
- The family of tests is all pairs of variants, or with a baseline the pairs with it, in both measures. Each test is
  at the level α / (tests of the family) (Bonferroni), and each interval has that level too.
- The first look at a comparison has α = 4 %. Adding seeds is another look; the j-th of these has α = 1 % / 2ʲ, so
  that all looks together have 5 %.
- Where each cost is tried with several values of something else, the best of each cost is chosen on some of the
  seeds, and only these are compared, on the others.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from netlearn.comparison.choice import Choice, choose_by_cost
from netlearn.runs import Groups, Run
from netlearn.runs.selection import MOST_SHOWN

FIRST_LOOK, LATER_LOOKS = 0.04, 0.01
POWER = 0.8
MEASURES = ("early_accuracy", "test_accuracy")
Values = dict[str, dict[int, float]]  # of a measure: for each variant, by seed


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """How far one variant is ahead of another in one measure, over the seeds that both finished.

    Attributes:
        measure: "early_accuracy" or "test_accuracy", fractions.
        leader: the variant with the higher mean over these seeds.
        other: the variant behind.
        seeds: how many seeds both finished.
        ahead: in how many of them the leader is ahead.
        behind: in how many it is behind.
        mean: the mean lead.
        low: lower end of its interval, simultaneous with those of all tests of the comparison; None for one seed.
        high: its upper end.
        p: of the paired t-test of no difference.
        detectable: the difference that would be claimed with a probability of 80 %.
        claimed: whether the leader is claimed to be ahead.
    """

    measure: str
    leader: str
    other: str
    seeds: int
    ahead: int
    behind: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    detectable: float | None
    claimed: bool

    @property
    def names(self) -> tuple[str, str]:
        """The two variants."""
        return self.leader, self.other


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that is claimed, in summary.json; see `Pair`."""

    measure: str
    leader: str
    other: str
    mean: float
    low: float
    high: float
    p: float
    seeds: int


class Test(NamedTuple):
    """A mean of differences, the ends of its interval, p, and the difference that is found with a chance of 80 %."""

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of a comparison.

    Attributes:
        baseline: the variant that the others are compared with; None for all pairs.
        look: 1, and one more each time that seeds were added.
        alpha: the probability of any claim, at this look, where nothing differs.
        tests: how many there are.
        choice: of the variants compared, where only the best of each cost are.
    """

    baseline: str | None = None
    look: int = 1
    alpha: float = FIRST_LOOK
    tests: int = 1
    choice: Choice = Choice()

    @property
    def level(self) -> float:
        """The level of each test, and of each interval."""
        return self.alpha / self.tests


def alpha_of(look: int) -> float:
    """Return the probability of any claim, where nothing differs, at the first look or a later one."""
    return FIRST_LOOK if look == 1 else LATER_LOOKS / 2 ** (look - 1)


def early_accuracy(run: Run) -> float:
    """Return the mean validation accuracy over the probes of the first epoch, evenly spaced on a log scale."""
    probes = int(run.metrics["epoch"].searchsorted(1, side="right"))
    return float(run.metrics["validation_accuracy"][:probes].mean())


def value_of(run: Run, measure: str) -> float | None:
    """Return a measure of a run; None if it has not finished."""
    if not run.metrics or run.shortfall is not None or run.summary is None:
        return None
    return early_accuracy(run) if measure == "early_accuracy" else run.summary.test_accuracy


def values_of(groups: Groups, measure: str) -> Values:
    """Return a measure of each variant's finished runs, by seed."""
    return {
        name: {run.settings.seed: value for run in runs if (value := value_of(run, measure)) is not None}
        for name, runs in groups.items()
    }


def find_claims(groups: Groups, baseline: str | None = None, look: int = 1) -> tuple[Family, tuple[Pair, ...]]:
    """Return the tests of a comparison, and the pairs of variants that they compare.

    Of more than eight variants only the pairs with the leader of each measure are returned; the tests count all.

    Args:
        groups: the runs of each variant.
        baseline: the variant that the others are compared with; None for all pairs.
        look: 1, or more if seeds were added.
    """
    diverged = {name for name, runs in groups.items() if any(has_diverged(run) for run in runs)}
    choice = Choice() if baseline else choose_by_cost(groups, diverged)
    compared = {name: groups[name] for name in choice.variants or groups}
    count = len(compared)
    family = Family(
        baseline=baseline,
        look=look,
        alpha=alpha_of(look),
        tests=max(1, len(MEASURES) * (count - 1 if baseline else count * (count - 1) // 2)),
        choice=choice,
    )
    pairs: list[Pair] = []
    for measure in MEASURES:
        values = values_of(compared, measure)
        for each in values.values():
            for seed in choice.seeds:
                each.pop(seed, None)
        pairs += [
            pair
            for one, other in _pairs_of(values, baseline, diverged)
            if (pair := compare_pair(measure, one, other, values, family.level, diverged)) is not None
        ]
    return family, tuple(pairs)


def has_diverged(run: Run) -> bool:
    """Return whether a run diverged; one that failed has no summary."""
    return run.summary is not None and run.problem is not None


def _pairs_of(values: Values, baseline: str | None, diverged: Iterable[str]) -> Iterable[tuple[str, str]]:
    if baseline is None and len(values) <= MOST_SHOWN:
        return combinations(values, 2)
    first = baseline or leader_of(values, diverged)
    return [(first, name) for name in values if first is not None and name != first]


def leader_of(values: Values, diverged: Iterable[str]) -> str | None:
    """Return the variant with the highest mean, among those that finished the most seeds and did not diverge."""
    finished = {name: each for name, each in values.items() if each}
    able = {name: each for name, each in finished.items() if name not in diverged} or finished
    most = max(map(len, able.values()), default=0)
    means = {name: statistics.fmean(each.values()) for name, each in able.items() if len(each) == most}
    return max(means, key=lambda name: means[name], default=None)


def compare_pair(
    measure: str, one: str, other: str, values: Values, level: float, diverged: Iterable[str] = ()
) -> Pair | None:
    """Return how far one of two variants is ahead of the other; None if they share no finished seed."""
    shared = [seed for seed in values[one] if seed in values[other]]
    if not shared:
        return None
    leads = [round(values[one][seed] - values[other][seed], 12) for seed in shared]
    if sum(leads) < 0:
        one, other, leads = other, one, [-lead for lead in leads]
    test = t_test(leads, level)
    return Pair(
        measure=measure, leader=one, other=other, seeds=len(leads), ahead=sum(lead > 0 for lead in leads),
        behind=sum(lead < 0 for lead in leads),
        claimed=test.p is not None and test.p < level and one not in diverged, **test._asdict(),
    )  # fmt: skip


def t_test(leads: Sequence[float], level: float) -> Test:
    """Test whether the mean of some differences is 0, by Student's t.

    Where all differences are equal, which t cannot judge, p is that of the sign test, 2/2ⁿ.
    """
    from scipy.special import nctdtrinc, stdtr, stdtrit  # noqa: PLC0415 (scipy.stats takes 0.4 s to import)

    n, mean = len(leads), statistics.fmean(leads)
    if n < 2:
        return Test(mean)
    if min(leads) == max(leads):
        return Test(mean, mean, mean, 2 / 2**n if mean else 1.0)
    error = math.sqrt(math.fsum((lead - mean) ** 2 for lead in leads) / (n - 1) / n)
    quantile = float(stdtrit(n - 1, 1 - level / 2))
    p = 2 * float(stdtr(n - 1, -abs(mean / error)))
    detectable = error * float(nctdtrinc(n - 1, 1 - POWER, quantile))
    return Test(mean, mean - quantile * error, mean + quantile * error, p, detectable)


def leading(pairs: Iterable[Pair], finished: Mapping[str, int]) -> str | None:
    """Return the variant with the largest mean leads over the others, among those that finished the most seeds.

    Args:
        pairs: of all variants in one measure, or of one variant with all others.
        finished: the seeds that a variant finished; one that diverged leads only if all did.
    """
    pairs = list(pairs)
    names = {name for pair in pairs for name in pair.names}
    in_all = {name for name in names if all(name in pair.names for pair in pairs)}
    able = {name: finished[name] for name in in_all or names if name in finished} or dict.fromkeys(in_all or names, 0)
    leads = {
        name: sum(pair.mean if pair.leader == name else -pair.mean for pair in pairs if name in pair.names)
        for name in sorted(able)
        if able[name] == max(able.values())
    }
    return max(leads, key=lambda name: leads[name], default=None)


def claims_of(pairs: Iterable[Pair]) -> tuple[Claim, ...]:
    """Return the differences that are claimed."""
    return tuple(
        Claim(
            measure=pair.measure, leader=pair.leader, other=pair.other, mean=pair.mean, low=pair.low, high=pair.high,
            p=pair.p, seeds=pair.seeds,
        )
        for pair in pairs
        if pair.claimed and pair.low is not None and pair.high is not None and pair.p is not None
    )  # fmt: skip
