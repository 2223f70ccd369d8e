"""The pictures of a comparison that are no curves, and the table of all of them.

A variant has the same colour in all of them. A picture is None where the runs do not have the data for it.
"""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from netlearn.plotting import gradients, landscape, lines, scales, single, style, sweep
from netlearn.plotting.lines import Labels, measured, of_the_neuron, values_from
from netlearn.plotting.marks import GREY, LABEL, LineStyle, readable, short, variant_styles
from netlearn.plotting.style import Figure, finish, label_lines, literal, plain
from netlearn.runs import Groups, selection

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
    heights = [2.2, 2.2, *([0.15 * (len(levels) + 1) * len(shown)] if levels else [])]
    figure = Figure(figsize=(9, 2 + sum(heights)), layout="constrained")
    wrong, accuracy, *updates = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    lines.share_update_axis((wrong, accuracy, *updates), groups)
    lines.draw_badly_wrong(wrong, groups)
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
    text: dict[str, Any] = {"textcoords": "offset points", "va": "center", "ha": "right", "fontsize": "x-small"}
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

    The lines of the test set are thick, those of the training set thin.
    """
    groups = {name: runs for name, runs in groups.items() if any("test_cost" in run.metrics for run in runs)}
    if not groups:
        return None
    shown = selection.select(groups)
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    labels: tuple[Labels, Labels] = ([], [])
    many = len(shown) > lines.MOST_BANDS
    for place, (name, mark) in enumerate(variant_styles(shown).items()):
        bars = (place, len(shown)) if many else None
        epochs, (mean, *_) = lines.band(shown[name], "test_cost", "epoch")
        lowest = mean.argmin()
        for (quantity, axes, own), (part, column, width) in itertools.product(
            zip(("cost", "accuracy"), panels, labels, strict=True), SETS
        ):
            style_of = mark if part == "test" else replace(mark, marker="")
            line = lines.draw_line(
                axes, shown[name], f"{column}_{quantity}", "epoch", style_of, width=width, bars=bars
            )
            text = f"{mark.label(short(name, shown))}, {part}"
            best = f" (★ epoch {epochs[lowest]:.0f})" if (quantity, part) == ("cost", "test") else ""
            own += [(each, text + best) for each in line if not many or part == "test"]
        star: dict[str, Any] = {"color": mark.colour, "markersize": 16, "markeredgecolor": "white", "zorder": 3}
        panels[0].plot(epochs[lowest], mean[lowest], "*", clip_on=False, **star)
    scales.epoch_axis(panels, max(float(run.metrics["epoch"][-1]) for run in measured(shown)))
    penalty = any(run.settings.l2 or run.settings.l1 for run in measured(shown))
    panels[0].set_ylabel("cost, with the penalty on weights" if penalty else "cost")
    panels[0].set_ylim(0, 1.05 * values_from(1, shown, "test_cost").max(initial=1e-9))
    scales.percent_axis(panels[1], "accuracy")
    panels[1].set_ylim(np.floor(20 * values_from(1, shown, "test_accuracy").min(initial=1)) / 20, 1.005)
    for axes, own in zip(panels, labels, strict=True):
        plain(axes)
        label_lines(axes, own)
    sets = {"test": "test set", "training": lines.probed(shown) or "training set"}
    widths = {sets[part]: Line2D([], [], color=GREY, linewidth=width) for part, _, width in SETS}
    star = {"marker": "*", "markersize": 12, "linestyle": ""}
    marks = widths | {"lowest cost on the test set": Line2D([], [], color=GREY, **star)}
    lines.add_key(figure, groups, marks, thin=False)
    return finish(figure, selection.titled(title, groups))


def layers(groups: Groups, title: str) -> Figure | None:
    """Return the speed of each layer in a panel for each variant, if one panel cannot hold them all."""
    title, groups = selection.titled(title, groups), selection.select(groups)
    if not measured(groups) or lines.fit_one_panel(groups):
        return None
    figure, panels, _ = style.tiled(len(groups), (4.75, 2.5), (0, 1.2), 2, sharex=True, sharey=True)
    labels = []
    for axes, (name, mark) in zip(panels, variant_styles(groups).items(), strict=True):
        plain(axes)
        scales.log_axis(axes, "")
        labels.append(lines.draw_layers(axes, groups[name], LineStyle(mark.colour, "-")))
        heading = literal(short(name, groups, 2 * LABEL))
        axes.set_title(heading, fontsize="medium", color=readable(mark.colour), loc="left", pad=18)
    for axes, own in zip(panels, labels, strict=True):
        lines.share_update_axis([axes], groups)
        label_lines(axes, own, inside=True)
        axes.tick_params(labelbottom=True, labelleft=True)
    figure.supylabel("speed of each layer, log scale: ‖∂C/∂b‖", fontsize="medium")
    for axes in panels[:-2]:
        axes.set_xlabel("")
    style.legend_below(figure, lines.key_of_seeds(groups))
    return finish(figure, title)


DRAWN = {
    "curves": lines.curves, "slowdown": lines.slowdown, "error-vs-gradient": gradients.error_vs_gradient,
    "digits": digits, "neuron": single.neuron, "overfitting": overfitting, "against": sweep.against,
    "heat-map": landscape.heat_map, "settings": landscape.settings, "cures": cures, "layers": layers,
}  # fmt: skip
