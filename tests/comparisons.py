"""Makes runs and rows with chosen figures, without training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.findings import Findings
from netlearn.comparison.statistics import Reached, Row
from netlearn.runs import Run, Summary
from netlearn.runs.formats import DataSummary
from netlearn.settings import resolve

UPDATES = (0, 1, 10, 100, 500, 1000)
Outcome: TypeAlias = float | tuple[float | str | None, int | None] | None
FAILED = "failed"
HIGH = [(0.96 + 0.001 * i, 100) for i in (1, 3, 2, 4, 1, 2)]
LOW = [(0.90 + 0.001 * i, 500) for i in (4, 1, 3, 2, 2, 3)]
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


def only(*rows: Row) -> Findings:
    """Return findings that are nothing but rows."""
    return Findings(title="", conclusion="", pairing="", rows=rows)


def outcomes_of(variant: str, outcomes: Sequence[Outcome], first: int = 0, **settings: Any) -> list[Run]:
    """Return a run for each seed from the first, given its test accuracy and the update at which it reached 90 %.

    An accuracy alone never got there. In place of one, None is a run that diverged, and `FAILED` one that failed.
    """
    runs = []
    for seed, outcome in enumerate(outcomes, first):
        accuracy, reached = outcome if isinstance(outcome, tuple) else (outcome, None)
        error = "diverged" if accuracy is None else None
        made = run(variant, seed, test_accuracy=accuracy, best_validation_accuracy=accuracy, error=error)
        noise = 0.1 * accuracy if isinstance(accuracy, float) else 0.0
        curve = np.array([(0.91 if reached is not None and update >= reached else 0.1) for update in UPDATES])
        curve += noise * (curve < 0.9)  # below the thresholds, so that seeds differ early too
        chosen = resolve({"data": "small", "epochs": 2, "seed": seed} | settings)
        made = replace(made, metrics=made.metrics | {"validation_accuracy": curve}, settings=chosen)
        if accuracy == FAILED:
            made = replace(made, summary=None, metrics={}, problem="its worker process died, twice")
        runs.append(made)
    return runs


def analysed(baseline: Any = None, look: Any = 1, **variants: Sequence[Outcome]) -> Analysis:
    """Return the analysis of variants with these outcomes."""
    runs = [each for name, outcomes in variants.items() for each in outcomes_of(name, outcomes)]
    return analyse("", runs, baseline=baseline, look=look)


def grid(best: Mapping[str, float], outcomes: Mapping[str, Sequence[float]]) -> list[Run]:
    """Return runs of costs with three learning rates each, which are worse by 0.2 than the best rate's outcomes."""
    return [
        each
        for cost, chosen in best.items()
        for rate in (0.1, 1.0, 10.0)
        for each in outcomes_of(
            f"{cost} η = {rate:g}",
            [accuracy - 0.2 * (rate != chosen) for accuracy in outcomes[cost]],
            cost=cost,
            learning_rate=rate,
        )
    ]


def many_rows(count: int, **given: Any) -> list[Row]:
    """Return rows of which the one in the middle is the best and the last has not finished."""
    made = [
        row(
            f"hidden={i}",
            0.9 - abs(i - count // 2) / 1000,
            0.001,
            (500 + i,) * 3,
            settings={"hidden": str(i)},
            **given,
        )
        for i in range(count)
    ]
    made[-1] = row(f"hidden={count - 1}", None, None, settings={"hidden": str(count - 1)}, finished=0, **given)
    return made


def neuron(variant: str, outputs: Sequence[float], **settings: Any) -> Run:
    """Return a run of a single neuron with these outputs by epoch."""
    made = run(variant)
    assert made.summary is not None
    epochs = np.arange(len(outputs), dtype=float)
    a = np.array(outputs)
    metrics = {
        "update": epochs, "epoch": epochs, "output_error": a, "train_cost": a**2 / 2, "speed_1": a,
        "validation_accuracy": np.round(1 - a), "stuck": 0 * a, "learning_speed": 0 * a,
    }  # fmt: skip
    summary = msgspec.structs.replace(made.summary, data=msgspec.structs.replace(made.summary.data, train=1))
    chosen = resolve({"data": "neuron", "hidden": (), "epochs": len(outputs) - 1} | settings)
    return replace(made, metrics=metrics, summary=summary, settings=chosen)
