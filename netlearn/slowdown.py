"""What is measured of a network: how well it does, and how fast it could learn from where it stands.

Examples are rows here, x of shape (n, n_in) and y of shape (n, n_out), as data sets store them.
"""

from dataclasses import dataclass

import numpy as np

from netlearn.activations import Array
from netlearn.datasets import Labels
from netlearn.network import Network

BLOCK = 1000  # examples fed forward at once, so that their activations stay in the processor's cache
BADLY_WRONG = 0.9


@dataclass(frozen=True)
class Speed:
    """How fast learning could be, measured on some examples.

    Attributes:
        output_error: mean of |a − y| over output neurons and examples.
        learning_speed: Σ|δ^L| / Σ|a − y|, the gradient per unit of error at the output. 1 for cross-entropy; for
            the quadratic cost the mean of σ'(z) weighted by the error, at most ¼. NaN where no error is left.
        stuck: share of output neurons, over the examples, with |a − y| > 0.9.
        layers: the norm of ∂C/∂b of each layer, C the mean over the examples: the layer's speed (chapter 5).
    """

    output_error: float
    learning_speed: float
    stuck: float
    layers: tuple[float, ...]


def measure_speed(network: Network, x: Array, y: Array) -> Speed:
    """Measure the speed on examples x with targets y; the network's weights stay as they are."""
    work = network.gradient(x.T, y.T, scale=1 / len(x))
    error = np.abs(work.a[-1] - y.T)
    total = float(error.sum(dtype=np.float64))
    gradient = float(np.abs(work.delta[-1]).sum(dtype=np.float64)) * len(x)
    return Speed(
        output_error=total / error.size,
        learning_speed=gradient / total if total else float("nan"),
        stuck=float((error > BADLY_WRONG).mean()),
        layers=tuple(float(np.linalg.norm(nabla)) for nabla in network.nabla_b),
    )


def evaluate(network: Network, x: Array, y: Array, labels: Labels) -> tuple[float, float]:
    """Return the mean cost (without the L2 term) and the share of examples that are classified correctly.

    The answer of a network is its most active output neuron; of one output neuron it is 1 where a > ½.
    """
    cost, correct = 0.0, 0
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        work = network.forward(x[rows].T)
        a = work.a[-1]
        cost += float(network.cost.value(work.z[-1], a, y[rows].T).sum(dtype=np.float64))
        answers = a.argmax(axis=0) if len(a) > 1 else a[0] > 0.5
        correct += int((answers == labels[rows]).sum())
    return cost / len(x), correct / len(x)
