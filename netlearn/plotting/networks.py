"""Pictures of one run and of data: learning curves, confusion, mistakes, disagreements, weights, examples."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from netlearn.numerics import Array
from netlearn.plotting.marks import BLUE, GREY, ORANGE, Answer, letter, strongest
from netlearn.plotting.sheet import LINE, SMALL_LINE, Grid, Image, Sheet
from netlearn.plotting.style import Figure, finish, log_axis, percent_axis, plain, update_axis
from netlearn.slowdown import PROBE_EXAMPLES

Counts: TypeAlias = NDArray[np.int64]
SHADES = "cividis"  # brighter throughout, so that it can be read in grey too
MOST_NUMBERED = 40  # classes; more are not numbered
COLUMNS, SIDE, STEP = 6, 0.9, 1.4  # of a grid of examples: the side of an image, from one to the next
SMALL_SIDE, SMALL_STEP, IN_A_ROW = 0.6, 0.85, 10  # where each variant has one row
MOST_NEURONS = 100
PAIRS_IN_A_ROW = 3
LONG = 10  # epochs


def run_curves(metrics: Mapping[str, Array], updates_per_epoch: int, title: str, train_size: int) -> Figure:
    """Return the learning curves of one run: cost above, accuracy below.

    They are drawn against updates on a log axis, which shows the first ones; from `LONG` epochs on against epochs,
    which shows overfitting. `metrics` are the columns of its metrics.csv.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    lines = []
    first = f" (its first {PROBE_EXAMPLES:,} examples)" if train_size > PROBE_EXAMPLES else ""
    long = metrics["epoch"][-1] >= LONG
    for axes, quantity in ((cost, "cost"), (accuracy, "accuracy")):
        for part, label, colour, dashes in (
            ("train", f"training set{first}", BLUE, "-"),
            ("validation", "validation set", ORANGE, "--"),
        ):
            values = metrics[f"{part}_{quantity}"]
            places = metrics["epoch" if long else "update"]
            lines += axes.plot(places, values, dashes, color=colour, label=label, linewidth=2)
        plain(axes)
    cost.set_ylabel("mean cost per example")
    cost.set_ylim(bottom=min(0, *cost.get_ylim()))
    percent_axis(accuracy, "classified correctly")
    if long:
        accuracy.set_xlim(0, float(metrics["epoch"][-1]) * 1.02)
        accuracy.set_xlabel("epochs")
        later = np.concatenate([metrics[f"{part}_cost"][metrics["epoch"] >= 1] for part in ("train", "validation")])
        cost.set_ylim(min(0, 1.1 * later.min()), max(1e-9, 1.1 * later.max()))  # the first costs are much higher
    else:
        update_axis((cost, accuracy), updates_per_epoch, int(metrics["update"][-1]))
    figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
    return finish(figure, title)


def confusion(counts: Counts, title: str) -> Figure:
    """Return how often each label, a row, got each answer, a column."""
    side = _cell(len(counts)) * len(counts)
    width = max(5.0, side + 0.7)
    sheet = Sheet(width, side + 0.5, title)
    axes = sheet.panel(max(0.6, (width - side) / 2), 0, side, side)
    fractions = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(fractions, cmap=SHADES, norm=PowerNorm(0.5, 0, 1))  # √: a few mistakes can be seen
    _number_cells(axes, counts, bright=fractions > 0.25, cell=_cell(len(counts)))
    _number_classes(axes, len(counts))
    if len(counts) <= MOST_NUMBERED:
        axes.set_yticks(range(len(counts)))
    axes.set_xlabel("answer; shade: fraction of the label's examples")
    axes.set_ylabel("label")
    return sheet.figure


def mistakes(answers: Sequence[Answer], image: Image | None, title: str) -> Figure:
    """Return wrong answers: the images with label, answer and strongest outputs, or all outputs without images."""
    if image is None:
        return _outputs(answers, title)
    captions = [
        f"label {each.label}, answer {each.answer}\n{strongest(each.outputs)}\nexample {each.index:,}"
        for each in answers
    ]
    grid = Grid(image, SIDE, COLUMNS, STEP, lines=3)
    sheet = Sheet(COLUMNS * STEP, grid.height(len(answers)), title)
    grid.draw(sheet, (0, 0), [each.x for each in answers], captions)
    return sheet.figure


