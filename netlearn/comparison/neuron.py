"""The book's single neuron, x = 1 and y = 0, trained with several costs (chapter 3, its first section)."""

from collections.abc import Sequence

import msgspec
import numpy as np

from netlearn import datasets
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs import Groups
from netlearn.text import counted
from netlearn.training import Trainer

Curves = dict[str, Array]
SHOWN = 5  # epochs, after the first
QUANTITIES = {"outputs": "output", "costs": "cost", "gradients": "gradient |∂C/∂b|"}


class Neuron(msgspec.Struct, frozen=True, kw_only=True):
    """A single neuron that learns a single example: what it does by epoch is its result; it has no accuracy.

    Attributes:
        epochs: at which it is shown.
        outputs: |a − y| at these epochs, which is the output for the book's neuron.
        costs: the cost at these epochs.
        gradients: |∂C/∂b| at these epochs.
        below_half: the first epoch with an output below ½; None if it stayed above.
    """

    variant: str
    learning_rate: float
    epochs: tuple[int, ...]
    outputs: tuple[float, ...]
    costs: tuple[float, ...]
    gradients: tuple[float, ...]
    below_half: int | None


def neuron_curves(costs: Sequence[str], w: float, b: float, learning_rate: float, epochs: int) -> dict[str, Curves]:
    """Train the neuron with each cost, whose output is a sigmoid, from weight w and bias b.

    Returns:
        for each cost its curves, epochs + 1 values each: the "output" a, which should be 0, the "cost", and the
        size of the "gradient", |∂C/∂w| = |∂C/∂b|.

    Raises:
        SettingsError: the network or the trainer cannot have one of the values.
        DivergenceError: the cost became infinite.
    """
    data = datasets.load("neuron")
    curves = {}
    for cost in costs:
        network = Network([1, 1], cost, initializer=(w, b), dtype=np.float64)
        records = list(Trainer(network, data, epochs=epochs, batch_size=1, learning_rate=learning_rate))
        columns = [(record.output_error, record.train_cost, record.speeds[0]) for record in records]
        curves[cost] = dict(zip(("output", "cost", "gradient"), np.array(columns).T, strict=True))
    return curves


def neurons_of(groups: Groups) -> tuple[Neuron, ...]:
    """Return the neurons of a comparison, one of each variant; none if it is a comparison of networks.

    A comparison of neurons has a single training example, and runs without hidden layers.
    """
    runs = {name: next((run for run in group if run.metrics), None) for name, group in groups.items()}
    found = {name: run for name, run in runs.items() if run is not None and run.summary is not None}
    sizes = {(run.settings.hidden, run.summary.data.train) for run in found.values() if run.summary is not None}
    if sizes != {((), 1)}:
        return ()
    last = min(int(run.metrics["epoch"][-1]) for run in found.values())
    shown = sorted({last * row // SHOWN for row in range(SHOWN + 1)})
    neurons = []
    for name, run in found.items():
        epochs, output = run.metrics["epoch"], run.metrics["output_error"]
        at = np.searchsorted(epochs, shown)
        below = np.flatnonzero(output < 0.5)
        columns = {
            quantity: tuple(run.metrics[column][at].tolist())
            for quantity, column in zip(QUANTITIES, ("output_error", "train_cost", "speed_1"), strict=True)
        }
        neurons.append(
            Neuron(
                variant=name,
                learning_rate=run.settings.learning_rate,
                epochs=tuple(shown),
                below_half=int(epochs[below[0]]) if below.size else None,
                **columns,
            )
        )
    return tuple(neurons)


def conclude_neurons(neurons: Sequence[Neuron]) -> tuple[str, ...]:
    """Return which output fell below ½ first, and when the others did."""
    order = sorted((each for each in neurons if each.below_half is not None), key=lambda each: each.below_half or 0)
    never = [each.variant for each in neurons if each.below_half is None]
    sentences = []
    if order:
        first = order[0].below_half or 0
        fastest = [each.variant for each in order if each.below_half == first]
        later = order[len(fastest) :]
        sentences.append(f"The output of {'; '.join(fastest)} fell below ½ first, after {counted(first, 'epoch')}.")
        if later:
            ends = [f"{each.variant} after {each.below_half}" for each in later]
            sentences.append(f"Then came {'; '.join(ends)}.")
    if never:
        stayed = f"The output of {'; '.join(never)} stayed above ½ for {neurons[0].epochs[-1]} epochs."
        sentences.append(stayed)
    return tuple(sentences)
