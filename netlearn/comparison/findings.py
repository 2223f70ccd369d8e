"""What the runs of a comparison show: its figures, how they are written, and the cells of its tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from netlearn.comparison.claims import MEASURES, Claim, Family, Pair
from netlearn.comparison.neuron import QUANTITIES, Neuron
from netlearn.comparison.statistics import Race, Reached, Row, by_validation
from netlearn.custom_cost import shell_command
from netlearn.runs import name_of

MOST_TEXTS = 10
ENOUGH = 6  # seeds, to begin with
Cells = list[list[str]]


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


def more_seeds(found: Findings, seeds: Iterable[int], folder: str, costs: Iterable[str] = ()) -> str:
    """Return the command that adds as many seeds to the comparison in a folder; "" if each difference is clear."""
    if all(pair.claimed or pair.low == pair.high == 0 for pair in found.pairs if pair.measure in MEASURES):
        return ""
    present = sorted(set(seeds))
    count = max(ENOUGH, 2 * len(present))
    others = [seed for seed in range(2 * count) if seed not in present]
    listed = ",".join(map(str, [*present, *others][:count]))
    command = shell_command("compare --resume", costs, folder)
    return f"{command} --seeds {count if present[-1] < len(present) else listed}"


def points(difference: float) -> str:
    """Return a difference of two fractions in percentage points, such as "−5.80"."""
    return f"{100 * difference:z.2f}".replace("-", "−")


def bound(difference: float) -> str:
    """Return the end of an interval in points, such as "−5.80"; one that no difference of fractions has is cut."""
    return points(difference) if abs(difference) < 1 else "100" if difference > 0 else "−100"


def interval(pair: Pair, sign: int = 1) -> str:
    """Return the interval of a pair's mean lead in points, such as "−5.80 to 43.92"; "-" if there is none."""
    if pair.low is None or pair.high is None:
        return "-"
    low, high = sorted((sign * pair.low, sign * pair.high))
    return "the same in each seed" if low == high else f"{bound(low)} to {bound(high)}"


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


LOWEST = "  lowest seed"
TEXTS: dict[str, Callable[[Row], str]] = {  # of a variant, by the label of a line
    "learning rate η": lambda row: f"{row.learning_rate:g}",
    "seeds finished": lambda row: f"{row.finished} of {row.seeds}",
    "seeds diverged": lambda row: f"{row.diverged}",
    "seeds failed": lambda row: f"{row.failed}",
    "seeds diverging": lambda row: f"{row.diverging}",
    "early accuracy": lambda row: with_spread(row.early_accuracy, row.early_spread),
    "test accuracy": lambda row: with_spread(row.test_accuracy, row.test_spread),
    LOWEST: lambda row: percent(row.test_lowest),
    "best validation accuracy": lambda row: percent(row.best_validation_accuracy),
    "learning speed at update 0": lambda row: number(row.learning_speed_0),
    "learning speed at update 100": lambda row: number(row.learning_speed_100),
    "badly wrong outputs after epoch 1": lambda row: percent(row.stuck_after_epoch_1),
    "calibration error": lambda row: with_spread(row.calibration_error, row.calibration_spread),
    "seconds per epoch": lambda row: number(row.seconds_per_epoch),
}
COMPARED = {"early accuracy": "early_accuracy", LOWEST: "test_accuracy", "calibration error": "calibration_error"}
NO_LIMITS = "−100 to 100"  # points: an interval with every difference that there can be
NOTHING = {"-", "", "0"}  # is all that a line says that is left out


def ranking(rows: Sequence[Row], shown: Sequence[str] = ()) -> Cells:
    """Return the cells of a table with a line for each variant, the best validation accuracy first.

    The test set is not what variants are chosen by: the best of many would owe some of its accuracy to luck.
    Where only some are `shown`, by name, their lines come in that order.
    """
    order = by_validation(rows)
    columns = {"": [f"{place:,}" for place in range(1, len(rows) + 1)]}
    if any({*row.variant.split()} != {*name_of(row.settings).split()} for row in rows):
        columns["variant"] = [row.variant for row in order]  # names say more, or something else
    else:
        columns |= {name: [row.settings[name] for row in order] for name in rows[0].settings}
    for label in ("best validation accuracy", "test accuracy", "early accuracy", LOWEST):
        if label != LOWEST or any(row.seeds > 1 for row in rows):
            columns[label.strip()] = [TEXTS[label](row) for row in order]
    for i, reached in enumerate(rows[0].reached):
        if any(row.reached[i].median is not None for row in rows):
            columns[f"updates to {100 * reached.accuracy:.0f} %"] = [_median(row.reached[i]) for row in order]
    if any(row.finished < row.seeds for row in rows):
        columns["seeds finished"] = [TEXTS["seeds finished"](row) for row in order]
    columns["seconds per epoch"] = [TEXTS["seconds per epoch"](row) for row in order]
    lines = dict(zip((row.variant for row in order), map(list, zip(*columns.values(), strict=True)), strict=True))
    return [list(columns), *(lines[name] for name in shown or lines)]


