"""The pictures of one run and of one data set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from netlearn.datasets import Dataset
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.plotting.style import BLUE, ORANGE, literal, percent_axis, plain, update_axis
from netlearn.slowdown import PROBE_EXAMPLES


def curves(metrics: Mapping[str, Array], updates_per_epoch: int, title: str, train_size: int) -> Figure:
    """Return the learning curves of one run: cost above, accuracy below, against updates on a log axis.

    `metrics` are the columns of its metrics.csv.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    lines = []
    first = f" (its first {PROBE_EXAMPLES:,} examples)" if train_size > PROBE_EXAMPLES else ""
    for axes, quantity in ((cost, "cost"), (accuracy, "accuracy")):
        for part, label, colour, dashes in (
            ("train", f"training set{first}", BLUE, "-"),
            ("validation", "validation set", ORANGE, "--"),
        ):
            values = metrics[f"{part}_{quantity}"]
            lines += axes.plot(metrics["update"], values, dashes, color=colour, label=label, linewidth=2)
        plain(axes)
    cost.set_ylabel("mean cost per example")
    cost.set_ylim(bottom=min(0, *cost.get_ylim()))
    percent_axis(accuracy, "classified correctly")
    update_axis((cost, accuracy), updates_per_epoch, int(metrics["update"][-1]))
    figure.suptitle(literal(title), fontsize="medium")
    figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
    return figure


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
    brightest = float(data.train.x[:count].max())
    for axes, x, label in zip(grid, data.train.x[:count], data.train.labels, strict=False):
        axes.imshow(x.reshape(data.image), cmap="gray_r", vmin=0, vmax=brightest)
        axes.set_title(str(label), fontsize="small", pad=2)
    figure.suptitle(
        literal(f"{Path(data.name).name}: the first {count} of {len(data.train):,} training examples"),
        fontsize="medium",
    )
    return figure
