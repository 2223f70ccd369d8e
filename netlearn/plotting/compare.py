"""The pictures of a comparison. A variant has the same colour in all of them; a band spans its seeds."""

import itertools
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from netlearn.numerics import Array
from netlearn.plotting.against import against
from netlearn.plotting.cures import cures
from netlearn.plotting.heat_map import heat_map
from netlearn.plotting.questions import fit_one_panel, layers, overfitting
from netlearn.plotting.seeds import (
    Ends,
    band,
    colours_of,
    draw,
    finish,
    layers_of,
    marks_of,
    measured,
    of_the_neuron,
    share_update_axis,
    short,
)
from netlearn.plotting.settings import settings
from netlearn.plotting.style import DASHES, GREY, Figure, label_ends, literal, log_axis, percent_axis, plain
from netlearn.runs import Groups, selection
from netlearn.runs.reader import GROWTH

MOST_SCATTERED = 4  # variants
MOST_ROWS = 40  # of recalls
THEORY: dict[str, tuple[str, Callable[[Array], Array]]] = {  # |δ| as a function of the error e, for targets 0 and 1
    "quadratic": ("theory: e²(1 − e)", lambda e: e**2 * (1 - e)),
    "cross-entropy": ("theory: e", lambda e: e),
    "log-likelihood": ("theory: e", lambda e: e),
}


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


def neuron(groups: Groups, title: str) -> Figure | None:
    """Return output, cost and size of the gradient of the book's single neuron against epochs."""
    if not of_the_neuron(groups):
        return None
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    columns = {
        "output_error": "output a\n(target 0)",
        "train_cost": "cost",
        "speed_1": "size of the gradient\n|∂C/∂b| = |∂C/∂w|",
    }
    for axes, (column, label) in zip(panels, columns.items(), strict=True):
        ends = draw(axes, groups, column, against="epoch")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        label_ends(axes, ends)
    panels[-1].set_xlabel("epochs")
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
