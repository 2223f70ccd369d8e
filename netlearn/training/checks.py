"""Checks that a network, a data set and the settings of training fit together."""

from netlearn.datasets import Dataset
from netlearn.errors import SettingsError
from netlearn.network import Network


def check_sizes(network: Network, data: Dataset) -> None:
    """Raise a `SettingsError` unless a network has the inputs and outputs of a data set."""
    inputs = data.train.x.shape[1]
    if (network.sizes[0], network.sizes[-1]) != (inputs, data.outputs):
        raise SettingsError(
            f"sizes {list(network.sizes)}: must begin with the {inputs} inputs and "
            f"end with the {data.outputs} outputs of {data.name}"
        )


def check_waiting(data: Dataset, probe_every: int, **waits: int | None) -> None:
    """Raise a `SettingsError` if settings wait for a better validation accuracy that is never measured."""
    for name, epochs in waits.items():
        if epochs is not None and not probe_every:
            raise SettingsError(f"probe_every 0: must be 1 or more with {name}, which needs the probes")
        if epochs is not None and not len(data.validation):
            raise SettingsError(f"{name} {epochs}: must be off, since {data.name} has no validation set")
