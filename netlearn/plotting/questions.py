"""Pictures of a comparison that answer one question each; None where the runs do not have the data for it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from netlearn.numerics import Array
from netlearn.plotting.seeds import (
    Ends,
    band,
    colours_of,
    draw_line,
    finish,
    layers_of,
    marks_of,
    measured,
    share_update_axis,
    short,
)
from netlearn.plotting.style import DASHES, Figure, label_ends, literal, log_axis, percent_axis, plain
from netlearn.runs import Groups, Run, selection

MOST_LINES = 8  # of layers in one panel
PARTS = (("test", "-"), ("train", ":"))


def overfitting(groups: Groups, title: str) -> Figure | None:
    """Return cost and accuracy on the training and the test set against epochs, where the test set was tracked.

    The sets differ in dashes, the variants in colours and markers.
    """
    groups = {name: runs for name, runs in groups.items() if any("test_cost" in run.metrics for run in runs)}
    if not groups:
        return None
    title, groups = selection.titled(title, groups), selection.select(groups)
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    marks = marks_of(groups)
    for axes, quantity in zip(panels, ("cost", "accuracy"), strict=True):
        plain(axes)
        ends: Ends = []
        for name, colour in colours_of(groups).items():
            marker, character = marks[name]
            for part, dashes in PARTS:
                label = f"{character} {short(name, groups)}, {'training' if part == 'train' else part}"
                style = {"color": colour, "linestyle": dashes, **marker}
                draw_line(axes, groups[name], f"{part}_{quantity}", "epoch", label, ends, **style)
        if quantity == "accuracy":
            percent_axis(axes, "accuracy")
            axes.set_ylim(np.floor(20 * _after_epoch_1(groups, "test_accuracy").min(initial=1)) / 20, 1.005)
        else:
            axes.set_ylabel("cost")
            axes.set_ylim(0, 1.05 * _after_epoch_1(groups, "test_cost").max(initial=1e-9))
            for name, colour in colours_of(groups).items():
                epochs, (mean, *_) = band(groups[name], "test_cost", "epoch")
                lowest = mean.argmin()
                label = f"{marks[name][1]} {short(name, groups)}: lowest test cost in epoch {epochs[lowest]:.0f}"
                axes.plot(
                    epochs[lowest], mean[lowest], "*", color=colour, markersize=16, markeredgecolor="white",
                    label=literal(label), zorder=3,
                )  # fmt: skip
        axes.set_xlim(left=0)
        label_ends(axes, ends)
    panels[-1].set_xlabel("epochs")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", frameon=False, labelcolor="linecolor",
        fontsize="small",
    )  # fmt: skip
    return finish(figure, title)


def _after_epoch_1(groups: Groups, column: str) -> Array:
    """Return the values of a column in all runs from the end of epoch 1 on."""
    return np.concatenate([run.metrics[column][run.metrics["epoch"] >= 1] for run in measured(groups)])


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
