"""What goes to the workers of a cluster, and how the parcels that come back are checked and stored."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from netlearn import __version__, datasets
from netlearn.comparison.orders import Parcel
from netlearn.comparison.tasks import Outcome, Task
from netlearn.errors import DataError, MismatchError, NetlearnError, RunError
from netlearn.runs import (
    BEST_WEIGHTS,
    CHECKPOINT,
    CONFIG,
    CURVES,
    METRICS,
    OUTPUT_NEURONS,
    RUN_FILES,
    SUMMARY,
    SUMS,
    WEIGHTS,
    RunFolder,
    Sums,
    data_identity,
    read_bounded,
    read_config,
    read_run,
    writing,
)
from netlearn.runs.checkpoint import check_whole
from netlearn.runs.files import MOST_BYTES
from netlearn.runs.reader import determining_settings
from netlearn.settings import write_toml

MUST_MATCH = {"netlearn": __version__, "numpy": np.__version__}  # of a worker's environment
ALWAYS = {CONFIG, SUMMARY, METRICS, WEIGHTS, OUTPUT_NEURONS, CHECKPOINT}


def files_of(name: str, identity: tuple[str, ...]) -> bytes:
    """Return the original files of a data set on this machine, which must have that identity; none if it has none."""
    if not all(len(sha256) == 64 for sha256 in identity):
        return b""
    data = datasets.load(name)
    where = Path(data.where)
    files = {file: (where / file if where.is_dir() else where).read_bytes() for file in data.sha256}
    if data_identity(data.name, data.sha256) != identity:
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
    if not (task.folder / CONFIG).exists():
        return {}
    if not task.has_settings(read_config(task.folder)):
        raise MismatchError(f"{task.folder}: holds a run with other settings")
    names = [name for name in RUN_FILES if name not in CURVES and (task.folder / name).exists()]
    return {name: read_bounded(task.folder / name, MOST_BYTES) for name in names}


def store(task: Task, parcel: Parcel) -> Outcome:
    """Check a parcel as any stranger's folder, and store its files in the folder of its task."""
    if parcel.problem is not None:
        return Outcome(parcel.problem)
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
    return Outcome(note=parcel.note)


def _check(task: Task, parcel: Parcel, folder: Path) -> None:
    """Write the files of a parcel to a folder, and check every one.

    Raises:
        RunError: it is not the run of the task, complete, intact, and from a worker that was admitted.
    """
    if rejected := mismatch(parcel.environment):
        raise RunError(rejected)
    if unknown := parcel.files.keys() - {*RUN_FILES, SUMS}:
        raise RunError(f"{folder}: holds {min(unknown)!r:.80}: must be the files of a run")
    for name, content in parcel.files.items():
        (folder / name).write_bytes(content)
    run = read_run(folder, task.variant)
    same = task.is_result(run) and parcel.files[CONFIG] == write_toml(task.settings)
    if not same or run.summary is None or run.summary.seed != task.settings.seed:
        raise RunError(f"{folder}: holds a run with other settings or data")
    needed = ALWAYS if run.summary.status != "diverged" else ALWAYS - {METRICS, CHECKPOINT}
    if task.settings.patience != "off" and run.summary.best_epoch is not None:
        needed = needed | {BEST_WEIGHTS}
    if missing := needed - parcel.files.keys():
        raise RunError(f"{folder}: has no {min(missing)}")
    Sums.read(folder).check_all()
    for name in {WEIGHTS, BEST_WEIGHTS} & parcel.files.keys():
        run.weights(name)
    run.samples()
    run.snapshots()
    if CHECKPOINT in parcel.files:
        identity = determining_settings(task.settings) | {"data": list(task.data)}
        check_whole(folder / CHECKPOINT, identity, parcel.files.get(METRICS, b""))


def _place(files: Mapping[str, bytes], path: Path) -> None:
    """Store the files of a run, SHA256SUMS last, in place of those of its interrupted run."""
    with RunFolder.open(path) as folder:
        if not (path / CONFIG).exists():
            folder.remove_files()
        folder.open_again()
        for name in RUN_FILES:
            if name in files:
                folder.write(name, files[name])
            else:
                with writing(path), suppress(FileNotFoundError):
                    (path / name).unlink()
        folder.write(SUMS, files[SUMS])
