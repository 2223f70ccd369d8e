"""Pictures: from what was recorded or loaded to matplotlib figures. Nothing else imports matplotlib.

The colours are Okabe and Ito's, which colour-blind readers tell apart; lines differ in their dashes as well, so the
pictures survive being printed in grey.
"""

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from netlearn.datasets import Dataset
from netlearn.errors import DataError
from netlearn.training import Record

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
MOST_EPOCH_MARKS = 6


def render(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a "png" or "svg" file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "netlearn"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def curves(records: Sequence[Record], updates_per_epoch: int, title: str) -> Figure:
    """Return the learning curves of one run: cost above, accuracy below, against updates on a log axis."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    updates = [record.update for record in records]
    lines = []
    for axes, quantity in ((cost, "cost"), (accuracy, "accuracy")):
        for part, label, colour, dashes in (
            ("train", "training set (its first 1,000 examples)", BLUE, "-"),
            ("validation", "validation set", ORANGE, "--"),
        ):
            values = [getattr(record, f"{part}_{quantity}") for record in records]
            lines += axes.plot(updates, values, dashes, color=colour, label=label, linewidth=2)
        axes.grid(color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    cost.set_ylabel("mean cost per example")
    cost.set_ylim(bottom=0)
    accuracy.set_ylabel("classified correctly")
    accuracy.set_ylim(0, 1.02)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    accuracy.set_xlabel("updates (mini-batches), log scale")
    _update_axis(accuracy, updates[-1])
    _mark_epochs((cost, accuracy), updates_per_epoch, updates[-1])
    figure.suptitle(title, fontsize="medium")
    figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
    return figure


def _update_axis(axes: Axes, last: int) -> None:
    """Lay out a log axis that has room for update 0."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    axes.set_xlim(0, max(1, last) * 1.05)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _mark_epochs(panels: Sequence[Axes], updates_per_epoch: int, last: int) -> None:
    """Draw a thin line at the end of epochs 1, 2, 5, 10, … and name them above the first panel."""
    series = [step * 10**power for power in range(7) for step in (1, 2, 5)]
    epochs = [epoch for epoch in series if epoch * updates_per_epoch <= last][-MOST_EPOCH_MARKS:]
    for axes in panels:
        for epoch in epochs:
            axes.axvline(epoch * updates_per_epoch, color=GREY, linewidth=0.6, linestyle=":")
    for epoch in epochs:
        panels[0].annotate(
            f"epoch {epoch}" if epoch == epochs[0] else f"{epoch:,}",
            (epoch * updates_per_epoch, 1),
            xycoords=panels[0].get_xaxis_transform(),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right" if epoch == epochs[0] else "center",
            va="bottom",
            color=GREY,
            fontsize="small",
        )


def examples(data: Dataset, rows: int = 5, columns: int = 10) -> Figure:
    """Return a grid of the first training examples of a set of pictures, each under its label."""
    if data.image is None:
        raise DataError(f"{data.name}: its examples are no pictures")
    count = min(rows * columns, len(data.train))
    rows = -(-count // columns)
    figure = Figure(figsize=(7, 0.85 * rows + 0.6), layout="constrained")
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, x, label in zip(grid, data.train.x[:count], data.train.labels, strict=False):
        axes.imshow(x.reshape(data.image), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(str(label), fontsize="small", pad=2)
    figure.suptitle(f"{data.name}: the first {count} of {len(data.train):,} training examples", fontsize="medium")
    return figure