def cells(found: Findings) -> Cells:
    """Return the cells of the table, a line for each measure, the first with the names of the variants.

    Lines that say nothing are left out: accuracies that no variant reached, the lowest of one seed.
    """
    rows = found.rows
    lines = [["data (not the same)", *(row.data for row in rows)]] if len({row.data for row in rows}) > 1 else []
    for label, text in TEXTS.items():
        if label != LOWEST or any(row.seeds > 1 for row in rows):
            lines.append([label, *map(text, rows)])
        if label in COMPARED:
            lines += _differences(COMPARED[label], found)
        if label == "best validation accuracy":
            lines += _updates(found)
    return [["", *(row.variant for row in rows)], *(line for line in lines if not NOTHING.issuperset(line[1:]))]


def _updates(found: Findings) -> Iterator[list[str]]:
    """Yield a line for each accuracy that was reached, and one of the seeds in which the others were later."""
    rows, races = found.rows, found.races
    behind = {race.other: race for race in races}
    for i, reached in enumerate(rows[0].reached):
        if any(row.reached[i].updates for row in rows):
            label = f"updates to {100 * reached.accuracy:.0f} % validation"
            yield [label, *(_median(row.reached[i]) for row in rows)]
        if races and reached.accuracy == races[0].accuracy:
            names = [row.variant for row in rows]
            none = {races[0].first: "-"}
            ends = [_seeds_behind(behind[name]) if name in behind else none.get(name, "") for name in names]
            yield ["  later than the first (seeds)", *ends]


def _seeds_behind(race: Race) -> str:
    ties = f", {race.tied} tied" if race.tied else ""
    sign = "" if race.p is None else f", p = {race.p:.2g}"
    return f"{race.ahead} of {race.seeds}{ties}{sign}"


def _differences(measure: str, found: Findings) -> Iterator[list[str]]:
    """Yield lines of the mean differences from the first variant, with their seeds, and of their intervals.

    Signs are such that most figures are positive: points ahead of a baseline, or behind the best. The first variant
    has "-", one that was not compared with it has nothing.
    """
    first, baseline = found.family.first.get(measure), found.family.baseline
    pairs = {
        pair.other if pair.leader == first else pair.leader: pair
        for pair in found.pairs
        if pair.measure == measure and first in pair.names
    }
    if not pairs:
        return
    means, intervals = [], []
    for row in found.rows:
        mean = ends = "-" if row.variant == first else ""
        if (pair := pairs.get(row.variant)) is not None:
            leads = pair.leader == (row.variant if baseline else first)
            sign, seeds = (1, pair.ahead) if leads else (-1, pair.behind)
            count = f"{seeds}" if pair.ahead or pair.behind else f"tied in {pair.seeds}"
            mean, ends = f"{points(sign * pair.mean)} ({count} of {pair.seeds})", interval(pair, sign)
            if ends == NO_LIMITS:
                ends = "too wide to tell"
        means.append(mean)
        intervals.append(ends)
    yield [f"  points {'ahead of the baseline' if baseline else 'behind the best'} (seeds)", *means]
    yield ["    interval", *intervals]


def _median(reached: Reached) -> str:
    median, count = reached.median, len(reached.updates)
    if median is None:
        return f"in {count} of {reached.seeds}" if count else "never"
    return between(median) if count == reached.seeds else f"{between(median)} (in {count} of {reached.seeds})"


def neuron_cells(neurons: Sequence[Neuron], quantity: str, digits: int = 4) -> list[list[str]]:
    """Return the cells of a table: one of `QUANTITIES` by epoch, a line for each neuron."""
    lines = [[each.variant, *(f"{value:.{digits}f}" for value in getattr(each, quantity))] for each in neurons]
    return [[f"{QUANTITIES[quantity]}, by epoch", *map(str, neurons[0].epochs)], *lines]
