"""Reads metrics.csv back, and believes it only where a run can have left it."""

import warnings
from pathlib import Path

import numpy as np

from netlearn.activations import Array
from netlearn.errors import RunError
from netlearn.files import check_file
from netlearn.runs import LONGEST_ROW, MOST_METRICS, SUMMARY, Summary
from netlearn.settings import Settings

COLUMNS = (
    "update", "epoch", "seconds", "train_cost", "train_accuracy", "validation_cost", "validation_accuracy",
    "output_error", "learning_speed", "stuck",
)  # fmt: skip
TEST_COLUMNS = ("test_cost", "test_accuracy")  # where the test set is tracked
COSTS = {"train_cost", "validation_cost", "test_cost"}  # a cost of the user's own may be negative
SHARES = {"train_accuracy", "validation_accuracy", "test_accuracy", "stuck"}
LARGEST = 1e300  # of a metric: what is larger cannot be drawn
FIRST_PROBES, LONGEST_NUMBER = 50, 17  # rows before the second epoch's, at most; bytes, with the comma


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


def most_bytes(settings: Settings) -> int:
    """Return how many bytes the metrics.csv of a run can have."""
    rows = settings.epochs // settings.probe_every + FIRST_PROBES
    columns = len(COLUMNS) + len(TEST_COLUMNS) + len(settings.hidden) + 1
    return min(MOST_METRICS, LONGEST_ROW + rows * columns * LONGEST_NUMBER)


def check_metrics(path: Path, metrics: dict[str, Array], summary: Summary, batch_size: int) -> None:
    """Refuse metrics that no run with that summary can have left.

    Raises:
        RunError: a column holds such values, or the rows end where the run did not.
    """
    update, epoch = metrics["update"], metrics["epoch"]
    wrong = [
        name
        for name, column in metrics.items()
        if (column > (1 if name in SHARES else LARGEST)).any()
        or (column < (-LARGEST if name in COSTS else 0)).any()
        or (np.isnan(column).any() and name != "learning_speed")  # it has none where there is no error
    ]
    if (np.diff(update) <= 0).any():
        wrong.append("update")
    if not np.allclose(epoch, update / -(-summary.data["train"] // batch_size), rtol=1e-6, atol=0):
        wrong.append("epoch")
    if wrong:
        raise RunError(f"{path}: no run can have the values of its column {wrong[0]}")
    last = int(update[-1]) if update.size else 0
    if last > summary.updates or (last < summary.updates and summary.status != "diverged"):
        raise RunError(f"{path}: ends at update {last}; the run, by its {SUMMARY}, at {summary.updates}")


def _are_columns(header: list[str]) -> bool:
    columns = [*COLUMNS, *(TEST_COLUMNS if TEST_COLUMNS[0] in header else ())]
    layers = [f"speed_{layer}" for layer in range(1, len(header) - len(columns) + 1)]
    return bool(layers) and header == [*columns, *layers]
