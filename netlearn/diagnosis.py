"""What is wrong with a delta that is not the derivative of value: the patterns of common mistakes.

Each is a relation between delta and the numerical derivative D = ∂C/∂z that holds at all points, up to `FIT`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netlearn.activations import Activation, Identity, Sigmoid, Softmax
from netlearn.numerics import Array

FIT = 1e-5  # largest misfit of a pattern, relative to the largest derivative
LOG_FIT = 0.02  # that of a constant in a logarithm, relative to the largest error, which may be tiny itself
CONSTANTS = 1e-12, 0.3  # in a logarithm: the smallest and the largest that is looked for
FACTORS = {
    0.5: "½ of it", 2.0: "2 times it", -1.0: "−1 times it: the sign is wrong",
    np.log(2): "ln 2 times it", 1 / np.log(2): "it divided by ln 2",
    np.log(10): "ln 10 times it", 1 / np.log(10): "it divided by ln 10",
}  # fmt: skip


@dataclass(frozen=True)
class Points:
    """Where a cost was checked, each array of shape (n_out, examples).

    Attributes:
        output: the activation of the output layer.
        z: weighted inputs.
        a: activations.
        y: targets.
        delta: what the cost's delta gives.
        numeric: the central differences of its value.
    """

    output: Activation
    z: Array
    a: Array
    y: Array
    delta: Array
    numeric: Array


def explain(points: Points, error_with: Callable[[Activation], float]) -> str | None:
    """Return what is wrong with a cost, in a few words, or None if no pattern fits.

    Args:
        points: where it was checked.
        error_with: returns the largest error of the same cost with another output activation.
    """
    if found := _factor(points) or _prime(points):
        return found
    if epsilon := constant_in_logarithm(points):
        return f"value has a constant inside a logarithm, about {epsilon:.1g}; compute it from z instead"
    for each in (Sigmoid(), Softmax(), Identity()):
        if type(each) is not type(points.output) and error_with(each) < FIT:
            return f"it would be right with output = {type(each).__name__}()"
    return None


def constant_in_logarithm(points: Points) -> float | None:
    """Return ε if value has ln(a + ε) where delta belongs to ln a, otherwise None.

    With p(ε) = a/(a + ε), the derivative of −y ln(a + ε) − (1 − y) ln(1 − a + ε) on sigmoid outputs is
    −y (1 − a) p + (1 − y) a (1 − a)/(1 − a + ε); that of −Σ y ln(a + ε) on softmax outputs is a Σ yp − yp.
    """
    if not isinstance(points.output, Sigmoid | Softmax):
        return None
    misfit = points.numeric - points.delta
    largest = np.abs(misfit).max()

    def rest(logarithm: float) -> float:
        return float(np.abs(misfit - (_of_logarithm(points, 10**logarithm) - _of_logarithm(points, 0))).max())

    low, high = np.log10(CONSTANTS)
    while high - low > 1e-4:
        grid = np.linspace(low, high, 25)
        best = int(np.argmin([rest(each) for each in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return float(10**low) if rest(low) < LOG_FIT * largest else None


def _of_logarithm(points: Points, epsilon: float) -> Array:
    """Return the derivative of the cross-entropy or the log-likelihood with ε in its logarithms."""
    a, y = points.a, points.y
    weighted = y * a / (a + epsilon)
    if isinstance(points.output, Softmax):
        return np.asarray(a * weighted.sum(axis=0) - weighted)
    return np.asarray((1 - y) * a * (1 - a) / (1 - a + epsilon) - weighted * (1 - a))


def _ratio(one: Array, other: Array) -> float | None:
    """Return c where one = c · other at all points, or None."""
    square = float((other * other).sum())
    c = float((one * other).sum()) / square if square else 0.0
    fits = c and np.abs(one - c * other).max() <= FIT * np.abs(one).max()
    return c if fits else None


def _factor(points: Points) -> str | None:
    c = _ratio(points.delta, points.numeric)
    if c is None:
        return None
    outputs, examples = points.z.shape
    named = FACTORS | {
        1 / outputs: f"1/{outputs} of it, divided by the number of outputs",
        float(outputs): f"{outputs} times it, the number of outputs, as if value took the mean over them",
        1 / examples: f"divided by the number of examples, {examples}, over which training takes the mean itself",
        float(examples): f"{examples} times it, the number of examples",
    }
    text = next((text for factor, text in named.items() if abs(c / factor - 1) < FIT), f"{c:.6g} times it")
    return f"delta is {text}"


def _backward(output: Activation, a: Array, error: Array) -> Array:
    """Return ∂C/∂z, given ∂C/∂a: the derivative of the output activation is applied."""
    if isinstance(output, Softmax):
        return np.asarray(a * (error - (a * error).sum(axis=0)))
    return a * (1 - a) * error


def _prime(points: Points) -> str | None:
    if not isinstance(points.output, Sigmoid | Softmax):
        return None
    name = "σ'(z)" if isinstance(points.output, Sigmoid) else "the derivative of the softmax"
    for first, second, text in (
        (_backward(points.output, points.a, points.delta), points.numeric, "missing: delta is ∂C/∂a"),
        (points.delta, _backward(points.output, points.a, points.numeric), "there once too often"),
    ):
        c = _ratio(first, second)
        if c is not None:
            factor = "" if abs(c - 1) < FIT else f", and a factor {c:.6g} is wrong"
            return f"{name} is {text}{factor}"
    return None
