"""The table of a comparison: a column for each variant, a line for each measure; of many variants a line for each."""

from collections.abc import Iterator, Sequence

from wcwidth import wcswidth

from netlearn.comparison.pairs import ACCURACY, Pair
from netlearn.comparison.statistics import Reached, Row, by_validation
from netlearn.runs import name_of
from netlearn.runs.selection import MOST_SHOWN

TOP = 10  # variants that are shown of more
MOST_TEXTS = 10


def table(rows: Sequence[Row], pairs: Sequence[Pair] = (), *, markdown: bool = False, top: int | None = None) -> str:
    """Return the rows, with the paired differences, as a table for the terminal or in Markdown.

    Of many variants, or where `top` is given, the best ones have a line each; how many were left out is said below.
    """
    if top is None and len(rows) <= MOST_SHOWN:
        lines = cells(rows, pairs)
        return _markdown(lines) if markdown else aligned(lines)
    lines = ranked(rows)[: 1 + (top or TOP)]
    text = _markdown(lines) if markdown else aligned(lines)
    if len(lines) <= len(rows):
        text += f"\n\n{len(lines) - 1} of {len(rows):,} variants; --top N shows more, results.csv has all"
    return text


def ranked(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of a table with a line for each variant, the best validation accuracy first.

    The test set is not what variants are chosen by: the best of many would owe some of its accuracy to luck.
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
    if any(row.seeds > 1 for row in rows):
        columns["lowest seed"] = [percent(row.test_lowest) for row in order]
    for i, reached in enumerate(rows[0].reached):
        if any(row.reached[i].median is not None for row in rows):
            columns[f"updates to {100 * reached.accuracy:.0f} %"] = [_median(row.reached[i]) for row in order]
    if any(row.finished < row.seeds for row in rows):
        columns["seeds finished"] = [f"{row.finished} of {row.seeds}" for row in order]
    columns["seconds per epoch"] = [_number(row.seconds_per_epoch) for row in order]
    return [list(columns), *map(list, zip(*columns.values(), strict=True))]


def cells(rows: Sequence[Row], pairs: Sequence[Pair] = ()) -> list[list[str]]:
    """Return the cells of the table, a line for each measure, the first with the names of the variants."""
    lines = [
        ["", *(row.variant for row in rows)],
        ["learning rate η", *(f"{row.learning_rate:g}" for row in rows)],
        ["seeds finished", *(f"{row.finished} of {row.seeds}" for row in rows)],
        ["test accuracy", *(with_spread(row.test_accuracy, row.test_spread) for row in rows)],
        ["  lowest seed", *(percent(row.test_lowest) for row in rows)],
        *_behind("points behind the best", rows, [pair for pair in pairs if pair.measure == ACCURACY]),
        ["best validation accuracy", *(percent(row.best_validation_accuracy) for row in rows)],
        *_race(rows, pairs),
        ["learning speed at update 0", *(_number(row.learning_speed_0) for row in rows)],
        ["  at update 100", *(_number(row.learning_speed_100) for row in rows)],
        ["stuck outputs after epoch 1", *(percent(row.stuck_after_epoch_1) for row in rows)],
        ["seconds per epoch", *(_number(row.seconds_per_epoch) for row in rows)],
    ]
    if any(row.diverging for row in rows):
        lines.insert(3, ["  of these diverging", *(f"{row.diverging} of {row.finished}" for row in rows)])
    if len({row.data for row in rows}) > 1:
        lines.insert(1, ["data (not the same)", *(row.data for row in rows)])
    return lines


def _race(rows: Sequence[Row], pairs: Sequence[Pair]) -> Iterator[list[str]]:
    for i, reached in enumerate(rows[0].reached):
        percentage = f"{100 * reached.accuracy:.0f}"
        yield [f"updates to {percentage} % validation", *(_median(row.reached[i]) for row in rows)]
        raced = [pair for pair in pairs if pair.measure == f"updates_to_{percentage}"]
        yield from _behind("updates behind the first", rows, raced)


def _behind(what: str, rows: Sequence[Row], pairs: Sequence[Pair]) -> list[list[str]]:
    """Return a line of mean paired differences with their seeds, and a line of their intervals if there are any."""
    if not pairs:
        return []
    found = {pair.other: pair for pair in pairs}
    names = [row.variant for row in rows]
    means = [_mean_behind(found[name]) if name in found else "-" for name in names]
    intervals = [range_of(found[name]) if name in found else "-" for name in names]
    lines = [[f"  {what} (seeds)", *means], ["    95 % interval", *intervals]]
    return lines if any(pair.low is not None for pair in pairs) else lines[:1]


def _mean_behind(pair: Pair) -> str:
    return f"{figure_of(pair)} ({pair.ahead} of {pair.seeds})"


def figure_of(pair: Pair) -> str:
    """Return the mean lead of a pair, in percentage points or updates; "-" if there is none."""
    return "-" if pair.mean is None else _difference(pair, pair.mean)


def range_of(pair: Pair) -> str:
    """Return the interval of the mean lead of a pair, such as "−5.80 to 43.92"; "-" if there is none."""
    if pair.low is None or pair.high is None:
        return "-"
    return f"{_difference(pair, pair.low)} to {_difference(pair, pair.high)}"


def _difference(pair: Pair, value: float) -> str:
    return (f"{100 * value:.2f}" if pair.measure == ACCURACY else f"{value:,.0f}").replace("-", "−")


def _markdown(lines: list[list[str]]) -> str:
    head, *body = [[cell.strip().replace("\\", r"\\").replace("|", r"\|") for cell in line] for line in lines]
    ruled = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def aligned(lines: list[list[str]]) -> str:
    """Return lines with aligned columns on a terminal, where some characters are two cells wide."""
    widths = [max(_width(line[i]) for line in lines) for i in range(len(lines[0]))]
    texts = []
    for first, *rest in lines:
        cells = [" " * (width - _width(cell)) + cell for cell, width in zip(rest, widths[1:], strict=True)]
        texts.append("  ".join([first + " " * (widths[0] - _width(first)), *cells]).rstrip())
    return "\n".join(texts)


def _width(text: str) -> int:
    return max(0, wcswidth(text))


def problems(rows: Sequence[Row]) -> list[str]:
    """Return a line for each run that did not finish, or did with a cost far above its first."""
    return [f"{row.variant}, {problem}" for row in rows for problem in row.problems]


def shortened(texts: Sequence[str], where: str) -> list[str]:
    """Return as many of some texts as one reads, and how many more there are, and where."""
    left = len(texts) - MOST_TEXTS
    return [*texts] if left <= 1 else [*texts[:MOST_TEXTS], f"and {left:,} more, see {where}"]


def _median(reached: Reached) -> str:
    if len(reached.updates) == reached.seeds and reached.median is not None:
        return f"{reached.median:,.0f}"
    never = f"never in {reached.seeds - len(reached.updates)} of {reached.seeds}"
    return never if reached.median is None else f"{reached.median:,.0f} ({never})"


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage, such as "95.49 %", or "-" for None."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def with_spread(mean: float | None, spread: float | None) -> str:
    """Return a mean and its standard deviation as percentages, such as "96.26 ± 0.05 %"."""
    return percent(mean) if mean is None or spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
