"""Measures how the time of training grows with hidden units, depth, mini-batch and training-set size.

All in this process, as the rounds of one run; the picture is docs/performance.png.
"""

import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from netlearn.datasets import Dataset, targets
from netlearn.network import Network
from netlearn.numerics import blas, columns, numerics
from netlearn.plotting.marks import BLUE, ORANGE
from netlearn.plotting.style import plain
from netlearn.training import Batches, Trainer

HIDDEN, DEPTHS = (10, 30, 100, 300), (1, 2, 3, 4)
BATCHES, SIZES = (1, 10, 100, 1000), (1_000, 5_000, 10_000, 20_000, 50_000)
EXAMPLES = 50_000  # at least, learned from in each measurement
Point = tuple[tuple[int, ...], int, int]  # hidden layers, mini-batch, training examples


def points(examples: int) -> dict[str, list[Point]]:
    """Return the points to measure for each question, with at most that many training examples."""
    return {
        "hidden neurons": [((n,), 10, examples) for n in HIDDEN],
        "hidden layers of 30": [((30,) * depth, 10, examples) for depth in DEPTHS],
        "mini-batch": [((30,), batch, examples) for batch in BATCHES],
        "training examples": [((30,), 10, size) for size in SIZES if size <= examples],
    }


def seconds_of_a_step(data: Dataset, point: Point) -> float:
    """Return the seconds of a step, measured over `EXAMPLES` examples or more."""
    hidden, batch, size = point
    some = data.with_train_size(size)
    network = Network([data.train.x.shape[1], *hidden, data.outputs], rng=np.random.default_rng(0))
    trainer = Trainer(
        network, some, epochs=-(-EXAMPLES // size), batch_size=batch, learning_rate=0.1,
        rng=np.random.default_rng(0), probe_every=1000,
    )  # fmt: skip
    for _ in trainer:
        pass
    return trainer.seconds / trainer.update


def seconds_of_the_products(sizes: Sequence[int], batch: int) -> float:
    """Return the seconds of the matrix products of a step alone, layer by layer."""
    rng = np.random.default_rng(0)
    gemm, _ = blas(np.float32)
    total, times_each = 0.0, max(10, 5_000 // batch)
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        w_t, x, z, below = (
            columns(*shape, np.float32) for shape in ((n_in, n_out), (n_in, batch), (n_out, batch), (n_in, batch))
        )
        for array in (w_t, x):
            array[:] = rng.random(array.shape)
        times = []
        for _ in range(9):
            begun = perf_counter()
            for _ in range(times_each):
                gemm(1.0, w_t, x, 0.0, z, 1, 0, 1)
                gemm(1e-9, x, z, 1.0, w_t, 0, 1, 1)
                if layer:
                    gemm(1.0, w_t, z, 0.0, below, 0, 0, 1)
            times.append((perf_counter() - begun) / times_each)
        total += statistics.median(times)
    return total


def parts_of_a_step(data: Dataset, hidden: int, batch: int, step: float) -> dict[str, float]:
    """Return the seconds of a step of one hidden layer, which are given: its products, gathering, and the rest."""
    sizes = (data.train.x.shape[1], hidden, data.outputs)
    batches = Batches(data.train.x, targets(data.train.labels, data.outputs), batch, np.random.default_rng(0))
    with numerics():
        products = seconds_of_the_products(sizes, batch)
        begun, done = perf_counter(), 0
        while done < batches.per_epoch:
            done += len(batches.between(done, batches.per_epoch))
        gathering = (perf_counter() - begun) / done
    parts = {"products": products, "gathering": gathering}
    return {"the step": step, **parts, "the rest": step - sum(parts.values())}


def parts_section(data: Dataset, rounds: int, steps: Mapping[tuple[int, int], float]) -> str:
    """Return the page's section on where the time of a step goes.

    Args:
        data: the examples.
        rounds: how often to measure.
        steps: the seconds of a step, by hidden neurons and mini-batch.
    """
    lines = [
        "## Where a step's time goes\n",
        "In µs, one thread. Products, which add to the weights in place, and gathering are timed alone; the rest is",
        "some twenty calls of numpy, 0.2 to 1 µs each for arrays this small, and Python between them. The floor has",
        "no such calls: it does in one loop what is done element by element.\n",
    ]
    rows = {
        network: [parts_of_a_step(data, *network, step) for _ in range(rounds)] for network, step in steps.items()
    }
    for (hidden, batch), found in rows.items():
        middle = {part: 1e6 * statistics.median(row[part] for row in found) for part in found[0]}
        if not lines[-1].startswith("|"):
            lines += [f"| network | {' | '.join(middle)} |", "|---|" + "---:|" * len(middle)]
        cells = " | ".join(f"{value:.1f}" for value in middle.values())
        lines.append(f"| 784-{hidden}-10, mini-batch {batch} | {cells} |")
    return "\n".join([*lines, ""])


def measure(
    data: Dataset, rounds: int, known: Mapping[tuple[int, int], float]
) -> dict[str, list[tuple[Point, float, float]]]:
    """Return for each question its points, each with the medians of the seconds of a step and of its products.

    A step of one hidden layer on all examples that is `known`, by hidden neurons and mini-batch, is not timed again.
    """
    asked = points(len(data.train))
    steps: dict[Point, list[float]] = {point: [] for row in asked.values() for point in row}
    products: dict[Point, list[float]] = {point: [] for point in steps}
    for _ in range(rounds):
        for point, times in steps.items():
            (hidden, *more), batch, size = point
            again = more or size < len(data.train) or (hidden, batch) not in known
            times.append(seconds_of_a_step(data, point) if again else known[hidden, batch])
            sizes = (data.train.x.shape[1], *point[0], data.outputs)
            with numerics():
                products[point].append(seconds_of_the_products(sizes, point[1]))
    median = statistics.median
    return {
        question: [(point, median(steps[point]), median(products[point])) for point in row]
        for question, row in asked.items()
    }


def value_of(question: str, point: Point) -> int:
    """Return the value that the question varies."""
    hidden, batch, size = point
    values = {"hidden neurons": hidden[0], "hidden layers of 30": len(hidden), "mini-batch": batch}
    return values.get(question, size)


def section(measured: dict[str, list[tuple[Point, float, float]]]) -> str:
    """Return the page's section."""
    lines = [
        "## How time grows\n",
        "The network is 784-30-10 with mini-batches of 10 unless the first column says otherwise; one thread. The",
        "products are the matrix products of all layers, timed alone; the rest is gathering the examples, what is",
        "done element by element, and calling numpy.\n",
        "![Time of a step against hidden neurons, depth and mini-batch; of an epoch against training examples]"
        "(performance.png)\n",
    ]
    for question, row in measured.items():
        lines += [
            f"| {question} | µs per step | in matrix products | in the rest | s an epoch |",
            "|---:|---:|---:|---:|---:|",
        ]
        for point, step, products in row:
            epoch = step * -(-point[2] // point[1])
            numbers = f"{1e6 * step:.1f} | {1e6 * products:.1f} | {1e6 * (step - products):.1f} | {epoch:.3f}"
            lines.append(f"| {value_of(question, point):,} | {numbers} |")
        lines.append("")
    sizes = [(point[2], step * point[2] / point[1]) for point, step, _ in measured["training examples"]]
    each = [epoch / size for size, epoch in sizes]
    lines.append(
        f"For each training example an epoch takes {1e6 * min(each):.2f} to {1e6 * max(each):.2f} µs, whatever their "
        f"number: the largest is {100 * (max(each) / min(each) - 1):.0f} % above the smallest. What an epoch of few "
        "examples saves is in gathering them, as long as the processor's caches hold them all.\n"
    )
    return "\n".join(lines)


def picture(measured: dict[str, list[tuple[Point, float, float]]]) -> Figure:
    """Return the four panels."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    grid: Any = figure.subplots(2, 2).ravel()
    for axes, (question, row) in zip(grid, measured.items(), strict=True):
        x = [value_of(question, point) for point, *_ in row]
        whole = question == "training examples"
        scale = [-(-point[2] // point[1]) if whole else 1e6 for point, *_ in row]
        steps = [step * s for (_, step, _), s in zip(row, scale, strict=True)]
        products = [product * s for (_, _, product), s in zip(row, scale, strict=True)]
        axes.plot(x, steps, "o-", color=BLUE, label="the step")
        axes.plot(x, products, "s--", color=ORANGE, label="of which matrix products")
        if question != "hidden layers of 30":
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.set_xticks(x, [f"{value:,}" for value in x], minor=False)
        axes.set_xticks([], minor=True)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        log = ", log scale" if axes.get_xscale() == "log" else ""
        axes.set_xlabel(f"{question}{log}")
        axes.set_ylabel(f"{'seconds an epoch' if whole else 'µs per step'}{log}")
        if question == "hidden layers of 30":
            axes.set_ylim(bottom=0)
        plain(axes)
    figure.suptitle("784-30-10, mini-batch 10, unless the axis says otherwise; one thread", fontsize="medium")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure
