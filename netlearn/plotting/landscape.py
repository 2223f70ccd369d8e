"""Sweeps of several settings: a heat map of two numeric ones, and a panel for what each setting does."""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator

from netlearn.custom_cost import short_name
from netlearn.numerics import Array
from netlearn.plotting import scales, style
from netlearn.plotting.marks import GREY, ORANGE, cost_styles, label
from netlearn.plotting.style import Figure, finish, literal, plain
from netlearn.plotting.sweep import MOST_PANELS, factors, number, panels, points, without
from netlearn.runs import Groups, selection, text_of

SHADES = "cividis_r"  # of the error: the better, the brighter, in grey too
CELL, LEAST, LARGEST = (0.6, 0.32), (2.2, 1.6), (4.5, 3.3)  # inches: of a cell with a number, and of a panel
WIDEST, HIGHEST = 14.0, 12.0  # inches, of all panels
LINE = 0.2  # inches, of a number beside an axis
FULL = 0.5  # of the cells, at least
SIDE = 3.4  # inches, of a panel
MOST_TICKS, MOST_LETTERS = 20, 14  # of settings that are no numbers
FEW_POINTS, MOST_VECTORS = 30, 1000  # that are larger; that are stored one by one in an .svg file
FEWEST = 2  # variants with a cost at each value, for their medians to be drawn
Points = dict[str, dict[Any, list[float]]]  # the accuracies of the variants by their cost and a setting


class Table(NamedTuple):
    """What the panels show: the settings to the right and upward, and their values in ascending order.

    `errors` has one minus the accuracy, (values upward, values to the right), for each panel by its name, NaN where
    no run finished; `left` panels were left out.
    """

    axes: tuple[str, str]
    values: tuple[Sequence[float], Sequence[float]]
    errors: dict[str, Array]
    left: int


def heat_map(groups: Groups, title: str) -> Figure | None:
    """Return the best validation accuracy at each pair of values of the two numeric settings with the most values.

    There is a panel for each combination of the other settings. An accuracy is the mean over the seeds. The shades go
    by the logarithm of the error, since the best accuracies are close together.
    """
    table = _table(groups)
    if table is None:
        return None
    columns = math.ceil(math.sqrt(len(table.errors)))
    rows = math.ceil(len(table.errors) / columns)
    needed = [cell * len(each) for cell, each in zip(CELL, table.values, strict=True)]
    numbered = columns * needed[0] <= WIDEST and rows * needed[1] <= HIGHEST
    small = min(1, WIDEST / (columns * LARGEST[0]))
    width, height = (max(LEAST[i], needed[i]) if numbered else LARGEST[i] * small for i in (0, 1))
    size = width + 0.3, height + 0.5
    figure, grid, _ = style.tiled(len(table.errors), size, (2, 1.4), columns, sharex=True, sharey=True)
    _draw_shades(figure, grid, table, width, numbered=numbered)
    longest = max(len(scales.number_text(value)) for value in table.values[0])
    texts = scales.LETTER * (1 + longest), LINE
    for axis, values, length, text in zip(
        (grid[0].xaxis, grid[0].yaxis), table.values, (width, height), texts, strict=True
    ):
        step = math.ceil(text * len(values) / length)
        axis.set_ticks(range(0, len(values), step), [scales.number_text(value) for value in values[::step]])
    for axes in grid[-columns:]:
        axes.set_xlabel(label(table.axes[0]))
        axes.tick_params(labelbottom=True)
    for axes in grid[::columns]:
        axes.set_ylabel(label(table.axes[1]))
    outline = Rectangle((0, 0), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5)
    style.legend_below(figure, {_best(selection.ranked(groups)): outline})
    return finish(figure, without(title, table.left, len(table.errors)))


def _table(groups: Groups) -> Table | None:
    """Return the accuracies on a grid, or None if they do not lie on one."""
    axes, others = factors(groups)
    if len(axes) < 2 or not selection.ranked(groups):
        return None
    pair = axes[0], axes[1]
    parts, left = panels(groups, [*others, *axes[2:]])
    found = {name: points(part, pair) for name, part in parts.items()}
    places = [place for cells in found.values() for place in cells or ()]
    x, y = (sorted({place[i] for place in places}) for i in (0, 1))
    if None in found.values() or len(places) < FULL * len(parts) * len(x) * len(y):
        return None
    errors = {name: np.full((len(y), len(x)), np.nan) for name in parts}
    for name, cells in found.items():
        for place, runs in (cells or {}).items():
            accuracy = selection.validation_accuracy(runs)
            if accuracy is not None:
                errors[name][y.index(place[1]), x.index(place[0])] = max(1 - accuracy, scales.LEAST_ERROR)
    return Table(pair, (x, y), errors, left)


