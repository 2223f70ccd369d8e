"""What a network answers to examples, and how good that is: outputs, answers, costs, accuracy, mistakes.

Data sets store examples as rows, x of shape (n, n_in) and labels of shape (n,).
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import Examples, Labels, scaled, targets
from netlearn.network import Network
from netlearn.numerics import Array, numerics

BLOCK = 1000  # examples fed forward at once, so that their activations stay in the processor's cache


@dataclass(frozen=True)
class Answer:
    """An example and a network's answer to it.

    Attributes:
        index: of the example in its set, from 0.
        x: the example, (n_in,).
        label: its class.
        answer: the class that the network gives.
        outputs: activations of the output layer, (n_out,).
    """

    index: int
    x: Array
    label: int
    answer: int
    outputs: Array


@dataclass(frozen=True, eq=False)  # it holds arrays
class Predictions:
    """The outputs of a network for some examples.

    Attributes:
        examples: the examples, n rows.
        outputs: activations of the output layer, (n, n_out).
        costs: cost of each example, without regularization, (n,).
        cost: their mean.
    """

    examples: Examples
    outputs: Array
    costs: Array
    cost: float

    @cached_property
    def answers(self) -> Labels:
        """The class that the network gives each example, (n,)."""
        return answers(self.outputs.T)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer is the label, (n,)."""
        correct: NDArray[np.bool_] = self.answers == self.examples.labels
        return correct

    @property
    def accuracy(self) -> float:
        """The fraction of examples that are classified correctly."""
        return float(self.correct.mean())

    @property
    def recall(self) -> tuple[float | None, ...]:
        """The fraction of each class that is recognized; None for a class without examples."""
        classes = range(max(2, self.outputs.shape[1]))
        found = [self.correct[self.examples.labels == label] for label in classes]
        return tuple(float(each.mean()) if len(each) else None for each in found)

    @property
    def confidence(self) -> Array:
        """The output behind each answer, (n,); with one output, answer 0 has 1 − a."""
        a = self.outputs
        return np.asarray(a.max(axis=1) if a.shape[1] > 1 else np.maximum(a[:, 0], 1 - a[:, 0]))

    def worst(self, most: int) -> list[Answer]:
        """Return at most `most` wrong answers, those with the largest cost first."""
        wrong = np.flatnonzero(~self.correct)
        return self.select(wrong[np.argsort(-self.costs[wrong], kind="stable")[:most]])

    def select(self, indices: Iterable[int]) -> list[Answer]:
        """Return the answers to the examples with those indices."""
        inputs, labels = self.examples.inputs, self.examples.labels
        return [
            Answer(int(i), scaled(inputs[i]), int(labels[i]), int(self.answers[i]), self.outputs[i]) for i in indices
        ]

    def confusion(self) -> NDArray[np.int64]:
        """Return the confusion matrix: how often each label (row) got each answer (column)."""
        classes = max(2, self.outputs.shape[1])
        pairs = self.examples.labels * classes + self.answers
        counts: NDArray[np.int64] = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        return counts

    def encode(self) -> bytes:
        """Return the content of predictions.csv: index, label, answer and outputs of each example."""
        n, n_out = self.outputs.shape
        head = ["index", "label", "answer", *(f"output_{j}" for j in range(n_out))]
        table = np.column_stack([np.arange(n), self.examples.labels, self.answers, self.outputs])
        content = io.BytesIO()
        np.savetxt(content, table, ["%d"] * 3 + ["%.9g"] * n_out, ",", header=",".join(head), comments="")
        return content.getvalue()


def predict(network: Network, examples: Examples) -> Predictions:
    """Return the outputs of a network for some examples, which are fed forward a block at a time."""
    n = len(examples)
    a, costs, total = np.empty((n, network.sizes[-1]), network.dtype), np.empty(n, network.dtype), 0.0
    with numerics():
        for start in range(0, n, BLOCK):
            part = slice(start, start + BLOCK)
            x, y = as_columns(network, examples[part])
            output = network.forward(x)[-1]
            values = network.cost.value(output.z, output.a, y)
            a[part], costs[part] = output.a.T, values
            total += float(values.sum(dtype=np.float64))
    return Predictions(examples, a, costs, total / n)


def answers(a: Array) -> Labels:
    """Return the class that a network gives each example, (n,), from its outputs a, (n_out, n).

    It is the index of the most active output neuron; with one output neuron it is 1 where a > ½.
    """
    found: Labels = a.argmax(axis=0) if len(a) > 1 else (a[0] > 0.5).astype(np.int64)
    return found


def as_columns(network: Network, examples: Examples) -> tuple[Array, Array]:
    """Return examples and targets as columns of the network's dtype."""
    x = scaled(examples.inputs, network.dtype)
    return x.T, targets(examples.labels, network.sizes[-1]).astype(network.dtype, copy=False).T
