"""Single files: written whole or not at all and flushed to disk, read within bounds and never through links."""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from netlearn.errors import RunError

MOST_BYTES = 100_000_000_000  # of any file


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that all of it is stored or the old content remains, even after a power cut."""
    temporary = temporary_of(path)
    with writing(path):
        try:
            temporary.unlink(missing_ok=True)  # a link, or left by a killed run
            with open(temporary, "xb") as file:  # noqa: PTH123 ("x" follows no link)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            flush_folder(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def temporary_of(path: Path) -> Path:
    """Return the path to which a file is written before it is moved into place."""
    return path.with_name(f".{path.name}.part")


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to disk, where the system supports it."""
    with suppress(PermissionError):  # Windows opens no folders
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_bounded(path: Path, most: int, first: int | None = None) -> bytes:
    """Return the content of a regular file of at most `most` bytes, or its `first` bytes; links are not followed."""
    with _bounded(path, most) as (file, size):
        return file.read(size if first is None else min(size, first))


def sha256_bounded(path: Path) -> str:
    """Return the SHA-256 of a regular file of at most `MOST_BYTES`, which need not fit in memory."""
    with _bounded(path, MOST_BYTES) as (file, _):
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _bounded(path: Path, most: int) -> Iterator[tuple[BufferedReader, int]]:
    try:
        size = path.lstat().st_size
        if path.is_symlink() or not path.is_file():
            raise RunError(f"{path}: must be a regular file; the files of a run must be in its folder")
        if size > most:
            raise RunError(f"{path}: {size:,} bytes: must be at most {most:,}")
        with path.open("rb") as file:
            yield file, size
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error


def free_path(parent: Path, name: str, suffix: str = "") -> Path:
    """Return parent/name, or parent/name-2, name-3, … if those exist."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    with writing(parent):
        return next(path for free in names if not (path := parent / f"{free}{suffix}").exists())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn errors of the system into a `RunError` that names the path."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
