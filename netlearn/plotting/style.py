"""The common parts of all pictures: axes, labels at the ends of lines, titles and rendering."""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import figure as mpl_figure
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.lib.stride_tricks import sliding_window_view

from netlearn.numerics import Array
from netlearn.plotting import drawing
from netlearn.plotting.marks import LABEL, in_words, readable
from netlearn.text import printable

LETTERS = 11  # of a title in an inch
LEGEND_LETTERS, HANDLE, MOST_COLUMNS = 12, 6, 3  # of a legend, in an inch; the letters that a handle takes
LEGEND_ROW, USUAL_ROWS = 0.19, 3  # inches; of a legend that has room in every figure
FAR = 0.97  # of an axis: a line that ends before has a dotted line to its label
LABEL_HEIGHT, JOIN = 0.13, 0.15  # inches; from the axes to their labels
UNDER = 5
LABEL_ROOM = 1.3  # label heights between two lines, for a label to stand between them
NO_BREAK = "\u00a0"
HALO = [withStroke(linewidth=2, foreground="white")]  # of a text on lines
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"pil_kwargs": {"compress_level": 3}},  # 7 % more bytes than 6, in two thirds of the time
    "svg": {"metadata": {"Date": None}},
}


class Figure(mpl_figure.Figure):
    """A figure that notebooks show by themselves, without pyplot or a magic line."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


class ShownAxes(Axes):
    """Axes that notebooks show by themselves, as their figure."""

    def _repr_png_(self) -> bytes:
        return render(self.get_figure(root=True), "png")  # type: ignore[arg-type]


def shown_axes() -> ShownAxes:
    """Return the axes of a new figure that has no others."""
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = ShownAxes(figure, 111)
    figure.add_subplot(axes)
    return axes


def render(figure: mpl_figure.Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a "png" or "svg" file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with drawing(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format=kind, dpi=150, **FORMATS[kind])
    return buffer.getvalue()


def render_files(name: str, figure: mpl_figure.Figure) -> dict[str, bytes]:
    """Return a figure as .png and .svg, by the names of the files; the layout of both is that of the .png."""
    png = render(figure, "png")
    figure.set_layout_engine("none")  # it takes an eighth of the time to compute it again
    return {f"{name}.png": png, f"{name}.svg": render(figure, "svg")}


def literal(text: str) -> str:
    """Return a user's text so that matplotlib draws it as it is: no mathematics, no control characters.

    A name that begins with "_" would be left out of legends; an invisible character before it prevents that.
    """
    text = printable(text).replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def wrapped(text: str, width: float) -> str:
    """Return a user's text in lines of at most that many characters, as `literal` does."""
    return literal("\n".join(textwrap.wrap(in_words(text), int(width), break_on_hyphens=False)))


