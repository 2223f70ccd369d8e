"""The results of runs over their seeds.

A missing number is None: a run that diverged has no test accuracy, a threshold that was never reached has no update.
"""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from netlearn.runs import Run, Summary, selection, text_of, varied
from netlearn.text import printable

THRESHOLDS = (0.8, 0.9, 0.95)


class Reached(msgspec.Struct, frozen=True):
    """When a validation accuracy was reached: the sorted updates of the seeds that reached it."""

    accuracy: float
    updates: tuple[int, ...]
    seeds: int

    @property
    def median(self) -> float | None:
        """The median over the seeds; None if half of them or more never reached it."""
        never = [math.inf] * (self.seeds - len(self.updates))
        middle = statistics.median([*self.updates, *never]) if self.seeds else math.inf
        return middle if math.isfinite(middle) else None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A variant over its seeds; spreads are sample standard deviations, accuracies fractions.

    `settings` has the variant's values of the settings that vary in the comparison, as text.
    """

    variant: str
    settings: dict[str, str] = {}
    learning_rate: float
    data: str
    seeds: int
    finished: int
    test_accuracy: float | None
    test_spread: float | None
    test_lowest: float | None
    best_validation_accuracy: float | None
    reached: tuple[Reached, ...]
    learning_speed_0: float | None
    learning_speed_100: float | None
    stuck_after_epoch_1: float | None
    seconds_per_epoch: float | None
    diverging: int = 0
    problems: tuple[str, ...]


def group(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs of each variant, in the order of the variants."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.variant, []).append(run)
    return groups


def summarize_all(groups: Mapping[str, Sequence[Run]]) -> tuple[Row, ...]:
    """Return the rows of all variants, with the settings that vary."""
    names = varied(runs[0].settings for runs in groups.values())
    return tuple(summarize(variant, runs, names) for variant, runs in groups.items())


def summarize(variant: str, runs: Sequence[Run], names: Iterable[str] = ()) -> Row:
    """Return the row of a variant with some of its settings; of interrupted runs it has only that they were."""
    ended = [run for run in runs if not run.interrupted]
    finished = [run.summary for run in ended if run.summary is not None and run.summary.test_accuracy is not None]
    test = [summary.test_accuracy for summary in finished if summary.test_accuracy is not None]
    speeds = [summary.training_seconds / summary.epochs for summary in finished if summary.epochs]
    reached = [(accuracy, [run.updates_to(accuracy) for run in ended]) for accuracy in THRESHOLDS]
    return Row(
        variant=variant,
        settings={name: text_of(getattr(runs[0].settings, name)) for name in names},
        learning_rate=runs[0].settings.learning_rate,
        data=runs[0].settings.data,
        seeds=len(runs),
        finished=len(finished),
        test_accuracy=_mean(test),
        test_spread=statistics.stdev(test) if len(test) > 1 else None,
        test_lowest=min(test, default=None),
        best_validation_accuracy=selection.validation_accuracy(runs),
        reached=tuple(
            Reached(accuracy, tuple(sorted(update for update in updates if update is not None)), len(ended))
            for accuracy, updates in reached
        ),
        learning_speed_0=_mean([run.at_update("learning_speed", 0) for run in ended]),
        learning_speed_100=_mean([run.at_update("learning_speed", 100) for run in ended]),
        stuck_after_epoch_1=_mean([run.at_update("stuck", run.updates_per_epoch) for run in ended if run.metrics]),
        seconds_per_epoch=_mean(speeds),
        diverging=sum(run.diverging is not None for run in runs),
        problems=tuple(
            f"seed {run.settings.seed}: {problem}" for run in runs if (problem := run.shortfall or run.diverging)
        ),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.fmean(present) if present else None


def by_accuracy(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have a test accuracy, the highest first."""
    return sorted((row for row in rows if row.test_accuracy is not None), key=lambda row: -(row.test_accuracy or 0))


