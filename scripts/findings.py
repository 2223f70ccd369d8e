"""What an experiment gave, as docs/cures.md needs it: from its runs, or from the file that earlier ones left."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from netlearn.comparison.compare import Comparison
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.statistics import group
from netlearn.comparison.tasks import is_done, tasks_of
from netlearn.runs import SUMMARY, SUMS, Run, read_run

EARLY = 500  # updates
Figures: TypeAlias = dict[str, dict[int, float]]  # by variant and seed, without runs that diverged


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """The results of an experiment.

    Attributes:
        variants: the settings of each, without the data set.
        seeds: of each variant.
        comparison: the content of its summary.json.
        early: validation accuracy after `EARLY` updates, if it was probed there.
        last: validation accuracy after the last epoch.
        test: accuracy on the test set.
    """

    variants: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]
    comparison: Comparison
    early: Figures
    last: Figures
    test: Figures


def of_runs(experiment: Experiment, folder: Path) -> Findings | None:
    """Return the findings of an experiment, None if its runs are not all done."""
    tasks = tasks_of(experiment, folder)
    if not all(map(is_done, tasks)) or not (folder / SUMS).is_file():
        return None
    runs = [run for task in tasks if not (run := read_run(task.folder, task.variant)).problem]
    return Findings(
        variants=variants_of(experiment),
        seeds=experiment.seeds,
        comparison=msgspec.json.decode((folder / SUMMARY).read_bytes(), type=Comparison),
        early=_by_variant(runs, lambda run: run.at_update("validation_accuracy", EARLY)),
        last=_by_variant(runs, lambda run: float(run.metrics["validation_accuracy"][-1])),
        test=_by_variant(runs, lambda run: run.summary.test_accuracy if run.summary else None),
    )


def stored(experiment: Experiment, path: Path) -> Findings | None:
    """Return the findings in a file, None if there are none of that experiment as it is now."""
    if not path.is_file():
        return None
    found = msgspec.json.decode(path.read_bytes(), type=Findings)
    return found if (found.variants, found.seeds) == (variants_of(experiment), experiment.seeds) else None


def variants_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return the settings of each variant, without the data set, as JSON has them."""
    settings = msgspec.json.decode(msgspec.json.encode(experiment.variants))
    return {name: {key: value for key, value in own.items() if key != "data"} for name, own in settings.items()}


def _by_variant(runs: Sequence[Run], value: Callable[[Run], float | None]) -> Figures:
    found = {name: {run.settings.seed: value(run) for run in members} for name, members in group(runs).items()}
    return {
        name: {seed: figure for seed, figure in figures.items() if figure is not None}
        for name, figures in found.items()
    }