def plain(axes: Axes) -> None:
    """Give axes a light grid and no box."""
    axes.grid(color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def label_lines(axes: Axes, labels: Iterable[tuple[Line2D, str]], *, inside: bool = False) -> None:
    """Write a text to the right of the axes for each line, as close to its end as it fits and joined to it.

    Texts may also be `inside`, above the lines where these are furthest apart, if they have room. The limits of the
    axes must be set before.
    """
    texts = [(line, textwrap.wrap(in_words(text), LABEL + 2, break_on_hyphens=False)) for line, text in labels]
    if not texts:
        return
    bottom, top = (axes.transData.transform((0, y))[1] for y in axes.get_ylim())
    line_height = LABEL_HEIGHT / ((top - bottom) / axes.figure.dpi)
    points = [_drawn_points(axes, line) for line, _ in texts]
    places = [(axes.transData.transform(each)[:, 1] - bottom) / (top - bottom) for each in points]
    if inside and len(lengths := {len(each) for each in places}) == 1 and (count := lengths.pop()) > 2:
        under = UNDER if count > 2 * UNDER else 3  # places of a line below a text
        around = sliding_window_view(np.sort(places, axis=0), under, axis=1)
        above = np.vstack([around.min(axis=2)[1:], np.ones(around.shape[1])])
        room = (above - around.max(axis=2)).min(axis=0)
        if room.max() > LABEL_ROOM * line_height:
            first = room.argmax()
            for (line, lines), each in zip(texts, points, strict=True):
                place = each[first + under // 2, 0], each[first : first + under, 1].max()
                where: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
                _label(axes, line, lines, place, (0, 2), path_effects=HALO, **where)
            return
    ends = np.clip(np.array([each[-1] for each in places]), 0, 1)  # 0 is far below a log axis
    order = ends.argsort(kind="stable")
    sizes = np.array([line_height * max(1, len(texts[place][1])) for place in order])
    below = np.cumsum(sizes) - (sizes[0] + sizes) / 2  # what the labels below take
    heights = np.minimum(np.maximum(ascending(ends[order] - below), 0), 1.02 - below[-1]) + below
    for height, place in zip(heights, order, strict=True):
        (line, lines), (x, y) = texts[place], points[place][-1]
        end = x, float(np.clip(y, *axes.get_ylim()))
        join: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.7, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 0}
        join |= {"color": line.get_color(), "linestyle": ":" if x < FAR * axes.get_xlim()[1] else "-"}
        _label(axes, line, lines, end, (1, height), textcoords=beside(axes), va="center", arrowprops=join)


def _drawn_points(axes: Axes, line: Line2D) -> Array:
    """Return the points of a line that can be drawn, (n, 2); at least one, at the lower right if there is none."""
    points = np.asarray(line.get_xydata(), np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    return points if len(points) else np.array([[axes.get_xlim()[1], axes.get_ylim()[0]]])


def beside(axes: Axes) -> Transform:
    """Return the fractions of the axes as coordinates whose 1 is where the labels at the right begin."""
    return axes.transAxes + ScaledTranslation(JOIN, 0, axes.get_figure(root=True).dpi_scale_trans)  # type: ignore[union-attr]


def _label(axes: Axes, line: Line2D, lines: Sequence[str], end: Any, place: Any, **where: Any) -> None:
    text: dict[str, Any] = {"color": readable(str(line.get_color())), "fontsize": "small", "linespacing": 1}
    axes.annotate(literal("\n".join(lines)), end, place, annotation_clip=False, **text, **where)


def ascending(values: Array) -> Array:
    """Return the ascending numbers that are nearest to the given ones, (n,), by pooling adjacent violators."""
    pools: list[tuple[float, int]] = []  # means, and of how many
    for value in values:
        mean, count = float(value), 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        pools.append((mean, count))
    return np.repeat([mean for mean, _ in pools], [count for _, count in pools])


def tiled(
    count: int, size: tuple[float, float], around: tuple[float, float], columns: int = 0, **shared: Any
) -> tuple[Figure, list[Axes], int]:
    """Return a figure with panels in rows, near a square unless there are columns; the panels, and their columns.

    The last panels, as many as there are columns, have nothing below. `size` is that of a panel and `around` what is
    beside and above all panels, in inches.
    """
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(size[0] * columns + around[0], size[1] * rows + around[1]), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **shared).ravel().tolist()
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels[:count], columns


def legend_below(figure: Figure, entries: Mapping[str, Artist]) -> None:
    """Add a legend without a frame below all panels, in as many columns as have room; none without entries."""
    if entries:
        entries = {in_words(text): artist for text, artist in entries.items()}
        columns = int(figure.get_figwidth() * LEGEND_LETTERS / (max(map(len, entries)) + HANDLE))
        columns = max(1, min(MOST_COLUMNS, columns, len(entries)))
        rows = math.ceil(len(entries) / columns)
        figure.set_figheight(figure.get_figheight() + LEGEND_ROW * max(0, rows - USUAL_ROWS))
        style: dict[str, Any] = {"frameon": False, "fontsize": "small", "handlelength": 3, "ncols": columns}
        figure.legend([*entries.values()], [*map(literal, entries)], loc="outside lower center", **style)


def finish(figure: Figure, title: str) -> Figure:
    """Set the title of a figure, in two lines at most."""
    width = int(LETTERS * figure.get_figwidth())
    whole = re.sub(r"\([^()]{,60}\)", lambda found: found[0].replace(" ", NO_BREAK), in_words(title))
    first, *rest = [part for line in whole.splitlines() for part in textwrap.wrap(line, width)] or [""]
    second = [textwrap.shorten(" ".join(rest), width, placeholder=" …")] if len(rest) > 1 else rest
    figure.suptitle(literal("\n".join([first, *second]).replace(NO_BREAK, " ")), fontsize="medium")
    return figure
