"""The pictures of a comparison that are no curves, and the table of all of them.

A variant has the same colour in all of them. A picture is None where the runs do not have the data for it.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from netlearn.numerics import Array
from netlearn.plotting import landscape, lines, single, style, sweep
from netlearn.plotting.lines import Ends, measured, of_the_neuron
from netlearn.plotting.marks import LABEL, MARKS, readable, short, variant_styles
from netlearn.plotting.style import Figure, finish, label_ends, literal, plain
from netlearn.runs import Groups, Run, selection

LEVELS = dict(zip((0.8, 0.9, 0.95), MARKS, strict=False))  # of validation accuracy, with markers
MOST_SCATTERED = 4  # variants
MOST_ROWS = 40  # of recalls
SETS = (("test", "test", 2.4), ("training", "train", 0.9))  # their names, columns, and the widths of their lines
THEORY: dict[str, tuple[str, Callable[[Array], Array]]] = {  # |δ| as a function of the error e, for targets 0 and 1
    "quadratic": ("e²(1 − e)", lambda e: e**2 * (1 - e)),
    "cross-entropy": ("e", lambda e: e),
    "log-likelihood": ("e", lambda e: e),
}


def error_vs_gradient(groups: Groups, title: str) -> Figure | None:
    """Return |δ| against |a − y| of single output neurons at a few updates, above a histogram of |a − y|.

    They are those of one seed. Of more than four variants only the first of each cost is drawn, since the cost
    determines the relation.
    """
    if len(groups) > MOST_SCATTERED:
        first = {runs[0].settings.cost: runs for runs in reversed(list(groups.values()))}
        if len(first) < len(groups):
            title = f"{title}\nthe first variant of each cost, which alone determines the relation"
        groups = dict(reversed(first.items()))
    shown = {name: run for name, runs in groups.items() if (run := next(filter(Run.samples, runs), None))}
    samples = {name: run.samples() for name, run in shown.items()}
    updates = sorted({update for each in samples.values() for update in each})
    if not updates or of_the_neuron(groups):
        return None
    figure = Figure(figsize=(2.4 * len(updates) + 1.2, 5.4), layout="constrained")
    grid = figure.subplots(2, len(updates), sharex=True, sharey="row", squeeze=False, height_ratios=(2, 1))
    e, styles, entries = np.linspace(0, 1, 200), variant_styles(groups), dict[str, Line2D]()
    for (above, below), update in zip(grid.T, updates, strict=True):
        for size, (name, run) in zip(itertools.count(9, -2), shown.items(), strict=False):
            error, gradient = samples[name].get(update, (np.empty(0), np.empty(0)))
            line: dict[str, Any] = {"color": styles[name].colour, "linestyle": styles[name].dashes}
            dots: dict[str, Any] = {"markersize": max(3, size), "alpha": 0.35, "rasterized": True}
            above.plot(error, gradient, ".", color=styles[name].colour, **dots)
            below.hist(error, bins=20, range=(0, 1), histtype="step", **line)
            label = f"{name}, seed {run.settings.seed}"
            if (theory := THEORY.get(run.settings.cost)) is not None:
                above.plot(e, theory[1](e), linewidth=1.2, **line)
                label += f"; theory: {theory[0]}"
            entries[label] = Line2D([], [], marker=".", markersize=12, **line)
        plain(above)
        plain(below)
        above.set_title(f"update {update:,}", fontsize="medium")
        below.set_xlabel("error e = |a − y|")
        style.log_axis(below, "")
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid[0, 0].set_ylabel("gradient |δ|")
    grid[1, 0].set_ylabel("output neurons,\nlog scale")
    style.legend_below(figure, entries.values(), map(literal, entries))
    return finish(figure, title)


def digits(groups: Groups, title: str) -> Figure | None:
    """Return the recall of each class of the test set, a row for each run; of very many seeds, the first ones."""
    shown = selection.select(groups)
    seeds = max(1, MOST_ROWS // len(shown))
    rows = [(name, run, run.summary.recall) for name, runs in shown.items() for run in runs[:seeds]
            if run.summary and run.summary.recall]  # fmt: skip
    if not rows or of_the_neuron(groups):
        return None
    recall = np.array(list(itertools.zip_longest(*(each for *_, each in rows))), np.float64).T  # None becomes NaN
    figure = Figure(figsize=(8, 0.34 * len(rows) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(recall, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), fraction in np.ndenumerate(recall):
        text = "-" if np.isnan(fraction) else f"{100 * fraction:.0f}"
        axes.text(column, row, text, ha="center", va="center", color="black" if fraction > 0.5 else "white")
    names = lines.titles(groups)
    labels = [style.wrapped(f"{names[name]}, seed {run.settings.seed}", LABEL + 9) for name, run, _ in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_xticks(range(recall.shape[1]))
    only = f"; seeds: the first {seeds}" if any(len(runs) > seeds for runs in shown.values()) else ""
    kind = "digit" if all(run.settings.data.startswith("mnist") for _, run, _ in rows) else "class"
    axes.set_xlabel(f"{kind}; each cell is the percentage recognized in the test set{only}")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return finish(figure, selection.titled(title, groups))


def cures(groups: Groups, title: str) -> Figure | None:
    """Return badly wrong outputs and validation accuracy against updates, above the updates to 80, 90 and 95 %.

    It is drawn where the variants differ in their optimizers. A level that no run reached has no marks.
    """
    if len({run.settings.optimizer for run in measured(groups)}) < 2:
        return None
    shown = selection.select(groups)
    runs = measured(shown)
    levels = {level: mark for level, mark in LEVELS.items() if any(run.updates_to(level) is not None for run in runs)}
    heights = [2.2, 2.2, *([0.45 * len(shown)] if levels else [])]
    figure = Figure(figsize=(9, 2 + sum(heights)), layout="constrained")
    wrong, accuracy, *updates = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    lines.share_update_axis((wrong, accuracy, *updates), groups)
    lines.draw_badly_wrong(wrong, groups)
    lines.draw_accuracy(accuracy, groups)
    for axes in updates:
        _draw_updates(axes, shown, levels)
    lines.add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_updates(axes: Axes, groups: Groups, levels: Mapping[float, tuple[str, str]]) -> None:
    """Draw the updates to each level, a row for each variant: the mean, from the fastest seed to the slowest."""
    plain(axes)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_yticks([])
    for row, (name, line) in enumerate(variant_styles(groups).items()):
        ended = [run for run in groups[name] if run.metrics]
        text: dict[str, Any] = {"va": "center", "color": readable(line.colour)}
        heights = row + np.linspace(-0.25, 0.25, len(levels))
        for (level, (marker, _)), height in zip(levels.items(), heights, strict=True):
            reached = [updates for run in ended if (updates := run.updates_to(level)) is not None]
            mark: dict[str, Any] = {"marker": marker, "color": line.colour, "markersize": 6}
            if reached and len(reached) == len(ended):
                axes.plot([min(reached), max(reached)], [height, height], color=line.colour, linewidth=1.5)
                axes.plot(np.mean(reached), height, **mark)
            else:
                axes.plot(0.985, height, transform=axes.get_yaxis_transform(), fillstyle="none", **mark)
                if reached:
                    axes.plot(reached, [height] * len(reached), **mark | {"markersize": 3, "linestyle": "none"})
                    axes.annotate(
                        f"{len(reached)} of {len(ended)} seeds", (min(reached), height), xytext=(-5, 0),
                        textcoords="offset points", ha="right", fontsize="x-small", **text,
                    )  # fmt: skip
        axes.annotate(
            literal(line.label(short(name, groups))), (1.01, row), xycoords=("axes fraction", "data"),
            fontsize="small", annotation_clip=False, **text,
        )  # fmt: skip
    keys = ", ".join(f"{character} {100 * level:.0f} %" for level, (_, character) in levels.items())
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
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    panels: tuple[tuple[str, Axes, Ends], ...] = (("cost", cost, []), ("accuracy", accuracy, []))
    many = len(groups) > lines.MOST_BANDS
    for place, (name, mark) in enumerate(variant_styles(groups).items()):
        text = mark.label(short(name, groups))
        bars = (place, len(groups)) if many else None
        for (quantity, axes, ends), (part, column, width) in itertools.product(panels, SETS):
            run_ends = lines.draw_line(
                axes, groups[name], f"{column}_{quantity}", "epoch", mark, width=width, bars=bars
            )
            if not many or part == "test":
                ends += [(end, text if many else f"{text}, {part}", mark.colour) for end in run_ends]
    for name, mark in variant_styles(groups).items():
        epochs, (mean, *_) = lines.band(groups[name], "test_cost", "epoch")
        lowest = mean.argmin()
        label = literal(f"{mark.label(short(name, groups))}: epoch {epochs[lowest]:.0f}")
        star: dict[str, Any] = {"color": mark.colour, "markersize": 16, "markeredgecolor": "white", "zorder": 3}
        cost.plot(epochs[lowest], mean[lowest], "*", label=label, **star)
    cost.set_ylabel("cost (thin: training set)\nstar: the lowest of the test set")
    cost.set_ylim(0, 1.05 * _after_epoch_1(groups, "test_cost").max(initial=1e-9))
    style.percent_axis(accuracy, "accuracy")
    accuracy.set_ylim(np.floor(20 * _after_epoch_1(groups, "test_accuracy").min(initial=1)) / 20, 1.005)
    for _, axes, ends in panels:
        plain(axes)
        axes.set_xlim(left=0)
        label_ends(axes, ends)
    accuracy.set_xlabel("epochs")
    accuracy.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.legend_below(figure, *cost.get_legend_handles_labels())
    return finish(figure, title)


def _after_epoch_1(groups: Groups, column: str) -> Array:
    """Return the values of a column in all runs from the end of epoch 1 on."""
    return np.concatenate([run.metrics[column][run.metrics["epoch"] >= 1] for run in measured(groups)])


def layers(groups: Groups, title: str) -> Figure | None:
    """Return the speed of each layer in a panel for each variant, if one panel cannot hold them all."""
    title, groups = selection.titled(title, groups), selection.select(groups)
    if not measured(groups) or lines.fit_one_panel(groups):
        return None
    figure, panels, _ = style.tiled(len(groups), (4.75, 2.5), (0, 0.9), 2, sharex=True, sharey=True)
    ends = []
    for axes, (name, mark) in zip(panels, variant_styles(groups).items(), strict=True):
        plain(axes)
        style.log_axis(axes, "")
        ends.append(lines.draw_layers(axes, groups[name], mark))
        heading = literal(mark.label(short(name, groups, 2 * LABEL)))
        axes.set_title(heading, fontsize="medium", color=readable(mark.colour), loc="left", pad=18)
    lines.share_update_axis(panels, groups)
    for axes, own in zip(panels, ends, strict=True):
        label_ends(axes, own)
        axes.tick_params(labelbottom=True, labelleft=True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value != 1 else ""))
        axes.set_xlabel("")
    figure.supylabel("speed of each layer, log scale: ‖∂C/∂b‖", fontsize="medium")
    figure.supxlabel("updates (mini-batches), log scale", fontsize="medium")
    return finish(figure, title)


DRAWN = {
    "curves": lines.curves, "slowdown": lines.slowdown, "error-vs-gradient": error_vs_gradient, "digits": digits,
    "neuron": single.neuron, "overfitting": overfitting, "against": sweep.against, "heat-map": landscape.heat_map,
    "settings": landscape.settings, "cures": cures, "layers": layers,
}  # fmt: skip