def _draw_shades(figure: Figure, panels: Sequence[Axes], table: Table, width: float, *, numbered: bool) -> None:
    """Draw the shades of each panel, with an outline around the best cell of all, and their scale."""
    lowest, highest = (float(of([of(each) for each in table.errors.values()])) for of in (np.nanmin, np.nanmax))
    norm = LogNorm(lowest, max(highest, 1.01 * lowest))
    for axes, (name, errors) in zip(panels, table.errors.items(), strict=True):
        image = axes.imshow(errors, cmap=SHADES, norm=norm, origin="lower", aspect="auto")
        axes.set_title(style.wrapped(name, 11 * width), fontsize="medium")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (row, column), error in np.ndenumerate(errors) if numbered else ():
            text, colour = ("–", GREY) if np.isnan(error) else (f"{100 * (1 - error):.1f}", "white")
            colour = "black" if error < math.sqrt(lowest * highest) else colour
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
        for row, column in np.argwhere(errors == lowest):
            place = column - 0.5, row - 0.5
            outline = Rectangle(place, 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5, zorder=3)
            outline.set(path_effects=[withStroke(linewidth=5, foreground="white")], clip_on=False)
            axes.add_patch(outline)
    what = "best validation accuracy\n(shades by the log of the error)"
    bar = figure.colorbar(image, ax=figure.axes, label=what, aspect=30)
    ticks = np.geomspace(norm.vmin or lowest, norm.vmax or highest, 6)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_yticks(ticks, [f"{100 * (1 - error):.1f} %" for error in ticks])
    bar.ax.invert_yaxis()


def settings(groups: Groups, title: str) -> Figure | None:
    """Return the best validation accuracy of each of many variants against each of the settings that vary.

    The setting whose medians differ most comes first. Each cost has its colour and its own medians. A variant without
    a finished run has no point.
    """
    accuracies = selection.ranked(groups)
    axes, others = factors(groups)
    if len(groups) <= selection.MOST_SHOWN or len(axes) + len(others) < 2 or not accuracies:
        return None
    best = next(iter(accuracies))
    points = {name: _points(groups, accuracies, name) for name in (*axes, *others)}
    order = sorted(points, key=lambda name: -_effect(points[name]))[:MOST_PANELS]
    figure, grid, _ = style.tiled(len(order), (SIDE, 2.9), (0.6, 1.4), sharey=True)
    for panel, name in zip(grid, order, strict=True):
        plain(panel)
        _draw_points(panel, points[name], numeric=name in axes, text=short_name if name == "cost" else text_of)
        value = getattr(groups[best][0].settings, name)
        place = _places(points[name], numeric=name in axes)[value]
        dots = np.concatenate([line.get_xydata() for line in panel.get_lines() if line.get_marker() == "o"])
        place = next((x for x, y in dots if y == accuracies[best] and abs(x - place) < 0.5), place)  # names spread
        panel.plot(place, accuracies[best], "*", color="black", markersize=13, markeredgecolor="white", zorder=3)
        log = ", log scale" if panel.get_xscale() != "linear" else ""
        panel.set_xlabel(label(name) + log)
        panel.tick_params(labelleft=True)
    low, high = (max(1 - end(accuracies.values()), scales.LEAST_ERROR) for end in (min, max))
    scales.error_scale(grid[0], max(0.0, 1 - 1.08 * low), 1 - high / 1.15)  # with room around the accuracies
    figure.supylabel("best validation accuracy (scale widens towards 100 %)", fontsize="medium")
    star = Line2D([], [], color="black", marker="*", linestyle="", markersize=11)
    entries: dict[str, Artist] = {_best(accuracies): star}
    for cost, mark in cost_styles(runs[0].settings.cost for runs in groups.values()).items():
        entries[short_name(cost)] = Line2D([], [], color=mark.colour, marker="o", markersize=4, linestyle=mark.dashes)
    entries["points: variants; lines: their medians"] = Line2D([], [], visible=False)
    style.legend_below(figure, entries)
    return finish(figure, title)


