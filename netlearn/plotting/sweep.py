"""Sweeps: the settings that vary, and accuracy against one numeric setting."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes

from netlearn.custom_cost import short_names
from netlearn.plotting import scales, style
from netlearn.plotting.lines import key_of_seeds, last_epoch, measured
from netlearn.plotting.marks import GREY, MARKS, SETTING_NAMES, label, short, variant_styles
from netlearn.plotting.style import Figure, finish, plain
from netlearn.runs import Groups, Run, name_of, selection, varied

FEWEST = 3  # numbers on an axis
MOST_PANELS = 12
MOST_ANNOTATED, MOST_MARKED = 9, 15  # places on an axis
Points: TypeAlias = Mapping[tuple[float, ...], Sequence[Run]]
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
        for name in sorted(names, key=lambda name: [*SETTING_NAMES, name].index(name))
        if None not in columns[name] and len(set(columns[name])) >= FEWEST
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


def _follows(values: Sequence[float], others: Sequence[float]) -> bool:
    """Return whether each of the others has one value, and the values grow or shrink with them."""
    found = dict(zip(others, values, strict=True))
    ordered = [found[other] for other in sorted(found)]
    monotone = ordered in (sorted(ordered), sorted(ordered, reverse=True))
    return monotone and [found[other] for other in others] == list(values)


def split(groups: Groups, names: Iterable[str]) -> dict[str, Groups]:
    """Return the variants that agree in some settings together, under the name of these settings."""
    parts: dict[str, dict[str, Sequence[Run]]] = {}
    costs = short_names(runs[0].settings.cost for runs in groups.values())
    for name, runs in groups.items():
        values = {each: getattr(runs[0].settings, each) for each in names}
        values |= {"cost": costs[values["cost"]]} if "cost" in values else {}
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


def without(title: str, left: int, shown: int) -> str:
    """Return a title that says how many panels were left out."""
    return f"{title}\n{left} of {shown + left} panels are left out" if left else title


def points(groups: Groups, axes: Sequence[str]) -> dict[tuple[float, ...], Sequence[Run]] | None:
    """Return the runs at each point of some numeric settings, in ascending order; None if two variants meet there."""
    found = {tuple(number(getattr(runs[0].settings, name)) or 0.0 for name in axes): runs for runs in groups.values()}
    return dict(sorted(found.items())) if len(found) == len(groups) else None


def against(groups: Groups, title: str) -> Figure | None:
    """Return validation accuracy after epoch 1 and at the end against the setting in which the variants differ.

    There is a line for each combination of the other settings, such as the cost, with a band over the seeds. Where
    there are many combinations, each panel has the lines of the first of these settings, at the end. Runs that
    diverged are left out.
    """
    axes, others = factors(groups)
    if len(axes) != 1:
        return None
    (setting,) = axes
    facets = others[1:] if len(split(groups, others)) > selection.MOST_SHOWN else []
    parts, left = panels(groups, facets)
    within = [name for name in others if name not in facets]
    lines = {name: _lines(part, setting, within) for name, part in parts.items()}
    if any(found is None or len(found) > selection.MOST_SHOWN for found in lines.values()):
        return None
    if facets:
        shown = [(name, np.inf, lines[name] or {}) for name in lines]
    else:
        alike = len({run.updates_per_epoch for run in measured(groups)}) == 1 and setting != "epochs"
        first_epoch = alike and last_epoch(groups) > 1
        epochs = ({"after epoch 1": 1.0} if first_epoch else {}) | {"after the last epoch": np.inf}
        shown = [(when, epoch, lines[""] or {}) for when, epoch in epochs.items()]
    return _figure(shown, setting, without(title, left, len(parts)))


def _lines(groups: Groups, setting: str, names: Sequence[str]) -> dict[str, Points] | None:
    """Return the runs of each line by their place, or None if they are no lines."""
    found = {name: points(line, [setting]) for name, line in split(groups, names).items()}
    lines: dict[str, Points] = {name: line for name, line in found.items() if line and len(line) >= FEWEST}
    return lines if len(lines) == len(found) else None


def _figure(shown: Sequence[tuple[str, float, Mapping[str, Points]]], setting: str, title: str) -> Figure:
    """Return a figure with a panel for each heading, epoch and lines."""
    one_row = len(shown) <= 2
    side, height = (4.2, 3.2) if one_row else (3.4, 2.8)
    figure, panels, columns = style.tiled(len(shown), (side, height), (1.6, 1.4), sharex=True, sharey=True)
    lowest = 1.0
    for place, (axes, (heading, epoch, lines)) in enumerate(zip(panels, shown, strict=True)):
        plain(axes)
        scales.percent_axis(axes, "" if place % columns else "validation accuracy")
        lowest = min(lowest, _draw(axes, lines, epoch, annotated=one_row))
        axes.set_title(style.wrapped(heading, 11 * side), fontsize="medium")
    places = {value for *_, lines in shown for line in lines.values() for (value,) in line}
    scales.number_axis(panels[0], sorted(places), side)
    log = "" if panels[0].get_xscale() == "linear" else ", log scale"
    for axes in panels[-columns:]:
        axes.set_xlabel(label(setting) + log)
        axes.tick_params(labelbottom=True)
    panels[0].set_ylim(max(0.0, np.floor(20 * lowest) / 20 - 0.025), 1.01)
    names = {str(line.get_label()): line for line in panels[0].get_lines()} if len(shown[0][2]) > 1 else {}
    points = {f"{name} {place}": runs for name, line in shown[0][2].items() for place, runs in line.items()}
    style.legend_below(figure, names | key_of_seeds(points))
    return finish(figure, title)


def _draw(axes: Axes, lines: Mapping[str, Points], epoch: float, *, annotated: bool) -> float:
    """Draw a line and a band for each entry; return the lowest value."""
    lowest = 1.0
    styles = variant_styles({name: [run for runs in line.values() for run in runs] for name, line in lines.items()})
    for number, (name, mark) in enumerate(styles.items()):
        found = {value: [accuracy for run in runs if (accuracy := _accuracy(run, epoch)) is not None]
                 for (value,), runs in lines[name].items()}  # fmt: skip
        values = {value: accuracies for value, accuracies in found.items() if accuracies}
        places, low, high = list(values), [*map(min, values.values())], [*map(max, values.values())]
        mean = [float(np.mean(accuracies)) for accuracies in values.values()]
        marker = MARKS[number % len(MARKS)][0] if len(places) <= MOST_MARKED else ""
        line: dict[str, Any] = {"linewidth": 2, "linestyle": mark.dashes, "marker": marker, "markersize": 5}
        axes.plot(places, mean, color=mark.colour, label=short(name, lines), **line)
        axes.fill_between(places, low, high, color=mark.colour, alpha=0.18, linewidth=0)
        lowest = min([lowest, *low])
        text: dict[str, Any] = {"textcoords": "offset points", "color": GREY, "fontsize": "small"}
        if annotated and len(lines) == 1 and len(places) <= MOST_ANNOTATED:
            for place, value in zip(places, mean, strict=True):
                axes.annotate(f"{100 * value:.1f}", (place, value), xytext=(3, -12), **text)
    return lowest


def _accuracy(run: Run, epoch: float) -> float | None:
    """Return the validation accuracy at the end of an epoch, or in the last one; None if the run diverged before."""
    if not run.metrics or run.problem is not None:
        return None
    at = len(run.metrics["epoch"]) - 1 if epoch == np.inf else int(np.searchsorted(run.metrics["epoch"], epoch))
    return float(run.metrics["validation_accuracy"][at]) if at < len(run.metrics["epoch"]) else None
