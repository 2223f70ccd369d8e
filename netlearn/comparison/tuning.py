"""Tuning: choosing the learning rate of each variant of an experiment on the validation set."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from netlearn.comparison.experiment import Experiment, folder_name
from netlearn.comparison.tasks import perform_all, task_of
from netlearn.comparison.workers import Workers
from netlearn.settings import Settings

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
EPOCHS = 3


def tune_rates(
    experiment: Experiment, folder: Path, workers: Workers, on_note: Callable[[str], object] = lambda note: None
) -> Experiment:
    """Choose each variant's learning rate on the validation set.

    Short runs from the first seed try 0.1 to 10 times the variant's own rate. The one with the best validation
    accuracy is chosen, the smallest among equals.
    """
    tasks = [
        task_of(experiment, name, settings, folder / f"tuning-{trial}")
        for trial, (name, settings) in trials_of(experiment).items()
    ]
    best: dict[str, tuple[float, float]] = {}
    for result in perform_all(tasks, workers, on_note=on_note):
        accuracy = result.summary.best_validation_accuracy if result.summary else None
        if accuracy is not None and accuracy > best.get(result.variant, (0.0, 0.0))[0]:
            best[result.variant] = (accuracy, result.settings.learning_rate)
    variants = {
        name: msgspec.structs.replace(
            settings, learning_rate=best[name][1] if name in best else settings.learning_rate
        )
        for name, settings in experiment.variants.items()
    }
    return replace(experiment, variants=variants, tuning="done")


def trials_of(experiment: Experiment) -> dict[str, tuple[str, Settings]]:
    """Return the variant and the settings of each short run that tunes an experiment, by the end of its folder."""
    trials: dict[str, tuple[str, Settings]] = {}
    for name, settings in experiment.variants.items():
        for factor in FACTORS:
            rate = float(f"{factor * settings.learning_rate:.3g}")
            short = msgspec.structs.replace(
                settings,
                learning_rate=rate,
                epochs=min(settings.epochs, EPOCHS),
                seed=experiment.seeds[0],
                snapshots=False,
            )
            trials[f"{folder_name(name)}-{rate:g}"] = (name, short)
    return trials
