"""The conclusion of a comparison: one sentence that claims no more than the figures show.

Paired variants are compared seed by seed: a difference is clear if the 95 % interval of its mean is above 0. Two
variants that are not paired differ in accuracy if their ranges mean ± standard deviation do not touch; one was first
if its last seed was before the others' first seed, and is level with those whose seeds overlap with its own.
"""

from collections.abc import Iterable, Sequence

from netlearn.comparison.pairs import ACCURACY, FEWEST_SEEDS, Pair
from netlearn.comparison.statistics import Reached, Row, by_accuracy, by_speed, by_validation
from netlearn.comparison.table import figure_of, range_of, with_spread
from netlearn.runs.selection import MOST_SHOWN

MOST_FIGURES = 2  # variants whose figures fit into the sentence; the table has all


def conclusion(rows: Sequence[Row], pairs: Sequence[Pair] = ()) -> str:
    """Return one sentence on which variant ended best and which learned first, if the figures show it."""
    if len(rows) == 1:
        return f"{_of_one(rows[0])}."
    if len(rows) > MOST_SHOWN:
        return f"{_of_many(rows)}."
    return f"{_on_the_end(rows, pairs)}; {_on_the_speed(rows, pairs)}."


def _of_one(row: Row) -> str:
    if row.test_accuracy is None:
        return f"No run of {row.variant} finished"
    when = row.reached[1]
    speed = f"after {when.median:,.0f} updates" if when.median is not None else "in fewer than half of its seeds"
    return f"{_figure(row)} in test accuracy; it reached {_percent(when)} validation accuracy {speed}"


def _of_many(rows: Sequence[Row]) -> str:
    """Return the best and the fastest of many variants, the best by validation accuracy as in the table."""
    best, *_ = order = by_validation(rows)
    if best.best_validation_accuracy is None:
        return f"No run of the {len(rows):,} variants finished"
    accuracies = [row.best_validation_accuracy for row in order[:2] if row.best_validation_accuracy is not None]
    figures = [f"{100 * accuracy:.2f} %" for accuracy in accuracies]
    next_best = f" ({order[1].variant} is next with {figures[1]})" if len(figures) > 1 else ""
    i, fastest = by_speed(rows)
    speed = "no variant reached 80 % validation accuracy in most of its seeds"
    if fastest:
        when = fastest[0].reached[i]
        start = f"{fastest[0].variant} reached {_percent(when)} validation accuracy first"
        speed = f"{start}, after {_updates(when):,.0f} updates"
    few = "; 1 seed is too few to tell small differences from chance" if best.seeds == 1 else ""
    return (
        f"Of {len(rows):,} variants, {best.variant} has the best validation accuracy, {figures[0]}{next_best}, and "
        f"{with_spread(best.test_accuracy, best.test_spread)} in test accuracy; {speed}{few}"
    )


def _on_the_end(rows: Sequence[Row], pairs: Sequence[Pair]) -> str:
    ended = by_accuracy(rows)
    if len(ended) < 2:
        return "Fewer than two variants finished, so their accuracies cannot be compared"
    pairs = [pair for pair in pairs if pair.measure == ACCURACY and pair.seeds]
    others = {pair.other for pair in pairs}
    apart = [row for row in ended if row.variant not in others]  # the best is one of them
    sentences = [*([_end_by_seed(pairs)] if pairs else []), *([_end_by_spread(apart)] if len(apart) > 1 else [])]
    return "; not paired: ".join(sentences)


def _end_by_seed(pairs: Sequence[Pair]) -> str:
    seeds = max(pair.seeds for pair in pairs)
    leader = pairs[0].leader
    if seeds < FEWEST_SEEDS:
        few = "1 seed is" if seeds == 1 else f"{seeds} seeds are"
        return (
            f"{few} too few to tell a difference from chance (in test accuracy {leader} ended ahead of {_all(pairs)})"
        )
    ahead = [pair for pair in pairs if pair.clear or pair.in_every_seed]
    unclear = [pair for pair in pairs if pair not in ahead]
    if not any(pair.mean for pair in pairs):
        return f"There is no difference in test accuracy between {_list([leader, *(pair.other for pair in pairs)])}"
    if not ahead:
        return f"No difference in test accuracy is clear: {leader} ended ahead of {_all(unclear)}"
    but = f", but not clearly ahead of {_all(unclear)}" if unclear else ""
    return f"In test accuracy {leader} ended ahead of {_all(ahead)}{but}"


