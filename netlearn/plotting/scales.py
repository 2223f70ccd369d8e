"""The axes of pictures of sweeps: values of a setting, and accuracies that are close together."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from netlearn.plotting.factors import number_text

LETTER = 0.085  # inches, of a letter below an axis
ACCURACIES = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)  # with ticks
GAP = 0.12  # of the height, between ticks
LEAST_ERROR = 1e-4  # that is drawn


def number_axis(axes: Axes, places: Sequence[float], side: float) -> None:
    """Put ticks at the values that have room for it, on a log axis where the values span a power of ten.

    Args:
        axes: with the values of a setting from left to right.
        places: the values, in ascending order.
        side: the width of the panel in inches, with the numbers beside it.
    """
    above_0 = [place for place in places if place > 0]
    if min(places) >= 0 and above_0[-1] >= 10 * above_0[0]:
        if places[0] == 0:
            axes.set_xscale("symlog", linthresh=above_0[0], linscale=0.4)
        else:
            axes.set_xscale("log")
    scaled = axes.xaxis.get_transform().transform(np.array(places))
    span = float(scaled[-1] - scaled[0])
    ticks, end = [], -math.inf
    for place, at in zip(places, (side - 0.9) * (scaled - scaled[0]) / span, strict=True):
        half = LETTER * len(number_text(place)) / 2
        if at - half >= end:
            ticks.append(place)
            end = at + half + LETTER
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))


def error_axis(axes: Axes, label: str) -> None:
    """Set up a vertical axis of errors, downward on a log scale with accuracies as ticks; the limits must be set."""
    axes.set_yscale("log")
    low, high = sorted(axes.get_ylim())
    axes.set_ylim(high, low)
    axes.yaxis.set_minor_locator(NullLocator())
    ticks = [high * math.e]
    for error in (1 - accuracy for accuracy in ACCURACIES):
        if low <= error <= min(high, ticks[-1] / (high / low) ** GAP):
            ticks.append(error)
    axes.set_yticks(ticks[1:])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g} %"))
    axes.set_ylabel(label)
