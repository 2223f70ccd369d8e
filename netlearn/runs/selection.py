"""Variants: what they differ in, which names them, and which of many are shown: best, median and worst."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from netlearn.runs.reader import Run
from netlearn.settings import FIELDS, OF_CHOICE, Settings

MOST_SHOWN = 8  # variants beside each other
IN_GREY = "thin lines"
MOST_GREY = 500  # of those that are drawn without a name
IGNORED = {"seed", "snapshots"}  # they tell no variants apart
Groups: TypeAlias = Mapping[str, Sequence[Run]]  # the runs of each variant


def validation_accuracy(runs: Sequence[Run]) -> float | None:
    """Return the mean over the finished runs of the best validation accuracy, or None if none finished."""
    found = [
        run.summary.best_validation_accuracy
        for run in runs
        if run.summary is not None and run.summary.test_accuracy is not None and not run.interrupted
    ]
    present = [accuracy for accuracy in found if accuracy is not None and math.isfinite(accuracy)]
    return statistics.fmean(present) if present else None


def ranked(groups: Groups) -> dict[str, float]:
    """Return the validation accuracy of each variant that has a finished run, the best first.

    Those with a run that did not finish come last: the mean of the others may owe its height to luck.
    """
    found = {name: validation_accuracy(runs) for name, runs in groups.items()}
    present = {name: accuracy for name, accuracy in found.items() if accuracy is not None}
    short = {name for name in present if any(run.shortfall is not None for run in groups[name])}
    return dict(sorted(present.items(), key=lambda item: (item[0] in short, -item[1])))


def chosen(groups: Groups) -> dict[str, str]:
    """Return the names of the best, the median and the worst of many variants, by these words.

    There are fewer if fewer variants have a finished run, and none if all variants can be shown.
    """
    accuracies = ranked(groups)
    names = list(accuracies)
    if len(groups) <= MOST_SHOWN or not names:
        return {}
    places = {"best": 0, "worst": names.index(min(names, key=accuracies.__getitem__)), "median": len(names) // 2}
    taken = {place: word for word, place in reversed(places.items())}  # the best is not the worst too
    return {taken[place]: names[place] for place in sorted(taken)}


def select(groups: Groups) -> Groups:
    """Return all variants, or of many those that are shown, by the words of `chosen`."""
    if len(groups) <= MOST_SHOWN:
        return groups
    names = chosen(groups)
    measured = {name: runs for name, runs in groups.items() if any(run.metrics for run in runs)}
    return {word: groups[name] for word, name in names.items()} or dict(list(measured.items())[:MOST_SHOWN])


def shown_first(groups: Groups, most: int) -> Groups:
    """Return all of few variants, and at most that many of many: those that `chosen` names, then the next best."""
    if len(groups) <= MOST_SHOWN:
        return groups
    order = dict.fromkeys([*chosen(groups).values(), *ranked(groups), *groups])
    return {name: groups[name] for name in list(order)[:most]}


def titled(title: str, groups: Groups, others: str = "left out") -> str:
    """Return a title that says of many variants what was done with those that are not shown by name."""
    if len(groups) <= MOST_SHOWN:
        return title
    others += " or left out" if others == IN_GREY and len(groups) > MOST_GREY else ""
    return f"{title}\n{len(groups) - len(select(groups)):,} of {len(groups):,} variants are {others}"


def varied(variants: Iterable[Settings]) -> dict[str, tuple[Any, ...]]:
    """Return the settings in which variants differ, with their values in order of appearance.

    Settings that follow from a choice are left out: a learning rate that each cost and optimizer has one of, and the
    settings of an optimizer or an augmentation.
    """
    variants = list(variants)
    values = {name: tuple(dict.fromkeys(getattr(each, name) for each in variants)) for name in FIELDS}
    differing = {name: found for name, found in values.items() if len(found) > 1 and name not in IGNORED}
    choices: dict[str, tuple[str, ...]] = {
        name: (owner,) for owner, choices in OF_CHOICE.items() for own in choices.values() for name in own
    }
    choices["learning_rate"] = ("cost", "optimizer", "momentum")
    return {
        name: found
        for name, found in differing.items()
        if not (name in choices and differing.keys() & choices[name] and _follows(name, choices[name], variants))
    }


def _follows(name: str, choices: Iterable[str], variants: Iterable[Settings]) -> bool:
    """Return whether variants with equal choices have the same value of a setting."""
    pairs = {(tuple(getattr(each, choice) for choice in choices), getattr(each, name)) for each in variants}
    return len(pairs) == len({chosen for chosen, _ in pairs})


def name_of(values: Mapping[str, Any]) -> str:
    """Return the name of a variant with some settings: "cross-entropy hidden=100+30 l2=5", the cost first."""
    ordered = sorted(values.items(), key=lambda item: item[0] != "cost")
    return " ".join(text_of(value) if name == "cost" else f"{name}={text_of(value)}" for name, value in ordered)


def text_of(value: Any) -> str:
    """Return the value of a setting as `netlearn compare --vary` takes it."""
    if isinstance(value, tuple):
        return "+".join(map(text_of, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
