"""Reading complete run folders; every file is compared with its hash in SHA256SUMS.

The identity of a run is everything that determines its results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from netlearn.custom_cost import shell_command
from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.numerics import Array
from netlearn.runs.files import SUMS, Sums, reading
from netlearn.runs.formats import METRICS, Summary, read_config, read_metrics, read_summary
from netlearn.runs.tensors import (
    BEST_WEIGHTS,
    OUTPUT_NEURONS,
    SNAPSHOT_DTYPE,
    SNAPSHOTS,
    WEIGHTS,
    Snapshots,
    decode_snapshots,
    most_bytes,
    sample_shapes,
    samples_from,
    snapshot_shapes,
    unpack,
    weight_shapes,
)
from netlearn.settings import Settings

GROWTH = 10  # times the first cost: no run that learns ends there
NOT_DETERMINING = ("epochs", "data")  # a run may be extended, and its data may be moved


def determining_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that determine the results of a run, as in JSON."""
    given: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return {name: value for name, value in given.items() if name not in NOT_DETERMINING}


def data_identity(name: str, sha256: Mapping[str, str]) -> tuple[str, ...]:
    """Return the identity of a data set: the SHA-256 of its files in their order, or its name if it has no files.

    It does not depend on the location and the names of the files.
    """
    return tuple(sha256.values()) or (name,)


