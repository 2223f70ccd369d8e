"""Makes the runs of sweeps, with curves that depend on their settings, without training."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from netlearn.plotting.pictures import DRAWN
from netlearn.plotting.style import Figure
from netlearn.runs import Groups, Run, name_of
from netlearn.settings import resolve
from tests.comparisons import run, summary

PROBES = np.array([0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 2500])


def sweep(seeds: int = 1, **values: Sequence[Any]) -> list[Run]:
    """Return the runs of every combination of some values of settings."""
    chosen = [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]
    return [trained(seed, **settings) for settings in chosen for seed in range(seeds)]


def trained(seed: int = 0, **settings: Any) -> Run:
    """Return a run of five epochs, the better the closer its learning rate is to 0.5 and the larger its network."""
    resolved = resolve({"data": "small", "epochs": 5}, settings | {"seed": seed})
    distance = abs(math.log10(resolved.learning_rate / 0.5)) + abs(math.log10(1 + resolved.l2)) / 2
    rng = np.random.default_rng([seed, int(1000 * distance)])
    end = 0.97 - 0.2 * distance - 2 / sum(resolved.hidden or (5,)) - (0.05 if resolved.cost == "quadratic" else 0)
    end = max(0.098, end + 0.004 * rng.normal())
    learned = 1 - np.exp(-PROBES * resolved.learning_rate / (40 if resolved.cost == "quadratic" else 15))
    accuracy = 0.1 + (end - 0.1) * learned
    speed = (0.25 if resolved.cost == "quadratic" else 1.0) * (0.6 + 0.4 * learned)
    metrics = {
        "update": PROBES.astype(float),
        "epoch": PROBES / 500,
        "train_cost": 2.5 - 2.4 * learned * end + 0.01 * rng.random(PROBES.size),
        "validation_accuracy": accuracy,
        "output_error": 1 - 0.9 * learned,
        "learning_speed": speed,
        "stuck": 0.3 * (1 - learned),
        **{f"speed_{layer}": 0.3 * layer * (1.01 - learned) for layer in range(1, len(resolved.hidden) + 2)},
    }
    recall = tuple(np.clip(end + 0.1 * rng.normal(size=10), 0, 1).tolist())
    results = summary(
        best_validation_accuracy=float(accuracy[-1]), test_accuracy=end, seed=seed, recall=recall, epochs=5.0
    )
    return replace(run(name_of(settings), seed), settings=resolved, summary=results, metrics=metrics)


def picture(name: str, groups: Groups) -> Figure:
    """Return a picture of these runs, for which they have the data."""
    figure = DRAWN[name](groups, "title")
    assert figure is not None
    return figure
