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
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from netlearn import datasets
from netlearn.comparison.outputs import draw_curves
from netlearn.runs import RunFolder
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import train_run
from netlearn.settings import resolve
from netlearn.slowdown import Record

PICTURE = "the picture, matplotlib's import included"
PARTS = ("loading the data", "training", "probes", "evaluation at the end", "checkpoints and other files", PICTURE)
PARTS_COMMAND = [sys.executable, "-m", "scripts.beside"]
BESIDE = PARTS[2:]


def parts_of_a_run(data: str, folder: str) -> dict[str, float]:
    """Do a default run and return the seconds of its parts; the probes' are those of one, times their number."""
    marks = [perf_counter()]

    def seconds() -> float:
        marks.append(perf_counter())
        return marks[-1] - marks[-2]

    loaded = datasets.load(data)
    parts = {"loading the data": seconds()}
    settings = resolve({"data": data})
    trainer = make_trainer(settings, loaded)
    records: list[Record] = []
    seconds()
    with RunFolder.create(Path(folder, "run")) as run_folder:
        train_run(settings, trainer, run_folder, records.append)
    whole = seconds()
    for examples in (loaded.train, loaded.test):
        trainer.probe.evaluate(examples)
    parts["evaluation at the end"] = seconds()
    trainer.probe.measure(0, 0.0, 0.0, settings.learning_rate)
    parts["probes"] = seconds() * len(records)
    parts["training"] = trainer.seconds
    parts["checkpoints and other files"] = whole - sum(parts.values()) + parts["loading the data"]
    seconds()
    draw_curves(run_folder.path)
    return {part: seconds() if part == PICTURE else parts[part] for part in PARTS}


def first_update(data: str) -> None:
    """Begin a default run as `netlearn train` does, and print the time when its first update is done."""
    settings = resolve({"data": data})
    trainer = make_trainer(settings, datasets.load(data))

    def end() -> None:
        print(time.time(), flush=True)
        os._exit(0)

    trainer.on_progress = end  # the first stop is at update 1
    for _ in trainer:
        pass


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


def peak_memory(command: list[str], environment: Mapping[str, str] | None = None) -> float:
    """Return the megabytes of the largest process of a command, itself or one that it started."""
    watch = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
    watch += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    watched = [sys.executable, "-P", "-c", watch, *command]
    done = subprocess.run(watched, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 (our own)
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6


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
        first_update(data)
    json.dump(parts_of_a_run(data, folder), sys.stdout)


if __name__ == "__main__":
    main()