def run_identity(settings: Settings, sha256: Mapping[str, str]) -> dict[str, Any]:
    """Return the identity of a run, given the SHA-256 of each file of its data set; its epochs are left out."""
    return determining_settings(settings) | {"data": list(data_identity(settings.data, sha256))}


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    variant: str  # the name of its variant in a comparison
    folder: Path
    settings: Settings
    summary: Summary | None  # its results; None if it failed
    metrics: dict[str, Array]  # the columns of metrics.csv, one value per probe
    problem: str | None = None  # why it failed or diverged
    sums: Sums | None = field(default=None, repr=False, compare=False)  # the hashes of its files

    def at_update(self, column: str, update: float) -> float | None:
        """Return the value of a column at an update, or None if there was no probe."""
        found = np.flatnonzero(self.metrics["update"] == update) if self.metrics else np.empty(0, int)
        return float(self.metrics[column][found[0]]) if found.size else None

    def bracket(self, accuracy: float) -> tuple[int, int] | None:
        """Return the last probed update before a validation accuracy was reached, and the first with it.

        A run that was there at update 0 has 0 twice. None if it never got there, or diverged.
        """
        reached = self.metrics["validation_accuracy"] >= accuracy if self.metrics else np.empty(0, bool)
        if self.diverged or not reached.any():
            return None
        at, update = int(reached.argmax()), self.metrics["update"]
        return int(update[max(0, at - 1)]), int(update[at])

    def updates_to(self, accuracy: float) -> int | None:
        """Return the first probed update with at least that validation accuracy; None where `bracket` is."""
        bracket = self.bracket(accuracy)
        return None if bracket is None else bracket[1]

    @property
    def data(self) -> tuple[str, ...]:
        """The identity of its data set."""
        return data_identity(self.settings.data, self.summary.data.sha256 if self.summary else {})

    def has_data(self, data: Dataset) -> bool:
        """Return whether a data set has the same files as that of the run, according to their hashes."""
        return self.data == data_identity(data.name, data.sha256)

    @property
    def results(self) -> Summary:
        """The summary of the run, which must have a trained network."""
        if self.summary is None or self.problem is not None:
            raise RunError(f"{self.folder}: has no trained network: {self.problem}")
        return self.summary

    def weights_file(self, *, best: bool | None = None) -> str:
        """Return the name of the file with the best weights, the last ones, or (None) those of the test result."""
        has_best = self.sums is not None and BEST_WEIGHTS in self.sums.hashes
        if best and not has_best:
            raise RunError(f"{self.folder}: has no {BEST_WEIGHTS}, which only runs with --patience have")
        return BEST_WEIGHTS if has_best and best is not False else WEIGHTS

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the results; runs with equal identities have the same results."""
        return determining_settings(self.settings) | {"epochs": self.settings.epochs, "data": self.data}

    @property
    def updates_per_epoch(self) -> int:
        """The mini-batches of an epoch."""
        last = {column: float(self.metrics[column][-1]) for column in ("update", "epoch")} if self.metrics else {}
        return round(last["update"] / last["epoch"]) if last.get("epoch") else 1

    def samples(self) -> dict[int, tuple[Array, Array]]:
        """Return |a − y| and |δ| of single output neurons, by update, or none if the run did not store them."""
        if self.summary is None or self.sums is None or OUTPUT_NEURONS not in self.sums.hashes:
            return {}
        shapes = sample_shapes(self.summary.data.train, self.summary.sizes[-1])
        with reading(self.folder / OUTPUT_NEURONS):
            return samples_from(self._arrays(OUTPUT_NEURONS, shapes, some=True))

    def weights(self, name: str = WEIGHTS) -> dict[str, Array]:
        """Return the weights and biases of each layer in `WEIGHTS` or `BEST_WEIGHTS`."""
        if self.summary is None:
            raise RunError(f"{self.folder}: has no weights: {self.problem}")
        with reading(self.folder / name):
            return self._arrays(name, weight_shapes(self.summary.sizes), finite=self.problem is None)

    def snapshots(self) -> Snapshots:
        """Return all weights, then all biases, by update, in float16; none if the run did not store them."""
        if self.summary is None or self.sums is None or SNAPSHOTS not in self.sums.hashes:
            return {}
        path, parameters = self.folder / SNAPSHOTS, sum((a + 1) * b for a, b in pairwise(self.summary.sizes))
        with reading(path):
            most = most_bytes(snapshot_shapes(parameters), SNAPSHOT_DTYPE)
            return decode_snapshots(path, self.sums.content(SNAPSHOTS, most), parameters)

    def _arrays(self, name: str, shapes: Mapping[str, tuple[int, ...]], **how: bool) -> dict[str, Array]:
        """Return the arrays in a file of the complete folder; `how` are arguments of `unpack`."""
        dtype, sums = self.settings.dtype, self.sums or Sums.read(self.folder)
        return unpack(self.folder / name, sums.content(name, most_bytes(shapes, dtype)), shapes, dtype, **how)

    @property
    def diverged(self) -> bool:
        """Whether the run diverged; one that failed has no results."""
        return self.summary is not None and self.problem is not None

    @property
    def interrupted(self) -> bool:
        """Whether the run has results, but not those of its last epoch."""
        if self.summary is None or self.summary.status in {"stopped early", "diverged"}:
            return False
        return self.summary.epochs != self.settings.epochs

    @property
    def shortfall(self) -> str | None:
        """Why the run does not count as finished: it failed, diverged or was interrupted; None if it finished."""
        if self.interrupted and self.summary is not None:
            done = f"{self.summary.epochs:.3g} of {self.settings.epochs} epochs"
            again = shell_command("train --resume", [self.settings.cost], self.folder)
            return f"interrupted after {done}; to resume: {again}"
        return self.problem

    @property
    def diverging(self) -> str | None:
        """Why a run that finished is diverging: its cost is far above that of its start; None if it is not."""
        costs = self.metrics.get("train_cost", np.empty(0))
        if self.shortfall is not None or not costs.size or not costs[-1] > GROWTH * costs[0]:
            return None
        return f"diverging: its cost grew from {costs[0]:.3g} to {costs[-1]:.3g}; a smaller learning rate may help"

    @property
    def unlearned(self) -> str | None:
        """How a run that finished shows that it learned nothing, and what may be the cause; None if it learned."""
        costs = self.metrics.get("train_cost", np.empty(0))
        if self.summary is None or self.shortfall is not None or costs.size < 2:
            return None
        recall = self.summary.recall
        tested = sorted(each for each in recall if each is not None)  # of the classes that the test set has
        one_answer = len(tested) > 1 and tested[-1] == 1 and not tested[-2]
        if not one_answer and costs.min() < costs[0]:
            return None
        what = f"it answers {recall.index(1)} to everything" if one_answer else "its cost never fell"
        like = self.summary.data.appearance
        cause = f"learning rate {self.settings.learning_rate:g} may be too large or too small"
        if like is not None and not 0.25 < like.white - like.black < 4:
            cause = f"its inputs run from {like.black:g} to {like.white:g}, but should lie in [0, 1]"
        elif self.settings.activation == "relu":
            cause = f"dead units (of ReLU), since {cause}"
        return f"{what}: {cause}"

    def is_complete(self) -> bool:
        """Return whether the run has ended, by divergence or otherwise, and all of its files are intact."""
        if self.sums is None or self.summary is None or self.interrupted:
            return False
        try:
            self.weights()
            self.sums.check_all()
        except RunError:
            return False
        return True


def read_run(folder: Path, variant: str = "") -> Run:
    """Read a complete run folder, none of whose files was changed."""
    sums = Sums.read(folder) if (folder / SUMS).exists() else None
    settings = read_config(folder, sums)
    if sums is None:
        raise RunError(f"{folder}: not the folder of a complete run: it has no {SUMS}")
    results = read_summary(sums)
    with reading(folder / METRICS):
        run = Run(variant, folder, settings, results, read_metrics(sums), results.error, sums)
        _ = run.updates_per_epoch, run.shortfall, run.diverging  # what is computed from them can be computed
    return run
