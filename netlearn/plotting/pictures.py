"""The pictures of a comparison that are no curves, and the table of all of them.

A variant has the same colour in all of them. A picture is None where the runs do not have the data for it.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from netlearn.numerics import Array
from netlearn.plotting.landscape import heat_map, settings
from netlearn.plotting.lines import (
    Ends,
    add_key,
    band,
    curves,
    described,
    draw,
    draw_badly_wrong,
    draw_layers,
    draw_line,
    fit_one_panel,
    measured,
    of_the_neuron,
    share_update_axis,
    slowdown,
)
from netlearn.plotting.marks import LABEL, MARKS, short, variant_styles
from netlearn.plotting.neuron import neuron
from netlearn.plotting.style import (
    Figure,
    accuracy_axis,
    finish,
    label_ends,
    literal,
    log_axis,
    percent_axis,
    plain,
    wrapped,
)
from netlearn.plotting.sweep import against
from netlearn.runs import Groups, selection

LEVELS = tuple(zip((0.8, 0.9, 0.95), MARKS, strict=False))  # of validation accuracy, with markers
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
    if len(groups) > MOST_SCATTERED:
        first = {runs[0].settings.cost: runs for runs in reversed(list(groups.values()))}
        groups = dict(reversed(first.items()))
        title = f"{title}\nthe first variant of each cost, which alone determines the relation"
    samples = {name: next((run.samples() for run in runs if run.samples()), {}) for name, runs in groups.items()}
    updates = sorted({update for sample in samples.values() for update in sample})
    if not updates or of_the_neuron(groups):
        return None
    figure = Figure(figsize=(2.4 * len(updates) + 1.2, 5.4), layout="constrained")
    grid = figure.subplots(2, len(updates), sharex=True, sharey="row", squeeze=False, height_ratios=(2, 1))
    e = np.linspace(0, 1, 200)
    for (above, below), update in zip(grid.T, updates, strict=True):
        for size, (name, style) in zip(itertools.count(7, -1.5), variant_styles(groups).items(), strict=False):
            error, gradient = samples[name].get(update, (np.empty(0), np.empty(0)))
            above.plot(
                error, gradient, ".", color=style.colour, markersize=max(2, size), alpha=0.35, label=literal(name),
                rasterized=True,
            )  # fmt: skip
            line: dict[str, Any] = {"color": style.colour, "linestyle": style.dashes}
            if (theory := THEORY.get(groups[name][0].settings.cost)) is not None:
                above.plot(e, theory[1](e), linewidth=1.2, label=theory[0], **line)
            below.hist(error, bins=20, range=(0, 1), histtype="step", **line)
        plain(above)
        plain(below)
        above.set_title(f"update {update:,}", fontsize="medium")
        below.set_xlabel("error e = |a − y|")
        log_axis(below, "")
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid[0, 0].set_ylabel("gradient |δ|")
    grid[1, 0].set_ylabel("output neurons,\nlog scale")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    columns = min(4, len(groups))
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, handlelength=3)
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
    names = described(groups) if shown is not groups else {name: short(name, shown) for name in shown}
    axes.set_yticks(
        range(len(runs)), [wrapped(f"{names[name]}, seed {run.settings.seed}", LABEL) for name, run in runs]
    )
    axes.set_xticks(range(recall.shape[1]))
    only = f"; seeds: the first {seeds}" if any(len(group) > seeds for group in shown.values()) else ""
    axes.set_xlabel(f"digit; each cell is the percentage recognized in the test set{only}")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return finish(figure, selection.titled(title, groups))


def cures(groups: Groups, title: str) -> Figure | None:
    """Return badly wrong outputs and validation accuracy against updates, above the updates to 80, 90 and 95 %.

    It is drawn where the variants differ in their optimizers.
    """
    if len({run.settings.optimizer for run in measured(groups)}) < 2:
        return None
    shown = selection.select(groups)
    figure = Figure(figsize=(9, 6.4 + 0.45 * len(shown)), layout="constrained")
    wrong, accuracy, updates = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 2.2, 0.45 * len(shown)))
    share_update_axis((wrong, accuracy, updates), groups)
    draw_badly_wrong(wrong, groups)
    ends = draw(accuracy, groups, "validation_accuracy")
    accuracy_axis(accuracy, "validation accuracy", [end for end, *_ in ends])
    label_ends(accuracy, ends)
    _draw_updates(updates, shown)
    add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_updates(axes: Axes, groups: Groups) -> None:
    """Draw the updates to each level, a row for each variant: the mean, from the fastest seed to the slowest."""
    plain(axes)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_yticks([])
    for row, (name, style) in enumerate(variant_styles(groups).items()):
        for (level, (marker, _)), height in zip(LEVELS, row + np.linspace(-0.25, 0.25, len(LEVELS)), strict=True):
            ended = [run for run in groups[name] if run.metrics]  # one that diverged never got there
            found = [run.updates_to(level) for run in ended if run.problem is None]
            reached = [updates for updates in found if updates is not None]
            mark: dict[str, Any] = {"marker": marker, "color": style.colour, "markersize": 6}
            if reached and len(reached) == len(ended):
                axes.plot([min(reached), max(reached)], [height, height], color=style.colour, linewidth=1.5)
                axes.plot(np.mean(reached), height, **mark)
            else:
                axes.plot(0.985, height, transform=axes.get_yaxis_transform(), fillstyle="none", **mark)
                if reached:
                    axes.plot(reached, [height] * len(reached), **mark | {"markersize": 3, "linestyle": "none"})
                    axes.annotate(
                        f"{len(reached)} of {len(ended)} seeds", (min(reached), height), xytext=(-5, 0),
                        textcoords="offset points", ha="right", va="center", fontsize="x-small", color=style.colour,
                    )  # fmt: skip
        axes.annotate(
            literal(style.label(short(name, groups))), (1.01, row), xycoords=("axes fraction", "data"), va="center",
            color=style.colour, fontsize="small", annotation_clip=False,
        )  # fmt: skip
    keys = ", ".join(f"{character} {100 * level:.0f} %" for level, (_, character) in LEVELS)
    heading = f"mean updates to {keys}; hollow, at the right: not in every seed; small: the seeds that did"
    axes.set_ylabel("updates to an\naccuracy level")
    axes.set_title(heading, fontsize="small", loc="left")


def overfitting(groups: Groups, title: str) -> Figure | None:
    """Return cost and accuracy on the training and the test set against epochs, where the test set was tracked.

    The lines of the test set are thick, those of the training set thin.
    """
    groups = {name: runs for name, runs in groups.items() if any("test_cost" in run.metrics for run in runs)}
    if not groups:
        return None
    title, groups = selection.titled(title, groups), selection.select(groups)
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, quantity in zip(panels, ("cost", "accuracy"), strict=True):
        plain(axes)
        ends: Ends = []
        for name, style in variant_styles(groups).items():
            for part, column, width in (("test", "test", 2.4), ("training", "train", 0.9)):
                end = draw_line(axes, groups[name], f"{column}_{quantity}", "epoch", style, width=width)
                ends += [(each, f"{style.label(short(name, groups))}, {part}", style.colour) for each in end]
        if quantity == "accuracy":
            percent_axis(axes, "accuracy")
            axes.set_ylim(np.floor(20 * _after_epoch_1(groups, "test_accuracy").min(initial=1)) / 20, 1.005)
        else:
            axes.set_ylabel("cost (thick: test set, thin: training set)")
            axes.set_ylim(0, 1.05 * _after_epoch_1(groups, "test_cost").max(initial=1e-9))
            for name, style in variant_styles(groups).items():
                epochs, (mean, *_) = band(groups[name], "test_cost", "epoch")
                lowest = mean.argmin()
                label = f"{style.label(short(name, groups))}: lowest test cost in epoch {epochs[lowest]:.0f}"
                axes.plot(
                    epochs[lowest], mean[lowest], "*", color=style.colour, markersize=16, markeredgecolor="white",
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
    rows = -(-len(groups) // 2)
    figure = Figure(figsize=(9.5, 2.5 * rows + 0.9), layout="constrained")
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
    ends = []
    for axes, (name, style) in zip(grid, variant_styles(groups).items(), strict=False):
        plain(axes)
        log_axis(axes, "")
        ends.append(draw_layers(axes, groups[name], style))
        axes.set_title(
            literal(style.label(short(name, groups, 2 * LABEL))), fontsize="medium", color=style.colour, loc="left"
        )
    share_update_axis(list(grid[: len(groups)]), groups)
    for axes, own in zip(grid, ends, strict=False):
        label_ends(axes, own)
        axes.tick_params(labelbottom=True, labelleft=True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value != 1 else ""))
        axes.set_xlabel("")
    for axes in grid[len(groups) :]:
        axes.set_visible(False)
    figure.supylabel("speed of each layer, log scale: ‖∂C/∂b‖", fontsize="medium")
    figure.supxlabel("updates (mini-batches), log scale", fontsize="medium")
    return finish(figure, title)


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
