"""Shards: every n-th run of a comparison, trained in a folder of its own, on whatever machine.

A shard's folder holds the experiment as config.toml, run folders, and a mark with the hash of the experiment. The
folders of all shards have the same config.toml, and everything else is in one of them only, so that copying them into
one folder, in any order, gives a comparison to be resumed.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from netlearn.comparison.experiment import Experiment, sealed_experiment, write_experiment
from netlearn.comparison.pool import Workers
from netlearn.comparison.tasks import perform_all, tasks_of
from netlearn.errors import RunError, SettingsError
from netlearn.runs import CONFIG, RunFolder, read_bounded, writing
from netlearn.text import printable

MARKS = "shard-*-of-*.sha256"
Item = TypeVar("Item")


class Shard(NamedTuple):
    """Every n-th run of an experiment, n being the number of shards, from the run with the shard's number on."""

    number: int
    shards: int

    def __str__(self) -> str:
        return f"{self.number}/{self.shards}"

    @property
    def mark(self) -> str:
        """The name of the file that marks the folder of the shard."""
        return f"shard-{self.number}-of-{self.shards}.sha256"

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items of the shard."""
        return items[self.number - 1 :: self.shards]


class ShardResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a shard: how many runs it has, how many of them finished, and why others did not."""

    shard: str
    runs: int
    finished: int
    problems: tuple[str, ...]
    folder: str

    @property
    def succeeded(self) -> bool:
        """Whether no run is missing."""
        return self.finished == self.runs


def parse_shard(text: str) -> Shard:
    """Return the shard that a text such as "3/8" names.

    Raises:
        SettingsError: there is no such shard.
    """
    number, _, shards = text.partition("/")
    if number.isdecimal() and shards.isdecimal() and 1 <= int(number) <= int(shards):
        return Shard(int(number), int(shards))
    raise SettingsError(f"--shard {text}: must be K/N, the K-th of N shards, with K from 1 to N")


def train_shard(
    experiment: Experiment,
    folder: RunFolder,
    workers: Workers,
    shard: Shard,
    *,
    on_progress: Callable[[float, int], object] = lambda epochs, runs: None,
    on_note: Callable[[str], object] = lambda note: None,
) -> ShardResult:
    """Train the runs of a shard that its folder does not hold yet.

    The arguments are those of `netlearn.comparison.compare.compare`.

    Raises:
        SettingsError: the experiment is to be tuned first.
        RunError: the folder cannot be written, or holds a shard of another experiment.
    """
    if experiment.tuning == "to do":
        raise SettingsError(f"--shard {shard}: must be without --tune, whose short runs decide what all shards train")
    check_marks(folder.path, experiment)
    folder.open_again()
    folder.write(CONFIG, sealed_experiment(experiment))
    folder.write(shard.mark, _mark_of(experiment))
    tasks = shard.of(tasks_of(experiment, folder.path))
    runs = perform_all(tasks, workers, on_progress, on_note)
    problems = [f"{run.variant}, seed {run.settings.seed}: {run.shortfall}" for run in runs if run.shortfall]
    return ShardResult(
        shard=str(shard),
        runs=len(runs),
        finished=len(runs) - len(problems),
        problems=tuple(problems),
        folder=printable(str(folder.path)),
    )


def check_marks(path: Path, experiment: Experiment) -> None:
    """Check that the shards that were brought together in a folder are all of its experiment.

    Raises:
        RunError: one is not.
    """
    expected = _mark_of(experiment)
    for mark in sorted(path.glob(MARKS)):
        if read_bounded(mark, len(expected)) != expected:
            raise RunError(
                f"{mark}: this shard is of another experiment than {CONFIG}; "
                "a folder must bring together the shards of one experiment"
            )


def remove_marks(path: Path) -> None:
    """Remove the marks of the shards, which say nothing about a comparison that is complete."""
    with writing(path):
        for mark in path.glob(MARKS):
            mark.unlink()


def _mark_of(experiment: Experiment) -> bytes:
    """Return the hash of what determines the runs; on another machine the data may be elsewhere."""
    variants = {
        name: msgspec.structs.replace(settings, data=" ".join(experiment.data_sha256.get(settings.data, ())))
        for name, settings in experiment.variants.items()
    }
    content = write_experiment(replace(experiment, variants=variants, data_sha256={}))
    return f"{hashlib.sha256(content).hexdigest()}\n".encode()
