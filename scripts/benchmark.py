"""Times netlearn beside what a user might pick instead, in interleaved rounds on the same data: `make bench`.

Each contender runs in a process of its own, so that none sees another's threads. One that is not installed is left
out, and that is said. netlearn is timed for its training, as the others are; a whole `netlearn train` with probes,
evaluation, run folder and figure is timed beside it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from netlearn import datasets
from netlearn.launch import environment
from netlearn.network import Network
from scripts.contenders import CONTENDERS, SEED, is_there

NETWORKS = [(30, 10), (100, 10), (30, 100), (100, 100)]  # hidden neurons and mini-batch
EXAMPLES = 50_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
EPOCHS = 30


def write_problem(data: datasets.Dataset, hidden: int, batch: int, epochs: int, path: Path) -> None:
    """Write what every contender is given: examples (repeated to 50,000), start, order and settings."""
    repeats = -(-EXAMPLES // len(data.train))
    x, labels = np.tile(data.train.x, (repeats, 1))[:EXAMPLES], np.tile(data.train.labels, repeats)[:EXAMPLES]
    network = Network([x.shape[1], hidden, 10], rng=np.random.default_rng(0))
    shuffling = np.random.default_rng(SEED)
    np.savez(
        path, x=x, labels=labels, test_x=data.test.x, test_labels=data.test.labels, batch=batch, epochs=epochs,
        eta=np.float64(0.5), order=np.array([shuffling.permutation(len(x)) for _ in range(epochs)]),
        w1=network.weights[0], b1=network.biases[0], w2=network.weights[1], b2=network.biases[1],
    )  # fmt: skip


def run(name: str, path: Path, threads: int) -> dict[str, float] | None:
    """Return a contender's seconds and accuracy, or None where it cannot run here."""
    given = os.environ | dict.fromkeys(THREADS, str(threads))
    if threads == 1:
        given["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    command = [sys.executable, "-W", "ignore", "-m", "scripts.contenders", name, str(path)]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    if done.returncode:
        return None
    result: dict[str, float] = json.loads(done.stdout)
    return result


def whole_run(data: datasets.Dataset) -> tuple[float, float]:
    """Return the seconds of a whole default `netlearn train`, Python's start included, and of its training."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "netlearn", "train", "--data", data.name, "--epochs", str(EPOCHS), "--json"]
        begun = perf_counter()
        done = subprocess.run(  # noqa: S603 (our own)
            [*command, "-q", "--out", f"{folder}/run"], check=True, capture_output=True
        )
        return perf_counter() - begun, json.loads(done.stdout)["training_seconds"]


def measure(data: datasets.Dataset, rounds: int, names: list[str]) -> list[dict[str, Any]]:
    """Return a row for each network, number of threads and contender."""
    cores = os.cpu_count() or 1
    rows = []
    total = len(NETWORKS) * len({1, cores}) * rounds * len(names)
    with tempfile.TemporaryDirectory() as folder, tqdm(total=total, unit=" runs", disable=None) as bar:
        path = Path(folder) / "problem.npz"
        for hidden, batch in NETWORKS:
            write_problem(data, hidden, batch, 1, path)
            for threads in sorted({1, cores}):
                times: dict[str, list[float]] = {name: [] for name in names}
                accuracy: dict[str, float] = {}
                for _ in range(rounds):
                    for name in names:
                        result = run(name, path, threads)
                        bar.update()
                        if result is not None:
                            times[name].append(result["seconds"])
                            accuracy[name] = result["accuracy"]
                ours = statistics.median(times["netlearn"])
                rows += [
                    _row(hidden, batch, threads, name, seconds, ours, accuracy[name])
                    for name, seconds in times.items()
                    if seconds
                ]
    return rows


def _row(
    hidden: int, batch: int, threads: int, name: str, seconds: list[float], ours: float, accuracy: float
) -> dict[str, Any]:
    median, steps = statistics.median(seconds), -(-EXAMPLES // batch)
    return {
        "network": f"784-{hidden}-10, mini-batch {batch}, {threads} {'thread' if threads == 1 else 'threads'}",
        "program": name,
        "epoch": median,
        "lowest": min(seconds),
        "highest": max(seconds),
        "step": 1e6 * median / steps,
        "ratio": median / ours,
        "accuracy": accuracy,
    }


def page(
    data: datasets.Dataset, rows: list[dict[str, Any]], missing: list[str], whole: list[tuple[float, float]]
) -> str:
    """Return docs/performance.md."""
    machine: Mapping[str, Any] = environment()
    seconds, training = (statistics.median(column) for column in zip(*whole, strict=True))
    where = f"{machine['cores']} cores, {machine['cpu']}, with numpy {machine['numpy']} and {machine['blas']}"
    head = f"""# How fast netlearn is

Made by `make bench` on {where}.
The data: {data.name}, {EXAMPLES:,} training examples. Every program does the same updates of the same network in
float32 (the loop in float64) for one epoch; medians of interleaved rounds. netlearn and the loop use one thread
always: for products this small a second one costs more than it brings. scikit-learn's outputs are a softmax, its
start its own.
"""
    lines = [head]
    if missing:
        lines.append(f"Not installed here, and left out: {', '.join(missing)}.\n")
    for network in dict.fromkeys(row["network"] for row in rows):
        lines += [
            f"## {network}\n",
            "| program | s an epoch | lowest to highest | µs a step | its time / netlearn's | test accuracy |",
            "|---|---:|---:|---:|---:|---:|",
            *(
                f"| {row['program']} | {row['epoch']:.3f} | {row['lowest']:.3f} to {row['highest']:.3f} "
                f"| {row['step']:.1f} | {row['ratio']:.2f} | {100 * row['accuracy']:.2f} % |"
                for row in rows
                if row["network"] == network
            ),
            "",
        ]
    lines.append(
        f"A whole default `netlearn train` of {EPOCHS} epochs takes {seconds:.2f} s, of which {training:.2f} s are "
        f"training: start, loading,\nprobes, evaluation, run folder and figure take "
        f"{100 * (seconds - training) / seconds:.0f} % of it.\n"
    )
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option(
    "--page", "target", type=click.Path(path_type=Path), default=Path("docs/performance.md"), show_default=True
)
def main(rounds: int, target: Path) -> None:
    """Time all programs that are installed and write the page."""
    data = datasets.load("auto")
    found = {name: is_there(module) for name, (_, module) in CONTENDERS.items()}
    with tempfile.TemporaryDirectory() as folder:  # the floor needs a compiler and OpenBLAS
        path = Path(folder) / "problem.npz"
        write_problem(datasets.load("mnist-5k"), 30, 10, 1, path)
        found["C with OpenBLAS (the floor)"] = run("C with OpenBLAS (the floor)", path, 1) is not None
    rows = measure(data, rounds, [name for name, there in found.items() if there])
    whole = [whole_run(data) for _ in range(rounds)]
    text = page(data, rows, [name for name, there in found.items() if not there], whole)
    target.write_text(text)
    click.echo(text)


if __name__ == "__main__":
    main()
