"""The settings that vary between variants, as pictures arrange them: numbers on axes, others as lines and panels."""

from collections.abc import Iterable, Sequence
from typing import Any

from netlearn.runs import Groups, Run, name_of, selection, varied
from netlearn.settings import Settings

FEWEST = 3  # numbers on an axis
MOST_PANELS = 12
LABELS = {  # of axes; of settings that were adjusted to each other, the first one is drawn
    "train_size": "training examples", "learning_rate": "learning rate η", "hidden": "hidden neurons",
    "l2": "λ of L2 regularization", "l1": "λ of L1 regularization", "dropout": "dropout", "max_norm": "max-norm",
    "momentum": "momentum μ", "beta1": "β₁", "beta2": "β₂", "epsilon": "ε", "batch_size": "mini-batch size",
    "halve_after": "halve after epochs", "patience": "patience", "elastic_sigma": "σ of elastic deformation",
    "elastic_alpha": "α of elastic deformation", "epochs": "epochs",
}  # fmt: skip
NOT_LEARNED = ("probe_every", "track_test")


def factors(groups: Groups) -> tuple[list[str], list[str]]:
    """Return the settings with three numbers or more, those with the most first, and the others that vary.

    A number that only grows or shrinks with one that comes before it was adjusted to it, and is left out.
    """
    variants = [runs[0].settings for runs in groups.values()]
    names = [name for name in varied(variants) if name not in NOT_LEARNED]
    columns = {name: [number(getattr(each, name)) for each in variants] for name in names}
    numeric = {
        name: [value for value in columns[name] if value is not None]
        for name in LABELS
        if name in names and None not in columns[name] and len(set(columns[name])) >= FEWEST
    }
    axes: list[str] = []
    for name, values in numeric.items():
        if not any(_follows(values, numeric[other]) for other in axes):
            axes.append(name)
    return sorted(axes, key=lambda name: -len(set(numeric[name]))), [name for name in names if name not in numeric]


def number(value: Any) -> float | None:
    """Return a setting as a number, None if it is something else; one hidden layer counts as its neurons."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number_text(value: float) -> str:
    """Return a value of a numeric setting as axes show it."""
    return f"{value:,.10g}"


def _follows(values: Sequence[float], others: Sequence[float]) -> bool:
    """Return whether each of the others has one value, and the values grow or shrink with them."""
    found = dict(zip(others, values, strict=True))
    ordered = [found[other] for other in sorted(found)]
    return [found[other] for other in others] == list(values) and ordered in (
        sorted(ordered), sorted(ordered, reverse=True),
    )  # fmt: skip


def split(groups: Groups, names: Iterable[str]) -> dict[str, Groups]:
    """Return the variants that agree in some settings together, under the name of these settings."""
    parts: dict[str, dict[str, Sequence[Run]]] = {}
    for name, runs in groups.items():
        values = {each: getattr(runs[0].settings, each) for each in names}
        parts.setdefault(name_of(values), {})[name] = runs
    return dict(parts)


def panels(groups: Groups, names: Iterable[str]) -> tuple[dict[str, Groups], int]:
    """Return the variants of each panel, and how many panels were left out.

    Of many panels those with the best, the median and the worst variant are kept.
    """
    parts = split(groups, names)
    if len(parts) <= MOST_PANELS:
        return parts, 0
    shown = set(selection.chosen(groups).values())
    kept = {name: part for name, part in parts.items() if shown & part.keys()}
    return kept, len(parts) - len(kept)


def points(groups: Groups, axes: Sequence[str]) -> dict[tuple[float, ...], Sequence[Run]] | None:
    """Return the runs at each point of some numeric settings, in ascending order; None if two variants meet there."""
    found = {_place(runs[0].settings, axes): runs for runs in groups.values()}
    return dict(sorted(found.items())) if len(found) == len(groups) else None


def _place(settings: Settings, axes: Sequence[str]) -> tuple[float, ...]:
    values = [number(getattr(settings, name)) for name in axes]
    return tuple(value for value in values if value is not None)
