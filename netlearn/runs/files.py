"""Single files of a folder: written whole or not at all, read within bounds, never through links; its lock and sums.

SHA256SUMS is the last file that a run writes: a folder that has it is complete. It has the format that
`sha256sum -c` checks. Its own hash is in a comment on its last line, so that a change of any byte in any file is
detected.
"""

import hashlib
import itertools
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from netlearn.errors import NetlearnError, RunError

MOST_BYTES = 100_000_000_000  # of any file
SUMS = "SHA256SUMS"
SUMS_LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]{0,254})", re.ASCII)
TEXTS, MOST_TEXT = (".toml", ".csv", ".json", ".svg"), 100_000_000  # bytes of a text file
CRLF = "its lines end with CR LF instead of LF, as git changes them; put * -text into .gitattributes, check out again"


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


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an error of any kind that the content of a file leads to into a `RunError` that names the file."""
    try:
        yield
    except RunError:
        raise
    except NetlearnError as error:
        raise RunError(str(error)) from error
    except Exception as error:  # a forged file may lead any library to any of its errors
        raise RunError(f"{path}: not a file that netlearn writes: {type(error).__name__}: {error}") from error


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder; it is an error if one does so already.

    A process that ends in any way releases its locks. The lock is on the folder itself, so that it needs no file.
    Windows has no such locks: there `lock_by_file` is used.
    """
    if sys.platform == "win32":
        with lock_by_file(path):
            yield
        return
    import fcntl  # noqa: PLC0415 (Windows has none)

    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RunError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _in_use(path) from error
        if not (path.exists() and os.path.samestat(os.fstat(folder), path.stat())):
            raise RunError(f"{path}: was removed by another process")
        yield
    finally:
        os.close(folder)


@contextmanager
def lock_by_file(path: Path) -> Iterator[None]:
    """Lock a folder as `lock` does, by a file in the user's temporary folder."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 (installed on Windows alone)

    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
    held = FileLock(Path(tempfile.gettempdir(), f"netlearn-{name}.lock"), is_singleton=False)
    try:
        with held.acquire(blocking=False):
            yield
    except Timeout as error:
        raise _in_use(path) from error


def _in_use(path: Path) -> RunError:
    return RunError(f"{path}: in use by another process; wait until it ends")


@dataclass(frozen=True)
class Sums:
    """The SHA-256 of the files in a folder, by name."""

    folder: Path
    hashes: dict[str, str]

    @classmethod
    def compute(cls, folder: Path, names: Iterable[str]) -> "Sums":
        """Return the hashes of those files that exist."""
        found = [name for name in names if (folder / name).exists()]
        return cls(folder, {name: sha256_bounded(folder / name) for name in found})

    @classmethod
    def read(cls, folder: Path) -> "Sums":
        """Read the hashes of a folder."""
        path = folder / SUMS
        if not path.exists():
            raise RunError(f"{folder}: not the folder of a complete run: it has no {SUMS}")
        content = read_bounded(path, MOST_TEXT)
        lines = [SUMS_LINE.fullmatch(line) for line in content.decode("utf-8", "replace").split("\n")]
        sums = cls(folder, {line[2]: line[1] for line in lines if line})
        if sums.encode() != content:
            raise damage(path, "was changed or damaged after the run ended", content, is_sealed)
        return sums

    def encode(self) -> bytes:
        """Return the content of the file."""
        return sealed("".join(f"{sha256}  {name}\n" for name, sha256 in self.hashes.items()).encode())

    def content(self, name: str, most: int = MOST_TEXT) -> bytes:
        """Return the content of a file of at most `most` bytes, checked against its hash."""
        if name not in self.hashes:
            raise RunError(f"{self.folder}: its {SUMS} lists no {name}")
        content = read_bounded(self.folder / name, most)
        self._check(name, _sha256(content))
        return content

    def check_all(self) -> None:
        """Check every file against its hash."""
        for name in self.hashes:
            self._check(name, sha256_bounded(self.folder / name))

    def _check(self, name: str, sha256: str) -> None:
        if sha256 != self.hashes[name]:
            path = self.folder / name
            content = read_bounded(path, MOST_TEXT) if path.suffix in TEXTS else b""
            problem = f"was changed or damaged after the run ended: its SHA-256 is not that in {SUMS}"
            raise damage(path, problem, content, lambda text: _sha256(text) == self.hashes[name])


def damage(path: Path, problem: str, content: bytes, is_right: Callable[[bytes], bool]) -> RunError:
    """Return the error for a file with another content; it says so where only the line ends of a text are others."""
    only_ends = b"\r\n" in content and is_right(with_lf(content))
    return RunError(f"{path}: {CRLF if only_ends else problem}")


def with_lf(text: bytes) -> bytes:
    """Return a text whose lines end with LF."""
    return text.replace(b"\r\n", b"\n")


def sealed(lines: bytes) -> bytes:
    """Return lines of text with their SHA-256 in a comment below them."""
    return lines + f"# {_sha256(lines)}\n".encode()


def is_sealed(content: bytes) -> bool:
    """Return whether a text ends with the SHA-256 of its other lines."""
    return content == sealed(content[: content.rfind(b"# ")])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
