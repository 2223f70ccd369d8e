"""Trained networks, read back from their run folders."""

from collections.abc import Sequence
from pathlib import Path

from netlearn import datasets
from netlearn.custom_cost import NO_COSTS, NamedCosts, check_named, is_own, load_cost
from netlearn.datasets import Dataset
from netlearn.datasets.splitting import listed
from netlearn.errors import DataError, RunError, SettingsError
from netlearn.gradient_check import check_gradient
from netlearn.network import Network
from netlearn.runs import Run, holds_comparison, read_run, run_folders

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
            inside = run_folders(folder)
            names = ", ".join(map(str, inside[:MOST_RUNS]))
            more = f" and {len(inside) - MOST_RUNS} more" if len(inside) > MOST_RUNS else ""
            raise RunError(f"{folder}: is a comparison, not a run; name one or several of its runs: {names}{more}")
    runs = [read_run(folder) for folder in folders]
    _ = [run.results for run in runs]
    return runs


def data_name(runs: Sequence[Run]) -> str:
    """Return the name of the runs' data set."""
    names = sorted({run.settings.data for run in runs})
    if len(names) > 1:
        raise SettingsError(f"--data: must be given for runs on different data: {', '.join(names)}")
    return names[0]


def scaling_note(run: Run, data: Dataset) -> str:
    """Return a note if other data is scaled unlike that of a run, else ""."""
    was, now = run.results.data.appearance, data.appearance
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
    sizes, name = run.results.sizes, run.settings.cost
    arrays = run.weights(run.weights_file(best=best))
    check_named(name, costs, run.folder)
    cost = load_cost(name, costs)
    if is_own(name):
        check_gradient(cost, name, sizes[-1], dtype=run.settings.dtype)
    network = Network(sizes, cost, run.settings.activation, (0.0, 0.0), dtype=run.settings.dtype)
    weights, biases = (
        [arrays[f"{kind}.{layer}"] for layer in range(1, len(sizes))] for kind in ("weights", "biases")
    )
    network.set_parameters(weights, biases)
    return network


def check_data(run: Run, data: Dataset) -> None:
    """Check that the network of a run has the inputs, the outputs and the classes for a data set."""
    sizes = run.results.sizes
    n_in = data.test.n_in
    if n_in != sizes[0]:
        raise SettingsError(f"data {data.name}: examples of {n_in} inputs: must be {sizes[0]}, as in {run.folder}")
    if data.outputs > sizes[-1]:
        raise SettingsError(
            f"data {data.name}: {data.outputs} classes: must be at most {sizes[-1]}, as in {run.folder}"
        )
    names = run.results.data.classes
    if names and data.classes and data.classes != names[: len(data.classes)]:
        raise SettingsError(
            f"data {data.name}: its classes are {listed(data.classes)}: must be {listed(names)}, as in {run.folder}; "
            "labels may be these numbers"
        )
