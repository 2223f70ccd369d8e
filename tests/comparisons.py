"""Makes runs and rows with chosen figures, without training."""

from pathlib import Path
from typing import Any

import numpy as np

from netlearn.comparison.statistics import Reached, Row
from netlearn.runs import Run, Summary
from netlearn.runs.formats import DataSummary
from netlearn.settings import resolve

UPDATES = (0, 1, 10, 100, 500, 1000)
DATA = DataSummary(name="small", where="here", note="", train=5000, validation=10, test=10, sha256={})


def summary(**given: Any) -> Summary:
    values: dict[str, Any] = {
        "status": "finished", "error": None, "updates": 1000, "epochs": 2.0, "best_epoch": 2,
        "best_validation_accuracy": 0.9, "validation_accuracy": 0.9, "train_cost": 0.1, "train_accuracy": 0.95,
        "test_cost": 0.2, "test_accuracy": 0.9, "recall": (0.8, 1.0), "seed": 0, "sizes": (4, 3, 2),
        "initial_weights_sha256": "w", "mini_batches_sha256": "b", "shuffling_sha256": "s",
        "data": DATA, "environment": {},
        "training_seconds": 3.0, "total_seconds": 4.0,
    }  # fmt: skip
    return Summary(**(values | given))


def run(variant: str = "a", seed: int = 0, **given: Any) -> Run:
    """Return a run of 1,000 updates in two epochs; what is given goes to its summary."""
    metrics = {
        "update": np.array(UPDATES, float),
        "epoch": np.array(UPDATES) / 500,
        "train_cost": np.linspace(2, 1, 6),
        "validation_accuracy": np.array([0.1, 0.2, 0.5, 0.8, 0.9, 0.949]),
        "output_error": np.linspace(0.9, 0.1, 6),
        "learning_speed": np.linspace(0.2, 0.1, 6),
        "stuck": np.linspace(0.3, 0, 6),
        "speed_1": np.linspace(0.3, 0.1, 6),
        "speed_2": np.linspace(0.6, 0.1, 6),
    }
    settings = resolve({"seed": seed, "data": "small", "epochs": 2})
    return Run(variant, Path("folder"), settings, summary(**({"seed": seed} | given)), metrics, given.get("error"))


def row(variant: str, mean: float | None, spread: float | None, to_90: tuple[int, ...] = (), **given: Any) -> Row:
    """Return the row of a variant with three seeds, which reached every threshold at the same updates."""
    seeds = given.get("seeds", 3)
    values: dict[str, Any] = {
        "variant": variant, "learning_rate": 0.5, "data": "small", "seeds": seeds, "finished": seeds,
        "test_accuracy": mean, "test_spread": spread, "test_lowest": mean, "best_validation_accuracy": mean,
        "reached": tuple(Reached(accuracy, to_90, seeds) for accuracy in (0.8, 0.9, 0.95)),
        "learning_speed_0": 1.0, "learning_speed_100": 0.5, "stuck_after_epoch_1": 0.01, "seconds_per_epoch": 0.25,
        "problems": (),
    }  # fmt: skip
    return Row(**(values | given))
