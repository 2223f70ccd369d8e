"""Measures what optimizers and deformed digits cost: a section of docs/performance.md.

`python -m scripts.remedies` prints the section alone, in a minute.
"""

import statistics
from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time, thread_time

import click
import numpy as np
from numpy import add, divide, multiply, sqrt

from netlearn import datasets
from netlearn.datasets import Dataset, targets
from netlearn.datasets.augmentation import AUGMENTATIONS, make_deformer
from netlearn.network import Network
from netlearn.numerics import Array, axpy, numerics
from netlearn.optimizers import OPTIMIZERS
from netlearn.settings import AUGMENT
from netlearn.training import Augmentation, Trainer

HIDDEN, BATCH, STEPS = 100, 10, 200
ETA, MU, EPSILON = 1e-6, 0.9, 1e-8


def passes(name: str, w: Array, g: Array, v: Array, m: Array, eta: float = ETA) -> None:
    """Do what an optimizer does element by element, over weights, gradient and two vectors of state."""
    if name in {"momentum", "nesterov"}:
        multiply(v, MU, v)
        axpy(-eta, g, v)
        add(w, v, w)
    if name == "nesterov":
        axpy(-eta, g, w)
    if name == "adam":
        multiply(m, MU, m)
        axpy(1 - MU, g, m)
    if name in {"adam", "rmsprop"}:
        multiply(v, MU, v)
        axpy(1 - MU, multiply(g, g, g), v)
        add(sqrt(v, g), EPSILON, g)
        axpy(-eta, divide(m, g, g), w)
    if name == "adam":
        multiply(g, 1.0, g)  # its correction of v


def seconds_of_steps(data: Dataset, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the CPU seconds of each optimizer's step and of its bare passes, medians of interleaved rounds."""
    x, y = data.train.x[:BATCH].T.copy(), targets(data.train.labels[:BATCH], data.outputs).T.astype(np.float32)
    sizes = [len(x), HIDDEN, data.outputs]
    work: dict[tuple[str, str], Callable[[], object]] = {}
    for name, optimizer in OPTIMIZERS.items():
        step = optimizer(Network(sizes, rng=np.random.default_rng(0)), ETA).step
        w, g, v, m = (np.ones(Network(sizes).parameters.vector.size, np.float32) for _ in range(4))
        work[name, "step"] = partial(step, x, y)
        work[name, "passes"] = partial(passes, name, w, g, v, m)
    times: dict[tuple[str, str], list[float]] = {key: [] for key in work}
    with numerics():
        for _ in range(rounds):
            for key, call in work.items():
                begun = thread_time()
                for _ in range(STEPS):
                    call()
                times[key].append((thread_time() - begun) / STEPS)
    median = {key: statistics.median(found) for key, found in times.items()}
    return {name: (median[name, "step"], median[name, "passes"]) for name in OPTIMIZERS}


def seconds_of_epochs(data: Dataset, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the seconds and the CPU seconds of an epoch for each deformation, medians of interleaved rounds."""
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in AUGMENT}
    deformers = {kind: make_deformer(kind, data.image) for kind in AUGMENTATIONS} if data.image else {}
    for _ in range(rounds):
        for kind, found in times.items():
            network = Network([data.train.x.shape[1], HIDDEN, data.outputs], rng=np.random.default_rng(0))
            augmentation = Augmentation(kind, deformers[kind], 0) if kind in deformers else None
            trainer = Trainer(
                network, data, epochs=1, batch_size=BATCH, learning_rate=0.1, rng=np.random.default_rng(0),
                augmentation=augmentation,
            )  # fmt: skip
            wall, cpu = perf_counter(), process_time()
            with numerics():
                for _ in trainer.descent:  # without its probes
                    pass
            found.append((perf_counter() - wall, process_time() - cpu))
    return {
        kind: (statistics.median(wall for wall, _ in found), statistics.median(cpu for _, cpu in found))
        for kind, found in times.items()
    }


def section(data: Dataset, rounds: int) -> str:
    """Measure, and return the page's section."""
    steps, epochs = seconds_of_steps(data, 10 * rounds), seconds_of_epochs(data, rounds)
    plain, (wall, cpu) = steps["sgd"][0], epochs["none"]
    lines = [
        "## What optimizers and deformed digits cost\n",
        f"784-{HIDDEN}-10, mini-batch {BATCH}. Each optimizer's step, beside the sum of sgd's and of its own bare",
        "passes over the vector of all parameters, timed alone. CPU time, medians of interleaved rounds.\n",
        "| optimizer | µs per step | its passes, µs | the step / (sgd + passes) |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {1e6 * step:.1f} | {1e6 * passes:.1f} | {step / (plain + passes):.2f} |"
            for name, (step, passes) in steps.items()
        ),
        "",
        f"An epoch of {len(data.train):,} images, each deformed anew, beside one of plain images. Two more threads",
        "deform them, while the network waits; the CPU time is that of all threads.\n",
        "| images | s an epoch | / none | CPU s an epoch | / none |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {kind} | {own:.3f} | {own / wall:.2f} | {both:.3f} | {both / cpu:.2f} |"
            for kind, (own, both) in epochs.items()
        ),
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=5, show_default=True)
def main(rounds: int) -> None:
    """Measure, and print the section."""
    click.echo(section(datasets.load("auto"), rounds))


if __name__ == "__main__":
    main()
