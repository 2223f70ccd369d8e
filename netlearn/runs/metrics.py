"""metrics.csv: a row for each probe. It is the only file that grows, by whole rows."""

import hashlib
import io
import os
import warnings
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np

from netlearn.errors import RunError
from netlearn.numerics import Array
from netlearn.runs.files import read_bounded, writing
from netlearn.runs.sums import Sums
from netlearn.slowdown import Record

NAME = "metrics.csv"
MOST_BYTES, LONGEST_ROW = 100_000_000, 10_000
TEST_COLUMNS = ("test_cost", "test_accuracy")  # where the test set is tracked
COLUMNS = tuple(field.name for field in fields(Record) if field.name not in {"speeds", *TEST_COLUMNS})


class MetricsWriter:
    """Appends rows to the metrics.csv of a folder and hashes them.

    Attributes:
        size, sha256: of the rows written so far, for a checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
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
        with writing(self.path), open(self.path, "ab", buffering=0, opener=_follow_no_link) as file:
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
        content = read_bounded(self.path, MOST_BYTES)[:size] if size else b""
        self._hash, self.size = hashlib.sha256(content), size
        if (len(content), self.sha256) != (size, sha256):
            raise RunError(f"{self.path}: its first {size:,} bytes must be the rows that the checkpoint belongs to")

    def truncate(self) -> None:
        """Remove the rows that were written after the checkpoint."""
        with writing(self.path):
            if self.size:
                os.truncate(self.path, self.size)
            else:
                self.path.unlink(missing_ok=True)

    def read(self) -> dict[str, Array]:
        """Return the columns written so far."""
        return parse(self.path, read_bounded(self.path, MOST_BYTES))


def _follow_no_link(path: str, flags: int) -> int:
    """Open a file that is not a link; a pipe fails or is empty instead of blocking."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def read(sums: Sums) -> dict[str, Array]:
    """Return the columns of metrics.csv in a complete folder, or none if it has no such file."""
    return parse(sums.folder / NAME, sums.content(NAME, MOST_BYTES)) if NAME in sums.hashes else {}


def parse(path: Path, content: bytes) -> dict[str, Array]:
    """Return the columns in the content of a metrics.csv."""
    header, _, rows = content.partition(b"\n")
    columns = header[:LONGEST_ROW].decode("utf-8", "replace").split(",")
    commas = rows[:LONGEST_ROW].partition(b"\n")[0].count(b",")
    wrong = RunError(f"{path}: not the metrics of a run: its columns or rows differ")
    if not _are_columns(columns) or (rows and commas != len(columns) - 1):
        raise wrong
    try:
        with warnings.catch_warnings(action="ignore"):  # of no rows
            table = np.loadtxt(io.BytesIO(rows), delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise RunError(f"{path}: not the metrics of a run: {error}") from error
    if table.shape[1] != len(columns) or not np.isfinite(table[:, :2]).all():
        raise wrong
    return dict(zip(columns, table.T, strict=True))


def epochs_recorded(folder: Path) -> float:
    """Return the epochs in the last complete row of a run, which may be in progress; 0 if none can be read."""
    path = folder / NAME
    with suppress(OSError, ValueError, IndexError):
        with open(path, "rb", opener=_follow_no_link) as file:
            file.seek(max(0, path.stat().st_size - LONGEST_ROW))
            *rows, _ = file.read(LONGEST_ROW).split(b"\n")
        return float(rows[-1].split(b",")[1])
    return 0.0


def _are_columns(header: list[str]) -> bool:
    columns = [*COLUMNS, *(TEST_COLUMNS if TEST_COLUMNS[0] in header else ())]
    layers = [f"speed_{layer}" for layer in range(1, len(header) - len(columns) + 1)]
    return bool(layers) and header == [*columns, *layers]
