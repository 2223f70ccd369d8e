"""How fast the book's first program runs, as typed and as the loop over examples that the book prints."""

import random
from contextlib import redirect_stdout
from io import StringIO
from time import perf_counter
from typing import Any

import numpy as np

from netlearn.book import mnist_loader, network
from netlearn.numerics import Array

EPOCHS = 30  # as the book types it; the loop does one, whose time is that of each


def sigmoid(z: Array) -> Array:
    """Return σ(z), as the book's program computes it."""
    return np.asarray(1 / (1 + np.exp(-z)))


class Loop(network.Network):
    """The book's program with its own loops: backpropagation and evaluation of one example at a time, in float64."""

    def feedforward(self, a: Array) -> Array:  # type: ignore[override]
        """Return the output for one example."""
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(w @ a + b)
        return a

    def backprop(self, x: Array, y: Array) -> tuple[list[Array], list[Array]]:  # type: ignore[override]
        """Return the gradient for one example, of a network with one hidden layer."""
        (w1, w2), (b1, b2) = self.weights, self.biases
        a1 = sigmoid(w1 @ x + b1)
        a2 = sigmoid(w2 @ a1 + b2)
        delta2 = (a2 - y) * a2 * (1 - a2)
        delta1 = (w2.T @ delta2) * a1 * (1 - a1)
        return [delta1, delta2], [delta1 @ x.T, delta2 @ a1.T]


def seconds_of(kind: type[network.Network], epochs: int, data: tuple[list[Any], ...]) -> float:
    """Return the seconds that an epoch takes, conversion, shuffling and evaluation included."""
    random.seed(1)
    np.random.seed(1)
    net, training_data = kind([784, 30, 10]), data[0][:]
    begun = perf_counter()
    with redirect_stdout(StringIO()):
        net.SGD(training_data, epochs, 10, 3.0, test_data=data[2])
    return (perf_counter() - begun) / epochs


def section(rounds: int) -> str:
    """Return the page's section."""
    data = mnist_loader.load_data_wrapper()
    typed, looped = (
        float(np.median(times))
        for times in zip(
            *((seconds_of(network.Network, EPOCHS, data), seconds_of(Loop, 1, data)) for _ in range(rounds)),
            strict=True,
        )
    )
    return (
        "## The book's first program\n\n"
        f"`network.Network([784, 30, 10]).SGD(training_data, {EPOCHS}, 10, 3.0, test_data=test_data)` of "
        f"`netlearn.book` on {len(data[0]):,} images in float64: {typed:.2f} s per epoch, conversion, shuffling and "
        f"evaluation included; with loops over examples, as the book prints it, {looped:.2f} s, {looped / typed:.1f} "
        f"times as long. Medians of {rounds} interleaved rounds.\n"
    )


if __name__ == "__main__":
    print(section(3))
