"""Makes trainers of a small network on a small data set."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from netlearn.datasets import Dataset, Examples
from netlearn.network import Network
from netlearn.slowdown import Record
from netlearn.training import Trainer
from tests.files import small_dataset


def make(
    data: Dataset | None = None, *, sizes: Sequence[int] = (6, 5, 3), cost: str = "cross-entropy", **given: Any
) -> Trainer:
    network = Network(sizes, cost, rng=np.random.default_rng(0), dtype=np.float64)
    arguments: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 10,
        "learning_rate": 0.5,
        "rng": np.random.default_rng(1),
    } | given
    return Trainer(network, data or small_dataset(), **arguments)


def parameters(trainer: Trainer) -> list[np.ndarray]:
    return [array.copy() for array in (*trainer.network.weights, *trainer.network.biases)]


def figures(trainer: Trainer, examples: Examples) -> tuple[float, float]:
    evaluation = trainer.probe.evaluate(examples)
    return evaluation.cost, evaluation.accuracy


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(record, seconds=0.0) for record in records]
