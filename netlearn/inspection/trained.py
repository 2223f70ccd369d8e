"""Trained networks, read back from their run folders."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from netlearn import datasets
from netlearn.custom_cost import NO_COSTS, NamedCosts, check_named, is_own, load_cost
from netlearn.datasets import Dataset
from netlearn.errors import DataError, RunError, SettingsError
from netlearn.gradient_check import check_gradient
from netlearn.network import Network
from netlearn.runs import (
    BEST_WEIGHTS,
    WEIGHTS,
    Run,
    Summary,
    data_identity,
    holds_comparison,
    read_run,
    run_folders,
)

MOST_RUNS = 8  # runs in an error


def read_trained(folders: Sequence[Path]) -> list[Run]:
    """Read the folders of trained networks.

    Raises:
        RunError: one is not the folder of a complete run, or its run diverged.
        SettingsError: two are the same folder.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise SettingsError(f"{', '.join(map(str, folders))}: must be different runs")
    for folder in folders:
        if holds_comparison(folder):
            names = ", ".join(str(each) for each in run_folders(folder)[:MOST_RUNS])
            raise RunError(f"{folder}: is a comparison, not a run; name one or several of its runs: {names}")
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


def scaling_note(run: Run, data: Dataset) -> str:
    """Return a note if other data is scaled unlike that of a run, else ""."""
    was, now = results_of(run).data.appearance, data.appearance
    if was is None or now is None or (was.black, was.white) == (now.black, now.white):
        return ""
    return (
        f"its inputs run from {now.black:g} to {now.white:g}, but {run.folder} was trained with {was.black:g} to "
        f"{was.white:g}: scale them likewise"
    )


def load_present(name: str) -> Dataset:
    """Return a data set that is on this machine."""
    if not datasets.is_present(name):
        raise DataError(f"data {name}: not on this machine")
    return datasets.load(name)


def load_network(run: Run, *, best: bool | None = None, costs: NamedCosts = NO_COSTS) -> Network:
    """Return the trained network of a run.

    Args:
        run: as `read_run` returns it.
        best: True for the weights of the best epoch, False for the last ones, None for those of the test result in
            the run's summary: the best with early stopping, otherwise the last.
        costs: the users' own costs that may be used. The run's must be one of them where it is a user's own, whose
            code is imported: a run folder alone never causes an import.

    Raises:
        RunError: the run diverged, has no such weights, or a file was changed.
        SettingsError: the run's own cost is not among `costs`.
        CostError: the user's own cost cannot be loaded or fails its gradient check.
    """
    sizes, name = results_of(run).sizes, run.settings.cost
    arrays = run.weights(weights_file(run, best=best))
    check_named(name, costs, run.folder)
    cost = load_cost(name, costs)
    if is_own(name):
        check_gradient(cost, name, sizes[-1], dtype=run.settings.dtype)
    network = Network(
        sizes,
        cost=cost,
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
    has_best = run.sums is not None and BEST_WEIGHTS in run.sums.hashes
    if best and not has_best:
        raise RunError(f"{run.folder}: has no {BEST_WEIGHTS}, which only runs with --patience have")
    return BEST_WEIGHTS if has_best and best is not False else WEIGHTS


def check_data(run: Run, data: Dataset) -> None:
    """Check that the network of a run has the inputs and outputs for a data set."""
    sizes = results_of(run).sizes
    n_in = data.test.n_in
    if n_in != sizes[0]:
        raise SettingsError(f"data {data.name}: examples of {n_in} inputs: must be {sizes[0]}, as in {run.folder}")
    if data.outputs > sizes[-1]:
        raise SettingsError(
            f"data {data.name}: {data.outputs} classes: must be at most {sizes[-1]}, as in {run.folder}"
        )


def is_data_of(run: Run, data: Dataset) -> bool:
    """Return whether a data set has the same files as that of a run, according to their hashes."""
    return run.data == data_identity(data.name, data.sha256)


def check_used(costs: Collection[str], runs: Sequence[Run]) -> None:
    """Check that each cost that was named is that of a run."""
    used = {run.settings.cost: None for run in runs}
    for unused in set(costs) - used.keys():
        raise SettingsError(f"cost {unused}: must be the cost of a run, {', '.join(used)}")
