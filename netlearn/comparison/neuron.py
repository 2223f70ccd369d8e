"""The book's single neuron, x = 1 and y = 0, trained with several costs (chapter 3, its first section)."""

from collections.abc import Sequence

import numpy as np

from netlearn import datasets
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.training import Trainer

Curves = dict[str, Array]


def neuron_curves(costs: Sequence[str], w: float, b: float, learning_rate: float, epochs: int) -> dict[str, Curves]:
    """Train the neuron with each cost.

    Args:
        costs: names in `COSTS` whose output is a sigmoid.
        w: initial weight.
        b: initial bias.
        learning_rate: η.
        epochs: steps of gradient descent.

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
