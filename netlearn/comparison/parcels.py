"""What goes to the workers of a cluster, and how the parcels that come back are checked and stored."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from netlearn import __version__, datasets, runs
from netlearn.comparison.orders import Parcel
from netlearn.comparison.tasks import Outcome, Task
from netlearn.errors import DataError, MismatchError, NetlearnError, RunError
from netlearn.runs.checkpoint import check_whole
from netlearn.runs.files import MOST_BYTES
from netlearn.runs.reader import determining_settings
from netlearn.settings import write_toml

MUST_MATCH = {"netlearn": __version__, "numpy": np.__version__}  # of a worker's environment
ALWAYS = {runs.CONFIG, runs.SUMMARY, runs.METRICS, runs.WEIGHTS, runs.OUTPUT_NEURONS, runs.CHECKPOINT}
MOST_TEXT = 1000  # characters of what a worker says


def files_of(name: str, identity: tuple[str, ...]) -> bytes:
    """Return the original files of a data set on this machine, which must have that identity; none if it has none."""
    if not all(len(sha256) == 64 for sha256 in identity):
        return b""
    data = datasets.load(name)
    where = Path(data.where)
    paths = {file: where / file if where.is_dir() else where for file in data.sha256}
    if not all(path.is_file() for path in paths.values()):
        raise DataError(
            f"data {name}: lies in several folders, which a cluster is not sent; put IDX files into one, and images "
            "as arrays into an .npz file (see docs/data.md)"
        )
    files = {file: path.read_bytes() for file, path in paths.items()}
    if runs.data_identity(data.name, data.sha256) != identity:
        raise DataError(f"data {name}: was changed while the comparison was in progress")
    return msgspec.msgpack.encode(files)


def mismatch(found: Mapping[str, object], packages: Iterable[str] = MUST_MATCH) -> str | None:
    """Return why what has these versions of packages is rejected, or None."""
    for package in packages:
        if found.get(package) != MUST_MATCH[package]:
            return f"{package} {found.get(package) or 'missing'}: must be {MUST_MATCH[package]}, as here"
    return None


def files_to_resume(task: Task) -> dict[str, bytes]:
    """Return the files of the interrupted run of a task, if there is one.

    Raises:
        MismatchError: the folder holds another run.
        RunError: it cannot be read.
    """
    if task.folder.is_symlink():
        raise RunError(f"{task.folder}: must not be a link; the runs of a comparison must be in its folder")
    if not (task.folder / runs.CONFIG).exists():
        return {}
    if not task.has_settings(runs.read_config(task.folder)):
        raise MismatchError(f"{task.folder}: holds a run with other settings")
    names = [name for name in runs.RUN_FILES if name not in runs.CURVES and (task.folder / name).exists()]
    return {name: runs.read_bounded(task.folder / name, MOST_BYTES) for name in names}


def receive(task: Task, content: bytes) -> tuple[str, Outcome]:
    """Read a parcel and store its run in the folder of its task; return the worker and the outcome.

    Raises:
        RunError: the bytes are no parcel.
    """
    try:
        parcel = msgspec.msgpack.decode(content, type=Parcel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"not a valid parcel: {error}") from error
    said = parcel.outcome
    problem, note = (text and " ".join(text.split())[:MOST_TEXT] for text in (said.problem, said.note))
    outcome = Outcome(problem, note, said.of_machine)
    return parcel.worker[:MOST_TEXT], store(task, parcel) or outcome if problem is None else outcome


def store(task: Task, parcel: Parcel) -> Outcome | None:
    """Check the files of a parcel as any stranger's folder, and store them; return what prevents it, if anything."""
    try:
        with tempfile.TemporaryDirectory(prefix="netlearn-") as temporary:
            folder = Path(temporary, "run")
            folder.mkdir()
            try:
                _check(task, parcel, folder)
            except RunError as error:
                raise RunError(f"its parcel was rejected: {str(error).replace(str(folder), 'it')}") from error
        _place(parcel.files, task.folder)
    except (NetlearnError, OSError) as error:
        return Outcome(str(error))
    return None


def _check(task: Task, parcel: Parcel, folder: Path) -> None:
    """Write the files of a parcel to a folder, and check every one.

    Raises:
        RunError: it is not the run of the task, complete, intact, and from a worker that was admitted.
    """
    if rejected := mismatch(parcel.environment):
        raise RunError(rejected)
    if unknown := parcel.files.keys() - {*runs.RUN_FILES, runs.SUMS}:
        raise RunError(f"{folder}: holds {min(unknown)!r:.80}: must be the files of a run")
    for name, content in parcel.files.items():
        (folder / name).write_bytes(content)
    run = runs.read_run(folder, task.variant)
    same = task.is_result(run) and parcel.files[runs.CONFIG] == write_toml(task.settings)
    if not same or run.summary is None or run.summary.seed != task.settings.seed:
        raise RunError(f"{folder}: holds a run with other settings or data")
    needed = ALWAYS if run.summary.status != "diverged" else ALWAYS - {runs.METRICS, runs.CHECKPOINT}
    if task.settings.patience != "off" and run.summary.best_epoch is not None:
        needed = needed | {runs.BEST_WEIGHTS}
    if missing := needed - parcel.files.keys():
        raise RunError(f"{folder}: has no {min(missing)}")
    runs.Sums.read(folder).check_all()
    for name in {runs.WEIGHTS, runs.BEST_WEIGHTS} & parcel.files.keys():
        run.weights(name)
    run.samples()
    run.snapshots()
    if runs.CHECKPOINT in parcel.files:
        identity = determining_settings(task.settings) | {"data": list(task.data)}
        check_whole(folder / runs.CHECKPOINT, identity, parcel.files.get(runs.METRICS, b""))


def _place(files: Mapping[str, bytes], path: Path) -> None:
    """Store the files of a run, SHA256SUMS last, in place of those of its interrupted run."""
    with runs.RunFolder.open(path) as folder:
        if not (path / runs.CONFIG).exists():
            folder.remove_files()
        folder.open_again()
        for name in runs.RUN_FILES:
            if name in files:
                folder.write(name, files[name])
            else:
                with runs.writing(path), suppress(FileNotFoundError):
                    (path / name).unlink()
        folder.write(runs.SUMS, files[runs.SUMS])
