"""Costs from the literature, each value beside its delta, as in `costs`.

p is the activation that the target wants: a for y = 1 and 1 − a for y = 0 on sigmoid outputs, the activation of the
right class on softmax outputs, which are K. Formulas for targets that are distributions are linear in y, so that they
are the expected cost of a label drawn from y.

The default learning rates had the best validation accuracy of 0.03, 0.1, 0.3, 1, 3 and 10 in four epochs of 784-30-10
on 10,000 images of MNIST. Only that of the square loss is smaller than its best one, 0.3, with which a network with
100 hidden neurons does not learn.
"""

import numpy as np

from netlearn.activations import Identity, Sigmoid, Softmax
from netlearn.costs import Cost, CrossEntropy, LogLikelihood, Quadratic
from netlearn.errors import SettingsError
from netlearn.numerics import Array

SMALLEST, LARGEST = 1e-6, 1e3  # of parameters


class AbsoluteError:
    """C = Σ_j |a_j − y_j| = 2 (1 − p) on softmax outputs.

    Summed over all classes as labels it is the constant 2 (K − 1), which makes it tolerant to label noise (A. Ghosh,
    H. Kumar, P. S. Sastry, "Robust loss functions under label noise for deep neural networks", 2017). On sigmoid
    outputs it would not be.
    """

    output = Softmax()
    learning_rate = 1.0

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return 2 (1 − p) = 2 Σ_j (1 − y_j) a_j, which keeps its digits as p nears 1."""
        return np.asarray(2 * ((1 - y) * a).sum(axis=0))

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = 2 p (a − y), which vanishes where the output is entirely wrong, p = 0."""
        np.subtract((y * a).sum(axis=0), y, out)
        np.multiply(out, a, out)
        return np.multiply(out, 2, out)


class FlatSpot:
    """C = ½ Σ_j (a_j − y_j)² + c · cross-entropy on sigmoid outputs, c = 0.1: the first cure of the slowdown.

    S. E. Fahlman ("An empirical study of learning speed in back-propagation networks", 1988) added the constant to
    σ'(z), "to eliminate the flat spots" of the sigmoid; this is the cost whose gradient that is.
    """

    output = Sigmoid()
    learning_rate = 3.0

    def __init__(self, added: float = 0.1) -> None:
        self.added = _within(added, "flat-spot: added", 0, LARGEST)
        self._quadratic, self._cross_entropy = Quadratic(), CrossEntropy()

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the sum of both costs."""
        return self._quadratic.value(z, a, y) + self.added * self._cross_entropy.value(z, a, y)

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = (a − y)(σ'(z) + c)."""
        self._quadratic.delta(z, a, y, out)
        return np.add(out, self.added * (a - y), out)


class Focal:
    """C = −Σ_j (1 − p_j)^γ ln p_j on sigmoid outputs, γ = 2: outputs that are nearly right count less.

    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", 2017. With γ = 0 it
    is the cross-entropy.
    """

    output = Sigmoid()
    learning_rate = 1.0

    def __init__(self, gamma: float = 2.0) -> None:
        self.gamma = _within(gamma, "focal: gamma", 0, LARGEST)

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the cost, where −ln a = ln(1 + e^−z), −ln(1−a) = ln(1 + e^z) and 1 − a = σ(−z)."""
        right, wrong = self._factors(z, a)
        return np.asarray((y * right * np.logaddexp(0, -z) + (1 - y) * wrong * np.logaddexp(0, z)).sum(axis=0))

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = −(1 − a)^γ (1 − a − γ a ln a) where y = 1, and a^γ (a − γ (1 − a) ln(1 − a)) where y = 0.

        For y = 1 the factors are ∂/∂z of (1 − a)^γ, −γ a (1 − a)^γ, and of −ln a, −(1 − a), by the product rule.
        """
        right, wrong = self._factors(z, a)
        rest = self.output.value(-z)  # 1 − a, without loss of digits
        right *= rest + self.gamma * a * np.logaddexp(0, -z)
        wrong *= a + self.gamma * rest * np.logaddexp(0, z)
        return np.subtract((1 - y) * wrong, y * right, out)

    def _factors(self, z: Array, a: Array) -> tuple[Array, Array]:
        """Return (1 − a)^γ and a^γ."""
        return np.asarray(self.output.value(-z) ** self.gamma), np.asarray(a**self.gamma)


