"""The table of a comparison, which fits the terminal, and how its figures are written.

Variants stand side by side where they fit, or else below each other, in as many parts as it takes.
"""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from wcwidth import wcswidth

from netlearn.comparison.claims import Family, Pair
from netlearn.comparison.statistics import Race, Reached, Row, by_validation
from netlearn.runs import name_of
from netlearn.runs.selection import MOST_SHOWN

TOP = 10  # variants that are shown of more
MOST_TEXTS = 10
WIDTH = 100  # columns, if not said otherwise
GAP = 2  # spaces between columns
LABEL = 21  # columns, at least, of what stands before the variants
FEW = 4  # variants that stay beside each other
Cells = list[list[str]]
NO_FAMILY = Family()


def table(
    rows: Sequence[Row], pairs: Sequence[Pair] = (), races: Sequence[Race] = (), family: Family = NO_FAMILY,
    *, markdown: bool = False, top: int | None = None, width: int = WIDTH,
) -> str:  # fmt: skip
    """Return the rows, with the paired differences, as a table for the terminal or in Markdown.

    Of many variants, or where `top` is given, the best ones have a line each; how many were left out is said below.
    """
    if top is None and len(rows) <= MOST_SHOWN:
        lines = cells(rows, pairs, races, family)
        if markdown:
            return in_markdown(lines)
        whole = aligned(lines)
        return whole if _widest(whole) <= width else _beside(lines, width) or fitted(transposed(lines), width)
    lines = ranking(rows)[: 1 + (top or TOP)]
    text = in_markdown(lines) if markdown else fitted(lines, width, fixed=2)
    if len(lines) <= len(rows):
        text += f"\n\n{len(lines) - 1} of {len(rows):,} variants; --top N shows more, results.csv has all"
    return text


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
    columns["seconds per epoch"] = [_number(row.seconds_per_epoch) for row in order]
    lines = dict(zip((row.variant for row in order), map(list, zip(*columns.values(), strict=True)), strict=True))
    return [list(columns), *(lines[name] for name in shown or lines)]


def cells(
    rows: Sequence[Row], pairs: Sequence[Pair] = (), races: Sequence[Race] = (), family: Family = NO_FAMILY
) -> Cells:
    """Return the cells of the table, a line for each measure, the first with the names of the variants.

    Lines that say nothing are left out: accuracies that no variant reached, the lowest of one seed.
    """
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
        *_differences("early_accuracy", pairs, rows, family),
        ["test accuracy", *(with_spread(row.test_accuracy, row.test_spread) for row in rows)],
        ["  lowest seed", *(percent(row.test_lowest) for row in rows)] if several else [],
        *_differences("test_accuracy", pairs, rows, family),
        ["best validation accuracy", *(percent(row.best_validation_accuracy) for row in rows)],
        *_updates(rows, races),
        ["learning speed at update 0", *(_number(row.learning_speed_0) for row in rows)],
        ["learning speed at update 100", *(_number(row.learning_speed_100) for row in rows)],
        ["badly wrong outputs after epoch 1", *(percent(row.stuck_after_epoch_1) for row in rows)],
        ["calibration error", *(with_spread(row.calibration_error, row.calibration_spread) for row in rows)],
        *_differences("calibration_error", pairs, rows, family),
        ["seconds per epoch", *(_number(row.seconds_per_epoch) for row in rows)],
    ]
    named = ["", *(row.variant for row in rows)]
    return [named, *(line for line in lines if any(cell not in {"-", ""} for cell in line[1:]))]


def _updates(rows: Sequence[Row], races: Sequence[Race]) -> Iterator[list[str]]:
    """Yield a line for each accuracy that was reached, and one of the seeds in which the others were later."""
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


def _differences(measure: str, pairs: Sequence[Pair], rows: Sequence[Row], family: Family) -> Iterator[list[str]]:
    """Yield lines of the mean differences from the first variant, with their seeds, and of their intervals.

    Signs are such that most figures are positive: points ahead of a baseline, or behind the best.
    """
    first = family.first.get(measure)
    found = {
        pair.other if pair.leader == first else pair.leader: pair
        for pair in pairs
        if pair.measure == measure and first in pair.names
    }
    if not found:
        return
    means, intervals = [], []
    for name in (row.variant for row in rows):
        pair = found.get(name)
        if pair is None:
            means.append("-")
            intervals.append("-")
            continue
        leads = pair.leader == (name if family.baseline else first)
        sign, seeds = (1, pair.ahead) if leads else (-1, pair.behind)
        means.append(f"{points(sign * pair.mean)} ({seeds} of {pair.seeds})")
        intervals.append(interval(pair, sign))
    yield [f"  points {'ahead of the baseline' if family.baseline else 'behind the best'} (seeds)", *means]
    yield ["    interval", *intervals]


def points(difference: float) -> str:
    """Return a difference of two fractions in percentage points, such as "−5.80"."""
    return f"{100 * difference:.2f}".replace("-", "−")


def interval(pair: Pair, sign: int = 1) -> str:
    """Return the interval of a pair's mean lead in points, such as "−5.80 to 43.92"; "-" if there is none."""
    if pair.low is None or pair.high is None:
        return "-"
    low, high = sorted((sign * pair.low, sign * pair.high))
    return "the same in each seed" if low == high else f"{points(low)} to {points(high)}"


