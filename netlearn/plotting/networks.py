"""Pictures of networks and of data, laid out in inches, so that no text is cut off however much it holds."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from netlearn.datasets import Dataset
from netlearn.datasets.augmentation import make_deformer
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.plotting.marks import letter, strongest
from netlearn.plotting.style import Figure, literal
from netlearn.predictions import Answer

Counts: TypeAlias = NDArray[np.int64]
Image: TypeAlias = tuple[int, int]  # height and width in pixels
MARGIN, LINE, SMALL_LINE = 0.15, 0.18, 0.14  # around the figure; a line of the title and of a small text
PER_INCH = 11  # characters of the title
SHADES = "cividis"  # brighter throughout, so that it can be read in grey too
MOST_NUMBERED = 40  # classes; more are not numbered
COLUMNS, SIDE, STEP = 6, 0.9, 1.4  # of a grid of examples: the side of an image, from one to the next
SMALL_SIDE, IN_A_ROW = 0.6, 10  # where each variant or deformation has one row
MOST_NEURONS = 100
PAIRS_IN_A_ROW = 3


class Sheet:
    """A figure with content of the given width and height, whose upper left corner is (0, 0), below a wrapped title.

    Attributes:
        figure: the figure.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        lines = [part for line in title.splitlines() for part in textwrap.wrap(line, int(PER_INCH * width))]
        self._top = MARGIN + LINE * (len(lines) + 0.5)
        self._width, self._height = width + 2 * MARGIN, self._top + height + MARGIN
        self.figure = Figure(figsize=(self._width, self._height))
        self._canvas = self.figure.add_axes((0, 0, 1, 1))
        self._canvas.set_axis_off()
        self._scale()
        self.write(width / 2, MARGIN - self._top, "\n".join(lines), ha="center")

    def _scale(self) -> None:
        self._canvas.set_xlim(-MARGIN, self._width - MARGIN)
        self._canvas.set_ylim(self._height - self._top, -self._top)

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write a text below a point."""
        self._canvas.text(x, y, literal(text), va="top", linespacing=1.1, **style)

    def image(self, x: float, y: float, pixels: Array, side: float, **style: Any) -> None:
        """Draw an image of shape (height, width), its longer side given, below a point and centred on it."""
        height, width = (side * length / max(pixels.shape) for length in pixels.shape)
        self._canvas.imshow(pixels, extent=(x - width / 2, x + width / 2, y + height, y), aspect="auto", **style)
        self._scale()  # which imshow changes

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes of the given size, with their upper left corner at a point."""
        bottom = self._height - self._top - y - height
        left, total = MARGIN + x, (self._width, self._height)
        return self.figure.add_axes((left / total[0], bottom / total[1], width / total[0], height / total[1]))


