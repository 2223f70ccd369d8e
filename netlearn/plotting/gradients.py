"""The gradient of single output neurons against their error, and how many neurons have which error."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from netlearn.custom_cost import short_names
from netlearn.numerics import Array
from netlearn.plotting import scales, style
from netlearn.plotting.lines import of_the_neuron
from netlearn.plotting.marks import GREY, LineStyle, variant_styles
from netlearn.plotting.style import Figure, finish, plain
from netlearn.runs import Groups, Run
from netlearn.text import counted

MOST_TOGETHER = 4  # variants in one panel
SIZES = ((9, 3), (7, 1.6), (5, 1), (3, 0.8))  # of points, and widths of histograms, which differ without colour too
MOST_COLUMNS = 4
LETTERS = 30  # of a heading
BINS = 20
# where the axes end if some variants stay below, an error of 1 but for rounding, and others do not
BOUNDED, MOST_GRADIENT = 1.001, 1.5
PALE = "#d4d4d4"  # of the other variants
WIDTHS = (0.9, 2.2)  # of the histograms at the first and the last update
THEORY: dict[str, tuple[str, Callable[[Array], Array]]] = {  # |δ| as a function of the error e, for targets 0 and 1
    "quadratic": ("e²(1 − e)", lambda e: e**2 * (1 - e)),
    "cross-entropy": ("e", lambda e: e),
    "log-likelihood": ("e", lambda e: e),
}


class Scatter(NamedTuple):
    """The output neurons of one run: |a − y| and |δ| by update, and how they are drawn."""

    name: str
    run: Run
    samples: Mapping[int, tuple[Array, Array]]
    mark: LineStyle

    def all(self) -> tuple[Array, Array]:
        """Return the errors and the gradients at all updates."""
        errors, gradients = zip(*self.samples.values(), strict=True)
        return np.concatenate(errors), np.concatenate(gradients)


def error_vs_gradient(groups: Groups, title: str) -> Figure | None:
    """Return |δ| against |a − y| of single output neurons at a few updates, above a histogram of |a − y|.

    They are those of one seed. Up to four variants share a panel for each update; of more, only the first of each
    cost is drawn, since the cost determines the relation, and where these are still more than four, each has a panel.
    Axes that one variant alone would stretch are cut, and the points beyond them are counted. Variants that all have
    the same cost have no picture, since they do not differ in it.
    """
    if len(groups) > 1 and len({runs[0].settings.cost for runs in groups.values()}) == 1:
        return None
    said = []
    if len(groups) > MOST_TOGETHER:
        first = {runs[0].settings.cost: runs for runs in reversed(list(groups.values()))}
        if len(first) < len(groups):
            said.append("one variant of each cost, which alone determines the relation")
            names = short_names(first)
            groups = {names[cost]: runs for cost, runs in reversed(first.items())}
    shown = {name: run for name, runs in groups.items() if (run := next(filter(Run.samples, runs), None))}
    if not shown or of_the_neuron(groups):
        return None
    styles = variant_styles(groups)
    scatters = [Scatter(name, run, run.samples(), styles[name]) for name, run in shown.items()]
    seeds = {run.settings.seed for run in shown.values()}
    if len(seeds) == 1 and any(len(runs) > 1 for runs in groups.values()):
        said.insert(0, f"neurons of seed {seeds.pop()} alone")
    figure = (_together if len(scatters) <= MOST_TOGETHER else _apart)(scatters, _limits(scatters))
    return finish(figure, f"{title}\n{'; '.join(said)}")


def _limits(scatters: Sequence[Scatter]) -> tuple[float, float]:
    """Return where the axes of the error and of the gradient end."""
    found = [each.all() for each in scatters]
    largest = [errors.max(initial=0) for errors, _ in found]
    error = float(BOUNDED if min(largest) <= BOUNDED else max(largest))
    largest = [gradients[errors <= error].max(initial=0) for errors, gradients in found]
    most = max(largest) or 1.0
    return error, float(min(most, MOST_GRADIENT) if min(largest) <= MOST_GRADIENT else most)


def _together(scatters: Sequence[Scatter], limits: tuple[float, float]) -> Figure:
    """Return a figure with a panel for each update, all variants in it."""
    updates = sorted({update for each in scatters for update in each.samples})
    figure, columns = _panels(len(updates), limits, scatters)
    for (above, below), update in zip(columns, updates, strict=True):
        heading = [f"update {update:,}"]
        for (size, width), each in zip(SIZES, scatters, strict=False):
            error, gradient = each.samples.get(update, (np.empty(0), np.empty(0)))
            line: dict[str, Any] = {"color": each.mark.colour, "linestyle": each.mark.dashes}
            _draw_points(above, error, gradient, color=each.mark.colour, markersize=size)
            below.hist(error, bins=BINS, range=(0, limits[0]), histtype="step", linewidth=width, **line)
            _draw_theory(above, each, **line)
            if count := _beyond(error, gradient, limits):
                heading.append(style.wrapped(f"{each.name}: {counted(count, 'point')} outside", LETTERS))
        above.set_title("\n".join(heading), fontsize="medium")
    entries: dict[str, Artist] = {}
    for (_, width), each in zip(SIZES, scatters, strict=False):
        theory = THEORY.get(each.run.settings.cost)
        label = f"{each.name}, seed {each.run.settings.seed}{f'; theory: {theory[0]}' if theory else ''}"
        mark: dict[str, Any] = {"marker": ".", "markersize": 12, "linewidth": width}
        entries[label] = Line2D([], [], color=each.mark.colour, linestyle=each.mark.dashes, **mark)
    style.legend_below(figure, entries)
    return figure


def _apart(scatters: Sequence[Scatter], limits: tuple[float, float]) -> Figure:
    """Return a figure with a panel for each variant, with its points at all updates before those of the others."""
    updates = sorted({update for each in scatters for update in each.samples})
    figure, columns = _panels(len(scatters), limits, scatters)
    ends = dict(zip((updates[0], updates[-1]), WIDTHS, strict=False))
    for (above, below), each in zip(columns, scatters, strict=True):
        heading = [style.wrapped(each.name, LETTERS)]
        if (theory := THEORY.get(each.run.settings.cost)) is not None:
            heading.append(f"theory: {theory[0]}")
        if count := _beyond(*each.all(), limits):
            heading.append(f"{count:,} of {each.all()[0].size:,} points outside")
        above.set_title("\n".join(heading), fontsize="medium")
        for other in scatters:
            if other is not each:
                _draw_points(above, *other.all(), color=PALE, markersize=1.5, alpha=1)
        _draw_points(above, *each.all(), color=each.mark.colour, markersize=5)
        _draw_theory(above, each, color="black")
        for update, width in ends.items():
            errors = each.samples.get(update, (np.empty(0),))[0]
            below.hist(
                errors, bins=BINS, range=(0, limits[0]), histtype="step", color=each.mark.colour, linewidth=width
            )
    points: dict[str, Any] = {"marker": ".", "markersize": 10, "linestyle": ""}
    listed = ", ".join(f"{update:,}" for update in updates)
    entries: dict[str, Artist] = {
        f"points: output neurons at updates {listed}": Line2D([], [], color=GREY, **points),
        "those of the other variants": Line2D([], [], color=PALE, **points),
        "theory": Line2D([], [], color="black", linewidth=1.2),
    }
    for update, width in ends.items():
        entries[f"how many, at update {update:,}"] = Line2D([], [], color=GREY, linewidth=width)
    style.legend_below(figure, entries)
    return figure


def _panels(
    count: int, limits: tuple[float, float], scatters: Sequence[Scatter]
) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Return a figure with pairs of panels, for points and for a histogram below them, and these."""
    rows = math.ceil(count / MOST_COLUMNS)
    columns = math.ceil(count / rows)
    figure = Figure(figsize=(2.4 * columns + 1.2, 4.2 * rows + 1.2), layout="constrained")
    shared: dict[str, Any] = {"sharex": True, "squeeze": False, "height_ratios": (2, 1) * rows}
    grid = figure.subplots(2 * rows, columns, **shared)
    pairs = [(grid[2 * row, column], grid[2 * row + 1, column]) for row in range(rows) for column in range(columns)]
    for axes in itertools.chain.from_iterable(pairs[count:]):
        axes.set_visible(False)
    errors = [error for each in scatters for error, _ in each.samples.values()]
    neurons = max(error.size for error in errors)
    most = 2 * max(np.histogram(error, BINS, (0, limits[0]))[0].max() for error in errors)
    for place, (above, below) in enumerate(pairs[:count]):
        plain(above)
        plain(below)
        above.set_ylim(-0.04 * limits[1], 1.04 * limits[1])
        scales.log_axis(below, "")
        below.set_ylim(0.7, most)  # from below a bin with one neuron
        below.set_xlim(-0.04 * limits[0], 1.04 * limits[0])
        below.set_xlabel("error e = |a − y|")
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        below.tick_params(labelbottom=True)
        if place % columns:
            above.tick_params(labelleft=False)
            below.tick_params(labelleft=False, which="both")
        else:
            above.set_ylabel("gradient |δ|")
            below.set_ylabel(f"how many of {neurons:,}\noutput neurons have\nthis error, log scale", fontsize="small")
    return figure, pairs[:count]


def _draw_points(axes: Axes, error: Array, gradient: Array, **how: Any) -> None:
    axes.plot(error, gradient, ".", rasterized=True, **({"alpha": 0.35} | how))


def _draw_theory(axes: Axes, scatter: Scatter, **line: Any) -> None:
    if (theory := THEORY.get(scatter.run.settings.cost)) is not None:
        e = np.linspace(0, 1, 200)
        axes.plot(e, theory[1](e), linewidth=1.2, **line)


def _beyond(error: Array, gradient: Array, limits: tuple[float, float]) -> int:
    """Return how many points lie beyond the ends of the axes."""
    return int(((error > limits[0]) | (gradient > limits[1])).sum())
