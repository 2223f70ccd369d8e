"""A figure laid out in inches, so that no text is cut off however much it holds; and data sets in such figures."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes

from netlearn.datasets import Dataset
from netlearn.datasets.augmentation import make_deformer
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.plotting.style import Figure, literal

Image: TypeAlias = tuple[int, int]  # height and width in pixels
MARGIN, LINE, SMALL_LINE = 0.15, 0.18, 0.14  # around the figure; a line of the title and of a small text
PER_INCH = 11  # characters of the title


class Sheet:
    """A figure below a title; (0, 0) is the upper left corner of its content.

    Args:
        width, height: of the content.
        title: its lines are wrapped to the width.

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
    """A grid of examples as images, each above its caption.

    Args:
        image: height and width in pixels.
        side: the longer side of an image, in inches.
        columns: images side by side.
        right: distance from one image to the next, in inches.
        lines: number of lines of a caption.
        gap: below a caption, in inches.
    """

    def __init__(
        self, image: Image, side: float, columns: int, right: float, *, lines: int, gap: float = SMALL_LINE
    ) -> None:
        self.image = image
        self.side = side
        self.columns = columns
        self.right = right
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


def examples(data: Dataset, rows: int = 5, columns: int = 10) -> Figure:
    """Return the first training examples of a set of images, each above its label.

    Raises:
        DataError: they are not images.
    """
    if data.image is None:
        raise DataError(f"{data.name}: its examples must be images")
    some = data.train.first(rows * columns)
    grid = Grid(data.image, side=0.6, columns=columns, right=0.7, lines=1)
    title = f"{Path(data.name).name}: the first {len(some)} of {len(data.train):,} training examples"
    sheet = Sheet(columns * grid.right, grid.height(len(some)), title)
    grid.draw(sheet, (0, 0), list(some.x), list(map(str, some.labels)))
    return sheet.figure


def deformations(data: Dataset, kind: str, times: int = 4, columns: int = 10) -> Figure:
    """Return the first training images of a set, each above random deformations of the kind that `augment` names.

    Raises:
        DataError: the examples are not images.
    """
    if data.image is None:
        raise DataError(f"{data.name}: its examples must be images")
    some = data.train.first(columns)
    deformer, rng = make_deformer(kind, data.image, some.x.dtype), np.random.default_rng(0)
    grid = Grid(data.image, side=0.6, columns=columns, right=0.7, lines=0)
    rows = [some.x, *(deformer.deform(some.x, rng, np.empty_like(some.x)) for _ in range(times))]
    title = f"{Path(data.name).name}: {len(some)} training examples, each above {times} of its deformations ({kind})"
    sheet = Sheet(columns * grid.right, len(rows) * grid.height(1), title)
    for number, row in enumerate(rows):
        grid.draw(sheet, (0, number * grid.height(1)), list(row), [""] * len(row))
    return sheet.figure