def by_validation(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by their best validation accuracy, the highest first; those without one come last."""
    return sorted(rows, key=lambda row: -(row.best_validation_accuracy or 0))


def by_speed(rows: Sequence[Row]) -> tuple[int, list[Row]]:
    """Return the index of the threshold by which speed is compared, 90 % or 80 %, and the rows, the fastest first.

    It is 80 % if no variant reached 90 % in most of its seeds. If no variant reached that either, there are no rows.
    """
    for i in (1, 0):
        order = sorted(rows, key=lambda row: row.reached[i].median or math.inf)
        if order[0].reached[i].median is not None:
            return i, order
    return 0, []


def paired(ours: Sequence[Run], theirs: Sequence[Run]) -> bool:
    """Return whether the finished runs of two variants share initial weights and mini-batches, seed by seed."""
    one, other = (
        {run.settings.seed: run.summary for run in runs if run.summary is not None and run.problem is None}
        for runs in (ours, theirs)
    )
    shared = one.keys() & other.keys()
    return bool(shared) and all(
        one[seed].initial_weights_sha256 == other[seed].initial_weights_sha256
        and _same_batches(one[seed], other[seed])
        for seed in shared
    )


def _same_batches(one: Summary, other: Summary) -> bool:
    """Return whether two runs had identical mini-batches, as far as both trained."""
    if one.updates == other.updates:
        return one.mini_batches_sha256 == other.mini_batches_sha256
    return one.shuffling_sha256 is not None and one.shuffling_sha256 == other.shuffling_sha256


def pairing(runs: Sequence[Run]) -> str:
    """Return in words whether runs with the same seed are paired, according to their hashes."""
    by_seed: dict[int, list[Summary]] = {}
    for run in runs:
        if run.summary is not None and run.shortfall is None:
            by_seed.setdefault(run.settings.seed, []).append(run.summary)
    shared = [summaries for summaries in by_seed.values() if len(summaries) > 1]
    if not shared:
        return "Not paired: no seed has two finished runs."
    starts = all(len({summary.initial_weights_sha256 for summary in summaries}) == 1 for summaries in shared)
    batches = all(_same_batches(summaries[0], summary) for summaries in shared for summary in summaries)
    if starts and batches:
        return "Paired: runs with the same seed had identical initial weights and mini-batches (by SHA-256)."
    if starts or batches:
        same, other = ("initial weights", "mini-batches") if starts else ("mini-batches", "initial weights")
        return f"Half paired: runs with the same seed had identical {same}, but different {other} (by SHA-256)."
    return "Not paired: runs with the same seed had different initial weights and mini-batches (by SHA-256)."


def run_table(runs: Sequence[Run]) -> list[dict[str, object]]:
    """Return the rows of results.csv, one per run, with a column for each setting that varies."""
    names = [name for name in varied(run.settings for run in runs) if name != "learning_rate"]
    return [
        {
            "variant": run.variant,
            "seed": run.settings.seed,
            "learning_rate": run.settings.learning_rate,
            **{name: text_of(getattr(run.settings, name)) for name in names},
            "status": run.summary.status if run.summary else "failed",
            "test_accuracy": run.summary.test_accuracy if run.summary else None,
            "best_validation_accuracy": run.summary.best_validation_accuracy if run.summary else None,
            **{f"updates_to_{100 * accuracy:.0f}": run.updates_to(accuracy) for accuracy in THRESHOLDS},
            "learning_speed_0": run.at_update("learning_speed", 0),
            "learning_speed_100": run.at_update("learning_speed", 100),
            "stuck_after_epoch_1": run.at_update("stuck", run.updates_per_epoch) if run.metrics else None,
            "problem": run.shortfall or run.diverging,
            "folder": printable(str(run.folder)),
            "training_seconds": run.summary.training_seconds if run.summary else None,
        }
        for run in runs
    ]


def results_csv(runs: Sequence[Run]) -> bytes:
    """Return the content of results.csv."""
    table = run_table(runs)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, table[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()
