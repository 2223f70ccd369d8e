"""Measures what a run costs beside its training: start, loading, probes, writing, memory; and workers' speed-up.

`python -m scripts.beside DATA FOLDER` does one default `netlearn train` and prints, as JSON, the seconds of its
parts; with `--first` it ends after the first update, and prints the clock then.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from time import perf_counter
from typing import Any

from netlearn import cli, datasets, launch
from netlearn.runs import RunFolder
from netlearn.slowdown import Probe
from netlearn.training import Trainer

PICTURE = "the picture, matplotlib's import included"
PARTS: dict[str, list[tuple[Any, str]]] = {  # the functions that stand for each part of a run
    "loading the data": [(datasets, "load")],
    "training": [(Trainer, "_train_to")],
    "probes": [(Probe, "measure")],
    "evaluation at the end": [(Probe, "evaluate"), (Probe, "recall")],
    "checkpoints": [(Trainer, "_checkpoint")],
    "other files": [(RunFolder, f"write_{what}") for what in ("settings", "record", "weights", "samples", "summary")],
    PICTURE: [(launch, "_write_curves")],
}
PARTS_COMMAND = [sys.executable, "-m", "scripts.beside"]
BESIDE = [part for part in PARTS if part not in {"loading the data", "training"}]


def parts_of_a_run(data: str, folder: str) -> dict[str, float]:
    """Do a default run, and return the seconds of its parts; one that runs inside another counts for itself only."""
    seconds = dict.fromkeys(PARTS, 0.0)
    inside = 0.0  # seconds of parts that the one under way called

    def timed(function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            begun, outer, inside = perf_counter(), inside, 0.0
            try:
                return function(*args, **kwargs)
            finally:
                took = perf_counter() - begun
                seconds[part] += took - inside
                inside = outer + took

        return call

    for part, functions in PARTS.items():
        for owner, name in functions:
            setattr(owner, name, timed(getattr(owner, name), part))
    cli.main(["train", "-q", "--data", data, "--out", f"{folder}/run"], standalone_mode=False)
    return seconds


def first_update(data: str, folder: str) -> None:
    """Begin a default run, and print the time when its first update is done."""
    update = Trainer._update_mini_batch

    def then_end(*args: Any) -> None:
        update(*args)
        print(time.time(), flush=True)
        os._exit(0)

    Trainer._update_mini_batch = then_end  # type: ignore[assignment, method-assign]
    cli.main(["train", "-q", "--data", data, "--out", f"{folder}/run"], standalone_mode=False)


def wait(command: list[str]) -> tuple[float, str]:
    """Return a command's seconds and its output."""
    begun = perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (our own)
    return perf_counter() - begun, done.stdout


def medians(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Return the median seconds of commands, in interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(wait(command)[0])
    return {name: statistics.median(times) for name, times in seconds.items()}


def peak_memory(command: list[str]) -> float:
    """Return the megabytes of the largest process of a command, itself or one that it started."""
    watch = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
    watch += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    unit = 1 if sys.platform == "darwin" else 1024
    return int(wait([sys.executable, "-c", watch, *command])[1]) * unit / 1e6


def measure(data: datasets.Dataset, rounds: int) -> str:
    """Return the page's section."""
    python, netlearn = [sys.executable], [sys.executable, "-m", "netlearn"]
    start = medians({"click": [*python, "-c", "import click"], "help": [*netlearn, "--help"]}, 5 * rounds)
    with tempfile.TemporaryDirectory() as folder:
        first = []
        for number in range(3 * rounds):
            begun = time.time()
            output = wait([*PARTS_COMMAND, data.name, f"{folder}/first-{number}", "--first"])[1]
            first.append(float(output) - begun)
        runs: list[dict[str, float]] = []
        whole: list[float] = []
        for number in range(rounds):
            seconds, output = wait([*PARTS_COMMAND, data.name, f"{folder}/parts-{number}"])
            runs.append(json.loads(output.splitlines()[-1]))
            whole.append(seconds)
        cores = os.cpu_count() or 1
        compare = [*netlearn, "compare", "-q", "--data", data.name]
        jobs = {str(n): [*compare, "--force", "--out", f"{folder}/{n}", "--jobs", str(n)] for n in sorted({1, cores})}
        compared = medians(jobs, 1)
        train = [*netlearn, "train", "-q", "--data", data.name, "--out", f"{folder}/memory"]
        memory = {"netlearn train": peak_memory(train), "netlearn compare": peak_memory(jobs[str(cores)])}
    total = statistics.median(whole)
    parts = {part: statistics.median(run[part] for run in runs) for part in PARTS}
    beside = sum(parts[part] for part in BESIDE)
    rest = total - sum(parts.values())
    lines = [
        "## Beside the step\n",
        f'`netlearn --help` takes {1e3 * start["help"]:.0f} ms, `python -c "import click"` '
        f"{1e3 * start['click']:.0f} ms:\n{start['help'] / start['click']:.2f} times as long. `netlearn train` has "
        f"done its first update {statistics.median(first):.2f} s\nafter its start "
        f"({min(first):.2f} to {max(first):.2f} s in {len(first)} tries).\n",
        f"A whole default `netlearn train -q` takes {total:.2f} s:\n",
        "| part | s | share |",
        "|---|---:|---:|",
        *(
            f"| {part} | {seconds:.3f} | {100 * seconds / total:.1f} % |"
            for part, seconds in {**parts, "Python's start, imports, the rest": rest}.items()
        ),
        "",
        f"Probes, evaluation and writing are {100 * beside / total:.1f} % of it, without the picture "
        f"{100 * (beside - parts[PICTURE]) / total:.1f} %.\n",
        *(f"The largest process of `{name}` takes {megabytes:.0f} MB.\n" for name, megabytes in memory.items()),
        *(f"`netlearn compare --jobs {n}` takes {seconds:.1f} s.\n" for n, seconds in compared.items()),
    ]
    if cores > 1:
        speed_up = compared["1"] / compared[str(cores)]
        lines.append(f"So {cores} workers are {speed_up:.2f} times as fast as one.\n")
    return "\n".join(lines)


def main() -> None:
    """Do as the command line says."""
    data, folder, *first = sys.argv[1:]
    if first:
        first_update(data, folder)
    json.dump(parts_of_a_run(data, folder), sys.stdout)


if __name__ == "__main__":
    main()
