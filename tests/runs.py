"""Does runs on a small data set, in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from netlearn.datasets import Dataset
from netlearn.experiments.run import make_trainer, resume, run
from netlearn.runs import RunFolder, Summary
from netlearn.settings import Settings
from netlearn.slowdown import Record
from tests.files import small_dataset


def do_run(
    settings: Settings,
    path: Path,
    last: int | None = None,
    *,
    data: Dataset | None = None,
    on_record: Callable[[Record], Any] = lambda record: None,
    draw: bool = False,
) -> Summary:
    """Do a run, or its first `last` updates, as if it was interrupted there."""
    with RunFolder.create(path) as folder:
        return run(settings, make_trainer(settings, data or small_dataset(), last), folder, on_record, draw=draw)


def resume_run(
    settings: Settings, path: Path, last: int | None = None, *, data: Dataset | None = None, draw: bool = False
) -> Summary:
    """Resume a run, up to update `last` if given."""
    with RunFolder.existing(path) as folder:
        return resume(settings, make_trainer(settings, data or small_dataset(), last), folder, draw=draw)


def reseal(path: Path) -> None:
    """Write SHA256SUMS anew, as whoever forges a run folder would."""
    RunFolder(path).finish()
