"""Trained networks, read back from their run folders."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netlearn.costs import COSTS, Cost
from netlearn.datasets import Dataset
from netlearn.errors import RunError, SettingsError
from netlearn.network import Network
from netlearn.own_cost import check_gradient, check_named, load_cost
from netlearn.runs import Run, Summary, read_run, weights


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read the folders of trained networks.

    Raises:
        RunError: one is not the folder of a complete run, or its run diverged.
        SettingsError: two are the same folder.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise SettingsError(f"{', '.join(map(str, folders))}: must be different runs")
    runs = [read_run(folder) for folder in folders]
    for run in runs:
        results_of(run)
    return runs


def data_name(runs: Sequence[Run]) -> str:
    """Return the name of the runs' data set."""
    names = sorted({run.settings.data for run in runs})
    if len(names) > 1:
        raise SettingsError(f"--data: must be given for runs on different data: {', '.join(names)}")
    return names[0]


def load_network(run: Run, *, best: bool | None = None, cost: str | None = None) -> Network:
    """Return the trained network of a run.

    Args:
        run: as `read_run` returns it.
        best: True for the weights of the best epoch, False for the last ones, None for those of the test result in
            the run's summary: the best with early stopping, otherwise the last.
        cost: the run's cost. It must be given where that is a user's own, whose code is imported: a run folder alone
            never causes an import.

    Raises:
        RunError: the run diverged, has no such weights, or a file was changed.
        SettingsError: `cost` is not the run's cost, or is needed.
        CostError: the user's own cost cannot be loaded or fails its gradient check.
    """
    sizes = results_of(run).sizes
    arrays = run.weights(weights_file(run, best=best))
    network = Network(
        sizes,
        cost=_cost_of(run, cost, outputs=sizes[-1]),
        activation=run.settings.activation,
        initializer=(0.0, 0.0),
        dtype=run.settings.dtype,
    )
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), 1):
        np.copyto(w, arrays[f"weights.{layer}"])
        np.copyto(b, arrays[f"biases.{layer}"])
    return network


def results_of(run: Run) -> Summary:
    """Return the summary of a run, which must have a trained network."""
    if run.summary is None or run.problem is not None:
        raise RunError(f"{run.folder}: has no trained network: {run.problem}")
    return run.summary


def weights_file(run: Run, *, best: bool | None = None) -> str:
    """Return the name of the file with the weights that `load_network` takes."""
    has_best = run.sums is not None and weights.BEST in run.sums.hashes
    if best and not has_best:
        raise RunError(f"{run.folder}: has no {weights.BEST}, which only runs with --patience have")
    return weights.BEST if has_best and best is not False else weights.LAST


def check_fit(run: Run, data: Dataset) -> None:
    """Check that the network of a run has the inputs and outputs for a data set."""
    sizes = results_of(run).sizes
    n_in = data.test.x.shape[1]
    if n_in != sizes[0]:
        raise SettingsError(f"data {data.name}: examples of {n_in} inputs: must be {sizes[0]}, as in {run.folder}")
    if data.outputs > sizes[-1]:
        raise SettingsError(
            f"data {data.name}: {data.outputs} classes: must be at most {sizes[-1]}, as in {run.folder}"
        )


def _cost_of(run: Run, given: str | None, outputs: int) -> Cost:
    name = run.settings.cost
    if given not in (None, name):
        raise SettingsError(f"cost {given}: must be {name}, the cost of {run.folder}")
    if name in COSTS:
        return COSTS[name]()
    check_named(name, () if given is None else (given,), run.folder)
    cost = load_cost(name)
    check_gradient(cost, name, outputs, dtype=run.settings.dtype)
    return cost
