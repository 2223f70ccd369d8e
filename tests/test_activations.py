import numpy as np
import pytest

from netlearn.activations import ACTIVATIONS, Identity, ReLU, Sigmoid, Softmax
from netlearn.numerics import numerics

Z = np.array([[-30.0, -3.0, -0.1], [0.2, 3.0, 30.0]])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_prime_is_the_derivative_of_value(name: str) -> None:
    activation = ACTIVATIONS[name]
    step = 1e-6
    numeric = (activation.value(Z + step) - activation.value(Z - step)) / (2 * step)
    np.testing.assert_allclose(activation.prime(activation.value(Z)), numeric, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_prime_write_to_out_and_keep_the_dtype(name: str, dtype: type[np.floating]) -> None:
    activation, z = ACTIVATIONS[name], Z.astype(dtype)
    a, prime = np.empty_like(z), np.empty_like(z)
    assert activation.value(z, out=a) is a
    assert activation.prime(a, out=prime) is prime
    np.testing.assert_array_equal(a, activation.value(z))
    np.testing.assert_array_equal(prime, activation.prime(a))
    assert activation.value(z).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_exact_at_saturation_and_in_its_tails(dtype: type[np.floating]) -> None:
    z = np.array([[-1000, -20, 0, 1000]], dtype)
    with numerics():
        a = Sigmoid().value(z)
    np.testing.assert_allclose(a, [[0, 2.061153618e-9, 0.5, 1]], rtol=1e-6)


def test_relu_prime_is_zero_at_zero() -> None:
    z = np.array([[-1.0, 0.0, 2.0]])
    np.testing.assert_array_equal(ReLU().prime(ReLU().value(z)), [[0, 0, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_columns_are_distributions_however_large_z_is(dtype: type[np.floating]) -> None:
    z = np.array([[1000, 0], [999, 0], [-1000, 0]], dtype)
    a = Softmax().value(z)
    np.testing.assert_allclose(a.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(a[:, 0], [1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0], rtol=1e-6)
    np.testing.assert_allclose(a[:, 1], 1 / 3, rtol=1e-6)


def test_identity_returns_z() -> None:
    np.testing.assert_array_equal(Identity().value(Z), Z)