def in_markdown(lines: Cells) -> str:
    """Return a table in Markdown."""
    head, *body = [[cell.strip().replace("\\", r"\\").replace("|", r"\|") for cell in line] for line in lines]
    ruled = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def aligned(lines: Cells, fixed: int = 1) -> str:
    """Return lines with aligned columns on a terminal, where some characters are two cells wide.

    The first columns stand to the left, figures to the right. A cell may have several lines.
    """
    widths = [max(map(_widest, column)) for column in zip(*lines, strict=True)]
    texts = []
    for line in lines:
        for parts in zip_longest(*(cell.split("\n") for cell in line), fillvalue=""):
            gaps = [" " * (width - _widest(part)) for part, width in zip(parts, widths, strict=True)]
            left = [part + gap for part, gap in zip(parts[:fixed], gaps, strict=False)]
            right = [gap + part for part, gap in zip(parts[fixed:], gaps[fixed:], strict=True)]
            texts.append((" " * GAP).join([*left, *right]).rstrip())
    return "\n".join(texts)


def fitted(lines: Cells, width: int, fixed: int = 1) -> str:
    """Return lines with aligned columns that are no wider than a terminal.

    Heads, and the cells of the first columns, wrap at words. Columns that have no room follow below, in further parts
    that repeat the first columns.
    """
    whole = aligned(lines)
    if _widest(whole) <= width:
        return whole
    columns = [_wrapped(column, width // 3 if i < fixed else 0) for i, column in enumerate(zip(*lines, strict=True))]
    return _in_parts(columns, width, fixed)


def _in_parts(columns: Sequence[Sequence[str]], width: int, fixed: int) -> str:
    """Return columns beside each other, in as many parts as it takes; each part has the fixed ones."""
    parts = [list(columns[:fixed])]
    for column in columns[fixed:]:
        if (
            len(parts[-1]) > fixed
            and sum(GAP + max(map(_widest, each)) for each in [*parts[-1], column]) - GAP > width
        ):
            parts.append(list(columns[:fixed]))
        parts[-1].append(column)
    return "\n\n".join(aligned(list(map(list, zip(*part, strict=True))), fixed) for part in parts)


def _beside(lines: Cells, width: int) -> str:
    """Return lines with wrapped labels and names, in few parts if there are few variants; "" if they have no room."""
    labels, *variants = zip(*lines, strict=True)
    columns = [_wrapped(column) for column in variants]
    room = width - sum(GAP + max(map(_widest, column)) for column in columns)
    if room < LABEL and len(columns) > FEW:
        return ""
    return _in_parts([[_wrap(label, room if room >= LABEL else width // 3) for label in labels], *columns], width, 1)


def _wrapped(column: Sequence[str], most: int = 0) -> list[str]:
    """Return a column with its head wrapped, no wider than the cells below it and its longest word, and these too."""
    head, *rest = column
    cells = [_wrap(cell, most) for cell in rest] if most else rest
    return [_wrap(head, max(map(_widest, [*cells, *head.split()]), default=1)), *cells]


def _wrap(text: str, width: int) -> str:
    """Return a text in lines that keep its indentation; a word is broken only if it is wider than a line."""
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(text, max(1, width * len(text) // max(1, _widest(text))), subsequent_indent=indent)


def transposed(lines: Cells) -> Cells:
    """Return the cells with a line for each variant; an indented label is joined to the one that it belongs to."""
    named, above = [], ""
    for label, *rest in lines:
        above = above if label.startswith(" ") else label
        named.append([label if label == above else f"{above}: {label.strip()}", *rest])
    return [list(column) for column in zip(*named, strict=True)]


def _widest(text: str) -> int:
    """Return how many cells of a terminal the widest line of a text takes."""
    return max((wcswidth(line) for line in text.split("\n")), default=0)


def problems(rows: Sequence[Row]) -> list[str]:
    """Return a line for each run that did not finish, or did with a cost far above its first."""
    return [f"{row.variant}, {problem}" for row in rows for problem in row.problems]


def shortened(texts: Sequence[str], where: str) -> list[str]:
    """Return as many of some texts as one reads, and how many more there are, and where."""
    left = len(texts) - MOST_TEXTS
    return [*texts] if left <= 1 else [*texts[:MOST_TEXTS], f"and {left:,} more, see {where}"]


def between(bracket: tuple[float, float]) -> str:
    """Return between which updates something happened, such as "1,000 to 2,000"."""
    after, by = bracket
    return f"{after:,.0f} to {by:,.0f}" if after < by else f"{by:,.0f}"


def paragraphs(sentences: Sequence[str], width: int) -> list[str]:
    """Return lines of text no wider than a terminal; several sentences as a list."""
    mark = "- " if len(sentences) > 1 else ""
    wrapper = textwrap.TextWrapper(width, subsequent_indent=" " * len(mark), break_on_hyphens=False)
    return [wrapper.fill(f"{mark}{each}") for each in sentences]


def _median(reached: Reached) -> str:
    median, count = reached.median, len(reached.updates)
    if median is None:
        return f"in {count} of {reached.seeds}" if count else "never"
    return between(median) if count == reached.seeds else f"{between(median)} (in {count} of {reached.seeds})"


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage, such as "95.49 %", or "-" for None."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def with_spread(mean: float | None, spread: float | None) -> str:
    """Return a mean and its standard deviation as percentages, such as "96.26 ± 0.05 %"."""
    return percent(mean) if mean is None or spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f} %"


def _number(value: float | None) -> str:
    """Return a number with three digits; "-" for none, and for a time too short to measure."""
    return f"{value:.3g}" if value else "-"
