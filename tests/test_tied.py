"""Pictures of runs that tie, at any accuracy: no warning of matplotlib or numpy, which would fail here."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from netlearn.comparison.statistics import group
from netlearn.plotting.pictures import DRAWN
from netlearn.runs import Run
from tests.sweeps import sweep

VARIED: dict[str, dict[str, list[Any]]] = {
    "two costs": {"cost": ["quadratic", "cross-entropy"]},
    "one setting": {"l2": [0.0, 1.0, 2.0]},
    "two settings": {"l2": [0.0, 1.0], "learning_rate": [0.1, 1.0, 3.0]},
    "many variants": {
        "l2": [0.0, 1.0, 2.0, 5.0],
        "learning_rate": [0.1, 1.0, 3.0],
        "cost": ["quadratic", "cross-entropy"],
    },
}


def tied(run: Run, accuracy: float) -> Run:
    """Return a run that is at an accuracy from beginning to end, whatever its settings."""
    assert run.summary is not None
    still = {
        name: np.full_like(values, {"validation_accuracy": accuracy, "train_cost": 1 - accuracy}.get(name, values[0]))
        for name, values in run.metrics.items()
        if name not in {"update", "epoch"}
    }
    summary = msgspec.structs.replace(run.summary, best_validation_accuracy=accuracy, test_accuracy=accuracy)
    return replace(run, metrics=run.metrics | still, summary=summary)


@pytest.mark.parametrize(
    ("varied", "accuracy"), [*((each, accuracy) for each in VARIED for accuracy in (0.0, 1.0)), ("two costs", 0.5)]
)
def test_tied_runs_are_drawn_without_a_warning(varied: str, accuracy: float) -> None:
    groups = group([tied(run, accuracy) for run in sweep(2, **VARIED[varied])])
    for draw in DRAWN.values():
        figure = draw(groups, "title")
        if figure is not None:
            figure.draw_without_rendering()
