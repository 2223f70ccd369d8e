"""The figures of runs over their seeds.

A missing number is None: a run that diverged has no test accuracy, a threshold that was never reached has no update.
"""

import csv
import io
import math
import statistics
from collections.abc import Callable, Iterable, Sequence

import msgspec

from netlearn.runs import Groups, Run, selection, text_of, varied
from netlearn.text import printable

THRESHOLDS = (0.8, 0.9, 0.95)
SIGN_LEVEL = 0.05
FIGURES: dict[str, Callable[[Run], float | None]] = {  # of a run, by the names of results.csv
    "early_accuracy": lambda run: early_accuracy(run) if has_finished(run) else None,
    "test_accuracy": lambda run: run.summary.test_accuracy if run.summary else None,
    "best_validation_accuracy": lambda run: run.summary.best_validation_accuracy if run.summary else None,
    "updates_to_80": lambda run: run.updates_to(0.8),
    "updates_to_90": lambda run: run.updates_to(0.9),
    "updates_to_95": lambda run: run.updates_to(0.95),
    "learning_speed_0": lambda run: run.at_update("learning_speed", 0),
    "learning_speed_100": lambda run: run.at_update("learning_speed", 100),
    "stuck_after_epoch_1": lambda run: run.at_update("stuck", run.updates_per_epoch),
    "calibration_error": lambda run: run.summary.calibration_error if run.summary else None,
}
OF_ROWS = (  # whose means over the seeds are in the rows
    "early_accuracy", "test_accuracy", "learning_speed_0", "learning_speed_100", "stuck_after_epoch_1",
    "calibration_error",
)  # fmt: skip


class Reached(msgspec.Struct, frozen=True):
    """Between which updates a validation accuracy was reached, known no better than the probes are apart.

    Attributes:
        accuracy: the validation accuracy.
        updates: of the seeds that reached it, the first probed update with at least that accuracy, sorted.
        seeds: how many there are; those that diverged never reached it, those that failed are not counted.
        after: of the seeds that reached it, the last probed update before, sorted.
    """

    accuracy: float
    updates: tuple[int, ...]
    seeds: int
    after: tuple[int, ...] = ()

    @property
    def median(self) -> tuple[float, float] | None:
        """The medians over the seeds of both ends; None if half of the seeds or more never reached it."""
        never = [math.inf] * (self.seeds - len(self.updates))
        middle = statistics.median([*self.updates, *never]) if self.seeds else math.inf
        return (statistics.median([*(self.after or self.updates), *never]), middle) if math.isfinite(middle) else None

    @property
    def rank(self) -> tuple[float, int]:
        """Sorts variants: by the median; those without one come last, by how many seeds reached it."""
        return (self.median[1], 0) if self.median is not None else (math.inf, -len(self.updates))


class Race(msgspec.Struct, frozen=True, kw_only=True):
    """How often one variant reached a validation accuracy before another; a description, on which no claim rests.

    Attributes:
        accuracy: the validation accuracy.
        first: the variant that reached it after the fewest updates in the median.
        other: another one.
        seeds: how many seeds both ended, by divergence or otherwise.
        ahead: in how many the first one was there before a probe at which the other was not.
        tied: in how many it cannot be told, or neither got there.
        p: of the sign test over the seeds that are not tied; None where so few seeds cannot make it small.
    """

    accuracy: float
    first: str
    other: str
    seeds: int
    ahead: int
    tied: int
    p: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A variant over its seeds; spreads are sample standard deviations, accuracies fractions.

    `settings` has the variant's values of the settings that vary in the comparison, as text. A seed is finished,
    diverged, or failed for a technical reason; one that is interrupted is none of these.
    """

    variant: str
    settings: dict[str, str] = {}
    learning_rate: float
    data: str
    seeds: int
    finished: int
    diverged: int = 0
    failed: int = 0
    early_accuracy: float | None = None
    early_spread: float | None = None
    test_accuracy: float | None
    test_spread: float | None
    test_lowest: float | None
    best_validation_accuracy: float | None
    reached: tuple[Reached, ...]
    learning_speed_0: float | None
    learning_speed_100: float | None
    stuck_after_epoch_1: float | None
    calibration_error: float | None = None
    calibration_spread: float | None = None
    seconds_per_epoch: float | None
    diverging: int = 0
    problems: tuple[str, ...]


def group(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs of each variant, in the order of the variants; a seed that is there twice counts once."""
    groups: dict[str, dict[int, Run]] = {}
    for run in runs:
        groups.setdefault(run.variant, {}).setdefault(run.settings.seed, run)
    return {variant: list(by_seed.values()) for variant, by_seed in groups.items()}


def summarize_all(groups: Groups) -> tuple[Row, ...]:
    """Return the rows of all variants, with the settings that vary."""
    names = varied(runs[0].settings for runs in groups.values())
    return tuple(summarize(variant, runs, names) for variant, runs in groups.items())


