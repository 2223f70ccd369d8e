"""Pictures of lines: what was measured against updates or epochs, with a band over the seeds of each variant."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.ticker import FuncFormatter

from netlearn.numerics import Array
from netlearn.plotting.marks import BLUE, COLOURS, DASHES, GREY, MARKS, ORANGE, short
from netlearn.plotting.style import Figure, finish, label_ends, literal, log_axis, percent_axis, plain, update_axis
from netlearn.runs import Groups, Run, selection
from netlearn.runs.reader import GROWTH
from netlearn.slowdown import PROBE_EXAMPLES

Ends: TypeAlias = list[tuple[float, str, str]]
MOST_LINES = 8  # of layers in one panel


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


def run_curves(metrics: Mapping[str, Array], updates_per_epoch: int, title: str, train_size: int) -> Figure:
    """Return the learning curves of one run: cost above, accuracy below, against updates on a log axis.

    `metrics` are the columns of its metrics.csv.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    lines = []
    first = f" (its first {PROBE_EXAMPLES:,} examples)" if train_size > PROBE_EXAMPLES else ""
    for axes, quantity in ((cost, "cost"), (accuracy, "accuracy")):
        for part, label, colour, dashes in (
            ("train", f"training set{first}", BLUE, "-"),
            ("validation", "validation set", ORANGE, "--"),
        ):
            values = metrics[f"{part}_{quantity}"]
            lines += axes.plot(metrics["update"], values, dashes, color=colour, label=label, linewidth=2)
        plain(axes)
    cost.set_ylabel("mean cost per example")
    cost.set_ylim(bottom=min(0, *cost.get_ylim()))
    percent_axis(accuracy, "classified correctly")
    update_axis((cost, accuracy), updates_per_epoch, int(metrics["update"][-1]))
    figure.suptitle(literal(title), fontsize="medium")
    figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
    return figure


def curves(groups: Groups, title: str) -> Figure | None:
    """Return validation accuracy and training cost against updates; costs that grow without bound are cut off."""
    if not measured(groups):
        return None
    figure = Figure(figsize=(8, 6.4), layout="constrained")
    accuracy, cost = figure.subplots(2, 1, sharex=True)
    percent_axis(accuracy, "validation accuracy")
    log_axis(cost, "training cost, log scale\n(each variant its own)")
    share_update_axis((accuracy, cost), groups)
    label_ends(accuracy, draw(accuracy, groups, "validation_accuracy"))
    ends = draw(cost, groups, "train_cost")
    highest = GROWTH * max(float(run.metrics["train_cost"][0]) for run in measured(groups))
    if 0 < highest < cost.get_ylim()[1]:
        costs = np.concatenate([run.metrics["train_cost"] for run in measured(groups)])
        cost.set_ylim(0.7 * costs[costs > 0].min(), highest)
    label_ends(cost, ends)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def slowdown(groups: Groups, title: str) -> Figure | None:
    """Return learning speed, fraction of stuck output neurons and the speed of each layer against updates."""
    if not measured(groups):
        return None
    shown = selection.select(groups)
    heights = (1, 0.8, 1.2) if fit_one_panel(shown) else (1, 0.8)
    figure = Figure(figsize=(8, 2.8 * sum(heights)), layout="constrained")
    speed, stuck, *last = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    share_update_axis((speed, stuck, *last), groups)
    log_axis(speed, "learning speed, log scale\nΣ|δ| / Σ|a − y|")
    speed.axhline(0.25, color=GREY, linewidth=1, linestyle=":")
    speed.annotate(
        "¼: the most that σ'(z) allows", (0.01, 0.25), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", color=GREY, fontsize="small",
    )  # fmt: skip
    ends = draw(speed, groups, "learning_speed")
    speed.set_ylim(top=1.5)
    label_ends(speed, ends)
    percent_axis(stuck, "stuck outputs\n|a − y| > 0.9")
    ends = draw(stuck, groups, "stuck")
    top = max(float(run.metrics["stuck"].max()) for runs in groups.values() for run in runs if run.metrics)
    stuck.set_ylim(0, max(0.05, 1.1 * top))
    label_ends(stuck, ends)
    for axes in last:
        log_axis(axes, "speed of each layer, log scale\n‖∂C/∂b‖")
        label_ends(axes, _draw_layers(axes, shown))
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_layers(axes: Axes, groups: Groups) -> Ends:
    """Draw the speed of each layer, the output layer's as a solid line; return the labelled ends of the lines."""
    plain(axes)
    ends = []
    marks = marks_of(groups)
    for name, colour in colours_of(groups).items():
        count = layers_of(groups[name])
        marker, character = marks[name]
        for layer in range(1, count + 1):
            places, (mean, *_) = band(groups[name], f"speed_{layer}")
            dashes = DASHES[(count - layer) % len(DASHES)]
            axes.plot(places, mean, linestyle=dashes, color=colour, linewidth=1.5, **marker)
            if places.size:
                ends.append((float(mean[-1]), f"{character} {short(name, groups)}, layer {layer}", colour))
    return ends


def layers(groups: Groups, title: str) -> Figure | None:
    """Return the speed of each layer in a panel for each variant, if one panel cannot hold them all."""
    title, groups = selection.titled(title, groups), selection.select(groups)
    if not measured(groups) or fit_one_panel(groups):
        return None
    columns = 2
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(9.5, 2.5 * rows + 0.9), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in grid[len(groups) :]:
        axes.set_visible(False)
    for axes, (name, colour) in zip(grid, colours_of(groups).items(), strict=False):
        plain(axes)
        count = layers_of(groups[name])
        for layer in range(1, count + 1):
            style = {"color": colour, "linestyle": DASHES[(count - layer) % len(DASHES)]}
            draw_line(axes, groups[name], f"speed_{layer}", "update", "", [], **style)
        axes.set_title(literal(short(name, groups)), fontsize="medium", color=colour, loc="left")
        log_axis(axes, "")
        _label_layers(axes, groups[name], colour)
    share_update_axis(list(grid[: len(groups)]), groups)
    for axes in grid:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value != 1 else ""))
        axes.set_xlabel("")
    figure.supylabel("speed of each layer, log scale: ‖∂C/∂b‖", fontsize="medium")
    figure.supxlabel("updates (mini-batches), log scale", fontsize="medium")
    return finish(figure, title)


def _label_layers(axes: Axes, runs: Sequence[Run], colour: str) -> None:
    """Write the name of each layer into its line, all at the update where the lines are furthest apart."""
    bands = {layer: band(runs, f"speed_{layer}") for layer in range(1, layers_of(runs) + 1)}
    bands = {layer: (at, values) for layer, (at, values) in bands.items() if at.size}
    if not bands:
        return
    places = np.unique(np.concatenate([at for at, _ in bands.values()]))
    means = np.array([np.interp(places, at, mean) for at, (mean, *_) in bands.values()])
    heights = np.sort(np.log(np.maximum(means, np.finfo(float).tiny)), axis=0)
    gaps = np.diff(heights, axis=0).min(axis=0, initial=np.inf)
    last = max(1, places[-1])
    at = int(np.where((places >= last**0.2) & (places <= last**0.8), gaps, 0).argmax())
    for layer, mean in zip(bands, means, strict=True):
        axes.annotate(
            f"layer {layer}", (places[at], mean[at]), color=colour, fontsize="small", ha="center", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def fit_one_panel(groups: Groups) -> bool:
    """Return whether one panel can hold the layers of all variants."""
    return sum(layers_of(runs) for runs in groups.values()) <= MOST_LINES
