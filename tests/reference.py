"""The slow, obvious reference: the book's equations with a Python loop over examples, in float64.

It shares no code with netlearn, so that each can check the other.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]


def sigmoid(z: Vector) -> Vector:
    result: Vector = 1 / (1 + np.exp(-z))
    return result


def sigmoid_prime(z: Vector) -> Vector:
    result: Vector = sigmoid(z) * (1 - sigmoid(z))
    return result


def softmax(z: Vector) -> Vector:
    result: Vector = np.exp(z) / np.exp(z).sum()
    return result


HIDDEN: dict[str, tuple[Callable[[Vector], Vector], Callable[[Vector], Vector]]] = {
    "sigmoid": (sigmoid, sigmoid_prime),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
}

# each cost: the output activation, C of one example, and ∂C/∂z of one example, all from z and y
COSTS: dict[str, tuple[Callable[[Vector], Vector], Callable[[Vector, Vector], float], Callable[..., Vector]]] = {
    "quadratic": (
        sigmoid,
        lambda z, y: 0.5 * np.sum((sigmoid(z) - y) ** 2),
        lambda z, y: (sigmoid(z) - y) * sigmoid_prime(z),
    ),
    "cross-entropy": (
        sigmoid,
        lambda z, y: -np.sum(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z))),
        lambda z, y: sigmoid(z) - y,
    ),
    "log-likelihood": (
        softmax,
        lambda z, y: -np.sum(y * np.log(softmax(z))),
        lambda z, y: softmax(z) - y,
    ),
}


class ReferenceNetwork:
    def __init__(self, weights: Sequence[Vector], biases: Sequence[Vector], cost: str, activation: str) -> None:
        self.weights = [w.astype(np.float64) for w in weights]
        self.biases = [b.astype(np.float64).reshape(-1) for b in biases]
        self.activation, self.activation_prime = HIDDEN[activation]
        self.output, self.cost, self.delta = COSTS[cost]

    def forward(self, x: Vector) -> tuple[list[Vector], list[Vector]]:
        """Return the weighted inputs of each layer and the activations, input first, for one example."""
        zs: list[Vector] = []
        activations = [x]
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            zs.append(w @ activations[-1] + b)
            last = layer == len(self.weights) - 1
            activations.append(self.output(zs[-1]) if last else self.activation(zs[-1]))
        return zs, activations

    def backprop(self, x: Vector, y: Vector) -> tuple[list[Vector], list[Vector]]:
        """Return the gradients of one example's cost for the biases and the weights."""
        zs, activations = self.forward(x)
        delta = self.delta(zs[-1], y)
        nabla_b, nabla_w = [delta], [np.outer(delta, activations[-2])]
        for layer in range(len(self.weights) - 2, -1, -1):
            delta = (self.weights[layer + 1].T @ delta) * self.activation_prime(zs[layer])
            nabla_b.insert(0, delta)
            nabla_w.insert(0, np.outer(delta, activations[layer]))
        return nabla_b, nabla_w

    def update_mini_batch(self, xs: Vector, ys: Vector, eta: float, lmbda: float, n: int) -> None:
        """One step of gradient descent on the rows of xs and ys, L2 with the training set's size n."""
        sum_b = [np.zeros_like(b) for b in self.biases]
        sum_w = [np.zeros_like(w) for w in self.weights]
        for x, y in zip(xs, ys, strict=True):
            nabla_b, nabla_w = self.backprop(x, y)
            sum_b = [total + nabla for total, nabla in zip(sum_b, nabla_b, strict=True)]
            sum_w = [total + nabla for total, nabla in zip(sum_w, nabla_w, strict=True)]
        m = len(xs)
        self.weights = [
            (1 - eta * lmbda / n) * w - eta / m * total for w, total in zip(self.weights, sum_w, strict=True)
        ]
        self.biases = [b - eta / m * total for b, total in zip(self.biases, sum_b, strict=True)]


def differences(cost: Callable[[], float], parameters: Vector, step: float = 1e-6) -> Vector:
    """Return the derivative of a cost by each parameter, as central differences; `cost` reads them where they are."""
    found = np.empty_like(parameters)
    for index in np.ndindex(parameters.shape):
        kept, costs = parameters[index], []
        for shift in (step, -step):
            parameters[index] = kept + shift
            costs.append(cost())
        parameters[index] = kept
        found[index] = (costs[0] - costs[1]) / (2 * step)
    return found