def _all(pairs: Sequence[Pair]) -> str:
    """Return the variants behind, with their figures if there are few."""
    if len(pairs) <= MOST_FIGURES:
        return _list(map(_behind, pairs))
    doubtful = [pair.other for pair in pairs if pair.includes_zero]
    doubt = f" (the 95 % interval includes 0 for {_list(doubtful)})" if doubtful else ""
    return _list(pair.other for pair in pairs) + doubt


def _behind(pair: Pair) -> str:
    """Return a variant behind with its figures: "b by 1.20 points on average, in 3 of 3 seeds (…)"."""
    seeds = f"in {pair.ahead} of {pair.seeds} seeds"
    if pair.mean is None:
        return f"{pair.other} {seeds}" + (f" ({pair.other} never got there in {pair.never})" if pair.never else "")
    by = f"{pair.other} by {figure_of(pair)} {'points' if pair.measure == ACCURACY else 'updates'}"
    low, _, high = range_of(pair).partition(" to ")
    if pair.seeds == 1:
        return by
    if low == high:
        return f"{by} in each of {pair.seeds} seeds"
    if pair.seeds < FEWEST_SEEDS:
        return f"{by} on average, {seeds}"
    doubt = ", which includes 0" if pair.includes_zero else ""
    doubt += f": {pair.seeds} seeds are too few to be sure" if doubt and pair.in_every_seed else ""
    return f"{by} on average, {seeds} (95 % interval {low} to {high}{doubt})"


def _end_by_spread(ended: Sequence[Row]) -> str:
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
    return (best.test_accuracy or 0.0) - (row.test_accuracy or 0.0)


def _on_the_speed(rows: Sequence[Row], pairs: Sequence[Pair]) -> str:
    i, order = by_speed(rows)
    if not order:
        return f"no variant reached {_percent(rows[0].reached[0])} validation accuracy in most of its seeds"
    first, *others = order
    when = first.reached[i]
    by_seed = {pair.other: pair for pair in pairs if pair.measure != ACCURACY and pair.seeds}
    later = [row for row in others if _is_later(row, when, i, by_seed.get(row.variant))]
    level = [row for row in others if row not in later]
    if len(when.updates) < when.seeds or not later or any(row.reached[i].median is None for row in level):
        known = [by_seed[row.variant] for row in others if row.variant in by_seed]
        alone = known if len(others) == 1 and known and known[0].ahead else []
        figures = f": {first.variant} was ahead of {_all(alone)}" if alone else ""
        return f"no variant reached {_percent(when)} validation accuracy clearly before the others{figures}"
    beside = f", level with {_list(row.variant for row in level)}" if level else ""
    known = [by_seed[row.variant] for row in later if row.variant in by_seed]
    leads = [f"ahead of {_all(known)}"] if known else []
    leads += [_lead(when, row.variant, row.reached[i]) for row in later if row.variant not in by_seed]
    start = f"{first.variant} reached {_percent(when)} validation accuracy first{beside}"
    return f"{start}, after {_updates(when):,.0f} updates, {_list(leads)}"


def _is_later(row: Row, first: Reached, i: int, pair: Pair | None) -> bool:
    if pair is not None:
        return pair.clear or pair.in_every_seed
    return not row.reached[i].updates or row.reached[i].updates[0] > first.updates[-1]


def _lead(first: Reached, name: str, later: Reached) -> str:
    if later.median is None:
        return f"which {name} did not reach in {later.seeds - len(later.updates)} of {later.seeds} seeds"
    return f"{later.median / _updates(first):.3g} times sooner than {name}"


def _list(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _updates(reached: Reached) -> float:
    return float("inf") if reached.median is None else reached.median


def _percent(reached: Reached) -> str:
    return f"{100 * reached.accuracy:.0f} %"
