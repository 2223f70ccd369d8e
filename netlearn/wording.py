"""The results of a comparison in words: a table for the terminal or for Markdown, and one sentence.

The sentence claims no more than the figures do. A difference in accuracy counts where the ranges mean ± standard
deviation of two variants do not touch; a variant was first where its last seed was before the others' first seed, and
is level with those whose seeds it overlaps with.
"""

from collections.abc import Iterable, Sequence

from netlearn.results import Reached, Row


def table(rows: Sequence[Row], *, markdown: bool = False) -> str:
    """Return the rows as a table with a column for each variant and a line for each measure."""
    lines = [
        ["", *(row.variant for row in rows)],
        ["learning rate η", *(f"{row.learning_rate:g}" for row in rows)],
        ["seeds finished", *(f"{row.finished} of {row.seeds}" for row in rows)],
        ["test accuracy", *(_with_spread(row.test_accuracy, row.test_spread) for row in rows)],
        ["  lowest seed", *(_percent(row.test_lowest) for row in rows)],
        ["best validation accuracy", *(_percent(row.best_validation_accuracy) for row in rows)],
        *(
            [f"updates to {_share(reached)} validation", *(_when(row.reached[i]) for row in rows)]
            for i, reached in enumerate(rows[0].reached)
        ),
        ["learning speed at update 0", *(_number(row.learning_speed_0) for row in rows)],
        ["  at update 100", *(_number(row.learning_speed_100) for row in rows)],
        ["stuck outputs after epoch 1", *(_percent(row.stuck_after_epoch_1) for row in rows)],
        ["seconds per epoch", *(_number(row.seconds_per_epoch) for row in rows)],
    ]
    if len({row.data for row in rows}) > 1:
        lines.insert(1, ["data (not the same)", *(row.data for row in rows)])
    if markdown:
        lines[1:1] = [["---", *("---:" for _ in rows)]]
        return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)
    widths = [max(len(line[i]) for line in lines) for i in range(len(rows) + 1)]
    texts = (
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )
    return "\n".join(text.rstrip() for text in texts)


def problems(rows: Sequence[Row]) -> list[str]:
    """Return a line for each run that did not finish."""
    return [f"{row.variant}, {problem}" for row in rows for problem in row.problems]


def conclusion(rows: Sequence[Row]) -> str:
    """Return one sentence on which variant ended best and which learned first, as far as the figures tell."""
    if len(rows) == 1:
        return f"{_of_one(rows[0])}."
    return f"{_on_the_end(rows)}; {_on_the_speed(rows)}."


def _of_one(row: Row) -> str:
    if row.test_accuracy is None:
        return f"No run of {row.variant} finished"
    when = row.reached[1]
    speed = f"after {when.median:,.0f} updates" if when.median is not None else "in fewer than half of its seeds"
    return f"{_figure(row)} in test accuracy; it reached {_share(when)} validation accuracy {speed}"


def _on_the_end(rows: Sequence[Row]) -> str:
    ended = sorted((row for row in rows if row.test_accuracy is not None), key=_accuracy, reverse=True)
    if len(ended) < 2:
        return "Fewer than two variants finished, so their ends cannot be compared"
    figures = ", ".join(_figure(row) for row in ended)
    if any(row.test_spread is None for row in ended):
        return f"One seed cannot tell a difference in test accuracy from chance ({figures})"
    best, *others = ended
    behind = [row for row in others if _gap(best, row) > (best.test_spread or 0) + (row.test_spread or 0)]
    if not behind:
        return f"There is no difference in test accuracy beyond the spread of the seeds ({figures})"
    gaps = _list(f"{100 * _gap(best, row):.2f} points above {row.variant}" for row in behind)
    tied = [row.variant for row in others if row not in behind]
    level = f" and level with {_list(tied)} within it" if tied else ""
    return f"In test accuracy {best.variant} ends {gaps}, more than the spread of the seeds{level} ({figures})"


def _figure(row: Row) -> str:
    seeds = f" from {row.finished} of {row.seeds} seeds" if row.finished < row.seeds else ""
    return f"{row.variant} {_with_spread(row.test_accuracy, row.test_spread)}{seeds}"


def _gap(best: Row, row: Row) -> float:
    return _accuracy(best) - _accuracy(row)


def _on_the_speed(rows: Sequence[Row]) -> str:
    for i in (1, 0):  # 90 %, or 80 % where no variant got so far
        reached = [row.reached[i] for row in rows]
        if any(when.median is not None for when in reached):
            return _who_was_first(rows, i)
    return f"no variant reached {_share(rows[0].reached[0])} validation accuracy in most of its seeds"


def _who_was_first(rows: Sequence[Row], i: int) -> str:
    first, *others = sorted(rows, key=lambda row: _updates(row.reached[i]))
    when = first.reached[i]
    later = [row for row in others if not row.reached[i].updates or row.reached[i].updates[0] > when.updates[-1]]
    level = [row for row in others if row not in later]
    if len(when.updates) < when.seeds or not later or any(row.reached[i].median is None for row in level):
        return f"none reached {_share(when)} validation accuracy clearly before the others"
    beside = f", level with {_list(row.variant for row in level)}" if level else ""
    leads = _list(_lead(when, row.variant, row.reached[i]) for row in later)
    start = f"{first.variant} reached {_share(when)} validation accuracy first{beside}"
    return f"{start}, after {_updates(when):,.0f} updates, {leads}"


def _lead(first: Reached, name: str, later: Reached) -> str:
    if later.median is None:
        return f"which {name} did not reach in {later.seeds - len(later.updates)} of {later.seeds} seeds"
    return f"{later.median / _updates(first):.3g} times sooner than {name}"


def _list(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _accuracy(row: Row) -> float:
    return row.test_accuracy or 0.0


def _updates(reached: Reached) -> float:
    return float("inf") if reached.median is None else reached.median


def _share(reached: Reached) -> str:
    return f"{100 * reached.accuracy:.0f} %"


def _when(reached: Reached) -> str:
    if len(reached.updates) == reached.seeds and reached.median is not None:
        return f"{reached.median:,.0f}"
    never = f"never in {reached.seeds - len(reached.updates)} of {reached.seeds}"
    return never if reached.median is None else f"{reached.median:,.0f} ({never})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _with_spread(share: float | None, spread: float | None) -> str:
    return _percent(share) if share is None or spread is None else f"{100 * share:.2f} ± {100 * spread:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
