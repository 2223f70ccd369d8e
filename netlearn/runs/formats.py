"""The text files of a run: config.toml, metrics.csv and summary.json.

config.toml has the complete settings, with which a run can be repeated; metrics.csv a row for each probe, and is the
only file that grows, by whole rows; summary.json the results, the data and the environment.
"""

import hashlib
import io
import os
import warnings
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta

from netlearn.datasets import Appearance
from netlearn.errors import RunError
from netlearn.numerics import Array
from netlearn.runs.files import MOST_TEXT, SUMS, Sums, damage, read_bounded, reading, write_whole, writing
from netlearn.settings import Settings, check, check_format
from netlearn.slowdown import Record
from netlearn.text import decode_toml

CONFIG, METRICS, SUMMARY = "config.toml", "metrics.csv", "summary.json"
MOST_CONFIG = 16_000_000  # bytes; the 100,000 variants of a large comparison have about 10 million
MOST_DOTS = 1000  # of a line: the memory that a key takes grows with the square of its dots
LONGEST_ROW = 10_000  # bytes
TEST_COLUMNS = ("test_cost", "test_accuracy")  # where the test set is tracked
COLUMNS = tuple(field.name for field in fields(Record) if field.name not in {"speeds", *TEST_COLUMNS})

Status: TypeAlias = Literal["finished", "stopped early", "interrupted", "diverged"]
Fraction: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Natural: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]


def read_config(folder: Path, sums: Sums | None = None) -> Settings:
    """Return the settings of a run folder, without importing the code of the user's own cost.

    `sums` are the hashes of a complete folder, if they have been read already.
    """
    path = folder / CONFIG
    content = read_config_content(folder, sums)
    if "variants" in content:
        raise RunError(f"{folder}: is a comparison, not a run; resume it with netlearn compare --resume")
    with reading(path):
        return Settings(**{name: check(name, value, f"{path}: {name}") for name, value in content.items()})


def read_config_content(folder: Path, sums: Sums | None = None) -> dict[str, Any]:
    """Return the content of the config.toml of a run or comparison, after checking only its size, format and hash."""
    path = folder / CONFIG
    if not path.exists():
        problem = f"not the folder of a run: it has no {CONFIG}" if folder.is_dir() else "no such folder"
        raise RunError(f"{folder}: {problem}")
    if sums is None and (folder / SUMS).exists():
        sums = Sums.read(folder)
    raw = sums.content(CONFIG, MOST_CONFIG) if sums else read_bounded(path, MOST_CONFIG)
    if max(line.count(b".") for line in raw.split(b"\n")) > MOST_DOTS:
        raise RunError(f"{path}: not the settings of a run: a line has more than {MOST_DOTS:,} dots")
    with reading(path):
        content = decode_toml(path, raw)
        check_format(path, content.pop("format", 1))
    return content


class MetricsWriter:
    """Appends rows to the metrics.csv of a folder and hashes them.

    Attributes:
        size, sha256: of the rows written so far, for a checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / METRICS
        self.size = 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hash of the rows written so far."""
        return self._hash.hexdigest()

    def write(self, record: Record) -> None:
        """Append a row, below the header."""
        row = {name: getattr(record, name) for name in (*COLUMNS, *TEST_COLUMNS)}
        row = {name: value for name, value in row.items() if value is not None}
        row |= {f"speed_{layer}": speed for layer, speed in enumerate(record.speeds, 1)}
        lines = [] if self.size else [",".join(row)]
        lines.append(",".join(f"{value:.9g}" for value in row.values()))
        rest = content = "".join(f"{line}\n" for line in lines).encode()
        mode = "ab" if self.size else "xb"  # neither a link is followed nor a pipe waited for
        with writing(self.path), self.path.open(mode, buffering=0) as file:
            end = file.tell()
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(end)  # leave no partial row
                raise
        self.size += len(content)
        self._hash.update(content)

    def flush(self) -> None:
        """Flush the rows to disk."""
        with writing(self.path), suppress(FileNotFoundError), self.path.open("rb") as file:
            os.fsync(file.fileno())

    def restore(self, size: int, sha256: str) -> None:
        """Continue after the first `size` bytes, the rows of a checkpoint; call `truncate` to remove the others."""
        content = read_bounded(self.path, MOST_TEXT) if size else b""

        def is_right(rows: bytes) -> bool:
            return len(rows) >= size and hashlib.sha256(rows[:size]).hexdigest() == sha256

        if not is_right(content):
            problem = f"its first {size:,} bytes must be the rows that the checkpoint belongs to"
            raise damage(self.path, problem, content, is_right)
        self._hash, self.size = hashlib.sha256(content[:size]), size

    def truncate(self) -> None:
        """Remove the rows that were written after the checkpoint, by a copy: backups may share the file itself."""
        if self.size:
            write_whole(self.path, read_bounded(self.path, MOST_TEXT)[: self.size])
        else:
            with writing(self.path):
                self.path.unlink(missing_ok=True)

    def read(self) -> dict[str, Array]:
        """Return the columns written so far."""
        return parse_metrics(self.path, read_bounded(self.path, MOST_TEXT))


