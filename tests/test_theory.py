"""The theory that netlearn demonstrates, point by point (chapter 3, "The cross-entropy cost function")."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from netlearn.activations import Sigmoid
from netlearn.costs import CrossEntropy, Quadratic
from netlearn.network import Network
from netlearn.numerics import numerics

sigmoid = Sigmoid()
cross_entropy = CrossEntropy()
quadratic = Quadratic()


@given(
    hnp.arrays(np.float64, (3, 5), elements=st.floats(-1e6, 1e6)),
    hnp.arrays(np.float64, (3, 5), elements=st.floats(0, 1)),
)
def test_cross_entropy_is_never_negative(z: np.ndarray, y: np.ndarray) -> None:
    with numerics():
        a = sigmoid.value(z)
    assert (cross_entropy.value(z, a, y) >= 0).all()


@pytest.mark.parametrize(("y", "sign"), [(0.0, -1), (1.0, 1)])
def test_cross_entropy_tends_to_zero_as_the_output_tends_to_the_target(y: float, sign: int) -> None:
    z = sign * np.array([[1.0, 5.0, 10.0, 20.0, 40.0]])
    a = sigmoid.value(z)
    value = cross_entropy.value(z, a, np.full_like(z, y))
    assert (np.diff(value) < 0).all()
    assert value[-1] < 1e-17
    np.testing.assert_allclose(value[:3], abs(np.log(1 - abs(a - y)))[0, :3], rtol=1e-9)


@given(
    hnp.arrays(np.float64, (4, 6), elements=st.floats(-1, 1)),
    hnp.arrays(np.float64, (1, 4), elements=st.floats(-1, 1)),
    hnp.arrays(np.float64, (1, 6), elements=st.floats(0, 1)),
    st.floats(-1, 1),
)
def test_cross_entropy_gradient_is_the_general_form_and_the_simplified_form(
    x: np.ndarray, w: np.ndarray, y: np.ndarray, b: float
) -> None:
    """Equations 60 to 62, one neuron with four inputs and six examples, for every w_j and for b.

    |z| stays below 5, where the logarithms of the definition have the digits that differences need.
    """
    network = Network([4, 1], cost="cross-entropy", initializer=(0, b), dtype=np.float64)
    network.weights[0][:] = w
    nabla_b, nabla_w = network.backprop(x, y)

    n, z = x.shape[1], w @ x + b
    a = 1 / (1 + np.exp(-z))
    prime = np.exp(-z) / (1 + np.exp(-z)) ** 2
    general_w = (prime * x * (a - y) / (a * (1 - a))).sum(axis=1) / n
    general_b = (prime * (a - y) / (a * (1 - a))).sum() / n
    np.testing.assert_allclose(nabla_w[0][0], general_w, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(nabla_b[0][0, 0], general_b, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(nabla_w[0][0], (x * (a - y)).sum(axis=1) / n, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(nabla_b[0][0, 0], (a - y).sum() / n, rtol=1e-9, atol=1e-12)

    def cost(w: np.ndarray, b: float) -> float:
        a = 1 / (1 + np.exp(-(w @ x + b)))
        return float(-(y * np.log(a) + (1 - y) * np.log(1 - a)).sum() / n)

    step = 1e-5
    numeric_w = [(cost(w + step * e, b) - cost(w - step * e, b)) / (2 * step) for e in np.eye(4)]
    numeric_b = (cost(w, b + step) - cost(w, b - step)) / (2 * step)
    np.testing.assert_allclose(nabla_w[0][0], numeric_w, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(nabla_b[0][0, 0], numeric_b, rtol=1e-6, atol=1e-8)


def test_cross_entropy_of_many_outputs_is_the_sum_of_the_neurons_cross_entropies() -> None:
    """Equation 63; each neuron's is the cross-entropy of the distributions (y, 1−y) and (a, 1−a)."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(10, 7)), rng.random((10, 7))
    a = sigmoid.value(z)
    per_neuron = [cross_entropy.value(z[j : j + 1], a[j : j + 1], y[j : j + 1]) for j in range(10)]
    np.testing.assert_allclose(cross_entropy.value(z, a, y), np.sum(per_neuron, axis=0), rtol=1e-12)
    targets, outputs = np.stack([y, 1 - y]), np.stack([a, 1 - a])
    np.testing.assert_allclose(
        cross_entropy.value(z, a, y), -(targets * np.log(outputs)).sum(axis=(0, 1)), rtol=1e-12
    )


def test_quadratic_gradient_carries_the_factor_sigma_prime() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(4, 6)), rng.random((1, 6))
    network = Network([4, 1], "quadratic", rng=np.random.default_rng(2), dtype=np.float64)
    nabla_b, nabla_w = network.backprop(x, y)
    z = network.weights[0] @ x + network.biases[0]
    a, prime = 1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2
    np.testing.assert_allclose(nabla_w[0][0], ((a - y) * prime * x).mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(nabla_b[0][0, 0], ((a - y) * prime).mean(), rtol=1e-12)


def test_badly_wrong_saturating_neuron_stops_learning_with_quadratic_and_not_with_cross_entropy() -> None:
    z = np.array([[0.0, 2.0, 4.0, 8.0, 16.0, 32.0]])
    a, y = sigmoid.value(z), np.zeros_like(z)
    slow, fast = np.empty_like(z), np.empty_like(z)
    quadratic.delta(z, a, y, out=slow)
    cross_entropy.delta(z, a, y, out=fast)
    assert (np.diff(slow[0, 1:]) < 0).all()
    assert slow[0, -1] < 1e-12
    assert (np.diff(fast) > 0).all()
    np.testing.assert_array_equal(fast, a - y)
    assert fast[0, -1] > 1 - 1e-12
    np.testing.assert_allclose(slow[0, :4] / fast[0, :4], (a * (1 - a))[0, :4], rtol=1e-12)
