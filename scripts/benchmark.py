"""Times netlearn beside what a user might pick instead, in interleaved rounds on the same data: `make bench`.

Each contender runs in a process of its own, so that none sees another's threads, and is timed for its training alone.
The page says which ones are not installed. `beside` measures what a whole run costs besides, `comparing` what a
comparison does, `growth` how the time of a step grows.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from netlearn import datasets
from netlearn.network import Network
from netlearn.plotting.style import render
from netlearn.runs.setup import environment
from scripts import beside, comparing, growth
from scripts.contenders import CONTENDERS, SEED

NETWORKS = [(30, 10), (100, 10), (30, 100), (100, 100)]  # hidden neurons and mini-batch
EXAMPLES = 50_000
# they use one thread whatever they are given: timed once, for all tables
SINGLE = ("netlearn", "per-example loop")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def run(name: str, path: Path, threads: int) -> dict[str, float]:
    """Return a contender's seconds and accuracy.

    Raises:
        CalledProcessError: it ended with an error.
    """
    given = os.environ | dict.fromkeys(THREADS, str(threads))
    if threads == 1:
        given["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    command = [sys.executable, "-W", "ignore", "-m", "scripts.contenders", name, str(path)]
    done = subprocess.run(command, env=given, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 (our own)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measure(data: datasets.Dataset, rounds: int, names: list[str]) -> list[dict[str, Any]]:
    """Return a row for each network, number of threads and contender."""
    cores = os.cpu_count() or 1
    rows = []
    turns = [
        (name, threads) for threads in sorted({1, cores}) for name in names if threads == 1 or name not in SINGLE
    ]
    total = len(NETWORKS) * rounds * len(turns)
    with tempfile.TemporaryDirectory() as folder, tqdm(total=total, unit=" runs", disable=None) as bar:
        path = Path(folder) / "problem.npz"
        for hidden, batch in NETWORKS:
            write_problem(data, hidden, batch, 1, path)
            times: dict[tuple[str, int], list[float]] = {turn: [] for turn in turns}
            accuracy: dict[str, float] = {}
            for _ in range(rounds):
                for name, threads in turns:
                    result = run(name, path, threads)
                    bar.update()
                    times[name, threads].append(result["seconds"])
                    accuracy[name] = result["accuracy"]
            ours = statistics.median(times["netlearn", 1])
            rows += [
                _row(
                    hidden, batch, threads, name, times[name, 1 if name in SINGLE else threads], ours, accuracy[name]
                )
                for threads in sorted({1, cores})
                for name in names
            ]
    return rows


def steps_of(rows: list[dict[str, Any]]) -> dict[tuple[int, int], float]:
    """Return the seconds of netlearn's step for each of `NETWORKS`."""
    ours = [row for row in rows if row["program"] == "netlearn"]
    return {(row["hidden"], row["batch"]): 1e-6 * row["step"] for row in ours}


def _row(
    hidden: int, batch: int, threads: int, name: str, seconds: list[float], ours: float, accuracy: float
) -> dict[str, Any]:
    median, steps = statistics.median(seconds), -(-EXAMPLES // batch)
    return {
        "network": f"784-{hidden}-10, mini-batch {batch}",
        "threads": threads,
        "hidden": hidden,
        "batch": batch,
        "program": name,
        "epoch": median,
        "lowest": min(seconds),
        "highest": max(seconds),
        "step": 1e6 * median / steps,
        "ratio": median / ours,
        "accuracy": accuracy,
    }


def page(data: datasets.Dataset, rows: list[dict[str, Any]], missing: list[str], rounds: int) -> str:
    """Return the beginning of docs/performance.md."""
    machine: Mapping[str, Any] = environment()
    where = f"{machine['cores']} cores, {machine['cpu']}, with numpy {machine['numpy']} and {machine['blas']}"
    head = f"""# How fast netlearn is

Made by `make bench` on {where}.
The data: {data.name}, {EXAMPLES:,} training examples. Every program does the same updates of the same network in
float32 (the loop in float64) for one epoch; medians of {rounds} interleaved rounds. netlearn and the loop always use
one thread, so that results do not depend on the number of cores; a second one gains
something only for 784-100-10 with mini-batches of 100, as the C program shows. The time JAX takes to compile is not
counted.
scikit-learn has a softmax output and its own initial weights. netlearn's times in these tables are also those of the
sections below.

`pip install --group peers` installs JAX, scikit-learn and PyTorch. The C program needs a compiler and OpenBLAS's
header: `apt-get install gcc libopenblas-dev`, or `dnf install gcc openblas-devel`. What is missing is left out.
"""
    lines = [head]
    if missing:
        lines.append(f"Not installed here, and left out: {', '.join(missing)}.\n")
    threads = max(row["threads"] for row in rows)
    more = f" s an epoch, {threads} threads | / netlearn's |" if threads > 1 else ""
    for network in dict.fromkeys(row["network"] for row in rows):
        here = {(row["program"], row["threads"]): row for row in rows if row["network"] == network}
        lines += [
            f"## {network}\n",
            f"| program | s an epoch | lowest to highest | µs per step | / netlearn's |{more} test accuracy |",
            f"|---|---:|---:|---:|---:|{'---:|---:|' if more else ''}---:|",
            *(
                _line(here[name, 1], here.get((name, threads)) if threads > 1 else None)
                for name, at in here
                if at == 1
            ),
            "",
        ]
    return "\n".join(lines)


def _line(one: dict[str, Any], more: dict[str, Any] | None) -> str:
    """Return the line of a program, given its row with one thread and that with more, if there are more."""
    cells = [
        one["program"], f"{one['epoch']:.3f}", f"{one['lowest']:.3f} to {one['highest']:.3f}", f"{one['step']:.1f}",
        f"{one['ratio']:.2f}",
    ]  # fmt: skip
    if more is not None:
        cells += ["–", "–"] if one["program"] in SINGLE else [f"{more['epoch']:.3f}", f"{more['ratio']:.2f}"]
    return f"| {' | '.join(cells)} | {100 * one['accuracy']:.2f} % |"


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--page", "target", type=click.Path(path_type=Path), default=Path("docs/performance.md"), show_default=True
)
def main(rounds: int, target: Path) -> None:
    """Time all programs that are installed and write the page."""
    data = datasets.load("auto")
    found = {name: is_there() for name, (_, is_there) in CONTENDERS.items()}
    rows = measure(data, rounds, [name for name, there in found.items() if there])
    steps = steps_of(rows)
    grown = growth.measure(data, 3 * rounds, steps)  # short ones, which another program's moment would upset
    missing = [name for name, there in found.items() if not there]
    parts = growth.parts_section(data, rounds, steps)
    whole = [beside.measure(data, rounds), comparing.measure(data.name, rounds)]
    text = "\n".join([page(data, rows, missing, rounds), parts, *whole, growth.section(grown)])
    target.write_text(text)
    target.with_suffix(".png").write_bytes(render(growth.picture(grown), "png"))
    click.echo(text)


if __name__ == "__main__":
    main()