def disagreements(given: Mapping[str, Sequence[Answer]], counts: Counts, image: Image | None, title: str) -> Figure:
    """Return the examples on which runs disagree, below how many there are of each class.

    Args:
        given: the answers of each run to the same examples, which are shown if they are images.
        counts: how many examples of each class (column) each run (row) gets wrong but another one right.
        image: height and width of an image.
        title: of the picture.
    """
    classes, letters = counts.shape[1], [letter(i) for i in range(len(given))]
    captions = []
    for answers in zip(*given.values(), strict=True):
        texts = [
            f"{run}: {each.answer}{' ✓' if each.answer == each.label else ''}"
            for run, each in zip(letters, answers, strict=True)
        ]
        lines = [", ".join(texts[i : i + 3]) for i in range(0, len(texts), 3)]
        captions.append("\n".join([f"label {answers[0].label}", *lines]))
    shown = [each.x for each in next(iter(given.values()))]
    grid = Grid(image, SIDE, COLUMNS, STEP, lines=1 + -(-len(given) // 3)) if image else None
    cell = _cell(classes)
    width, height = cell * classes, max(0.26, cell) * len(given)
    total, below = max(COLUMNS * STEP, width + 0.7), LINE + height + 0.7
    names = "\n".join(f"{run}: {name}" for run, name in zip(letters, given, strict=True))
    sheet = Sheet(total, below + (grid.height(len(shown)) if grid else 0), f"{title}\n{names}")
    sheet.write(
        total / 2, 0, "examples that this run gets wrong but another one right", ha="center", fontsize="small"
    )
    axes = sheet.panel(max(0.6, (total - width) / 2), LINE, width, height)
    axes.imshow(counts, cmap=SHADES, vmin=0, vmax=max(1, counts.max()), aspect="auto")
    _number_cells(axes, counts, bright=counts > counts.max() / 2, cell=cell)
    _number_classes(axes, classes)
    axes.set_yticks(range(len(given)), letters)
    axes.set_xlabel("label")
    if grid:
        grid.draw(sheet, ((total - COLUMNS * STEP) / 2, below), shown, captions)
    return sheet.figure


def variant_mistakes(variants: Sequence[tuple[str, Sequence[Answer], Image]], title: str) -> Figure:
    """Return a row of mistakes for each variant, below its heading."""
    grids = [Grid(image, SMALL_SIDE, IN_A_ROW, SMALL_STEP, lines=2) for _, _, image in variants]
    sheet = Sheet(IN_A_ROW * SMALL_STEP, sum(LINE + grid.height(1) for grid in grids), title)
    top = 0.0
    for grid, (heading, answers, _) in zip(grids, variants, strict=True):
        sheet.write(0, top, heading)
        captions = [f"label {each.label}\nanswer {each.answer}" for each in answers]
        grid.draw(sheet, (0, top + LINE + 0.04), [each.x for each in answers], captions)
        top += LINE + grid.height(1)
    return sheet.figure


def seen(pictures: Sequence[tuple[Array, Array]], captions: Sequence[str], title: str) -> Figure:
    """Return people's pictures, each (height, width), beside what a network sees of them, above their captions."""
    step, height = 2 * SIDE + 0.4, SIDE + 2 * SMALL_LINE + 0.2
    columns = min(len(pictures), PAIRS_IN_A_ROW)
    width = max(3.0, columns * step)
    sheet = Sheet(width, height * -(-len(pictures) // columns) - 0.2, title)
    for i, ((picture, x), caption) in enumerate(zip(pictures, captions, strict=True)):
        middle = (width - columns * step) / 2 + (i % columns + 0.5) * step
        top = i // columns * height
        for image, side in (
            (np.pad(picture, 1, constant_values=0.7), -1),
            (x, 1),
        ):  # in an outline, as paper is white
            sheet.image(middle + side * (SIDE / 2 + 0.05), top, image, SIDE, cmap="gray", vmin=0, vmax=1)
        sheet.write(middle, top + SIDE + 0.03, caption, ha="center", fontsize="x-small")
    return sheet.figure


def weights(panels: Mapping[str, Array], names: Sequence[str], image: Image, title: str) -> Figure:
    """Return the incoming weights of some neurons as images, in a panel for each state of the network.

    Args:
        panels: the weights in each state, (n, n_in), n at most 100; each panel has its own scale.
        names: of the neurons.
        image: height and width of an image.
        title: of the picture.
    """
    columns = int(np.ceil(np.sqrt(len(names))))
    side = min(0.9, 4.5 / columns)
    grid = Grid(image, side, columns, side + SMALL_LINE, lines=1, gap=0.02)
    width, height = max(2.5, columns * grid.right), grid.height(len(names))
    sheet = Sheet(len(panels) * (width + 0.4) - 0.4, LINE + height + 0.7, title)
    for place, (state, w) in enumerate(panels.items()):
        left = place * (width + 0.4)
        limit = float(np.percentile(np.abs(w), 99.5)) or 1.0
        sheet.write(left + width / 2, 0, state, ha="center", fontsize="small")
        start = (left + (width - columns * grid.right) / 2, LINE + 0.04)
        grid.draw(sheet, start, list(w), names, cmap=SHADES, vmin=-limit, vmax=limit)
        _draw_scale(sheet.panel(left + width / 2 - 1, LINE + height + 0.1, 2, 0.1), limit)
    return sheet.figure


def _draw_scale(axes: Axes, limit: float) -> None:
    axes.imshow(np.linspace(-1, 1, 256)[np.newaxis], cmap=SHADES, aspect="auto", extent=(-limit, limit, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([-limit, 0, limit], [f"−{limit:.2g}", "0", f"{limit:.2g}"], fontsize="small")
    axes.set_xlabel("weight", fontsize="small")


def _outputs(answers: Sequence[Answer], title: str) -> Figure:
    """Return the outputs of each example, a row, as shades."""
    outputs = np.array([each.outputs for each in answers])
    classes = outputs.shape[1]
    width, height = _cell(classes) * classes, 0.24 * len(answers)
    total = max(6.0, width + 2.8)
    sheet = Sheet(total, height + 0.8, f"{title}\nshade: output, bright is strong; circle: label; cross: answer")
    axes = sheet.panel(2.7, 0, width, height)
    axes.imshow(outputs, cmap=SHADES, aspect="auto", vmin=min(0, outputs.min()), vmax=max(1, outputs.max()))
    places = range(len(answers))
    if classes > 1:
        outline = [withStroke(linewidth=3, foreground="black")]
        style: dict[str, Any] = {"color": "white", "path_effects": outline, "linestyle": ""}
        axes.plot([each.label for each in answers], places, marker="o", fillstyle="none", **style)
        axes.plot([each.answer for each in answers], places, marker="x", **style)
    axes.set_yticks(places, [f"example {each.index:,}: label {each.label}, answer {each.answer}" for each in answers])
    _number_classes(axes, classes)
    axes.set_xlabel("output neuron")
    return sheet.figure


def _cell(classes: int) -> float:
    """Return the side of a cell in inches, given the number of cells in a row."""
    return min(0.42, max(0.26, 8 / classes)) if classes <= MOST_NUMBERED else 9 / classes


def _number_classes(axes: Axes, classes: int) -> None:
    """Number the classes below the axes, if there is room, and remove ticks and box."""
    if classes <= MOST_NUMBERED:
        axes.set_xticks(range(classes))
    axes.tick_params(length=0, labelsize="small")
    axes.spines[:].set_visible(False)


def _number_cells(axes: Axes, counts: Counts, *, bright: NDArray[np.bool_], cell: float) -> None:
    """Write each nonzero count into its cell, if there is room."""
    if counts.shape[1] > MOST_NUMBERED:
        return
    size = min(9.0, 105 * cell / len(str(counts.max())))  # points; a digit is 0.6 times as wide
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "black" if bright[row, column] else "white"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)


def reliability(panels: Mapping[str, tuple[Array, str]], title: str) -> Figure:
    """Return a panel for each kind of forecast: the share that happened against p, above how many there are.

    A grey bar is the consistency band: where 95 % of the shares would be if each event happened with its p
    (J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams", 2007).

    Args:
        panels: the bins of each kind, with columns for the mean of p, the share, the ends of the band and the number
            of forecasts; and a line about them.
        title: of the picture.
    """
    figure = Figure(figsize=(4.2 * len(panels), 5), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
    for (above, below), (name, (bins, text)) in zip(grid.T, panels.items(), strict=True):
        p, share, low, high, forecasts = bins.T
        plain(above)
        plain(below)
        above.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        above.vlines(p, low, high, color=GREY, alpha=0.45, linewidth=6)
        outside = (share < low) | (share > high)
        above.plot(p, share, color=BLUE, linewidth=1)
        above.plot(p[~outside], share[~outside], "o", color=BLUE, markersize=5)
        above.plot(p[outside], share[outside], "D", color=ORANGE, markersize=5)
        above.set_title(f"{name}\n{text}", fontsize="small")
        below.bar(p, forecasts, width=0.05, color=BLUE)
        below.set_xlabel("probability p that the network gives")
        above.set_xlim(0, 1)
        above.set_ylim(-0.02, 1.02)
    grid[0, 0].set_ylabel("share that happened")
    log_axis(grid[1, 0], "forecasts,\nlog scale")
    return finish(figure, title)
