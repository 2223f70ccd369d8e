"""The run folder: what a run leaves behind, each file whole or not there.

A file is written beside its place and then moved into it; only metrics.csv grows, by a whole row at a time. Weights
are safetensors, so a run folder from a stranger can be opened without fear.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from netlearn.activations import Array
from netlearn.checkpoints import read_state, write_state
from netlearn.errors import RunError
from netlearn.files import check_file, flush_folder, free_path, temporary_of, write_whole, writing
from netlearn.settings import Settings, write_toml
from netlearn.slowdown import Record
from netlearn.state import State
from netlearn.tensors import named, pack
from netlearn.training import Trainer

CONFIG, METRICS, SUMMARY = "config.toml", "metrics.csv", "summary.json"
WEIGHTS, BEST, SAMPLES = "weights.safetensors", "best.safetensors", "output_neurons.safetensors"
CURVES = ("curves.png", "curves.svg")
CHECKPOINT = "checkpoint.safetensors"
FILES = (CONFIG, METRICS, SUMMARY, WEIGHTS, BEST, SAMPLES, CHECKPOINT, *CURVES)
MOST_METRICS, LONGEST_ROW = 100_000_000, 10_000  # bytes


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What summary.json tells about a run.

    Accuracies are shares of 1. `validation_accuracy` is the last probe's; the results on the whole training set and
    on the test set are those of the last weights, with early stopping of the best; after divergence there are none.
    `recall` is the share recognized of each class of the test set. Runs with the same two hashes are paired.
    """

    status: str  # finished, stopped early, interrupted or diverged
    error: str | None
    updates: int
    epochs: float
    best_epoch: int | None
    best_validation_accuracy: float | None
    validation_accuracy: float | None
    train_cost: float | None
    train_accuracy: float | None
    test_cost: float | None
    test_accuracy: float | None
    recall: tuple[float | None, ...]
    seed: int
    sizes: tuple[int, ...]
    initial_weights_sha256: str
    mini_batches_sha256: str
    data: dict[str, Any]
    environment: dict[str, Any]
    training_seconds: float
    total_seconds: float


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
        with writing(path):
            if path.exists() and not path.is_dir():
                raise RunError(f"{path}: is a file; a run needs a folder of its own")
            if path.is_dir() and set(path.iterdir()) - {temporary_of(path / CONFIG)}:  # a run killed at its start
                if not (path / CONFIG).is_file() and not (path / SUMMARY).is_file():
                    raise RunError(f"{path}: holds other things than a run; a run needs a folder of its own")
                if not force:
                    raise RunError(f"{path}: holds a run already; --force overwrites it, --out names another folder")
                for name in files:
                    (path / name).unlink(missing_ok=True)
            path.mkdir(parents=True, exist_ok=True)
            flush_folder(path.parent)

    @classmethod
    def existing(cls, path: Path) -> Self:
        """Return the folder of a run or comparison that is there, to go on in it.

        Raises:
            RunError: there is none.
        """
        if not (path / CONFIG).is_file():
            raise RunError(f"{path}: not the folder of a run or comparison: it has no {CONFIG}")
        folder = cls.__new__(cls)
        folder.path = path
        return folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from writing a run here.

        Raises:
            RunError: another one is at it.
        """
        with suppress(ImportError):  # Windows has no such locks
            import fcntl  # noqa: PLC0415

            with writing(self.path):
                folder = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(folder)
                raise RunError(f"{self.path}: another process is at this run; wait until it ends") from error
            try:
                yield
            finally:
                os.close(folder)
            return
        yield

    @classmethod
    def numbered(cls, parent: Path, name: str, files: Sequence[str] = FILES) -> Self:
        """Make parent/name, or parent/name-2, name-3, … where those are taken, maybe by a run that starts just now.

        Raises:
            RunError: the folder cannot be made.
        """
        while True:
            path = free_path(parent, name)
            with writing(path), suppress(FileExistsError):
                path.mkdir(parents=True)
                return cls(path, files=files)

    def remove_runs(self) -> None:
        """Remove the run folders inside, those of a comparison that is overwritten; none that holds other things."""
        own = {*FILES, *(temporary_of(Path(name)).name for name in FILES)}
        with writing(self.path):
            for folder in run_folders(self.path):
                if {path.name for path in folder.iterdir()} <= own:
                    shutil.rmtree(folder)

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder, so that its place holds all of it or what was there before."""
        write_whole(self.path / name, content)

    def write_settings(self, settings: Settings) -> None:
        """Write config.toml, from which the run can be repeated."""
        self.write(CONFIG, write_toml(settings))

    def write_record(self, record: Record) -> None:
        """Add a row to metrics.csv, below its header."""
        path, row = self.path / METRICS, row_of(record)
        with writing(path), open(path, "ab", buffering=0, opener=_no_link) as file:
            end = file.tell()
            lines = [] if end else [",".join(row)]
            lines.append(",".join(f"{value:.9g}" for value in row.values()))
            rest = "".join(f"{line}\n" for line in lines).encode()
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(end)  # no half row stays
                raise

    def write_weights(self, name: str, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Write the weights and biases of each layer, the first hidden layer being layer 1."""
        self.write(name, pack(named(weights, biases)))

    def write_samples(self, samples: Mapping[int, tuple[Array, Array]]) -> None:
        """Write the errors |a − y| and gradients |δ| of single output neurons at some updates."""
        tensors = {f"error.{update}": error for update, (error, _) in samples.items()}
        tensors |= {f"gradient.{update}": gradient for update, (_, gradient) in samples.items()}
        self.write(SAMPLES, pack(tensors))

    def write_checkpoint(self, state: State, run: dict[str, Any]) -> None:
        """Write what going on from here with that run needs; metrics.csv is flushed to disk before."""
        path, size = self.path / METRICS, 0
        with writing(path), suppress(FileNotFoundError), path.open("rb") as file:
            os.fsync(file.fileno())
            size = file.seek(0, os.SEEK_END)
        self.write(CHECKPOINT, write_state(state, run, size))

    def go_back_to_checkpoint(self, trainer: Trainer, run: dict[str, Any]) -> None:
        """Bring a trainer and metrics.csv to where the checkpoint is; without one, to the beginning.

        Raises:
            RunError: the checkpoint is not one of this run, or metrics.csv is shorter than it says.
        """
        path, size = self.path / METRICS, 0
        if (self.path / CHECKPOINT).exists() or (self.path / CHECKPOINT).is_symlink():
            state, size = read_state(self.path / CHECKPOINT, run, trainer)
            if size or state.probed:
                _check_rows(path, size, state)
            trainer.restore(state)
        with writing(self.path / SUMMARY):
            (self.path / SUMMARY).unlink(missing_ok=True)  # it tells of an end that is no longer one
        with writing(path):
            if size:
                os.truncate(path, size)
            else:
                path.unlink(missing_ok=True)

    def write_summary(self, summary: msgspec.Struct) -> None:
        """Write summary.json."""
        self.write(SUMMARY, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def _check_rows(path: Path, size: int, state: State) -> None:
    """Check that the first `size` bytes of a metrics.csv are the rows up to a state's last probe."""
    check_file(path, MOST_METRICS)
    if path.stat().st_size < size:
        raise RunError(f"{path}: {path.stat().st_size:,} bytes; the checkpoint goes on after {size:,}")
    with path.open("rb") as file:
        header = file.readline(LONGEST_ROW)
        file.seek(max(0, size - LONGEST_ROW))
        rows = file.read(min(size, LONGEST_ROW)).split(b"\n")
    update = rows[-2].partition(b",")[0] if len(rows) > 1 and not rows[-1] else b""
    agrees = update.isdigit() and (int(update) == state.update if state.probed else int(update) <= state.update)
    if not header.startswith(b"update,epoch,seconds,") or not agrees:
        raise RunError(
            f"{path}: its first {size:,} bytes are not the rows up to update {state.update} of the checkpoint"
        )


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def run_folders(path: Path) -> list[Path]:
    """Return the run folders inside a folder, by name."""
    return sorted(file.parent for file in path.glob(f"*/{CONFIG}") if not file.parent.is_symlink())


def row_of(record: Record) -> dict[str, Any]:
    """Return a record as the columns of metrics.csv."""
    row = {name: value for name, value in vars(record).items() if name != "speeds" and value is not None}
    return row | {f"speed_{layer}": speed for layer, speed in enumerate(record.speeds, 1)}
