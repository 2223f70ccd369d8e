"""Runs that exist, read back from their folders. Those may come from strangers, so nothing is believed unchecked."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from netlearn.activations import Array
from netlearn.costs import COSTS, lies_in
from netlearn.errors import RunError, SettingsError
from netlearn.files import check_file, read_bounded, refuse_newer
from netlearn.metrics import check_metrics, most_bytes, read_metrics
from netlearn.runs import CONFIG, METRICS, MOST_METRICS, SAMPLES, SUMMARY, WEIGHTS, Summary
from netlearn.settings import MOST_TOML, Settings, decode_toml, read_toml
from netlearn.slowdown import SAMPLE_EXAMPLES, SAMPLE_UPDATES
from netlearn.tensors import check_tensors, layer_shapes, read_tensors, tensor_names

MOST_SUMMARY, MOST_SAMPLES = 1_000_000, 50_000_000  # bytes


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
    if summary.sizes[1:-1] != settings.hidden or summary.seed != settings.seed:
        raise RunError(f"{folder / SUMMARY}: the summary of another run than that of {CONFIG}")
    check_file(folder / METRICS, most_bytes(settings))
    metrics = read_metrics(folder / METRICS)
    check_metrics(folder / METRICS, metrics, summary, settings.batch_size)
    return Run(variant, folder, settings, summary, metrics, summary.error)


def is_whole(run: Run) -> bool:
    """Tell whether a run has come to its end and its weights are there."""
    if run.summary is None or run.summary.status == "interrupted":
        return False
    weights, shapes = run.folder / WEIGHTS, layer_shapes(run.summary.sizes)
    try:
        if run.summary.status == "diverged":
            check_tensors(weights, shapes, run.settings.dtype)
        else:
            read_tensors(weights, shapes, run.settings.dtype)
    except RunError:
        return False
    return True


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
        RunError: it has none, they no longer are what a run can have, or the cost's code lies in the folder.
    """
    if not (folder / CONFIG).exists():
        raise RunError(f"{folder}: not the folder of a run: it has no {CONFIG}")
    check_file(folder / CONFIG, MOST_TOML)
    if holds_comparison(folder):
        raise RunError(f"{folder}: is a comparison, not a run; netlearn compare --resume goes on with it")
    try:
        settings = Settings(**read_toml(folder / CONFIG))
    except SettingsError as error:
        raise RunError(str(error)) from error
    refuse_code(folder, settings.cost)
    return settings


def refuse_code(folder: Path, cost: str) -> None:
    """Refuse a cost whose code came with the folder: whoever made that would have it run here.

    Raises:
        RunError: the code lies in the folder.
    """
    if cost not in COSTS and lies_in(cost, folder):
        raise RunError(f"{folder / CONFIG}: cost {cost}: its code lies in the folder, which may hold no code")


def check_maker(folder: Path) -> None:
    """Refuse to go on in a folder whose summary a newer netlearn has written.

    Raises:
        RunError: it has.
    """
    if (folder / SUMMARY).exists():
        content = read_bounded(folder / SUMMARY, MOST_SUMMARY)
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # what is no summary is written anew
            _check_maker(folder / SUMMARY, content)


def _check_maker(path: Path, content: bytes) -> None:
    refuse_newer(path, str(msgspec.json.decode(content, type=_Maker).environment.get("netlearn", "0")))


def read_summary(folder: Path) -> Summary:
    """Return the summary of a run folder.

    Raises:
        RunError: it cannot be read, is not what it should be, or was made by a newer netlearn.
    """
    path = folder / SUMMARY
    content = read_bounded(path, MOST_SUMMARY)
    try:
        _check_maker(path, content)
        summary = msgspec.json.decode(content, type=Summary)
        if not all(text.isprintable() for text in _texts(msgspec.json.decode(content))):
            raise RunError(f"{path}: not the summary of a run: a text of it cannot be printed")
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
        and summary.data["train"] > 0
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in what a JSON file holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(child)


class _Maker(msgspec.Struct):
    """What tells which netlearn wrote a summary."""

    environment: dict[str, Any] = {}
