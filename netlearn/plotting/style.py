"""The common parts of all pictures: axes, labels at the ends of lines, titles and rendering."""

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import figure as mpl_figure
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import Formatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.lib.stride_tricks import sliding_window_view

from netlearn.numerics import Array
from netlearn.plotting import drawing
from netlearn.plotting.marks import GREY, LABEL, readable
from netlearn.text import printable

LETTERS = 11  # of a title in an inch
LEGEND_LETTERS, HANDLE, MOST_COLUMNS = 12, 6, 3  # of a legend, in an inch; the letters that a handle takes
HIGH = 0.9  # accuracy
LEAST_ERROR = 1e-4  # that is drawn
ACCURACIES = (0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.998, 0.999)
GAP = 0.11  # of the height, between ticks
LETTER = 0.085  # inches, of a letter below an axis
MOST_EPOCH_MARKS = 6
MOST_UPDATES = 100_000  # on an axis with every power of ten
LONG = 10  # epochs: what such runs show happens late, and is hidden by a log axis of updates
LABEL_HEIGHT, JOIN = 0.13, 0.15  # inches; from the axes to their labels
LABEL_ROOM = 1.3  # label heights between two lines, for a label to stand between them
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"pil_kwargs": {"compress_level": 3}},  # 7 % more bytes than 6, in two thirds of the time
    "svg": {"metadata": {"Date": None}},
}
FEW_POWERS = 100  # a narrower view has labels between powers of ten
LEAST_PLAIN, MOST_PLAIN = 2e-5, 2e4  # an axis between them has plain numbers, others have powers of ten
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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
    return literal("\n".join(textwrap.wrap(text, int(width), break_on_hyphens=False)))