def read_metrics(sums: Sums) -> dict[str, Array]:
    """Return the columns of metrics.csv in a complete folder, or none if it has no such file."""
    return parse_metrics(sums.folder / METRICS, sums.content(METRICS)) if METRICS in sums.hashes else {}


def parse_metrics(path: Path, content: bytes) -> dict[str, Array]:
    """Return the columns in the content of a metrics.csv."""
    header, _, rows = content.partition(b"\n")
    columns = header[:LONGEST_ROW].decode("utf-8", "replace").split(",")
    commas = rows[:LONGEST_ROW].partition(b"\n")[0].count(b",")
    wrong = RunError(f"{path}: not the metrics of a run: its columns or rows differ")
    if not _are_columns(columns) or (rows and commas != len(columns) - 1):
        raise wrong
    with reading(path), warnings.catch_warnings(action="ignore"):  # of no rows
        table = np.loadtxt(io.BytesIO(rows), delimiter=",", ndmin=2, comments=None)
    if table.shape[1] != len(columns) or not np.isfinite(table[:, :2]).all():
        raise wrong
    return dict(zip(columns, table.T, strict=True))


def epochs_recorded(folder: Path) -> float:
    """Return the epochs in the last complete row of a run, which may be in progress; 0 if none can be read."""
    path = folder / METRICS
    if path.is_symlink() or not path.is_file():
        return 0.0
    with suppress(OSError, ValueError, IndexError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_ROW))
        *rows, _ = file.read(LONGEST_ROW).split(b"\n")
        return float(rows[-1].split(b",")[1])
    return 0.0


def _are_columns(header: list[str]) -> bool:
    columns = [*COLUMNS, *(TEST_COLUMNS if TEST_COLUMNS[0] in header else ())]
    layers = [f"speed_{layer}" for layer in range(1, len(header) - len(columns) + 1)]
    return bool(layers) and header == [*columns, *layers]


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The data set of a run: its name and place, the number of examples, the SHA-256 of its files.

    `appearance` is what its training images look like, None where they are no images; `classes` are the names of its
    classes, if they have names. Older runs do not have these.
    """

    name: str
    where: str
    note: str
    train: Positive
    validation: Positive
    test: Positive
    sha256: dict[str, str]
    appearance: Appearance | None = None
    classes: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The content of summary.json.

    Accuracies are fractions. `validation_accuracy` is that of the last probe. The results on the whole training set
    and on the test set are those of the last weights, or of the best weights with early stopping; a diverged run has
    none. `recall` is the fraction of each class of the test set that is recognized, `calibration_error` the debiased
    one of its answers, which older runs do not have. Runs with equal hashes of initial weights and mini-batches are
    paired; so are runs of unequal length, as far as both go, whose `shuffling_sha256` is equal: the hash of all that
    determines the mini-batches. Older runs do not have it.
    """

    status: Status
    error: str | None
    updates: Natural
    epochs: Annotated[float, Meta(ge=0, le=10_000_000)]
    best_epoch: Positive | None
    best_validation_accuracy: Fraction | None
    validation_accuracy: Fraction | None
    train_cost: float | None
    train_accuracy: Fraction | None
    test_cost: float | None
    test_accuracy: Fraction | None
    recall: tuple[Fraction | None, ...]
    calibration_error: Fraction | None = None
    seed: Natural
    sizes: Annotated[tuple[Positive, ...], Meta(min_length=2)]
    initial_weights_sha256: str
    mini_batches_sha256: str
    shuffling_sha256: str | None = None
    data: DataSummary
    environment: dict[str, str | int | None]
    training_seconds: Seconds
    total_seconds: Seconds


def encode_summary(summary: msgspec.Struct) -> bytes:
    """Return the content of the file, for a run or a comparison."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def read_summary(sums: Sums) -> Summary:
    """Return the summary of a complete folder."""
    with reading(sums.folder / SUMMARY):
        return msgspec.json.decode(sums.content(SUMMARY), type=Summary)
