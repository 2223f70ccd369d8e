"""The pictures of a comparison that are no curves, and the table of all of them.

A variant has the same colour in all of them. A picture is None where the runs do not have the data for it.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from netlearn.numerics import Array
from netlearn.plotting.landscape import heat_map, settings
from netlearn.plotting.lines import (
    Ends,
    band,
    colours_of,
    curves,
    draw,
    draw_line,
    layers,
    marks_of,
    measured,
    of_the_neuron,
    share_update_axis,
    slowdown,
)
from netlearn.plotting.marks import DASHES, GREY, MARKS, short
from netlearn.plotting.neuron import neuron
from netlearn.plotting.style import Figure, finish, label_ends, literal, log_axis, percent_axis, plain
from netlearn.plotting.sweep import against
from netlearn.runs import Groups, Run, selection

LEVELS = (0.8, 0.9, 0.95)  # of validation accuracy
PARTS = (("test", "-"), ("train", ":"))
MOST_SCATTERED = 4  # variants
MOST_ROWS = 40  # of recalls
THEORY: dict[str, tuple[str, Callable[[Array], Array]]] = {  # |δ| as a function of the error e, for targets 0 and 1
    "quadratic": ("theory: e²(1 − e)", lambda e: e**2 * (1 - e)),
    "cross-entropy": ("theory: e", lambda e: e),
    "log-likelihood": ("theory: e", lambda e: e),
}


def error_vs_gradient(groups: Groups, title: str) -> Figure | None:
    """Return |δ| against |a − y| of single output neurons at a few updates, above a histogram of |a − y|.

    Of more than four variants only the first of each cost is drawn, since the cost determines the relation.
    """
    title, groups = selection.titled(title, groups), selection.select(groups)
    colours = colours_of(groups)
    if len(groups) > MOST_SCATTERED:
        first = {runs[0].settings.cost: name for name, runs in reversed(list(groups.items()))}
        groups = {name: runs for name, runs in groups.items() if name in first.values()}
    samples = {name: next((run.samples() for run in runs if run.samples()), {}) for name, runs in groups.items()}
    updates = sorted({update for sample in samples.values() for update in sample})
    if not updates or of_the_neuron(groups):
        return None
    figure = Figure(figsize=(2.4 * len(updates) + 1.2, 5.4), layout="constrained")
    grid = figure.subplots(2, len(updates), sharex=True, sharey="row", squeeze=False, height_ratios=(2, 1))
    e = np.linspace(0, 1, 200)
    for (above, below), update in zip(grid.T, updates, strict=True):
        for i, (name, runs) in enumerate(groups.items()):
            colour = colours[name]
            error, gradient = samples[name].get(update, (np.empty(0), np.empty(0)))
            above.plot(
                error, gradient, ".", color=colour, markersize=5, alpha=0.35, label=literal(name), rasterized=True
            )
            if (theory := THEORY.get(runs[0].settings.cost)) is not None:
                dashes = DASHES[i % len(DASHES)]
                above.plot(e, theory[1](e), linestyle=dashes, color=colour, linewidth=1.2, label=theory[0])
            below.hist(error, bins=20, range=(0, 1), histtype="step", color=colour, linestyle=DASHES[i % len(DASHES)])
        plain(above)
        plain(below)
        above.set_title(f"update {update:,}", fontsize="medium")
        below.set_xlabel("error e = |a − y|")
        log_axis(below, "")
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid[0, 0].set_ylabel("gradient |δ|")
    grid[1, 0].set_ylabel("output neurons,\nlog scale")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return finish(figure, title)


def digits(groups: Groups, title: str) -> Figure | None:
    """Return the recall of each class of the test set, a row for each run; of very many seeds, the first ones."""
    shown = selection.select(groups)
    seeds = max(1, MOST_ROWS // len(shown))
    runs = [
        (name, run) for name, group in shown.items() for run in group[:seeds] if run.summary and run.summary.recall
    ]
    if not runs or of_the_neuron(groups):
        return None
    recalls = [run.summary.recall if run.summary else () for _, run in runs]
    recall = np.array(list(itertools.zip_longest(*recalls)), np.float64).T  # None becomes NaN
    figure = Figure(figsize=(8, 0.34 * len(runs) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(recall, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), fraction in np.ndenumerate(recall):
        text = "-" if np.isnan(fraction) else f"{100 * fraction:.0f}"
        axes.text(column, row, text, ha="center", va="center", color="black" if fraction > 0.5 else "white")
    axes.set_yticks(
        range(len(runs)), [literal(f"{short(name, shown)}, seed {run.settings.seed}") for name, run in runs]
    )
    axes.set_xticks(range(recall.shape[1]))
    only = f"; seeds: the first {seeds}" if any(len(group) > seeds for group in shown.values()) else ""
    axes.set_xlabel(f"digit; each cell is the percentage recognized in the test set{only}")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return finish(figure, selection.titled(title, groups))


def cures(groups: Groups, title: str) -> Figure | None:
    """Return stuck outputs and validation accuracy against updates, beside the updates to 80, 90 and 95 %.

    It is drawn where the variants differ in their optimizers.
    """
    if len({run.settings.optimizer for run in measured(groups)}) < 2:
        return None
    figure = Figure(figsize=(13, 7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1), squeeze=False)[0]
    stuck, accuracy = left.subplots(2, 1, sharex=True)
    share_update_axis((stuck, accuracy), groups)
    percent_axis(stuck, "stuck outputs, |a − y| > 0.9")
    ends = draw(stuck, groups, "stuck")
    stuck.set_ylim(0, 1.1 * max(float(run.metrics["stuck"].max()) for run in measured(groups)))
    label_ends(stuck, ends)
    percent_axis(accuracy, "validation accuracy")
    label_ends(accuracy, draw(accuracy, groups, "validation_accuracy"))
    _draw_updates(right.subplots(), selection.select(groups))
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_updates(axes: Axes, groups: Groups) -> None:
    """Draw the updates to each level, a row for each variant: the mean, from the fastest seed to the slowest."""
    plain(axes)
    axes.set_xscale("log")
    never = 2.5 * max(int(run.metrics["update"][-1]) for run in measured(groups))
    for row, (name, colour) in enumerate(colours_of(groups).items()):
        for number, level in enumerate(LEVELS):
            reached, runs = _updates_to(groups[name], level)
            style: dict[str, Any] = {"marker": MARKS[number][0], "color": colour, "markersize": 7}
            height = row + 0.22 * (number - 1)
            if len(reached) == runs:
                axes.plot([min(reached), max(reached)], [height, height], color=colour, linewidth=1.5)
                axes.plot(np.mean(reached), height, **style)
            else:
                axes.plot(never, height, **style, fillstyle="none")
                axes.annotate(
                    f"in {runs - len(reached)} of {runs}", (never, height), xytext=(7, 0), va="center",
                    textcoords="offset points", fontsize="x-small", color=colour, annotation_clip=False,
                )  # fmt: skip
    axes.set_yticks(range(len(groups)), [literal(short(name, groups)) for name in groups])
    axes.invert_yaxis()
    axes.axvline(never / 1.4, color=GREY, linewidth=0.8, linestyle=":")
    places = [10**power for power in range(1, 9) if 10**power < never / 4]
    axes.set_xticks([*places, never])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "never" if value == never else f"{value:,.0f}"))
    axes.set_xlabel("updates (mini-batches), log scale")
    keys = ", ".join(f"{MARKS[number][1]} {100 * level:.0f} %" for number, level in enumerate(LEVELS))
    axes.set_title(f"updates to a validation accuracy of {keys}", fontsize="medium", loc="right")


def _updates_to(runs: Sequence[Run], level: float) -> tuple[list[int], int]:
    """Return the updates of the runs that reached a level, and the number of all runs."""
    found = [run.updates_to(level) for run in runs]
    return [updates for updates in found if updates is not None], len(found)


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


DRAWN = {
    "curves": curves,
    "slowdown": slowdown,
    "error-vs-gradient": error_vs_gradient,
    "digits": digits,
    "neuron": neuron,
    "overfitting": overfitting,
    "against": against,
    "heat-map": heat_map,
    "settings": settings,
    "cures": cures,
    "layers": layers,
}
