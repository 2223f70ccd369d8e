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
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import msgspec

from netlearn.comparison.statistics import FIGURES, has_finished, spread_of
from netlearn.custom_cost import short_names
from netlearn.runs import Groups, selection, text_of, varied

FIRST_LOOK, LATER_LOOKS = 0.04, 0.01
POWER = 0.8
MEASURES = ("early_accuracy", "test_accuracy")
CALIBRATION = "calibration_error"  # described by pairs too, of the negative error; decides nothing
Values = Mapping[str, Mapping[int, float]]  # of a measure: for each variant, by seed


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that is claimed: how far one variant is ahead of another in one measure.

    Attributes:
        measure: one of `MEASURES`, which are fractions; a pair also has "calibration_error", least in the lead.
        leader: the variant with the higher mean over the seeds that both finished.
        other: the variant behind.
        mean: the mean lead.
        low: lower end of its interval, simultaneous with those of all tests of the comparison; None for one seed.
        high: its upper end.
        p: of the paired t-test of no difference.
        seeds: how many both finished.
    """

    measure: str
    leader: str
    other: str
    mean: float
    low: float | None
    high: float | None
    p: float | None
    seeds: int


class Pair(Claim, frozen=True, kw_only=True):
    """A difference that is tested.

    Attributes:
        ahead: in how many seeds the leader is ahead.
        behind: in how many it is behind.
        detectable: the difference that would be claimed with a probability of 80 %.
        claimed: whether the leader is claimed to be ahead.
    """

    ahead: int
    behind: int
    detectable: float | None
    claimed: bool

    @property
    def names(self) -> tuple[str, str]:
        """The two variants."""
        return self.leader, self.other


class Test(NamedTuple):
    """A mean of differences, the ends of its interval, p, and the difference that is found with a chance of 80 %."""

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None


class Choice(msgspec.Struct, frozen=True):
    """The best variant of each cost.

    Attributes:
        variants: the chosen ones.
        seeds: by which they were chosen; none where a single seed chose them and all variants are compared.
        edges: their settings that lie at the edge of what was tried, such as "learning_rate=10 of quadratic".
    """

    variants: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    edges: tuple[str, ...] = ()


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of a comparison.

    Attributes:
        baseline: the variant that the others are compared with; None for all pairs.
        look: 1, and one more each time that seeds were added.
        alpha: the probability of any claim, at this look, where nothing differs.
        tests: how many there are.
        choice: of the variants compared, where only the best of each cost are.
        first: by measure, the variant that the others are measured by: the baseline, or the one that leads.
    """

    baseline: str | None = None
    look: int = 1
    alpha: float = FIRST_LOOK
    tests: int = 1
    choice: Choice = Choice()
    first: dict[str, str] = {}

    @property
    def level(self) -> float:
        """The level of each test, and of each interval."""
        return self.alpha / self.tests


def alpha_of(look: int) -> float:
    """Return the probability of any claim, where nothing differs, at the first look or a later one."""
    return FIRST_LOOK if look == 1 else LATER_LOOKS / 2 ** (look - 1)


def values_by_seed(groups: Groups, measure: str, without: Collection[int] = ()) -> Values:
    """Return a measure of each variant's finished runs, by seed, of errors the negative; some can be left out."""
    sign = -1 if measure == CALIBRATION else 1
    return {
        name: {
            run.settings.seed: sign * value
            for run in runs
            if run.settings.seed not in without and has_finished(run)
            if (value := FIGURES[measure](run)) is not None
        }
        for name, runs in groups.items()
    }


def find_claims(groups: Groups, baseline: str | None = None, look: int = 1) -> tuple[Family, tuple[Pair, ...]]:
    """Return the tests of a comparison, and the pairs of variants that they compare.

    Of more than eight variants only the pairs with the first of each measure are returned; the tests count all.
    """
    diverged = {name for name, runs in groups.items() if any(run.diverged for run in runs)}
    choice = Choice() if baseline else choose_by_cost(groups, diverged)
    compared = {name: groups[name] for name in (choice.variants if choice.seeds else groups)}
    count, alpha = len(compared), alpha_of(look)
    tests = max(1, len(MEASURES) * (count - 1 if baseline else math.comb(count, 2)))
    pairs: list[Pair] = []
    first: dict[str, str] = {}
    for measure in (*MEASURES, CALIBRATION):
        values = values_by_seed(compared, measure, choice.seeds)
        if leader := baseline or leader_of(values, diverged):
            first[measure] = leader
        named = [(leader, name) for name in values if leader and name != leader]
        for one, other in named if baseline or count > selection.MOST_SHOWN else combinations(values, 2):
            pair = compare_pair(measure, one, other, values, alpha / tests, diverged)
            if pair is not None:
                pairs.append(pair if measure in MEASURES else msgspec.structs.replace(pair, claimed=False))
    return Family(baseline=baseline, look=look, alpha=alpha, tests=tests, choice=choice, first=first), tuple(pairs)


