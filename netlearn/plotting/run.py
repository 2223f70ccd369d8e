"""The pictures of one run and of one data set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from netlearn.datasets import Dataset
from netlearn.datasets.augmentation import make_deformer
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.plotting.sheet import Grid, Sheet
from netlearn.plotting.style import BLUE, ORANGE, Figure, literal, percent_axis, plain, update_axis
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
