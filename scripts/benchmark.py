"""Times netlearn beside a plain per-example loop, in interleaved rounds on the same data: `make bench`.

The loop is the tests' reference, the book's equations in float64 with one example at a time. It is timed for its
training alone, one epoch a round. netlearn is timed twice: its training alone, and a whole 30-epoch run of the
default network with its probes, evaluation, run folder and figure, divided by the 30 epochs.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from netlearn import datasets
from netlearn.launch import make_trainer
from netlearn.settings import resolve
from tests.reference import ReferenceNetwork

ROUNDS = 3
EPOCHS = 30
SETTINGS = resolve({"data": "auto"})


def time_loop(data: datasets.Dataset) -> float:
    """Return the seconds that the per-example loop trains for one epoch."""
    network = make_trainer(SETTINGS, data).network
    slow = ReferenceNetwork(network.weights, network.biases, SETTINGS.cost, SETTINGS.activation)
    x, y = data.train.x.astype(np.float64), datasets.targets(data.train.labels, data.outputs).astype(np.float64)
    order = np.random.default_rng(0).permutation(len(x))
    begun = perf_counter()
    for first in range(0, len(x), SETTINGS.batch_size):
        rows = order[first : first + SETTINGS.batch_size]
        slow.update_mini_batch(x[rows], y[rows], eta=SETTINGS.learning_rate or 0, lmbda=0.0, n=len(x))
    return perf_counter() - begun


def time_run(data: datasets.Dataset) -> tuple[float, float]:
    """Return the seconds per epoch of a whole `netlearn train`, Python's start included, and of its training."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "netlearn", "train", "--data", data.name, "--epochs", str(EPOCHS), "--json"]
        begun = perf_counter()
        result = subprocess.run(  # noqa: S603 (the command is our own)
            [*command, "-q", "--out", f"{folder}/run"], check=True, capture_output=True
        )
        whole = perf_counter() - begun
    return whole / EPOCHS, json.loads(result.stdout)["training_seconds"] / EPOCHS


def main() -> None:
    """Time both in turn and print medians, spreads and ratios."""
    data = datasets.load(SETTINGS.data)
    times: dict[str, list[float]] = {"per-example loop": [], "netlearn, whole run": [], "netlearn, training": []}
    for _ in tqdm(range(ROUNDS), unit=" rounds", disable=None):
        with threadpool_limits(1, "blas"):
            times["per-example loop"].append(time_loop(data))
        whole, training = time_run(data)
        times["netlearn, whole run"].append(whole)
        times["netlearn, training"].append(training)
    print(f"784-30-10, cross-entropy, mini-batch 10, {data.name} ({len(data.train):,} training examples), one thread")
    print(f"{'seconds per epoch':<22}{'median':>9}{'lowest':>9}{'highest':>9}{'loop / it':>11}")
    middle: Callable[[list[float]], float] = statistics.median
    for name, values in times.items():
        ratios = [loop / value for loop, value in zip(times["per-example loop"], values, strict=True)]
        print(f"{name:<22}{middle(values):>9.3f}{min(values):>9.3f}{max(values):>9.3f}{middle(ratios):>11.1f}")


if __name__ == "__main__":
    main()
