"""The folder of a run or a comparison: locked while it is written, each file whole or absent.

A complete run is trained further in a folder inside its own, `EXTENSION`, so that it stays complete until the longer
run is. That one's folder is then renamed to `EXTENDED`, and its files are moved into place.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from netlearn.errors import RunError
from netlearn.runs.checkpoint import CHECKPOINT
from netlearn.runs.files import (
    MOST_BYTES,
    SUMS,
    Sums,
    flush_folder,
    free_path,
    lock,
    read_bounded,
    temporary_of,
    write_whole,
    writing,
)
from netlearn.runs.formats import CONFIG, METRICS, SUMMARY, read_config_content
from netlearn.runs.tensors import BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, WEIGHTS

CURVES = ("curves.png", "curves.svg")
RUN_FILES = (
    CONFIG, METRICS, SUMMARY, WEIGHTS, BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, CHECKPOINT, *CURVES,
)  # fmt: skip
DERIVED = (  # made later from a complete run, so SHA256SUMS does not list them
    "predictions.csv",
    *("confusion.png", "confusion.svg", "mistakes.png", "mistakes.svg", "disagreements.png", "disagreements.svg"),
    *("reliability.png", "reliability.svg", "weights.png", "weights.svg"),
)
RESULTS = "results.csv"  # of a comparison
EXTENSION, EXTENDED = ".extension", ".extended"
MARKS = (CONFIG, SUMMARY, RESULTS)  # a folder with one of them holds a run or comparison


class RunFolder:
    """A folder that one run, or one comparison of runs, writes to; made by `create`, `open` or `existing`.

    Attributes:
        path: the folder.
        files: the names of the files that belong to the run, except for SHA256SUMS.
        derived: the names of files made from a run, which are removed when it changes.
    """

    def __init__(self, path: Path, files: Sequence[str] = RUN_FILES) -> None:
        self.path = path
        self.files = files
        self.derived = (*DERIVED, *CURVES) if files is RUN_FILES else ()

    @classmethod
    @contextmanager
    def create(
        cls, path: Path, *, force: bool = False, files: Sequence[str] = RUN_FILES,
        remove: Callable[[Path], object] = lambda path: None,
    ) -> Iterator["RunFolder"]:  # fmt: skip
        """Make a folder, with its parents, and keep it locked; it may exist if it is empty.

        With `force`, the files of the run or comparison in it are removed, and before them, by `remove`, what else
        belongs to it. Other files are never touched.
        """
        with cls.open(path, files) as folder:
            folder._clear(remove, force=force)
            yield folder

    @classmethod
    @contextmanager
    def open(cls, path: Path, files: Sequence[str] = RUN_FILES) -> Iterator["RunFolder"]:
        """Make a folder, with its parents, unless it exists, and keep it locked; nothing in it is changed."""
        with writing(path):
            if path.exists() and not path.is_dir():
                raise RunError(f"{path}: must be a folder, not a file")
            path.mkdir(parents=True, exist_ok=True)
            flush_folder(path.parent)
        with lock(path):
            yield cls(path, files)._adopted()

    def _clear(self, remove: Callable[[Path], object], *, force: bool) -> None:
        with writing(self.path):
            left = {temporary_of(self.path / CONFIG)}  # by a run that was killed at its start
            if not set(self.path.iterdir()) - left:
                return
            if not any((self.path / name).is_file() for name in MARKS):
                raise RunError(f"{self.path}: must be an empty folder or hold a run")
            if not force:
                raise RunError(f"{self.path}: holds a run already; --force (in Python, force=True) overwrites it")
            if holds_comparison(self.path) != (RESULTS in self.files):
                kinds = ("a comparison", "a run") if RESULTS in self.files else ("a run", "a comparison")
                raise RunError(f"{self.path}: holds {kinds[1]}; must hold {kinds[0]} to be overwritten by one")
            for name in self.files:
                if (self.path / name).is_dir():
                    raise RunError(f"{self.path / name}: is a folder in the place of a file; move it away first")
            remove(self.path)
            self.remove_files()

    def remove_files(self) -> bool:
        """Remove the regular files that belong to the run or comparison, the marks last; return whether it had any.

        All other files stay.
        """
        removed = False
        with writing(self.path):
            for inner in (EXTENSION, EXTENDED):
                if (self.path / inner).is_dir() and not (self.path / inner).is_symlink():
                    RunFolder(self.path / inner)._remove()
            for name in sorted({SUMS, *self.files, *self.derived}, key=MARKS.__contains__):
                for path in (temporary_of(self.path / name), self.path / name):
                    if path.is_file() or path.is_symlink():
                        path.unlink()
                        removed = True
        return removed

    def extension(self, *, anew: bool = False) -> "RunFolder":
        """Return the folder inside in which a complete run is trained further, with what that needs."""
        inner = RunFolder(self.path / EXTENSION)
        if anew:
            inner.remove_files()
        if not (inner.path / CONFIG).is_file():
            with writing(inner.path):
                inner.path.mkdir(exist_ok=True)
            for name in (METRICS, SNAPSHOTS, CHECKPOINT):
                if (self.path / name).exists():
                    inner.write(name, read_bounded(self.path / name, MOST_BYTES))
        return inner

    def adopt(self, inner: "RunFolder") -> None:
        """Put the complete run in the `extension` in the place of the shorter one, even if killed on the way."""
        with writing(self.path):
            inner.path.rename(self.path / EXTENDED)
        self._adopted()

    def _adopted(self) -> "RunFolder":
        """Move the files of a run that was trained further into place, SHA256SUMS last; return the folder."""
        inner = self.path / EXTENDED
        if inner.is_symlink() or not inner.is_dir():
            return self
        if (inner / SUMS).exists():
            hashes = Sums.read(inner).hashes
            self.open_again()
            with writing(self.path):
                for name in self.files:
                    if (inner / name).exists():
                        (inner / name).replace(self.path / name)
                    elif name not in hashes:
                        (self.path / name).unlink(missing_ok=True)
                flush_folder(self.path)
                (inner / SUMS).replace(self.path / SUMS)
                flush_folder(self.path)
        RunFolder(inner)._remove()
        return self

    def _remove(self) -> None:
        """Remove the files of the run and the folder, unless it holds others' files."""
        self.remove_files()
        with suppress(OSError):
            self.path.rmdir()

    @classmethod
    @contextmanager
    def create_numbered(cls, parent: Path, name: str, files: Sequence[str] = RUN_FILES) -> Iterator["RunFolder"]:
        """Make parent/name, or parent/name-2, name-3, … if those exist, and keep it locked."""
        while True:
            path = free_path(parent, name)
            with writing(path), suppress(FileExistsError):  # another run has just taken it
                path.mkdir(parents=True)
                break
        with cls.create(path, files=files) as folder:
            yield folder

    @classmethod
    @contextmanager
    def existing(cls, path: Path, files: Sequence[str] = RUN_FILES) -> Iterator["RunFolder"]:
        """Open the folder of a run or comparison, to resume it, and keep it locked."""
        if not (path / CONFIG).is_file():
            raise RunError(f"{path}: not the folder of a run or comparison: it has no {CONFIG}")
        with lock(path):
            yield cls(path, files)._adopted()

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that all of it is stored or the old content remains."""
        write_whole(self.path / name, content)

    def open_again(self) -> None:
        """Remove the files that mark and show the end of the run, on disk too, before other files are changed."""
        with writing(self.path):
            for name in (SUMS, SUMMARY, *self.derived):
                (self.path / name).unlink(missing_ok=True)
            flush_folder(self.path)

    def finish(self) -> None:
        """Write SHA256SUMS, which makes the folder complete."""
        self.write(SUMS, Sums.compute(self.path, self.files).encode())

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Write files to a complete folder and their hashes to its SHA256SUMS, whose other hashes stay.

        The folder is complete and intact at every instant, so SHA256SUMS omits the files while they are written.
        """
        hashes = Sums.read(self.path).hashes
        others = {name: sha256 for name, sha256 in hashes.items() if name not in contents}
        if others != hashes:
            self.write(SUMS, Sums(self.path, others).encode())
        for name, content in contents.items():
            self.write(name, content)
        found = others | {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        order = dict.fromkeys([*self.files, *found])
        self.write(SUMS, Sums(self.path, {name: found[name] for name in order if name in found}).encode())


def holds_comparison(path: Path) -> bool:
    """Return whether a folder holds a comparison, not a run."""
    if (path / RESULTS).is_file():
        return True
    try:
        return "variants" in read_config_content(path)
    except RunError:
        return False


def run_folders(path: Path) -> list[Path]:
    """Return the run folders inside a folder, sorted by name."""
    return sorted(file.parent for file in path.glob(f"*/{CONFIG}") if not file.parent.is_symlink())
