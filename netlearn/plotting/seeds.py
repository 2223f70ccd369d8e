"""The common parts of the pictures of a comparison: a colour for each variant, lines and bands over its seeds."""

import re
import textwrap
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from netlearn.numerics import Array
from netlearn.plotting.style import (
    COLOURS,
    DASHES,
    GREY,
    MARKS,
    Figure,
    label_ends,
    literal,
    percent_axis,
    plain,
    update_axis,
)
from netlearn.runs import Groups, Run, selection

Ends: TypeAlias = list[tuple[float, str, str]]
PARTS = re.compile(r", | (?=\w+=\S)")  # where a name has several, such as settings
LINE, LABEL = 90, 36  # characters in a line of the title and in the label of a curve
TITLE_LINE = 0.17  # inches


def colours_of(groups: Groups) -> dict[str, str]:
    """Return a colour for each variant; many variants get shades, in their order."""
    if len(groups) <= len(COLOURS):
        return dict(zip(groups, COLOURS, strict=False))
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(groups)))
    return {name: to_hex(shade) for name, shade in zip(groups, shades, strict=True)}


def marks_of(groups: Groups) -> dict[str, tuple[dict[str, Any], str]]:
    """Return a marker for each variant, as a line style and as a character, where dashes distinguish other things."""
    marks = [MARKS[i % len(MARKS)] for i in range(len(groups))]
    return {
        name: ({"marker": marker, "markersize": 5, "markevery": (0.03 * (i % len(MARKS)), 0.12)}, character)
        for i, (name, (marker, character)) in enumerate(zip(groups, marks, strict=True))
    }


def measured(groups: Groups) -> list[Run]:
    """Return the runs that have metrics."""
    return [run for group in groups.values() for run in group if run.metrics]


def of_the_neuron(groups: Groups) -> bool:
    """Return whether all runs are of the book's single neuron."""
    return all(run.settings.data == "neuron" and not run.settings.hidden for run in measured(groups))


def layers_of(runs: Sequence[Run]) -> int:
    """Return the number of layers of a variant."""
    return max(sum(column.startswith("speed_") for column in run.metrics) for run in runs)


def share_update_axis(panels: Sequence[Axes], groups: Groups) -> None:
    """Give panels, one below the other, a common log axis of updates."""
    runs = measured(groups)
    last = max(int(run.metrics["update"][-1]) for run in runs)
    lengths = {run.updates_per_epoch for run in runs}
    update_axis(panels, lengths.pop() if len(lengths) == 1 else None, last)


def band(runs: Sequence[Run], column: str, against: str = "update") -> tuple[Array, Array]:
    """Return where a column was measured, (n,), and its mean, lowest and highest value over the seeds, (3, n)."""
    values: dict[float, list[float]] = {}
    for run in runs:
        nothing = np.empty(0)
        for place, value in zip(run.metrics.get(against, nothing), run.metrics.get(column, nothing), strict=False):
            if np.isfinite(value):
                values.setdefault(float(place), []).append(float(value))
    places = sorted(values)
    figures = [(np.mean(values[place]), min(values[place]), max(values[place])) for place in places]
    return np.array(places), np.array(figures, np.float64).reshape(-1, 3).T


def draw(axes: Axes, groups: Groups, column: str, against: str = "update") -> Ends:
    """Draw a line and a band for each variant; return the labelled ends of the lines.

    Of many variants the best, the median and the worst are drawn so, above grey lines of the others.
    """
    plain(axes)
    ends: Ends = []
    shown = selection.select(groups)
    if shown is not groups:
        _draw_in_grey(axes, groups, column, against)
    for i, (name, colour) in enumerate(colours_of(shown).items()):
        style = {"color": colour, "linestyle": DASHES[i % len(DASHES)]}
        draw_line(axes, shown[name], column, against, short(name, shown), ends, **style)
    return ends


def _draw_in_grey(axes: Axes, groups: Groups, column: str, against: str) -> None:
    """Draw the mean of each of many variants as a thin line; of very many, some in equal steps."""
    some = list(groups.values())[:: -(-len(groups) // selection.MOST_GREY)]
    curves = [band(runs, column, against) for runs in some]
    lines = [np.stack([places, mean], axis=1) for places, (mean, *_) in curves]
    opacity = min(0.6, max(0.15, 20 / len(lines)))
    axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.6, alpha=opacity, zorder=0.9))
    axes.autoscale_view()


def plot_column(axes: Axes, groups: Groups, column: str) -> None:
    """Draw a column of metrics.csv against updates, with everything that the axes need to be read."""
    share_update_axis([axes], groups)
    ends = draw(axes, groups, column)
    if column.endswith("accuracy"):
        percent_axis(axes, column.replace("_", " "))
    axes.set_ylabel(column.replace("_", " "))
    label_ends(axes, ends)


def draw_line(
    axes: Axes, runs: Sequence[Run], column: str, against: str, label: str, ends: Ends, **style: Any
) -> None:
    """Draw the mean of a column over the seeds, in a band from the lowest to the highest; append to `ends`."""
    places, (mean, lowest, highest) = band(runs, column, against)
    axes.plot(places, mean, linewidth=2, **style)
    axes.fill_between(places, lowest, highest, color=style["color"], alpha=0.18, linewidth=0)
    if places.size:
        ends.append((float(mean[-1]), label, style["color"]))


def short(name: str, names: Collection[str] = ()) -> str:
    """Return a variant's name, cut to the length of a label so that it still differs from the other names.

    Parts that all names share are left out; else the beginning is shown, and the place where the name differs from
    the one most like it.
    """
    if len(name) <= LABEL:
        return name
    others = [other for other in names if other != name]
    shared = set.intersection(*(set(PARTS.split(other)) for other in others)) if others else set()
    own = ", ".join(part for part in PARTS.split(name) if part not in shared)
    if 0 < len(own) <= LABEL:
        return own
    same = max((_shared_length(name, other) for other in others), default=0)
    if same < LABEL - 1:
        return f"{name[: LABEL - 1]}…"
    head = LABEL // 2 - 1
    start = max(head + 1, min(same, len(name) - head))
    return f"{name[:head]}…{name[start : start + head]}{'…' if start + head < len(name) else ''}"


def _shared_length(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def finish(figure: Figure, title: str) -> Figure:
    """Set the title of a figure, wrapped to its width, and make room for its lines beyond the second."""
    lines = [part for line in title.splitlines() for part in textwrap.wrap(line, LINE)]
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + TITLE_LINE * max(0, len(lines) - 2))
    figure.suptitle(literal("\n".join(lines)), fontsize="medium")
    return figure
