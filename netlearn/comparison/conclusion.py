"""The conclusion of a comparison: sentences that claim no more than the figures show.

A difference is claimed only as `claims` says. What is not clear is said with what could be: the difference that this
number of seeds finds with a probability of 80 %. Updates to an accuracy are described, and decide nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from netlearn.comparison.claims import FIRST_LOOK, Family, Pair
from netlearn.comparison.findings import between, bound, interval, percent, points, with_spread
from netlearn.comparison.statistics import Row, by_speed, by_validation
from netlearn.runs.selection import MOST_SHOWN
from netlearn.text import counted, separator

MOST_FIGURES = 2  # differences whose figures fit into a sentence; the table has all
PHRASES = {
    "early_accuracy": "In early accuracy, the mean validation accuracy of the first epoch,",
    "test_accuracy": "In test accuracy",
}
MOST_NAMED = 4  # variants that are named where nothing sets them apart, or of very many
LARGEST = 0.5  # a difference that is larger need not be told from chance


def conclude(rows: Sequence[Row], family: Family, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return the sentences on what differs, and on when an accuracy was reached."""
    finished = [row for row in rows if row.finished]
    if not finished:
        return (f"No run of {_names(row.variant for row in rows)} finished.", *_incomplete(rows))
    if len(rows) == 1:
        return (_one_variant(rows[0]), *_incomplete(rows))
    sentences = [_best_of_many(rows)] if len(rows) > MOST_SHOWN else []
    sentences += _chosen(family)
    if len(finished) < 2:
        only = f"Only {finished[0].variant} finished, so that there is nothing to compare it with."
        return (*sentences, only, *_incomplete(rows))
    sentences += [_on_measure(measure, rows, family, pairs) for measure in PHRASES]
    if family.look > 1:
        sentences.append(
            f"Seeds were added {_times(family.look - 1)}, so that a difference must be clearer to be claimed: "
            f"{_percentage(family.alpha)} is the probability of any claim where nothing differs, instead of "
            f"{_percentage(FIRST_LOOK)}."
        )
    return (*sentences, _on_speed(rows), *_incomplete(rows))


def _one_variant(row: Row) -> str:
    when = row.reached[1].median
    speed = f"after {between(when)} updates" if when is not None else "in fewer than half of its seeds"
    return (
        f"{row.variant} has a test accuracy of {with_spread(row.test_accuracy, row.test_spread)}; "
        f"it reached 90 % validation accuracy {speed}."
    )


def _best_of_many(rows: Sequence[Row]) -> str:
    """Return the best of many variants by validation accuracy, as in the table."""
    best, second, *others = by_validation(rows)
    most = max(each.best_validation_accuracy or 0 for each in others)
    which = " of those that finished all seeds" if most > (best.best_validation_accuracy or 0) else ""
    return (
        f"Of {len(rows):,} variants {best.variant} has the best validation accuracy{which}, "
        f"{percent(best.best_validation_accuracy)} ({second.variant} is next with "
        f"{percent(second.best_validation_accuracy)}), and a test accuracy of "
        f"{with_spread(best.test_accuracy, best.test_spread)}."
    )


def _chosen(family: Family) -> list[str]:
    """Return which variants were chosen among those of each cost, and which lie at the edge of what was tried."""
    choice = family.choice
    if not choice.variants:
        return []
    on, then = "", "comparing them takes more seeds, which did not choose them"
    if choice.seeds:
        on = f" on {'seed' if len(choice.seeds) == 1 else 'seeds'} {_names(map(str, choice.seeds))}"
        then = "these are compared on the other seeds"
    sentences = [f"The best of each cost, by validation accuracy{on}: {_names(choice.variants)}; {then}."]
    if choice.edges:
        lie = "lies" if len(choice.edges) == 1 else "lie"
        sentences.append(f"{_names(choice.edges)} {lie} at the edge of what was tried: there may be a better value.")
    return sentences


