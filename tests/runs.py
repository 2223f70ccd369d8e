"""Does runs on a small data set, in this process, and reads their results."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netlearn.comparison.outputs import curves_files
from netlearn.datasets import Dataset
from netlearn.runs import RunFolder, Summary
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import train_run
from netlearn.settings import Settings, resolve
from netlearn.slowdown import Record
from netlearn.training import Trainer
from tests.files import small_dataset


def begin_run(**given: Any) -> Trainer:
    """Return the trainer of a short run with the settings given."""
    small = {"hidden": (5,), "epochs": 4, "learning_rate": 0.5, "data": "small"}
    return make_trainer(resolve(small, given), small_dataset())


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
        return train_run(
            settings,
            make_trainer(settings, data or small_dataset(), last),
            folder,
            on_record,
            draw=curves_files if draw else None,
        )


def resume_run(
    settings: Settings, path: Path, last: int | None = None, *, data: Dataset | None = None, draw: bool = False
) -> Summary:
    """Resume a run, up to update `last` if given."""
    with RunFolder.existing(path) as folder:
        trainer = make_trainer(settings, data or small_dataset(), last)
        return train_run(settings, trainer, folder, resumed=True, draw=curves_files if draw else None)


def reseal(path: Path) -> None:
    """Write SHA256SUMS anew, as whoever forges a run folder would."""
    RunFolder(path).finish()


def results_of(folder: Path) -> dict[str, Any]:
    """Return the results of a run, except for its times."""
    files: dict[str, Any] = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".toml", ".svg"}
    }
    for name in ("weights", "best", "output_neurons", "snapshots"):
        if (folder / f"{name}.safetensors").exists():
            files[name] = (folder / f"{name}.safetensors").read_bytes()
    with (folder / "metrics.csv").open(newline="") as file:
        files["metrics"] = [row[:2] + row[3:] for row in csv.reader(file)]
    summary = json.loads((folder / "summary.json").read_text())
    files["summary"] = {name: value for name, value in summary.items() if not name.endswith("seconds")}
    return files