class Grid:
    """A grid of examples as images, each above its caption; `side` is the longer side of an image.

    An image has another one `right` of it, and its caption has `lines` and a `gap` below. Lengths are in inches.
    """

    def __init__(
        self, image: Image, side: float, columns: int, right: float, *, lines: int, gap: float = SMALL_LINE
    ) -> None:
        self.image, self.side, self.columns, self.right = image, side, columns, right
        self._below = side * image[0] / max(image) + 0.03  # where a caption begins
        self._down = self._below + lines * SMALL_LINE + gap

    def height(self, count: int) -> float:
        """Return the height of `count` images."""
        return self._down * -(-count // self.columns)

    def draw(
        self, sheet: Sheet, start: tuple[float, float], x: Sequence[Array], captions: Sequence[str], **style: Any
    ) -> None:
        """Draw examples, each (n_in,), to the right of and below a point."""
        if x and not style:
            low, high = min(0.0, *(float(pixels.min()) for pixels in x)), max(float(pixels.max()) for pixels in x)
            style = {"cmap": "gray_r", "vmin": low, "vmax": high}
        for i, (pixels, caption) in enumerate(zip(x, captions, strict=True)):
            middle = start[0] + (i % self.columns + 0.5) * self.right
            top = start[1] + i // self.columns * self._down
            sheet.image(middle, top, pixels.reshape(self.image), self.side, **style)
            sheet.write(middle, top + self._below, caption, ha="center", fontsize="x-small")


def examples(data: Dataset, augment: str | None = None, rows: int = 5) -> Figure:
    """Return the first training examples of a set of images, each above its label.

    With the kind of deformation that `augment` names, there is a row of examples above random deformations of them.

    Raises:
        DataError: they are not images.
    """
    if data.image is None:
        raise DataError(f"{data.name}: its examples must be images")
    some = data.train[: IN_A_ROW if augment else rows * IN_A_ROW]
    blocks = [list(some.x)]
    grid = Grid(data.image, SMALL_SIDE, IN_A_ROW, 0.7, lines=0 if augment else 1)
    captions = [""] * len(some) if augment else list(map(str, some.labels))
    title = f"the first {len(some)} of {len(data.train):,} training examples"
    if augment:
        deformer, rng = make_deformer(augment, data.image, some.x.dtype), np.random.default_rng(0)
        blocks += [list(deformer.deform(some.x, rng, np.empty_like(some.x))) for _ in range(rows - 1)]
        title = f"{len(some)} training examples, each above {rows - 1} of its deformations ({augment})"
    height = grid.height(len(some))
    sheet = Sheet(IN_A_ROW * grid.right, len(blocks) * height, f"{Path(data.name).name}: {title}")
    for number, x in enumerate(blocks):
        grid.draw(sheet, (0, number * height), x, captions)
    return sheet.figure


def confusion(counts: Counts, title: str) -> Figure:
    """Return how often each label, a row, got each answer, a column."""
    side = _cell(len(counts)) * len(counts)
    width = max(5.0, side + 0.7)
    sheet = Sheet(width, side + 0.5, title)
    axes = sheet.panel(max(0.6, (width - side) / 2), 0, side, side)
    fractions = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(fractions, cmap=SHADES, norm=PowerNorm(0.5, 0, 1))  # √: a few mistakes can be seen
    _number_cells(axes, counts, bright=fractions > 0.25)
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

    Of each run there are the answers to the same examples, which are shown if they are images, and a row of counts:
    how many examples of each class it gets wrong but another run right.
    """
    classes, letters = counts.shape[1], [letter(i) for i in range(len(given))]
    captions = []
    for answers in zip(*given.values(), strict=True):
        marks = [f"{each.answer}{' ✓' if each.answer == each.label else ''}" for each in answers]
        texts = [f"{run}: {mark}" for run, mark in zip(letters, marks, strict=True)]
        lines = [", ".join(texts[i : i + 3]) for i in range(0, len(texts), 3)]
        captions.append("\n".join([f"label {answers[0].label}", *lines]))
    shown = [each.x for each in next(iter(given.values()))]
    grid = Grid(image, SIDE, COLUMNS, STEP, lines=1 + -(-len(given) // 3)) if image else None
    width, height = _cell(classes) * classes, max(0.26, _cell(classes)) * len(given)
    total, below = max(COLUMNS * STEP, width + 0.7), LINE + height + 0.7
    names = "\n".join(f"{run}: {name}" for run, name in zip(letters, given, strict=True))
    sheet = Sheet(total, below + (grid.height(len(shown)) if grid else 0), f"{title}\n{names}")
    sheet.write(total / 2, 0, "wrong in this run but right in another one", ha="center", fontsize="small")
    axes = sheet.panel(max(0.6, (total - width) / 2), LINE, width, height)
    axes.imshow(counts, cmap=SHADES, vmin=0, vmax=max(1, counts.max()), aspect="auto")
    _number_cells(axes, counts, bright=counts > counts.max() / 2)
    axes.set_yticks(range(len(given)), letters)
    axes.set_xlabel("label")
    if grid:
        grid.draw(sheet, ((total - COLUMNS * STEP) / 2, below), shown, captions)
    return sheet.figure


def variant_mistakes(variants: Sequence[tuple[str, Sequence[Answer], Image]], title: str) -> Figure:
    """Return a row of mistakes for each variant, below its heading."""
    grids = [Grid(image, SMALL_SIDE, IN_A_ROW, 0.85, lines=2) for _, _, image in variants]
    sheet = Sheet(IN_A_ROW * 0.85, sum(LINE + grid.height(1) for grid in grids), title)
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
        outlined = np.pad(picture, 1, constant_values=0.7)  # as paper is white
        for image, side in ((outlined, -1), (x, 1)):
            sheet.image(middle + side * (SIDE / 2 + 0.05), top, image, SIDE, cmap="gray", vmin=0, vmax=1)
        sheet.write(middle, top + SIDE + 0.03, caption, ha="center", fontsize="x-small")
    return sheet.figure


def weights(panels: Mapping[str, Array], names: Sequence[str], image: Image, title: str) -> Figure:
    """Return the incoming weights of n named neurons, at most 100, as images.

    Each state of the network has a panel with the weights, (n, n_in), and a scale of its own.
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
        scale = sheet.panel(left + width / 2 - 1, LINE + height + 0.1, 2, 0.1)
        scale.imshow(np.linspace(-1, 1, 256)[np.newaxis], cmap=SHADES, aspect="auto", extent=(-limit, limit, 0, 1))
        scale.set_yticks([])
        scale.set_xticks([-limit, 0, limit], [f"−{limit:.2g}", "0", f"{limit:.2g}"], fontsize="small")
        scale.set_xlabel("weight", fontsize="small")
    return sheet.figure


def _outputs(answers: Sequence[Answer], title: str) -> Figure:
    """Return the outputs of each example, a row, as shades."""
    outputs = np.array([each.outputs for each in answers])
    classes = outputs.shape[1]
    width, height = _cell(classes) * classes, 0.24 * len(answers)
    heading = f"{title}\nshade: output, bright is strong; circle: label; cross: answer"
    sheet = Sheet(max(6.0, width + 2.8), height + 0.8, heading)
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


def _number_cells(axes: Axes, counts: Counts, *, bright: NDArray[np.bool_]) -> None:
    """Write each nonzero count into its cell, if there is room, and number the classes."""
    classes = counts.shape[1]
    size = min(9.0, 105 * _cell(classes) / len(str(counts.max())))  # points; a digit is 0.6 times as wide
    for (row, column), count in np.ndenumerate(counts) if classes <= MOST_NUMBERED else ():
        if count:
            colour = "black" if bright[row, column] else "white"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)
    _number_classes(axes, classes)