def _on_measure(measure: str, rows: Sequence[Row], family: Family, pairs: Sequence[Pair]) -> str:
    """Return what the seeds show in one measure."""
    intro, pairs = PHRASES[measure], [pair for pair in pairs if pair.measure == measure]
    if not pairs:
        if family.baseline:
            return f"{intro} nothing can be compared: no variant shares a finished seed with {family.baseline}."
        return f"{intro} nothing can be compared: no two variants share a finished seed."
    first, by_name = family.first[measure], {row.variant: row for row in rows}
    of_first = [pair for pair in pairs if first in pair.names]
    ahead = [pair for pair in of_first if pair.claimed and pair.leader == first]
    behind = [pair for pair in of_first if pair.claimed and pair.other == first]
    equal = [pair for pair in of_first if _are_equal(pair)]
    unclear = [pair for pair in of_first if not pair.claimed and not _are_equal(pair)]
    among = [pair for pair in pairs if pair.claimed and first not in pair.names]
    if not ahead and not behind and not among:
        return f"{intro} {_nothing_clear(measure, first, of_first, by_name)}."
    parts, it = [], "it" if family.baseline else first
    if family.baseline:
        parts += [_stand(behind, first, f"ahead of the baseline {first}")] if behind else []
        parts += [_stand(ahead, first, f"behind {'it' if behind else first}")] if ahead else []
    else:
        parts += [f"{first} is ahead of {_figures(ahead, first)}"] if ahead else []
        parts += [f"{first} is behind {_figures(behind, first)}"] if behind else []
    if equal:
        are = "is" if len(equal) == 1 else "are"
        parts.append(f"{_names(_others(equal, first))} {are} equal to {it} in each of {_seeds(equal)}")
    if unclear:
        told = f"cannot be told from {it}: {_detectable(unclear)}"
        parts.append(f"{_names(_others(unclear, first))} {told}{_diverged(unclear, by_name)}")
    if len(among) > MOST_FIGURES:
        parts.append(f"{len(among)} pairs of the other variants differ clearly too")
    else:
        parts += [f"{pair.leader} is ahead of {_figures([pair], pair.leader)}" for pair in among]
    return f"{intro} {'; '.join(parts)}."


def _nothing_clear(measure: str, first: str, pairs: Sequence[Pair], rows: Mapping[str, Row]) -> str:
    """Return that no pair with a variant differs clearly, and what could have been told."""
    names, told = [first, *_others(pairs, first)], _detectable(pairs) + _diverged(pairs, rows)
    if all(map(_are_equal, pairs)):
        return f"{_together(names)} are equal in each of {_seeds(pairs)}"
    if len(pairs) > 1:
        means = [mean for name in names if (mean := getattr(rows[name], measure)) is not None]
        return (
            f"no difference between {_together(names)} is clear (means from {100 * min(means):.2f} to "
            f"{percent(max(means))}); {told}"
        )
    (pair,) = pairs
    lead = f"{pair.leader} is {points(pair.mean)} points higher"
    where = f" on average, {interval(pair)}" if pair.low is not None else ""
    return f"no difference between {_names(names)} is clear ({lead}{where}); {told}"


def _are_equal(pair: Pair) -> bool:
    """Return whether two variants have the same figure in each of several seeds."""
    return pair.mean == 0 and pair.p == 1 and pair.low == 0


def _detectable(pairs: Sequence[Pair]) -> str:
    """Return which differences the seeds of some pairs cannot tell from chance."""
    pairs = [pair for pair in pairs if pair.detectable is not None] or pairs
    sizes = [pair.detectable for pair in pairs if pair.detectable is not None]
    if not sizes or min(sizes) > LARGEST:
        what = "a difference that varies so much" if sizes else "it"
        return f"{_seeds(pairs)} {'is' if _seeds(pairs) == '1 seed' else 'are'} too few to tell {what} from chance"
    low, high = bound(min(sizes)), bound(max(sizes))
    others = "" if low == high else f", for some pairs not even those below {high}"
    return f"{_seeds(pairs)} cannot tell differences below {low} points from chance{others}"


