"""Kills a run at random instants, resumes it each time, and compares its end with one that was left in peace.

`make soak` kills 200 times. The folder is read after every kill: its settings, its checkpoint and its metrics.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from netlearn import datasets
from netlearn.checkpoints import identify, read_state
from netlearn.errors import RunError
from netlearn.history import read_settings
from netlearn.launch import make_trainer
from netlearn.metrics import read_metrics
from netlearn.runs import CHECKPOINT, CONFIG, METRICS, SUMMARY, WEIGHTS

NETLEARN = [sys.executable, "-m", "netlearn"]
SHORTEST, LONGEST = 0.2, 1.5  # seconds that a process lives


@dataclass(frozen=True)
class Soaked:
    """What came of it: kills before and after the run's first file, folders that could not be read, and the end."""

    kills: int
    before_the_first_file: int
    checkpoints: int
    unreadable: list[str]
    identical: bool


def soak(kills: int, epochs: int, folder: Path, on_kill: Callable[[], object] = lambda: None) -> Soaked:
    """Kill a run of so many epochs on the bundled digits so many times, unless it ends before, then let it end."""
    rng = np.random.default_rng(0)
    begin = [*NETLEARN, "train", "-q", "--data", "mnist-5k", "--epochs", str(epochs), "--probe-every", "2", "--out"]
    subprocess.run([*begin, str(folder / "peace")], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own)
    run = folder / "killed"
    done, early, updates, unreadable = 0, 0, set(), []
    while done < kills and not (run / SUMMARY).exists():
        begun = (run / CONFIG).exists()
        command = [*NETLEARN, "train", "-q", "--resume", str(run)] if begun else [*begin, str(run)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 (our own)
            try:
                process.wait(rng.uniform(SHORTEST, LONGEST))
            except subprocess.TimeoutExpired:
                process.kill()
                done += 1
                on_kill()
        if process.returncode > 0:
            unreadable.append(f"kill {done}: the process ended with exit code {process.returncode}")
        if not (run / CONFIG).exists():
            early += 1
            continue
        try:
            updates.add(_stands_at(run))
        except RunError as error:
            unreadable.append(f"kill {done}: {error}")
    subprocess.run([*NETLEARN, "train", "-q", "--resume", str(run)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    identical = (folder / "peace" / WEIGHTS).read_bytes() == (run / WEIGHTS).read_bytes()
    return Soaked(done, early, len(updates), unreadable, identical and _rows(folder / "peace") == _rows(run))


def _stands_at(run: Path) -> int:
    """Read a run folder as resuming does; return the update of its checkpoint."""
    settings = read_settings(run)
    read_metrics(run / METRICS)
    if not (run / CHECKPOINT).exists():
        return 0
    trainer = make_trainer(settings, datasets.load(settings.data))
    return read_state(run / CHECKPOINT, identify(settings, trainer.data), trainer)[0].update


def _rows(run: Path) -> list[list[str]]:
    """Return the rows of metrics.csv without `seconds`."""
    with (run / METRICS).open(newline="") as file:
        return [row[:2] + row[3:] for row in csv.reader(file)]


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--epochs", default=12000, show_default=True, help="enough that the run outlives the kills.")
def main(kills: int, epochs: int) -> None:
    """Kill a run that many times and report."""
    with tempfile.TemporaryDirectory() as folder, tqdm(total=kills, unit=" kills", disable=None) as bar:
        result = soak(kills, epochs, Path(folder), bar.update)
    click.echo(
        f"{result.kills} kills by SIGKILL, {result.before_the_first_file} of them before the run's first file; "
        f"resumed from {result.checkpoints} different updates\n"
        f"unreadable folders: {len(result.unreadable)}\n"
        f"end: {'byte-identical to' if result.identical else 'NOT that of'} the run that was left in peace"
    )
    for problem in result.unreadable:
        click.echo(problem)
    if result.unreadable or not result.identical or result.kills < kills:
        sys.exit(1)


if __name__ == "__main__":
    main()
