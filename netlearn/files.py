"""Single files: written whole or not at all, flushed to disk; read within bounds, and never through a link.

A run folder may come from a stranger, so neither its sizes nor where its names lead are believed.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netlearn import __version__
from netlearn.errors import RunError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, so that its place holds all of it or what was there before, even after a power cut.

    Raises:
        RunError: it cannot be written.
    """
    temporary = temporary_of(path)
    with writing(path):
        try:
            temporary.unlink(missing_ok=True)  # one that a killed run left, or a link
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
    """Return where a file is written before it is moved into its place."""
    return path.with_name(f".{path.name}.part")


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to disk, where the system can."""
    with suppress(PermissionError):  # Windows opens no folders
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_bounded(path: Path, most: int) -> bytes:
    """Return a file's content.

    Raises:
        RunError: it cannot be read, is no plain file, or is larger than `most` bytes.
    """
    check_file(path, most)
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise RunError(f"{path}: {len(content):,} bytes or more; allowed are {most:,}")
    return content


def check_file(path: Path, most: int) -> None:
    """Check that a path is a plain file of at most so many bytes, not a link.

    Raises:
        RunError: it is not.
    """
    try:
        size = path.lstat().st_size
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if path.is_symlink() or not path.is_file():
        raise RunError(f"{path}: is no plain file; a run's files lie in its folder")
    if size > most:
        raise RunError(f"{path}: {size:,} bytes; allowed are {most:,}")


def free_path(parent: Path, name: str, suffix: str = "") -> Path:
    """Return parent/name, or parent/name-2, name-3, … where those are taken.

    Raises:
        RunError: the folder cannot be looked into.
    """
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    with writing(parent):
        return next(path for free in names if not (path := parent / f"{free}{suffix}").exists())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the path."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error


def refuse_newer(path: Path, version: str) -> None:
    """Refuse what a netlearn newer than this one has written.

    Raises:
        RunError: it is newer, or the version is none.
    """
    try:
        newer = _numbers(version) > _numbers(__version__)
    except ValueError as error:
        raise RunError(f"{path}: made by netlearn {version[:40]!r}, which is no version") from error
    if newer:
        raise RunError(
            f"{path}: made by netlearn {version[:40]}; this is {__version__}, and an older one may misread it"
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
