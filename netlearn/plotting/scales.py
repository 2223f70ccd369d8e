"""The axes of pictures: updates and epochs, accuracies, numbers and powers of ten."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from netlearn.plotting.marks import GREY

HIGH = 0.9  # accuracy
LEAST_ERROR = 1e-4  # that is drawn
ACCURACIES = (0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.998, 0.999)
GAP = 0.11  # of the height, between ticks
LETTER = 0.085  # inches, of a letter below an axis
MOST_EPOCH_MARKS = 6
MOST_UPDATES = 100_000  # on an axis with every power of ten
LONG = 10  # epochs: what such runs show happens late, and is hidden by a log axis of updates
WIDE = 8  # times the lowest value: a narrower view of a log axis has more ticks
FEW_POWERS = 100  # a narrower view has labels between powers of ten
LEAST_PLAIN, MOST_PLAIN = 2e-5, 2e4  # an axis between them has plain numbers, others have powers of ten
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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


class _Between(LogLocator):
    """Ticks of a log axis between powers of ten: at 2 and 5 times these, at more in a view of less than one."""

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Return the places of the ticks from one value to another."""
        self.set_params(subs=(2, 5) if vmax >= WIDE * vmin else (1.5, 2, 3, 4, 5, 7))
        return super().tick_values(vmin, vmax)


def log_axis(axes: Axes, label: str) -> None:
    """Set up a vertical log axis with ticks at powers of ten and between them."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(_Decades())
    axes.yaxis.set_minor_locator(_Between())
    axes.yaxis.set_major_formatter(_Powers())
    axes.yaxis.set_minor_formatter(_Powers())
    axes.set_ylabel(label)


def percent() -> Formatter:
    """Return what writes fractions as percentages, with the decimals that they have."""
    return FuncFormatter(lambda fraction, _: f"{100 * fraction:.4g} %")


def percent_axis(axes: Axes, label: str) -> None:
    """Set up a vertical axis of fractions from 0 to 1."""
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(percent())
    axes.set_ylabel(label)


def epoch_axis(panels: Sequence[Axes], last: float, most: int = 10) -> None:
    """Set up a shared linear axis of epochs, with ticks for so many steps at most."""
    panels[0].set_xlim(0, last)
    panels[-1].xaxis.set_major_locator(MaxNLocator(most, integer=True))
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
    axes.yaxis.set_major_formatter(percent())
