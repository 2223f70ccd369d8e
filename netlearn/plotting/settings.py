"""What each setting does in a sweep of several: a panel for each, with a point for each variant."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from netlearn.plotting.factors import LABELS, MOST_PANELS, factors, number
from netlearn.plotting.scales import LEAST_ERROR, LETTER, error_axis, number_axis
from netlearn.plotting.seeds import finish
from netlearn.plotting.style import BLUE, ORANGE, Figure, literal, plain
from netlearn.runs import Groups, selection, text_of

SIDE = 3.4  # inches, of a panel
MOST_TICKS, MOST_LETTERS = 20, 14  # of settings that are no numbers
MOST_VECTORS = 1000  # points that are stored one by one in an .svg file
FEWEST = 3  # variants at each value, for their medians to be drawn
Points = dict[Any, list[float]]  # the errors of the variants with each value of a setting


def settings(groups: Groups, title: str) -> Figure | None:
    """Return the best validation accuracy of each of many variants against each of the settings that vary.

    The setting whose median changes most comes first. A variant without a finished run has no point.
    """
    errors = {name: max(1 - accuracy, LEAST_ERROR) for name, accuracy in selection.ranked(groups).items()}
    axes, others = factors(groups)
    if len(groups) <= selection.MOST_SHOWN or len(axes) + len(others) < 2 or not errors:
        return None
    points = {name: _points(groups, errors, name) for name in (*axes, *others)}
    order = sorted(points, key=lambda name: -_effect(points[name]))[:MOST_PANELS]
    columns = math.ceil(math.sqrt(len(order)))
    rows = math.ceil(len(order) / columns)
    figure = Figure(figsize=(SIDE * columns + 0.6, 2.9 * rows + 1.4), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    grid[0, 0].set_ylim(min(1, 1.1 * max(errors.values())), min(errors.values()) / 1.2)
    error_axis(grid[0, 0], "")
    best = next(iter(errors))
    for panel, name in zip(grid.flat, order, strict=False):
        plain(panel)
        _draw(panel, points[name], getattr(groups[best][0].settings, name), errors[best], numeric=name in axes)
        log = ", log scale" if panel.get_xscale() != "linear" else ""
        panel.set_xlabel(LABELS.get(name, name.replace("_", " ")) + log)
    for panel in grid.flat[len(order) :]:
        panel.set_visible(False)
    figure.supylabel("best validation accuracy", fontsize="medium")
    lines = [
        title,
        f"star: the best, {100 * (1 - errors[best]):.2f} %: {best}",
        "points: variants; line: their median at each value, where there are enough",
    ]
    return finish(figure, "\n".join(lines))


def _points(groups: Groups, errors: dict[str, float], name: str) -> Points:
    points: Points = {}
    for variant, runs in groups.items():
        if variant in errors:
            points.setdefault(getattr(runs[0].settings, name), []).append(errors[variant])
    return points


def _medians(points: Points) -> dict[Any, float]:
    """Return the median at each value, or none if a value has too few variants."""
    few = min(map(len, points.values())) < FEWEST
    return {} if few else {value: statistics.median(errors) for value, errors in points.items()}


def _effect(points: Points) -> float:
    """Return the ratio of the largest to the smallest median error."""
    medians = _medians(points).values()
    return max(medians) / min(medians) if medians else 1.0


def _draw(axes: Axes, points: Points, chosen: Any, error: float, *, numeric: bool) -> None:
    """Draw the points, the median at each value, and the best variant's value."""
    if numeric:
        places = {value: found for value in points if (found := number(value)) is not None}
    else:
        places = {value: float(place) for place, value in enumerate(points)}
    x = np.repeat([places[value] for value in points], [len(errors) for errors in points.values()])
    y = np.concatenate(list(points.values()))
    if not numeric:
        x = x + 0.5 * (np.arange(x.size) * 0.618 % 1 - 0.5)  # beside each other
    style: dict[str, Any] = {"color": BLUE, "markersize": 3.5, "alpha": 0.35, "markeredgewidth": 0}
    axes.plot(x, y, "o", **style, rasterized=x.size > MOST_VECTORS)
    medians = sorted((places[value], median) for value, median in _medians(points).items())
    if numeric:
        if medians:
            axes.plot(*zip(*medians, strict=True), color="black", linewidth=1.5)
        number_axis(axes, sorted(places.values()), SIDE)
    else:
        for place, median in medians:
            axes.plot([place - 0.3, place + 0.3], [median] * 2, color="black", linewidth=1.5)
        _name_axis(axes, list(points))
    axes.plot(places[chosen], error, "*", color=ORANGE, markersize=14, markeredgecolor="white", zorder=3)


def _name_axis(axes: Axes, values: Sequence[Any]) -> None:
    """Name values that are no numbers, upward where they have no room."""
    step = math.ceil(len(values) / MOST_TICKS)
    names = [literal(text_of(value)) for value in values[::step]]
    names = [f"{name[: MOST_LETTERS - 1]}…" if len(name) > MOST_LETTERS else name for name in names]
    upward = LETTER * (1 + max(map(len, names))) > (SIDE - 0.5) / len(names)
    axes.set_xticks(range(0, len(values), step), names, rotation=90 if upward else 0)
    axes.set_xlim(-0.6, len(values) - 0.4)