def _diverged(pairs: Sequence[Pair], rows: Mapping[str, Row]) -> str:
    """Return which variants are not said to be ahead, where an interval says so, since they diverged."""
    clear = [pair.leader for pair in pairs if pair.low is not None and pair.low > 0]
    names = [name for name in dict.fromkeys(clear) if rows[name].diverged]
    if len(names) > 1:
        return f"; {_names(names)} diverged in some seeds, so that they are not said to be ahead"
    return "".join(
        f"; {name} diverged in {rows[name].diverged} of {rows[name].seeds} seeds, so that it is not said to be ahead"
        for name in names
    )


def _figures(pairs: Sequence[Pair], first: str) -> str:
    """Return the others of some pairs, with figures if they are few: "b by 1.20 points (0.30 to 2.10, 6 seeds)"."""
    names = _others(pairs, first)
    if len(pairs) > MOST_FIGURES:
        return _names(names)
    return " and ".join(map(" ".join, zip(names, map(_lead, pairs), strict=True)))


def _stand(pairs: Sequence[Pair], first: str, where: str) -> str:
    """Return where the others of some pairs stand: "b is ahead of the baseline a by 1.20 points (…)"."""
    are = "is" if len(pairs) == 1 else "are"
    figures = f" {' and '.join(map(_lead, pairs))}" if len(pairs) <= MOST_FIGURES else ""
    return f"{_names(_others(pairs, first))} {are} {where}{figures}"


def _lead(pair: Pair) -> str:
    return f"by {points(pair.mean)} points ({interval(pair)}, {_seeds([pair])})"


def _others(pairs: Iterable[Pair], first: str) -> list[str]:
    return [pair.other if pair.leader == first else pair.leader for pair in pairs]


def _on_speed(rows: Sequence[Row]) -> str:
    """Return when each variant, or the fastest of many, reached 90 % or 80 % validation accuracy, in the median."""
    i, order = by_speed(rows)
    accuracy = f"{100 * rows[0].reached[i].accuracy:.0f} % validation accuracy"
    if not order:
        return f"No variant reached {accuracy} in most of its seeds."
    when: dict[str, list[str]] = {}
    some, never = [], []
    fastest = [row for row in order if row.reached[i].median == order[0].reached[i].median]
    shown = fastest if len(rows) > MOST_SHOWN else order
    for row in shown:
        reached = row.reached[i]
        if reached.median is not None:
            when.setdefault(between(reached.median), []).append(row.variant)
        elif reached.updates:
            some.append(f"{row.variant} in only {len(reached.updates)} of {reached.seeds} seeds")
        elif reached.seeds:
            never.append(row.variant)
    known = [
        f"{_together(names) if len(names) == len(rows) else _names(names)} after {bracket} updates"
        for bracket, names in when.items()
    ]
    first = " first" if len(shown) < len(order) else ""
    parts = [f"{accuracy} was reached{first} by {'; by '.join(known)}{' (median)' if rows[0].seeds > 1 else ''}"]
    parts += [f"by {_names(some)}"] if some else []
    parts += [f"not by {_names(never)}"] if never else []
    return f"{', '.join(parts)}."


def _incomplete(rows: Sequence[Row]) -> list[str]:
    """Return which runs failed, whose seeds are left out."""
    failed = [f"{row.failed} of {row.seeds} of {row.variant}" for row in rows if row.failed]
    return [f"Runs that failed are left out: {_names(failed)}."] if failed else []


def _seeds(pairs: Sequence[Pair]) -> str:
    fewest, *_, most = sorted(2 * [pair.seeds for pair in pairs])
    return counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _percentage(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _together(names: Sequence[str]) -> str:
    """Return the variants of a comparison as a list in words if they are few."""
    return _names(names) if len(names) <= MOST_NAMED else f"the {len(names):,} variants"


def _names(texts: Iterable[str]) -> str:
    """Return texts as a list in words, of very many the first and how many more there are."""
    found = list(texts)
    if len(found) > MOST_SHOWN:
        found = [*found[: MOST_NAMED - 1], f"{len(found) - MOST_NAMED + 1:,} others"]
    *most, last = found
    mark = separator(found)
    conjunction = "; and " if mark == "; " and len(most) > 1 else " and "
    return f"{mark.join(most)}{conjunction}{last}" if most else last
