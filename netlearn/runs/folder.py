"""The folder of a run or a comparison: locked while it is written, each file whole or absent."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from netlearn.errors import RunError
from netlearn.runs.checkpoint import CHECKPOINT
from netlearn.runs.files import SUMS, Sums, flush_folder, free_path, lock, temporary_of, write_whole, writing
from netlearn.runs.formats import CONFIG, METRICS, SUMMARY, read_config_content
from netlearn.runs.tensors import BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, WEIGHTS
from netlearn.toml import MOST_EXPERIMENT

CURVES = ("curves.png", "curves.svg")
RUN_FILES = (
    CONFIG, METRICS, SUMMARY, WEIGHTS, BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, CHECKPOINT, *CURVES,
)  # fmt: skip
DERIVED = (  # made later from a complete run, so SHA256SUMS does not list them
    "predictions.csv",
    *(
        f"{name}.{kind}"
        for name in ("confusion", "mistakes", "disagreements", "reliability", "weights")
        for kind in ("png", "svg")
    ),
)
RESULTS = "results.csv"  # of a comparison
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
        cls,
        path: Path,
        *,
        force: bool = False,
        files: Sequence[str] = RUN_FILES,
        remove: Callable[[Path], object] = lambda path: None,
    ) -> Iterator["RunFolder"]:
        """Make a folder, with its parents, and keep it locked.

        Args:
            path: the folder; it may exist if it is empty.
            force: if it holds a run or comparison, remove its files. Other files are never touched.
            files: the names of the files that belong to the run.
            remove: called under the lock before the files are removed, to remove what else belongs to them.

        Raises:
            RunError: the folder is in use, is not empty, or cannot be written.
        """
        with cls.open(path, files) as folder:
            folder.clear(remove, force=force)
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
            yield cls(path, files)

    def clear(self, remove: Callable[[Path], object] = lambda path: None, *, force: bool = False) -> None:
        """Check that the folder is empty, or empty it if it holds a run or comparison: see `create`."""
        with writing(self.path):
            leftover = temporary_of(self.path / CONFIG)  # of a run killed at its start
            if not set(self.path.iterdir()) - {leftover}:
                return
            if not any((self.path / name).is_file() for name in MARKS):
                raise RunError(f"{self.path}: must be an empty folder or hold a run")
            if not force:
                raise RunError(f"{self.path}: holds a run already; --force (in Python, force=True) overwrites it")
            if holds_comparison(self.path) != (RESULTS in self.files):
                kinds = ("a comparison", "a run") if RESULTS in self.files else ("a run", "a comparison")
                raise RunError(f"{self.path}: holds {kinds[1]}; must hold {kinds[0]} to be overwritten by one")
            remove(self.path)
            for name in sorted({SUMS, *self.files, *self.derived}, key=MARKS.__contains__):  # the marks last
                (self.path / name).unlink(missing_ok=True)

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
        """Open the folder of a run or comparison, to resume it, and keep it locked.

        Raises:
            RunError: there is none, or it is in use.
        """
        if not (path / CONFIG).is_file():
            raise RunError(f"{path}: not the folder of a run or comparison: it has no {CONFIG}")
        with lock(path):
            yield cls(path, files)

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
        return "variants" in read_config_content(path, most=MOST_EXPERIMENT)
    except RunError:
        return False


def run_folders(path: Path) -> list[Path]:
    """Return the run folders inside a folder, sorted by name."""
    return sorted(file.parent for file in path.glob(f"*/{CONFIG}") if not file.parent.is_symlink())
