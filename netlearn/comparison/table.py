"""The cells of the tables of a comparison: variants beside each other, ranked, or neurons by epoch."""

from collections.abc import Iterator, Sequence

from netlearn.comparison.findings import Findings, between, interval, number, percent, points, with_spread
from netlearn.comparison.neuron import QUANTITIES, Neuron
from netlearn.comparison.statistics import Race, Reached, Row, by_validation
from netlearn.runs import name_of

Cells = list[list[str]]


def ranking(rows: Sequence[Row], shown: Sequence[str] = ()) -> Cells:
    """Return the cells of a table with a line for each variant, the best validation accuracy first.

    The test set is not what variants are chosen by: the best of many would owe some of its accuracy to luck.
    Where only some are `shown`, by name, their lines come in that order.
    """
    order = by_validation(rows)
    settings = list(rows[0].settings)
    if any({*row.variant.split()} != {*name_of(row.settings).split()} for row in rows):
        settings = []  # names say more, or something else
    columns: dict[str, list[str]] = {name: [row.settings[name] for row in order] for name in settings}
    columns = {"": [f"{place:,}" for place in range(1, len(rows) + 1)]} | (
        columns or {"variant": [row.variant for row in order]}
    )
    columns["best validation accuracy"] = [percent(row.best_validation_accuracy) for row in order]
    columns["test accuracy"] = [with_spread(row.test_accuracy, row.test_spread) for row in order]
    columns["early accuracy"] = [with_spread(row.early_accuracy, row.early_spread) for row in order]
    if any(row.seeds > 1 for row in rows):
        columns["lowest seed"] = [percent(row.test_lowest) for row in order]
    for i, reached in enumerate(rows[0].reached):
        if any(row.reached[i].median is not None for row in rows):
            columns[f"updates to {100 * reached.accuracy:.0f} %"] = [_median(row.reached[i]) for row in order]
    if any(row.finished < row.seeds for row in rows):
        columns["seeds finished"] = [f"{row.finished} of {row.seeds}" for row in order]
    columns["seconds per epoch"] = [number(row.seconds_per_epoch) for row in order]
    lines = dict(zip((row.variant for row in order), map(list, zip(*columns.values(), strict=True)), strict=True))
    return [list(columns), *(lines[name] for name in shown or lines)]


def cells(found: Findings) -> Cells:
    """Return the cells of the table, a line for each measure, the first with the names of the variants.

    Lines that say nothing are left out: accuracies that no variant reached, the lowest of one seed.
    """
    rows = found.rows
    several = any(row.seeds > 1 for row in rows)
    lines = [
        ["data (not the same)", *(row.data for row in rows)] if len({row.data for row in rows}) > 1 else [],
        ["learning rate η", *(f"{row.learning_rate:g}" for row in rows)],
        ["seeds finished", *(f"{row.finished} of {row.seeds}" for row in rows)],
        *(
            [f"seeds {what}", *map(str, counts)]
            for what in ("diverged", "failed", "diverging")
            if any(counts := [getattr(row, what) for row in rows])
        ),
        ["early accuracy", *(with_spread(row.early_accuracy, row.early_spread) for row in rows)],
        *_differences("early_accuracy", found),
        ["test accuracy", *(with_spread(row.test_accuracy, row.test_spread) for row in rows)],
        ["  lowest seed", *(percent(row.test_lowest) for row in rows)] if several else [],
        *_differences("test_accuracy", found),
        ["best validation accuracy", *(percent(row.best_validation_accuracy) for row in rows)],
        *_updates(found),
        ["learning speed at update 0", *(number(row.learning_speed_0) for row in rows)],
        ["learning speed at update 100", *(number(row.learning_speed_100) for row in rows)],
        ["badly wrong outputs after epoch 1", *(percent(row.stuck_after_epoch_1) for row in rows)],
        ["calibration error", *(with_spread(row.calibration_error, row.calibration_spread) for row in rows)],
        *_differences("calibration_error", found),
        ["seconds per epoch", *(number(row.seconds_per_epoch) for row in rows)],
    ]
    named = ["", *(row.variant for row in rows)]
    return [named, *(line for line in lines if any(cell not in {"-", ""} for cell in line[1:]))]


def _updates(found: Findings) -> Iterator[list[str]]:
    """Yield a line for each accuracy that was reached, and one of the seeds in which the others were later."""
    rows, races = found.rows, found.races
    behind = {race.other: race for race in races}
    for i, reached in enumerate(rows[0].reached):
        if any(row.reached[i].updates for row in rows):
            label = f"updates to {100 * reached.accuracy:.0f} % validation"
            yield [label, *(_median(row.reached[i]) for row in rows)]
        if races and reached.accuracy == races[0].accuracy:
            ends = [_seeds_behind(behind[row.variant]) if row.variant in behind else "-" for row in rows]
            yield ["  later than the first (seeds)", *ends]


def _seeds_behind(race: Race) -> str:
    ties = f", {race.tied} tied" if race.tied else ""
    sign = "" if race.p is None else f", p = {race.p:.2g}"
    return f"{race.ahead} of {race.seeds}{ties}{sign}"


def _differences(measure: str, found: Findings) -> Iterator[list[str]]:
    """Yield lines of the mean differences from the first variant, with their seeds, and of their intervals.

    Signs are such that most figures are positive: points ahead of a baseline, or behind the best.
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
    for name in (row.variant for row in found.rows):
        pair = pairs.get(name)
        if pair is None:
            means.append("-")
            intervals.append("-")
            continue
        leads = pair.leader == (name if baseline else first)
        sign, seeds = (1, pair.ahead) if leads else (-1, pair.behind)
        means.append(f"{points(sign * pair.mean)} ({seeds} of {pair.seeds})")
        intervals.append(interval(pair, sign))
    yield [f"  points {'ahead of the baseline' if baseline else 'behind the best'} (seeds)", *means]
    yield ["    interval", *intervals]


def _median(reached: Reached) -> str:
    median, count = reached.median, len(reached.updates)
    if median is None:
        return f"in {count} of {reached.seeds}" if count else "never"
    return between(median) if count == reached.seeds else f"{between(median)} (in {count} of {reached.seeds})"


def neuron_cells(neurons: Sequence[Neuron], quantity: str) -> list[list[str]]:
    """Return the cells of a table: one of `QUANTITIES` by epoch, a line for each neuron."""
    lines = [[each.variant, *(f"{value:.4f}" for value in getattr(each, quantity))] for each in neurons]
    return [[f"{QUANTITIES[quantity]}, by epoch", *map(str, neurons[0].epochs)], *lines]
