"""Tuning: choosing the learning rate of each variant of an experiment on the validation set."""

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import msgspec

from netlearn.comparison.experiment import Experiment, folder_name
from netlearn.comparison.pool import Workers
from netlearn.comparison.tasks import perform_all, task_of
from netlearn.settings import Settings

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
EPOCHS, SEEDS = 3, 2
TUNING = "tuning"  # the folder of the short runs; those of the comparison end in a seed, so that none can be this


def tune_rates(
    experiment: Experiment, folder: Path, workers: Workers, on_note: Callable[[str], object] = lambda note: None
) -> Experiment:
    """Choose each variant's learning rate on the validation set.

    Short runs from two seeds try 0.1 to 10 times the variant's own rate. The one with the best validation accuracy,
    in the mean over the seeds, is chosen, the smallest among equals. A rate with a run that did not finish is not.
    """
    tasks = [
        task_of(experiment, name, settings, folder / TUNING / trial)
        for trial, (name, settings) in trials_of(experiment).items()
    ]
    tried: dict[str, dict[float, list[float]]] = {name: {} for name in experiment.variants}
    for result in perform_all(tasks, workers, on_note=on_note, note_failures=False):
        accuracy = result.summary.best_validation_accuracy if result.summary and not result.problem else None
        found = tried[result.variant].setdefault(result.settings.learning_rate, [])
        found.append(-math.inf if accuracy is None else accuracy)
    variants = dict(experiment.variants)
    for name, accuracies in tried.items():
        means = {rate: statistics.fmean(found) for rate, found in sorted(accuracies.items())}
        best = max(means, key=lambda rate: means[rate], default=None)
        if best is not None and math.isfinite(means[best]):
            variants[name] = msgspec.structs.replace(variants[name], learning_rate=best)
            figures = [
                f"{rate:g} ({100 * mean:.1f} %)" if math.isfinite(mean) else f"{rate:g} (failed)"
                for rate, mean in means.items()
            ]
            on_note(f"tuning {name}: of η = {', '.join(figures)} in validation accuracy, {best:g} is chosen")
    return replace(experiment, variants=variants, tuning="done")


def trials_of(experiment: Experiment) -> dict[str, tuple[str, Settings]]:
    """Return the variant and the settings of each short run that tunes an experiment, by the end of its folder."""
    trials: dict[str, tuple[str, Settings]] = {}
    seeds = experiment.seeds if len(experiment.seeds) >= SEEDS else range(SEEDS)
    for name, settings in experiment.variants.items():
        for factor, seed in product(FACTORS, seeds[:SEEDS]):
            rate = float(f"{factor * settings.learning_rate:.3g}")
            short = msgspec.structs.replace(
                settings,
                learning_rate=rate,
                epochs=min(settings.epochs, EPOCHS),
                seed=seed,
                snapshots=False,
            )
            trials[f"{folder_name(name)}-{rate:g}-{seed}"] = (name, short)
    return trials
