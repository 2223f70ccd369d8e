"""The conclusion of a comparison: one sentence that claims no more than the figures do.

Two variants differ in accuracy if their ranges mean ± standard deviation do not touch. A variant was first if its
last seed was before the others' first seed; it is level with those whose seeds overlap with its own.
"""

from collections.abc import Iterable, Sequence

from netlearn.experiments.statistics import Reached, Row
from netlearn.experiments.table import with_spread


def conclusion(rows: Sequence[Row]) -> str:
    """Return one sentence on which variant ended best and which learned first, if the figures show it."""
    if len(rows) == 1:
        return f"{_of_one(rows[0])}."
    return f"{_on_the_end(rows)}; {_on_the_speed(rows)}."


def _of_one(row: Row) -> str:
    if row.test_accuracy is None:
        return f"No run of {row.variant} finished"
    when = row.reached[1]
    speed = f"after {when.median:,.0f} updates" if when.median is not None else "in fewer than half of its seeds"
    return f"{_figure(row)} in test accuracy; it reached {_percent(when)} validation accuracy {speed}"


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
    return f"{row.variant} {with_spread(row.test_accuracy, row.test_spread)}{seeds}"


def _gap(best: Row, row: Row) -> float:
    return _accuracy(best) - _accuracy(row)


def _on_the_speed(rows: Sequence[Row]) -> str:
    for i in (1, 0):  # 90 %, or 80 % where no variant got so far
        reached = [row.reached[i] for row in rows]
        if any(when.median is not None for when in reached):
            return _who_was_first(rows, i)
    return f"no variant reached {_percent(rows[0].reached[0])} validation accuracy in most of its seeds"


def _who_was_first(rows: Sequence[Row], i: int) -> str:
    first, *others = sorted(rows, key=lambda row: _updates(row.reached[i]))
    when = first.reached[i]
    later = [row for row in others if not row.reached[i].updates or row.reached[i].updates[0] > when.updates[-1]]
    level = [row for row in others if row not in later]
    if len(when.updates) < when.seeds or not later or any(row.reached[i].median is None for row in level):
        return f"none reached {_percent(when)} validation accuracy clearly before the others"
    beside = f", level with {_list(row.variant for row in level)}" if level else ""
    leads = _list(_lead(when, row.variant, row.reached[i]) for row in later)
    start = f"{first.variant} reached {_percent(when)} validation accuracy first{beside}"
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


def _percent(reached: Reached) -> str:
    return f"{100 * reached.accuracy:.0f} %"
