"""Runs that exist, read back from their folders. Those may come from strangers, so nothing is believed unchecked."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from netlearn.activations import Array
from netlearn.errors import RunError, SettingsError
from netlearn.files import check_file, read_bounded, refuse_newer
from netlearn.runs import CONFIG, LONGEST_ROW, METRICS, MOST_METRICS, SAMPLES, SUMMARY, Summary
from netlearn.settings import MOST_TOML, Settings, decode_toml, read_toml
from netlearn.slowdown import SAMPLE_EXAMPLES, SAMPLE_UPDATES
from netlearn.tensors import read_tensors, tensor_names

MOST_SUMMARY, MOST_SAMPLES = 1_000_000, 50_000_000  # bytes
COLUMNS = (
    "update", "epoch", "seconds", "train_cost", "train_accuracy", "validation_cost", "validation_accuracy",
    "output_error", "learning_speed", "stuck",
)  # fmt: skip
TEST_COLUMNS = ("test_cost", "test_accuracy")  # where the test set is tracked


@dataclass(frozen=True)
class Run:
    """A run that was done: its settings, what it left, and its problem where it could not finish.

    `metrics` are the columns of metrics.csv, one value per probe.
    """

    variant: str
    folder: Path
    settings: Settings
    summary: Summary | None
    metrics: dict[str, Array]
    problem: str | None = None

    def at_update(self, column: str, update: float) -> float | None:
        """Return what a column says at an update that was probed."""
        found = np.flatnonzero(self.metrics["update"] == update) if self.metrics else np.empty(0, int)
        return float(self.metrics[column][found[0]]) if found.size else None

    def updates_to(self, accuracy: float) -> int | None:
        """Return the first probed update with at least that validation accuracy."""
        reached = self.metrics["validation_accuracy"] >= accuracy if self.metrics else np.empty(0, bool)
        return int(self.metrics["update"][reached.argmax()]) if reached.any() else None

    @property
    def updates_per_epoch(self) -> int:
        """The mini-batches of an epoch."""
        last = {column: float(self.metrics[column][-1]) for column in ("update", "epoch")}
        return round(last["update"] / last["epoch"]) if last["epoch"] else 1

    def samples(self) -> dict[int, tuple[Array, Array]]:
        """Return |a − y| and |δ| of single output neurons, by update; none for a run that did not keep them.

        Raises:
            RunError: the file cannot be read.
        """
        path = self.folder / SAMPLES
        if self.summary is None or not path.exists():
            return {}
        found = tensor_names(path, MOST_SAMPLES)
        updates = [update for update in SAMPLE_UPDATES if f"error.{update}" in found]
        shape = (min(SAMPLE_EXAMPLES, self.summary.data.get("train", 0)) * self.summary.sizes[-1],)
        names = [f"{kind}.{update}" for update in updates for kind in ("error", "gradient")]
        tensors = read_tensors(path, dict.fromkeys(names, shape), self.settings.dtype)
        return {update: (tensors[f"error.{update}"], tensors[f"gradient.{update}"]) for update in updates}


def read_run(folder: Path, variant: str) -> Run:
    """Read a run folder, whoever made it.

    Raises:
        RunError: it is no run folder, is not finished, or a file of it is not what it should be.
    """
    for name, most in ((CONFIG, MOST_TOML), (METRICS, MOST_METRICS), (SUMMARY, MOST_SUMMARY)):
        if not (folder / name).exists():
            raise RunError(f"{folder}: not the folder of a finished run: it has no {name}")
        check_file(folder / name, most)
    settings = read_settings(folder)
    summary = read_summary(folder)
    return Run(variant, folder, settings, summary, read_metrics(folder / METRICS), summary.error)


def holds_comparison(folder: Path) -> bool:
    """Tell whether a folder's config.toml is a comparison's.

    Raises:
        RunError: it cannot be read.
    """
    check_file(folder / CONFIG, MOST_TOML)
    try:
        return "variants" in decode_toml(folder / CONFIG)
    except SettingsError as error:
        raise RunError(str(error)) from error


def read_settings(folder: Path) -> Settings:
    """Return the settings of a run folder, never loading the code that a cost names.

    Raises:
        RunError: it has none, or they no longer are what a run can have.
    """
    if not (folder / CONFIG).exists():
        raise RunError(f"{folder}: not the folder of a run: it has no {CONFIG}")
    check_file(folder / CONFIG, MOST_TOML)
    if holds_comparison(folder):
        raise RunError(f"{folder}: is a comparison, not a run; netlearn compare --resume goes on with it")
    try:
        return Settings(**read_toml(folder / CONFIG))
    except SettingsError as error:
        raise RunError(str(error)) from error


def read_summary(folder: Path) -> Summary:
    """Return the summary of a run folder.

    Raises:
        RunError: it cannot be read, is not what it should be, or was made by a newer netlearn.
    """
    path = folder / SUMMARY
    content = read_bounded(path, MOST_SUMMARY)
    try:
        refuse_newer(path, str(msgspec.json.decode(content, type=_Maker).environment.get("netlearn", "0")))
        summary = msgspec.json.decode(content, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{path}: not the summary of a run: {error}") from error
    if not _can_be(summary):
        raise RunError(f"{path}: not the summary of a run: no run can have its values")
    return summary


def _can_be(summary: Summary) -> bool:
    """Tell whether a run can have this summary."""
    accuracies = [
        summary.best_validation_accuracy, summary.validation_accuracy, summary.train_accuracy, summary.test_accuracy,
        *summary.recall,
    ]  # fmt: skip
    return (
        summary.status in {"finished", "stopped early", "interrupted", "diverged"}
        and len(summary.sizes) >= 2
        and min(summary.sizes) >= 1
        and len(summary.recall) <= max(2, summary.sizes[-1])
        and summary.updates >= 0
        and 0 <= summary.epochs <= 1e7
        and all(0 <= accuracy <= 1 for accuracy in accuracies if accuracy is not None)
        and isinstance(summary.data.get("train"), int)
    )


def _are_columns(header: list[str]) -> bool:
    columns = [*COLUMNS, *(TEST_COLUMNS if TEST_COLUMNS[0] in header else ())]
    layers = [f"speed_{layer}" for layer in range(1, len(header) - len(columns) + 1)]
    return bool(layers) and header == [*columns, *layers]


class _Maker(msgspec.Struct):
    """What tells which netlearn wrote a summary."""

    environment: dict[str, Any] = {}


def read_metrics(path: Path) -> dict[str, Array]:
    """Return the columns of a metrics.csv; none where the file does not exist.

    Raises:
        RunError: it cannot be read, or its columns or rows are not those of a run.
    """
    if not path.exists():
        return {}
    check_file(path, MOST_METRICS)
    try:
        with path.open(encoding="utf-8") as file, warnings.catch_warnings(action="ignore"):  # of no rows
            header = file.readline(LONGEST_ROW).rstrip("\n").split(",")
            commas = file.readline(LONGEST_ROW).count(",")
            if not _are_columns(header) or commas != len(header) - 1:
                raise RunError(f"{path}: not the metrics of a run: its columns or rows are others")
            file.seek(0)
            table = np.loadtxt(file, delimiter=",", ndmin=2, comments=None, skiprows=1)
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: not the metrics of a run: {error}") from error
    if table.shape[1] != len(header) or not np.isfinite(table[:, :2]).all():
        raise RunError(f"{path}: not the metrics of a run: its columns or rows are others")
    return dict(zip(header, table.T, strict=True))
