"""The pictures of a comparison that are no curves, and the table of all of them.

A variant has the same colour in all of them. A picture is None where the runs do not have the data for it.
"""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from netlearn.plotting import gradients, landscape, lines, scales, single, speed, style, sweep
from netlearn.plotting.lines import Labels, measured, of_the_neuron, values_from
from netlearn.plotting.marks import GREY, LABEL, LineStyle, readable, short, variant_styles
from netlearn.plotting.style import Figure, finish, label_lines, literal, plain
from netlearn.runs import Groups, Run, selection

LEVELS, NEVER = (0.8, 0.9, 0.95), (math.inf, math.inf)  # of validation accuracy; between which updates
MOST_ROWS = 40  # of recalls
SETS = (("test", "test", 2.4), ("training", "train", 0.9))  # their names, columns, and the widths of their lines


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
    for row, ((name, *_), (other, *_)) in enumerate(itertools.pairwise(rows)):
        if name != other and len(rows) > len(shown):
            axes.axhline(row + 0.5, color="white", linewidth=5)
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

    It is drawn where the variants differ in their optimizers. A level that no run reached is left out.
    """
    if len({run.settings.optimizer for run in measured(groups)}) < 2:
        return None
    shown = selection.select(groups)
    levels = [level for level in LEVELS if any(run.bracket(level) for run in measured(shown))]
    heights = [2.2, 2.2, *([0.18 * (len(levels) + 1) * len(shown)] if levels else [])]
    figure = Figure(figsize=(9, 2 + sum(heights)), layout="constrained")
    wrong, accuracy, *updates = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    lines.share_update_axis((wrong, accuracy, *updates), groups)
    lines.draw_badly_wrong(wrong, groups, log=True)
    lines.draw_accuracy(accuracy, groups)
    for axes in updates:
        _draw_updates(axes, shown, levels)
    lines.add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_updates(axes: Axes, groups: Groups, levels: Sequence[float]) -> None:
    """Draw between which updates each variant reached each level in the median of its seeds, a row for each level."""
    plain(axes)
    axes.grid(visible=False, axis="y")
    rows = len(levels) + 1
    axes.set_ylim(rows * len(groups) - 1, -1)
    axes.set_yticks([])
    axes.set_ylabel("updates to a\nvalidation accuracy")
    reached = ", ".join(f"{100 * level:.0f} %" for level in levels)
    heading = f"between which two probes {reached} validation accuracy is reached, in the median of the seeds"
    axes.set_title(heading, fontsize="small", loc="left")
    text: dict[str, Any] = {"textcoords": "offset points", "va": "center", "ha": "right", "fontsize": "small"}
    text["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # above the lines of epochs
    for place, (name, mark) in enumerate(variant_styles(groups).items()):
        colour, ended = readable(mark.colour), [run for run in groups[name] if run.metrics]
        axes.annotate(
            literal(mark.label(short(name, groups))), (1, rows * place + len(levels) / 2 - 0.5),
            xycoords=(style.beside(axes), "data"), va="center", fontsize="small", color=colour, annotation_clip=False,
        )  # fmt: skip
        for row, level in enumerate(levels, rows * place):
            found = [run.bracket(level) or NEVER for run in ended] or [NEVER]
            after, by = (statistics.median(bracket[end] for bracket in found) for end in (0, 1))
            count = len(found) - found.count(NEVER)
            seeds = f"in {count} of {len(found)} seeds" if count < len(found) else ""
            if by < math.inf:
                axes.plot([after, by], [row, row], color=mark.colour, linewidth=6, solid_capstyle="butt")
                axes.annotate(f"{100 * level:.0f} % {seeds}", (after, row), xytext=(-4, 0), color=colour, **text)
            else:
                words = f"{100 * level:.0f} %: {f'only {seeds}' if count else 'never'}"
                right = axes.get_yaxis_transform()
                axes.annotate(words, (1, row), xycoords=right, xytext=(-4, 0), color=GREY, **text)


def overfitting(groups: Groups, title: str) -> Figure | None:
    """Return cost and accuracy on the training and the test set against epochs, where the test set was tracked.

    The lines of the test set are thick, those of the training set thin. A cost includes its penalty: where variants
    differ in it, only costs without one are drawn, and of all how far the test cost is above the training cost, in
    which the penalty cancels.
    """
    groups = {name: runs for name, runs in groups.items() if any("test_cost" in run.metrics for run in runs)}
    if not groups:
        return None
    shown = selection.select(groups)
    differ = len(lines.penalties(shown)) > 1
    costs = {name: runs for name, runs in shown.items() if not (differ and any(lines.penalties({name: runs}).pop()))}
    kinds = [*(["cost"] if costs else []), *(["gap"] if differ else []), "accuracy"]
    figure = Figure(figsize=(8, 3.2 * len(kinds) + 0.8), layout="constrained")
    panels = dict(zip(kinds, figure.subplots(len(kinds), 1, sharex=True), strict=True))
    last = lines.last_epoch(shown)
    scales.epoch_axis([*panels.values()], last)
    early = max(1, int(last) // 40)  # epochs in which everything changes much more than later
    styles = variant_styles(shown)
    if costs:
        labels = _draw_sets(panels["cost"], costs, styles, "cost")
        penalty = any(any(each) for each in lines.penalties(costs))
        name = "cost, with the penalty on weights" if penalty else "cost"
        panels["cost"].set_ylabel(f"{name}\n(of variants without a penalty)" if differ else name)
        panels["cost"].set_ylim(0, 1.05 * values_from(early, costs, "test_cost").max(initial=1e-9))
        label_lines(panels["cost"], labels)
    if differ:
        _draw_gap(panels["gap"], shown, styles)
    scales.percent_axis(panels["accuracy"], "accuracy")
    labels = _draw_sets(panels["accuracy"], shown, styles, "accuracy")
    panels["accuracy"].set_ylim(np.floor(20 * values_from(early, shown, "test_accuracy").min(initial=1)) / 20, 1.005)
    label_lines(panels["accuracy"], labels)
    sets = {"test": "test set", "training": lines.probed(shown) or "training set"}
    marks: dict[str, Artist] = {sets[part]: Line2D([], [], color=GREY, linewidth=width) for part, _, width in SETS}
    if costs:
        star: dict[str, Any] = {"color": GREY, "marker": "*", "markersize": 12, "linestyle": ""}
        marks["lowest mean cost on the test set"] = Line2D([], [], **star)
    lines.add_key(figure, groups, marks, thin=False)
    return finish(figure, selection.titled(title, groups))


def _draw_sets(axes: Axes, groups: Groups, styles: Mapping[str, LineStyle], quantity: str) -> Labels:
    """Draw a quantity on both sets, a cost with a star at its lowest; return the lines with their labels."""
    plain(axes)
    labels: Labels = []
    many = len(groups) > lines.MOST_BANDS
    for (place, (name, runs)), (part, column, width) in itertools.product(enumerate(groups.items()), SETS):
        mark = styles[name] if part == "test" else replace(styles[name], marker="")
        bars = lines.bars_at(place, groups)
        line = lines.draw_line(axes, runs, f"{column}_{quantity}", "epoch", mark, width=width, bars=bars)
        text = f"{styles[name].label(short(name, groups))}, {part}"
        if (quantity, part) == ("cost", "test"):
            epochs, (mean, *_) = lines.band(runs, "test_cost", "epoch")
            lowest = epochs[mean.argmin()], mean.min()
            star: dict[str, Any] = {"color": mark.colour, "markersize": 16, "markeredgecolor": "white", "zorder": 3}
            axes.plot(*lowest, "*", clip_on=False, **star)
            text += f" (★ epoch {lowest[0]:.0f})"
        labels += [(each, text) for each in line if not many or part == "test"]
    return labels


def _draw_gap(axes: Axes, groups: Groups, styles: Mapping[str, LineStyle]) -> None:
    """Draw how far the test cost is above the training cost."""
    plain(axes)
    labels: Labels = []
    drawn: list[Run] = []
    for place, (name, runs) in enumerate(groups.items()):
        gaps = [lines.with_gap(run) for run in runs if "test_cost" in run.metrics]
        drawn += gaps
        bars = lines.bars_at(place, groups)
        line = lines.draw_line(axes, gaps, "gap", "epoch", styles[name], width=SETS[0][2], bars=bars)
        labels += [(each, styles[name].label(short(name, groups))) for each in line]
    axes.set_ylabel("test cost − training cost\n(any penalty cancels)")
    axes.set_ylim(bottom=min(0, values_from(1, {"": drawn}, "gap").min(initial=0)))
    label_lines(axes, labels)


DRAWN = {
    "curves": lines.curves, "slowdown": speed.slowdown, "error-vs-gradient": gradients.error_vs_gradient,
    "digits": digits, "neuron": single.neuron, "overfitting": overfitting, "against": sweep.against,
    "heat-map": landscape.heat_map, "settings": landscape.settings, "cures": cures, "layers": speed.layers,
}  # fmt: skip