def plain(axes: Axes) -> None:
    """Give axes a light grid and no box."""
    axes.grid(color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


class _Powers(Formatter):
    """Powers of ten as plain text, and other numbers where few powers of ten are in view.

    matplotlib's own labels are set as mathematics, which takes five times as long.
    """

    def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002 (matplotlib's signature)
        """Return the label of a tick, or ""."""
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        digits, exponent = f"{value:.2e}".split("e")
        if float(digits) != 1 and high >= FEW_POWERS * low:
            return ""
        if low > LEAST_PLAIN and high < MOST_PLAIN:
            return number_text(value)
        power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
        return power if float(digits) == 1 else f"{float(digits):g}×{power}"


class _Decades(LogLocator):
    """Ticks of a log axis at powers of ten, also where no value is above 0 and matplotlib would warn."""

    def nonsingular(self, vmin: float, vmax: float) -> tuple[float, float]:
        """Return the ends of the axis, which differ and are above 0."""
        low, high = super().nonsingular(vmin, vmax) if vmax > 0 else (0.1, 1.0)
        return float(low), float(high)


def log_axis(axes: Axes, label: str) -> None:
    """Set up a vertical log axis with ticks at 1, 2 and 5 times powers of ten, or closer ones in a narrow view."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(_Decades())
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_major_formatter(_Powers())
    axes.yaxis.set_minor_formatter(_Powers())
    axes.set_ylabel(label)


def percent_axis(axes: Axes, label: str) -> None:
    """Set up a vertical axis of fractions from 0 to 1."""
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel(label)


def epoch_axis(panels: Sequence[Axes], last: float) -> None:
    """Set up a shared linear axis of epochs."""
    panels[0].set_xlim(0, last)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel("epochs")


def update_axis(panels: Sequence[Axes], updates_per_epoch: int | None, last: int) -> None:
    """Set up a shared log axis of updates with room for update 0, and mark the ends of epochs 1, 2, 5, 10, ….

    No epochs are marked if `updates_per_epoch` is None, for runs whose epochs differ in length, or if each is an
    update.
    """
    for axes in panels:
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.set_xlim(0, max(1, last))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        if last > MOST_UPDATES:
            axes.set_xticks([0, *(10**power for power in range(1, 10, 2) if 10**power <= last)])
    unit = "full-batch updates" if updates_per_epoch == 1 else "updates (mini-batches)"
    panels[-1].set_xlabel(f"{unit}, log scale")
    if updates_per_epoch is None or updates_per_epoch == 1:
        return
    steps = (1, 2, 5) if last <= MOST_UPDATES else (1,)  # on a longer axis only powers of ten have room
    epochs = [
        step * 10**power for power in range(7) for step in steps if step * 10**power * updates_per_epoch <= last
    ]
    epochs = epochs[-MOST_EPOCH_MARKS:]
    for epoch in epochs:
        for axes in panels:
            axes.axvline(epoch * updates_per_epoch, color=GREY, linewidth=0.6, linestyle=":")
        text, side = (f"epoch {epoch}", "right") if epoch == epochs[0] else (f"{epoch:,}", "center")
        panels[0].annotate(
            text, (epoch * updates_per_epoch, 1), xycoords=panels[0].get_xaxis_transform(), xytext=(0, 2),
            textcoords="offset points", ha=side, va="bottom", color=GREY, fontsize="small",
        )  # fmt: skip


def label_lines(axes: Axes, labels: Iterable[tuple[Line2D, str]], *, inside: bool = False) -> None:
    """Write a text to the right of the axes for each line, as close to its end as it fits and joined to it.

    Texts may also be `inside`, above the lines where these are furthest apart, if they have room. The limits of the
    axes must be set before.
    """
    texts = [(line, textwrap.wrap(text, LABEL + 2, break_on_hyphens=False)) for line, text in labels]
    if not texts:
        return
    bottom, top = (axes.transData.transform((0, y))[1] for y in axes.get_ylim())
    line_height = LABEL_HEIGHT / ((top - bottom) / axes.figure.dpi)
    points = [np.asarray(line.get_xydata()) for line, _ in texts]
    places = [(axes.transData.transform(each)[:, 1] - bottom) / (top - bottom) for each in points]
    if inside and len(lengths := {len(each) for each in places}) == 1 and lengths.pop() > 2:
        around = sliding_window_view(np.sort(places, axis=0), 3, axis=1)  # each place and those beside it
        above = np.vstack([around.min(axis=2)[1:], np.ones(around.shape[1])])
        room = (above - around.max(axis=2)).min(axis=0)
        if room.max() > LABEL_ROOM * line_height:
            for (line, lines), each in zip(texts, points, strict=True):
                place = each[1 + room.argmax()]
                where: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
                halo = [withStroke(linewidth=2, foreground="white")]
                _label(axes, line, lines, place, (0, 2), path_effects=halo, **where)
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
        join["color"] = line.get_color()
        _label(axes, line, lines, end, (1, height), textcoords=beside(axes), va="center", arrowprops=join)


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


def number_text(value: float) -> str:
    """Return a value of a numeric setting as axes show it."""
    return f"{value:,.10g}"


def spaced(values: Iterable[float], fits: Callable[[float, float], bool]) -> list[float]:
    """Return the values that fit after the last one returned, the first one among them."""
    found: list[float] = []
    for value in values:
        if not found or fits(found[-1], value):
            found.append(value)
    return found


def number_axis(axes: Axes, places: Sequence[float], side: float) -> None:
    """Put ticks at the values that have room for it, on a log axis where the values span a power of ten.

    The values of a setting are in ascending order; `side` is the width of the panel and what is beside it, in inches.
    """
    above_0 = [place for place in places if place > 0]
    if min(places) >= 0 and above_0[-1] >= 10 * above_0[0]:
        if places[0] == 0:
            axes.set_xscale("symlog", linthresh=above_0[0], linscale=0.4)
        else:
            axes.set_xscale("log")
    scaled = axes.xaxis.get_transform().transform(np.array(places))
    inches = dict(zip(places, (side - 0.9) * (scaled - scaled[0]) / (scaled[-1] - scaled[0]), strict=True))
    half = {place: LETTER * len(number_text(place)) / 2 for place in places}
    axes.xaxis.set_minor_locator(NullLocator())
    ends = {place: inches[place] + half[place] + LETTER for place in places}
    axes.set_xticks(spaced(places, lambda one, other: inches[other] - half[other] >= ends[one]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))


def accuracy_axis(axes: Axes, label: str, ends: Sequence[float], lowest: float = 0.0) -> None:
    """Set up a vertical axis of accuracies, on a scale that widens towards 100 % where all lines end high."""
    if not ends or min(ends) < HIGH:
        percent_axis(axes, label)
        axes.set_ylim(bottom=math.floor(20 * lowest) / 20)
    else:
        error_scale(axes, lowest, (1 + max(axes.dataLim.y1, *ends)) / 2)
        axes.set_ylabel(f"{label}\n(scale widens towards 100 %)")


def error_scale(axes: Axes, lowest: float, highest: float) -> None:
    """Give a vertical axis of accuracies the scale of the logarithm of the error, 1 − accuracy."""
    least = min(1 - lowest, max(1 - highest, LEAST_ERROR))
    functions = (lambda a: -np.log(np.maximum(1 - a, LEAST_ERROR)), lambda s: 1 - np.exp(-s))
    axes.set_yscale("function", functions=functions)
    axes.set_ylim(lowest, 1 - least)
    axes.yaxis.set_minor_locator(NullLocator())
    gap = GAP * math.log((1 - lowest) / least)
    shown = [accuracy for accuracy in ACCURACIES if lowest <= accuracy <= 1 - least]
    axes.set_yticks(spaced(shown, lambda one, other: math.log((1 - one) / (1 - other)) > gap))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{100 * accuracy:.4g} %"))


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
        columns = int(figure.get_figwidth() * LEGEND_LETTERS / (max(map(len, entries)) + HANDLE))
        columns = max(1, min(MOST_COLUMNS, columns, len(entries)))
        style: dict[str, Any] = {"frameon": False, "fontsize": "small", "handlelength": 3, "ncols": columns}
        figure.legend([*entries.values()], [*map(literal, entries)], loc="outside lower center", **style)


def finish(figure: Figure, title: str) -> Figure:
    """Set the title of a figure, in two lines at most."""
    width = int(LETTERS * figure.get_figwidth())
    first, *rest = [part for line in title.splitlines() for part in textwrap.wrap(line, width)] or [""]
    second = [textwrap.shorten(" ".join(rest), width, placeholder=" …")] if len(rest) > 1 else rest
    figure.suptitle(literal("\n".join([first, *second])), fontsize="medium")
    return figure