def _best(ranked: Mapping[str, float]) -> str:
    """Return what a legend says of the best variant, the first one, or of the best ones."""
    (best, accuracy), *others = ranked.items()
    tied = sum(other == accuracy for _, other in others)
    more = f" and {tied} more, tied" if tied else ""
    return f"the best, {100 * accuracy:.2f} %: {best}{more}"


def _points(groups: Groups, accuracies: Mapping[str, float], name: str) -> Points:
    """Return the accuracies by cost and by value of a setting, both in the order of the variants."""
    points: Points = {}
    for variant, runs in groups.items():
        if variant in accuracies:
            found = points.setdefault(runs[0].settings.cost, {})
            found.setdefault(getattr(runs[0].settings, name), []).append(accuracies[variant])
    return points


def _places(points: Points, *, numeric: bool) -> dict[Any, float]:
    """Return the place of each value on an axis of numbers, or of names."""
    values = dict.fromkeys(value for found in points.values() for value in found)
    return {value: (number(value) or 0.0) if numeric else float(place) for place, value in enumerate(values)}


def _medians(found: Mapping[Any, Sequence[float]]) -> dict[Any, float]:
    """Return the median at each value, or none if a value has too few variants."""
    few = min(map(len, found.values())) < FEWEST
    return {} if few else {value: statistics.median(accuracies) for value, accuracies in found.items()}


def _effect(points: Points) -> float:
    """Return the ratio of the largest to the smallest median error over all costs."""
    every: dict[Any, list[float]] = {}
    for found in points.values():
        for value, accuracies in found.items():
            every.setdefault(value, []).extend(accuracies)
    errors = [max(1 - median, scales.LEAST_ERROR) for median in _medians(every).values()]
    return max(errors) / min(errors) if errors else 1.0


def _draw_points(axes: Axes, points: Points, *, numeric: bool, text: Callable[[Any], str]) -> None:
    """Draw a point for each variant and the median at each value, of each cost in its colour."""
    places = _places(points, numeric=numeric)
    beside = max(sum(value in found for found in points.values()) for value in places)  # costs at a value
    for (cost, mark), column in zip(cost_styles(points).items(), itertools.cycle(range(beside)), strict=False):
        found, shift = points[cost], column / beside - 0.5
        x = np.repeat([places[value] for value in found], [len(each) for each in found.values()])
        y = np.concatenate(list(found.values()))
        if not numeric:  # the costs beside each other, and so are the points of each
            x = x + 0.8 * (shift + (np.arange(x.size) * 0.618 % 1) / beside)
        size, opacity = (5, 0.7) if x.size <= FEW_POINTS else (3.5, 0.4)
        dots: dict[str, Any] = {"alpha": opacity, "markeredgewidth": 0, "rasterized": x.size > MOST_VECTORS}
        axes.plot(x, y, "o", color=mark.colour, markersize=size, **dots)
        medians = sorted((places[value], median) for value, median in _medians(found).items())
        if numeric and medians:
            axes.plot(*zip(*medians, strict=True), color=mark.colour, linestyle=mark.dashes, linewidth=2)
        for place, median in () if numeric else medians:
            ends = place + 0.8 * shift, place + 0.8 * (shift + 1 / beside)
            axes.plot(ends, [median] * 2, color=mark.colour, linewidth=2.5)
    if numeric:
        scales.number_axis(axes, sorted(places.values()), SIDE)
    else:
        _name_axis(axes, [text(value) for value in places])


def _name_axis(axes: Axes, values: Sequence[str]) -> None:
    """Name values that are no numbers, upward where they have no room."""
    step = math.ceil(len(values) / MOST_TICKS)
    names = [literal(value) for value in values[::step]]
    names = [f"{name[: MOST_LETTERS - 1]}…" if len(name) > MOST_LETTERS else name for name in names]
    upward = scales.LETTER * (1 + max(map(len, names))) > (SIDE - 0.5) / len(names)
    axes.set_xticks(range(0, len(values), step), names, rotation=90 if upward else 0)
    axes.set_xlim(-0.6, len(values) - 0.4)
