"""What is measured of a network, and when: how well it does, how fast it could learn from where it stands.

Examples are rows here, x of shape (n, n_in) and y of shape (n, n_out), as data sets store them.
"""

from dataclasses import dataclass

import numpy as np

from netlearn.activations import Array
from netlearn.datasets import Labels
from netlearn.network import Network

BLOCK = 1000  # examples fed forward at once, so that their activations stay in the processor's cache
BADLY_WRONG = 0.9
PROBE_EXAMPLES = 1000  # of the training set


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


@dataclass(frozen=True)
class Record:
    """What one probe found; the fields are the columns of metrics.csv.

    The training figures are those of the first 1,000 training examples; `Speed` explains the last four.

    Attributes:
        update: mini-batches done.
        epoch: passes over the training set done, a fraction inside an epoch.
        seconds: time spent training, probes not counted.
        train_cost: mean cost with the L2 term.
        train_accuracy: share classified correctly.
        validation_cost: mean cost on the validation set, with the same L2 term.
        validation_accuracy: share of the validation set classified correctly.
        output_error: mean |a − y| at the output.
        learning_speed: gradient per unit of error at the output.
        stuck: share of output neurons that are badly wrong.
        speeds: the speed of each layer, first to last.
    """

    update: int
    epoch: float
    seconds: float
    train_cost: float
    train_accuracy: float
    validation_cost: float
    validation_accuracy: float
    output_error: float
    learning_speed: float
    stuck: float
    speeds: tuple[float, ...]


def probe_updates(updates_per_epoch: int) -> list[int]:
    """Return 1, 2, 5, 10, 20, 50, … below the epoch's last update, and that one."""
    series = (step * 10**power for power in range(len(str(updates_per_epoch))) for step in (1, 2, 5))
    return [*(update for update in series if update < updates_per_epoch), updates_per_epoch]


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


def sample_outputs(network: Network, x: Array, y: Array) -> tuple[Array, Array]:
    """Return |a − y| and |δ| of every output neuron for each of the examples, as two vectors."""
    work = network.gradient(x.T, y.T, scale=1)
    return np.abs(work.a[-1] - y.T).ravel(), np.abs(work.delta[-1]).ravel()


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
        correct += int((_answers(a) == labels[rows]).sum())
    return cost / len(x), correct / len(x)


def recall(network: Network, x: Array, labels: Labels) -> tuple[float | None, ...]:
    """Return for each class the share of its examples that the network recognizes; None where there are none."""
    blocks = range(0, len(x), BLOCK)
    right = np.concatenate([_answers(network.forward(x[i : i + BLOCK].T).a[-1]) for i in blocks]) == labels
    classes = [right[labels == label] for label in range(max(2, network.sizes[-1]))]
    return tuple(float(found.mean()) if len(found) else None for found in classes)


def _answers(a: Array) -> Labels:
    answers: Labels = a.argmax(axis=0) if len(a) > 1 else (a[0] > 0.5).astype(np.int64)
    return answers