class GeneralizedCrossEntropy:
    """C = (1 − p^q)/q on softmax outputs, q = 0.7.

    It is between the log-likelihood, q → 0, and half the absolute error, q = 1 (Z. Zhang, M. R. Sabuncu, "Generalized
    cross entropy loss for training deep neural networks with noisy labels", 2018).
    """

    output = Softmax()
    learning_rate = 1.0

    def __init__(self, q: float = 0.7) -> None:
        self.q = _within(q, "generalized-cross-entropy: q", SMALLEST, 1)

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return (1 − e^(q ln p))/q, which keeps its digits as p nears 1 or q nears 0."""
        return np.asarray((y * -np.expm1(self.q * _log_softmax(z))).sum(axis=0) / self.q)

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = p^q (a − y)."""
        weighted = y * a**self.q
        np.multiply(a, weighted.sum(axis=0), out)
        return np.subtract(out, weighted, out)


class SmoothedLabels:
    """The log-likelihood of y' = (1 − ε) y + ε/K, on softmax outputs, ε = 0.1: no output is to become certain.

    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception architecture", 2016.
    """

    output = Softmax()
    learning_rate = 1.0

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = _within(epsilon, "smoothed-labels: epsilon", 0, 1)
        self._log_likelihood = LogLikelihood()

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return −Σ_j y'_j ln a_j."""
        return self._log_likelihood.value(z, a, self._smoothed(y))

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = a − y'."""
        return np.subtract(a, self._smoothed(y), out)

    def _smoothed(self, y: Array) -> Array:
        return (1 - self.epsilon) * y + self.epsilon / len(y)


class SquareLoss:
    """C = ½ Σ_j (z_j − y_j)² on linear outputs: no squashing, so that nothing saturates.

    L. Hui, M. Belkin, "Evaluation of neural architectures trained with square loss vs cross-entropy in classification
    tasks", 2020; there it is as good as cross-entropy, or better.
    """

    output = Identity()
    learning_rate = 0.03

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return ½ Σ_j (z_j − y_j)²."""
        error = z - y
        return np.asarray(np.einsum("jx,jx->x", error, error) / 2)

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ = z − y."""
        return np.subtract(z, y, out)


class Brier:
    """C = ½ Σ_j (a_j − y_j)² on softmax outputs.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """

    output = Softmax()
    learning_rate = 3.0

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return ½ Σ_j (a_j − y_j)²."""
        error = a - y
        return np.asarray(np.einsum("jx,jx->x", error, error) / 2)

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ_j = a_j (e_j − Σ_k a_k e_k) with e = a − y, where ∂a_k/∂z_j = a_k (1[j=k] − a_j)."""
        error = a - y
        np.subtract(error, (a * error).sum(axis=0), out)
        return np.multiply(out, a, out)


class Squentropy:
    """C = −ln p + Σ_{j≠y} z_j²/(K − 1) on softmax outputs.

    L. Hui, M. Belkin, S. Wright, "Cut your losses with squentropy", 2023.
    """

    output = Softmax()
    learning_rate = 0.3

    def __init__(self) -> None:
        self._log_likelihood = LogLikelihood()

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """Return the log-likelihood plus the mean square of the weighted inputs of wrong classes."""
        square: Array = ((1 - y) * z * z).sum(axis=0) / (len(z) - 1)
        return self._log_likelihood.value(z, a, y) + square

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        """Write δ_j = a_j − y_j + 2 z_j/(K − 1) for j ≠ y, and a_y − 1 for the right class."""
        np.subtract(a, y, out)
        return np.add(out, (1 - y) * z * (2 / (len(z) - 1)), out)


def _within(value: object, name: str, low: float, high: float) -> float:
    """Return a parameter, which must be a number in a range."""
    if not isinstance(value, int | float) or not low <= value <= high:
        raise SettingsError(f"cost {name} {value!r:.40}: must be a number from {low:g} to {high:g}")
    return float(value)


def _log_softmax(z: Array) -> Array:
    """Return ln a = z − ln Σ_k e^z_k."""
    z = z - z.max(axis=0)
    return np.asarray(z - np.log(np.exp(z).sum(axis=0)))


LITERATURE: dict[str, type[Cost]] = {
    "absolute-error": AbsoluteError,
    "flat-spot": FlatSpot,
    "focal": Focal,
    "generalized-cross-entropy": GeneralizedCrossEntropy,
    "smoothed-labels": SmoothedLabels,
    "square-loss": SquareLoss,
    "brier": Brier,
    "squentropy": Squentropy,
}