def leader_of(values: Values, diverged: Collection[str]) -> str | None:
    """Return the variant that is furthest ahead, among those that finished the most seeds and did not diverge.

    A variant's lead is that over the mean of all variants, in the seeds that another one finished too.
    """
    by_seed: dict[int, list[float]] = {}
    for each in values.values():
        for seed, value in each.items():
            by_seed.setdefault(seed, []).append(value)
    means = {seed: statistics.fmean(found) for seed, found in by_seed.items() if len(found) > 1}
    leads = {
        name: [value - means[seed] for seed, value in each.items() if seed in means] for name, each in values.items()
    }
    able = {name: each for name, each in leads.items() if name not in diverged and each} or leads
    most = max(map(len, able.values()), default=0)
    found = {name: round(statistics.fmean(each), 12) for name, each in able.items() if len(each) == most > 0}
    return max(found, key=lambda name: found[name], default=None)


def compare_pair(
    measure: str, one: str, other: str, values: Values, level: float, diverged: Collection[str] = ()
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
    from scipy.special import stdtr  # noqa: PLC0415 (scipy.stats takes 0.4 s to import)

    n, mean = len(leads), statistics.fmean(leads)
    if n < 2:
        return Test(mean)
    if min(leads) == max(leads):
        return Test(mean, mean, mean, 2 / 2**n if mean else 1.0)
    error = (spread_of(leads) or 0) / math.sqrt(n)
    quantile, found = _critical(n - 1, level)
    p = 2 * float(stdtr(n - 1, -abs(mean / error)))
    return Test(mean, mean - quantile * error, mean + quantile * error, p, found * error)


@lru_cache
def _critical(freedom: int, level: float) -> tuple[float, float]:
    """Return the t that chance exceeds with a probability of `level`, and the mean that a test finds with `POWER`.

    Both are in standard errors, and the same for all pairs of a comparison with as many seeds.
    """
    from scipy.special import nctdtrinc, stdtrit  # noqa: PLC0415 (as above)

    quantile = float(stdtrit(freedom, 1 - level / 2))
    return quantile, float(nctdtrinc(freedom, 1 - POWER, quantile))


def claims_of(pairs: Iterable[Pair]) -> tuple[Claim, ...]:
    """Return the differences that are claimed, as summary.json has them."""
    fields = Claim.__struct_fields__
    return tuple(Claim(**{name: getattr(pair, name) for name in fields}) for pair in pairs if pair.claimed)


def choose_by_cost(groups: Groups, diverged: Collection[str]) -> Choice:
    """Choose the best variant of each cost on a third of the seeds, where every cost was tried with several others.

    The best has the highest mean of the best validation accuracy. A single seed chooses too, which leaves none to
    compare the chosen ones on. The choice is empty where the variants are no such grid, or no run of a cost finished.
    """
    settings = {name: runs[0].settings for name, runs in groups.items()}
    costs = Counter(each.cost for each in settings.values())
    seeds = sorted({run.settings.seed for runs in groups.values() for run in runs})
    if len(costs) < 2 or min(costs.values()) < 2:
        return Choice()
    chosen_on = tuple(seeds[: max(1, len(seeds) // 3)])
    best: dict[str, tuple[float, str]] = {}
    for name, runs in groups.items():
        ended = [run for run in runs if run.settings.seed in chosen_on and run.shortfall is None]
        mean, cost = selection.validation_accuracy(ended), settings[name].cost
        if mean is not None and len(ended) == len(chosen_on) and name not in diverged:
            best[cost] = max(best.get(cost, (-1.0, "")), (mean, name), key=lambda each: each[0])
    if len(best) < len(costs):
        return Choice()
    chosen, short = tuple(best[cost][1] for cost in costs), short_names(costs)
    edges = [
        f"{setting}={text_of(value)} of {short[settings[name].cost]}"
        for setting, values in varied(settings.values()).items()
        for name in chosen
        if len(values) > 2 and all(isinstance(each, int | float) for each in values)
        if (value := getattr(settings[name], setting)) in {min(values), max(values)}
    ]
    return Choice(chosen, chosen_on if len(seeds) > 1 else (), tuple(edges))
