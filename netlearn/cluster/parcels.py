"""Orders made from the tasks of a comparison, and the parcels that come back, checked and stored."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np

from netlearn import __version__
from netlearn.cluster.messages import Order, Parcel, decode, encode
from netlearn.comparison.tasks import Outcome, Task
from netlearn.errors import MismatchError, NetlearnError, RunError
from netlearn.runs import (
    CONFIG,
    CURVES,
    RUN_FILES,
    SUMS,
    RunFolder,
    Sums,
    read_bounded,
    read_config,
    read_run,
    writing,
)
from netlearn.runs.files import MOST_BYTES

MUST_MATCH = {"netlearn": __version__, "numpy": np.__version__}  # of a worker's environment


def mismatch(found: Mapping[str, object], packages: Iterable[str] = MUST_MATCH) -> str | None:
    """Return why what has these versions of packages is rejected, or None."""
    for package in packages:
        if found.get(package) != MUST_MATCH[package]:
            return f"{package} {found.get(package) or 'missing'}: must be {MUST_MATCH[package]}, as here"
    return None


def order_of(task: Task) -> tuple[str, bytes]:
    """Return the order of a task, with the files of its interrupted run if there is one, and the order's id.

    Raises:
        MismatchError: the folder holds another run.
        RunError: it cannot be read.
    """
    if task.folder.is_symlink():
        raise RunError(f"{task.folder}: must not be a link; the runs of a comparison must be in its folder")
    files = {}
    if (task.folder / CONFIG).exists():
        if not task.has_settings(read_config(task.folder)):
            raise MismatchError(f"{task.folder}: holds a run with other settings")
        names = [name for name in RUN_FILES if name not in CURVES and (task.folder / name).exists()]
        files = {name: read_bounded(task.folder / name, MOST_BYTES) for name in names}
    order = Order(
        id=uuid4().hex,
        variant=task.variant,
        settings=task.settings,
        data=task.data,
        folder=str(task.folder),
        files=files,
    )
    return order.id, encode(order)


def store(task: Task, content: bytes) -> Outcome:
    """Check a parcel as any stranger's folder, and store its files in the folder of its task."""
    try:
        parcel = decode(content, Parcel)
        if parcel.problem is not None:
            return Outcome(parcel.problem)
        _check(task, parcel)
        _place(parcel.files, task.folder)
    except NetlearnError as error:
        return Outcome(str(error))
    return Outcome(note=parcel.note)


def _check(task: Task, parcel: Parcel) -> None:
    """Read a parcel as the folder of a stranger.

    Raises:
        RunError: it is not the run of the task, complete, intact, and from a worker that was admitted.
    """
    with tempfile.TemporaryDirectory(prefix="netlearn-") as temporary:
        folder = Path(temporary, "run")
        folder.mkdir()
        try:
            _check_files(task, parcel, folder)
        except RunError as error:
            raise RunError(f"its parcel was rejected: {str(error).replace(str(folder), 'it')}") from error


def _check_files(task: Task, parcel: Parcel, folder: Path) -> None:
    if rejected := mismatch(parcel.environment):
        raise RunError(rejected)
    if unknown := parcel.files.keys() - {*RUN_FILES, SUMS}:
        raise RunError(f"{folder}: holds {min(unknown)!r:.80}: must be the files of a run")
    for name, content in parcel.files.items():
        (folder / name).write_bytes(content)
    run = read_run(folder, task.variant)
    if not task.is_result(run):
        raise RunError(f"{folder}: holds a run with other settings or data")
    run.weights()
    Sums.read(folder).check_all()


def _place(files: dict[str, bytes], path: Path) -> None:
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
