"""Kills a run at random instants, resumes it each time, and compares its end with an uninterrupted run.

`make soak` kills 200 times. After every kill the folder is read as resuming does. A process is killed after a row of
metrics.csv chosen at random, so that kills hit training on fast and slow machines alike.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import click
import numpy as np
from tqdm import tqdm

from netlearn import datasets
from netlearn.errors import NetlearnError
from netlearn.runs import CHECKPOINT, CONFIG, METRICS, SUMS, WEIGHTS, epochs_recorded, read_config
from netlearn.runs.checkpoint import check_identity, read_checkpoint
from netlearn.runs.formats import MetricsWriter
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import checkpoint_identity

NETLEARN = [sys.executable, "-m", "netlearn"]
LONGEST_DELAY = 0.02  # seconds from that row to the kill: about the time to the next one
LOOK_EVERY = 0.002


@dataclass(frozen=True)
class Soaked:
    """The result: kills, different updates resumed from, folders that could not be read, and the comparison."""

    kills: int
    checkpoints: int
    unreadable: list[str]
    identical: bool


def soak(
    kills: int, epochs: int, folder: Path, on_kill: Callable[[], object] = lambda: None, flags: Sequence[str] = ()
) -> Soaked:
    """Kill a run of that many epochs on the bundled digits that many times, then let it end.

    Args:
        kills: how often.
        epochs: of the run.
        folder: gets the run, and an uninterrupted one.
        on_kill: called after each kill.
        flags: further settings of the run.
    """
    rng = np.random.default_rng(0)
    given = ["--data", "mnist-5k", "--epochs", str(epochs), "--probe-every", "2", *flags]
    begin = [*NETLEARN, "train", "-q", *given, "--out"]
    whole, run = folder / "whole", folder / "killed"
    subprocess.run([*begin, str(whole)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own)
    most = epochs / (kills + 1)  # epochs from one kill to the next, so that the run outlives all kills
    done, updates, unreadable = 0, set(), []
    while done < kills and not (run / SUMS).exists():
        begun = (run / CONFIG).exists()
        command = [*NETLEARN, "train", "-q", "--resume", str(run)] if begun else [*begin, str(run)]
        until = epochs_recorded(run) + rng.uniform(0, most)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 (our own)
            while process.poll() is None and epochs_recorded(run) < until:
                sleep(LOOK_EVERY)
            sleep(rng.uniform(0, LONGEST_DELAY))
            if process.poll() is None:
                process.kill()
                done += 1
                on_kill()
        if process.returncode > 0:
            unreadable.append(f"kill {done}: the process ended with exit code {process.returncode}")
        try:
            updates.add(_update_of(run))
        except NetlearnError as error:
            unreadable.append(f"kill {done}: {error}")
    subprocess.run([*NETLEARN, "train", "-q", "--resume", str(run)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    identical = (whole / WEIGHTS).read_bytes() == (run / WEIGHTS).read_bytes()
    return Soaked(done, len(updates), unreadable, identical and _rows(whole) == _rows(run))


def _update_of(run: Path) -> int:
    """Read a run folder as resuming does; return the update of its checkpoint."""
    settings = read_config(run)
    if not (run / CHECKPOINT).exists():
        return 0
    trainer = make_trainer(settings, datasets.load(settings.data))
    check_identity(run / CHECKPOINT, checkpoint_identity(settings, trainer))
    state, metadata = read_checkpoint(run / CHECKPOINT, trainer)
    MetricsWriter(run).restore(metadata.metrics_bytes, metadata.metrics_sha256)
    return state.update


def _rows(run: Path) -> list[list[str]]:
    """Return the rows of metrics.csv without `seconds`."""
    with (run / METRICS).open(newline="") as file:
        return [row[:2] + row[3:] for row in csv.reader(file)]


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--epochs", default=4000, show_default=True, help="of the run that is killed.")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def main(kills: int, epochs: int, flags: tuple[str, ...]) -> None:
    """Kill a run that many times and report; FLAGS, after --, are settings of the run."""
    with tempfile.TemporaryDirectory() as folder, tqdm(total=kills, unit=" kills", disable=None) as bar:
        result = soak(kills, epochs, Path(folder), bar.update, flags)
    click.echo(
        f"{result.kills} kills by SIGKILL; resumed from {result.checkpoints} different updates\n"
        f"unreadable folders: {len(result.unreadable)}\n"
        f"end: {'byte-identical to' if result.identical else 'NOT that of'} the uninterrupted run"
    )
    for problem in result.unreadable:
        click.echo(problem)
    if result.unreadable or not result.identical or result.kills < kills:
        sys.exit(1)


if __name__ == "__main__":
    main()
