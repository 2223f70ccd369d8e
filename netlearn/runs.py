"""The run folder: what a run leaves behind, each file whole or not there.

A file is written beside its place and then moved into it; only metrics.csv grows, by a whole row at a time. Weights
are safetensors, so a run folder from a stranger can be opened without fear.
"""

import csv
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy

from netlearn.activations import Array
from netlearn.errors import RunError
from netlearn.settings import Settings, write_toml
from netlearn.slowdown import Record

CONFIG, METRICS, SUMMARY = "config.toml", "metrics.csv", "summary.json"
WEIGHTS, BEST, SAMPLES = "weights.safetensors", "best.safetensors", "output_neurons.safetensors"
CURVES = ("curves.png", "curves.svg")
FILES = (CONFIG, METRICS, SUMMARY, WEIGHTS, BEST, SAMPLES, *CURVES)


class RunFolder:
    """A folder that one run writes to, or one comparison of runs.

    Args:
        path: made with its parents where it does not exist.
        force: where a run or comparison is in the folder already, remove its files; without it, and of any other
            folder that is not empty, nothing is touched.
        files: the names of the files that are the run's own.

    Raises:
        RunError: the folder is taken, or cannot be written.
    """

    def __init__(self, path: Path, *, force: bool = False, files: Sequence[str] = FILES) -> None:
        self.path = path
        with _writing(path):
            if path.exists() and not path.is_dir():
                raise RunError(f"{path}: is a file; a run needs a folder of its own")
            if path.is_dir() and any(path.iterdir()):
                if not (path / CONFIG).is_file() and not (path / SUMMARY).is_file():
                    raise RunError(f"{path}: holds other things than a run; a run needs a folder of its own")
                if not force:
                    raise RunError(f"{path}: holds a run already; --force overwrites it, --out names another folder")
                for name in files:
                    (path / name).unlink(missing_ok=True)
            path.mkdir(parents=True, exist_ok=True)

    def remove_runs(self) -> None:
        """Remove the run folders inside, those of a comparison that is overwritten."""
        with _writing(self.path):
            for folder in run_folders(self.path):
                shutil.rmtree(folder)

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder, so that its place holds all of it or what was there before."""
        write_whole(self.path / name, content)

    def write_settings(self, settings: Settings) -> None:
        """Write config.toml, from which the run can be repeated."""
        self.write(CONFIG, write_toml(settings))

    def write_record(self, record: Record) -> None:
        """Add a row to metrics.csv, below its header."""
        first = not (self.path / METRICS).exists()
        with _writing(self.path / METRICS), (self.path / METRICS).open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            row = row_of(record)
            if first:
                writer.writerow(row)
            writer.writerow(f"{value:.9g}" for value in row.values())

    def write_weights(self, name: str, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Write the weights and biases of each layer, the first hidden layer being layer 1."""
        tensors = {
            f"{kind}.{layer}": array
            for kind, arrays in (("weights", weights), ("biases", biases))
            for layer, array in enumerate(arrays, 1)
        }
        self.write(name, safetensors.numpy.save(tensors))

    def write_samples(self, samples: Mapping[int, tuple[Array, Array]]) -> None:
        """Write the errors |a − y| and gradients |δ| of single output neurons at some updates."""
        tensors = {f"error.{update}": error for update, (error, _) in samples.items()}
        tensors |= {f"gradient.{update}": gradient for update, (_, gradient) in samples.items()}
        self.write(SAMPLES, safetensors.numpy.save(tensors))

    def write_summary(self, summary: msgspec.Struct) -> None:
        """Write summary.json."""
        self.write(SUMMARY, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def run_folders(path: Path) -> list[Path]:
    """Return the run folders inside a folder, by name."""
    return sorted(file.parent for file in path.glob(f"*/{CONFIG}") if not file.parent.is_symlink())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, so that its place holds all of it or what was there before.

    Raises:
        RunError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.part")
    with _writing(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def free_folder(parent: Path, name: str) -> Path:
    """Return parent/name, or parent/name-2, name-3, … where those are taken."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(parent / free for free in names if not (parent / free).exists())


def row_of(record: Record) -> dict[str, Any]:
    """Return a record as the columns of metrics.csv."""
    row = {name: value for name, value in vars(record).items() if name != "speeds"}
    return row | {f"speed_{layer}": speed for layer, speed in enumerate(record.speeds, 1)}


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