def summarize(variant: str, runs: Sequence[Run], names: Iterable[str] = ()) -> Row:
    """Return the row of a variant with some of its settings; of interrupted and failed runs it has only that."""
    ended = [run for run in runs if _ended(run)]
    found = {name: [value for run in ended if (value := FIGURES[name](run)) is not None] for name in OF_ROWS}
    finished = [run.summary for run in ended if run.summary is not None and run.summary.test_accuracy is not None]
    return Row(
        variant=variant,
        settings={name: text_of(getattr(runs[0].settings, name)) for name in names},
        learning_rate=runs[0].settings.learning_rate,
        data=runs[0].settings.data,
        seeds=len(runs),
        finished=len(finished),
        diverged=sum(run.diverged for run in runs),
        failed=sum(run.summary is None for run in runs),
        **{name: _mean(values) for name, values in found.items()},
        early_spread=spread_of(found["early_accuracy"]),
        test_spread=spread_of(found["test_accuracy"]),
        test_lowest=min(found["test_accuracy"], default=None),
        best_validation_accuracy=selection.validation_accuracy(runs),
        reached=tuple(_reached(accuracy, ended) for accuracy in THRESHOLDS),
        calibration_spread=spread_of(found["calibration_error"]),
        seconds_per_epoch=_mean([each.training_seconds / each.epochs for each in finished if each.epochs]),
        diverging=sum(run.diverging is not None for run in runs),
        problems=tuple(
            f"seed {run.settings.seed}: {problem}" for run in runs if (problem := run.shortfall or run.diverging)
        ),
    )


def _ended(run: Run) -> bool:
    """Return whether a run came to its end, be it by divergence; it did not fail and was not interrupted."""
    return run.summary is not None and not run.interrupted


def has_finished(run: Run) -> bool:
    """Return whether a run came to its end and was measured there."""
    return bool(run.metrics) and run.shortfall is None and run.summary is not None


def early_accuracy(run: Run) -> float:
    """Return the mean validation accuracy over the probes of the first epoch, evenly spaced on a log scale."""
    probes = int(run.metrics["epoch"].searchsorted(1, side="right"))
    return float(run.metrics["validation_accuracy"][:probes].mean())


def spread_of(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _reached(accuracy: float, runs: Sequence[Run]) -> Reached:
    brackets = [bracket for run in runs if (bracket := run.bracket(accuracy)) is not None]
    after, updates = (tuple(sorted(bracket[end] for bracket in brackets)) for end in (0, 1))
    return Reached(accuracy, updates, len(runs), after)


def race(rows: Sequence[Row], groups: Groups) -> tuple[Race, ...]:
    """Return how often the fastest variant reached 90 %, or 80 %, before each of the others that share a seed."""
    i, order = by_speed(rows)
    names = [row.variant for row in rows if order and row.variant != order[0].variant]
    races = (_race(THRESHOLDS[i], order[0].variant, name, groups, len(names)) for name in names)
    return tuple(each for each in races if each.seeds)


def _race(accuracy: float, first: str, other: str, groups: Groups, tests: int) -> Race:
    never = (math.inf, math.inf)
    ours, theirs = (
        {run.settings.seed: run.bracket(accuracy) or never for run in groups[name] if _ended(run)}
        for name in (first, other)
    )
    both = [(ours[seed], theirs[seed]) for seed in ours if seed in theirs]
    ahead = sum(our[1] <= their[0] and our != never for our, their in both)
    behind = sum(their[1] <= our[0] and their != never for our, their in both)
    p = sign_test(ahead, behind) if 2 / 2 ** len(both) <= SIGN_LEVEL / tests else None
    tied = len(both) - ahead - behind
    return Race(accuracy=accuracy, first=first, other=other, seeds=len(both), ahead=ahead, tied=tied, p=p)


def sign_test(ahead: int, behind: int) -> float:
    """Return p of the two-sided sign test: the probability of so many, or more, of one sign."""
    n = ahead + behind
    return min(1.0, float(2 * sum(math.comb(n, k) for k in range(max(ahead, behind), n + 1)) / 2**n))


def _mean(values: Iterable[float]) -> float | None:
    present = [value for value in values if math.isfinite(value)]
    return statistics.fmean(present) if present else None


def by_validation(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by their best validation accuracy, the highest first.

    Those with a seed that did not finish come after those without, as in `selection.ranked`.
    """
    return sorted(rows, key=lambda row: (row.finished < row.seeds, -(row.best_validation_accuracy or 0)))


def by_speed(rows: Sequence[Row]) -> tuple[int, list[Row]]:
    """Return the index of the threshold by which speed is described, 90 % or 80 %, and the rows, the fastest first.

    It is 80 % if no variant reached 90 % in most of its seeds. If no variant reached that either, there are no rows.
    """
    for i in (1, 0):
        order = sorted(rows, key=lambda row: row.reached[i].rank)
        if order[0].reached[i].median is not None:
            return i, order
    return 0, []


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
            **{name: figure(run) for name, figure in FIGURES.items()},
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
