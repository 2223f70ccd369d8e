"""Reliability diagrams: how often what a network gives a probability p does happen."""

from collections.abc import Mapping

from netlearn.numerics import Array
from netlearn.plotting.marks import BLUE, GREY, ORANGE
from netlearn.plotting.style import Figure, finish, log_axis, plain


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
