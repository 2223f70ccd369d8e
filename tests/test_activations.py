import numpy as np
import pytest

from netlearn.activations import ACTIVATIONS, HiddenActivation, Identity, ReLU, Sigmoid, Softmax
from netlearn.numerics import numerics

Z = np.array([[-30.0, -3.0, -0.1], [0.2, 3.0, 30.0]])


def prime_of(activation: HiddenActivation, z: np.ndarray) -> np.ndarray:
    prime = np.empty_like(z)
    with numerics():
        activation.value_and_prime(z, np.empty_like(z), prime)
    return prime


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_prime_is_the_derivative_of_value(name: str) -> None:
    activation = ACTIVATIONS[name]
    step = 1e-6
    numeric = (activation.value(Z + step) - activation.value(Z - step)) / (2 * step)
    np.testing.assert_allclose(prime_of(activation, Z), numeric, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_ways_to_a_value_agree_write_to_out_and_keep_the_dtype(name: str, dtype: type[np.floating]) -> None:
    activation, z = ACTIVATIONS[name], Z.astype(dtype)
    kept, a, again, prime = z.copy(), *(np.empty_like(z) for _ in range(3))
    assert activation.value(z, out=a) is a
    assert activation.value_and_prime(z, again, prime) is again
    np.testing.assert_allclose(a, again, rtol=4 * float(np.finfo(dtype).eps))
    np.testing.assert_array_equal(a, activation.value(z))
    np.testing.assert_array_equal(z, kept)
    assert activation.value(z).dtype == dtype


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_prime_keeps_its_digits_in_float32_wherever_it_can_be_represented(name: str) -> None:
    z = np.linspace(-100, 100, 4001, dtype=np.float32)[np.newaxis]
    exact = {
        "sigmoid": lambda z: np.exp(-abs(z)) / (1 + np.exp(-abs(z))) ** 2,
        "tanh": lambda z: 4 * np.exp(-2 * abs(z)) / (1 + np.exp(-2 * abs(z))) ** 2,
    }[name](z.astype(np.float64))
    found = prime_of(ACTIVATIONS[name], z)
    normal = exact > np.finfo(np.float32).tiny
    assert normal.sum() > 1700
    np.testing.assert_allclose(found[normal], exact[normal], rtol=1e-5)
    assert (found[~normal] <= np.finfo(np.float32).tiny).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_not_a_number_stays_so(name: str) -> None:
    z, a = np.array([[np.nan, -np.inf, np.inf]], np.float32), np.empty((1, 3), np.float32)
    with numerics():
        ACTIVATIONS[name].value_and_prime(z, a, np.empty_like(a))
    lowest, highest = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, np.inf)}[name]
    np.testing.assert_array_equal(a, [[np.nan, lowest, highest]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_exact_at_saturation_and_in_its_tails(dtype: type[np.floating]) -> None:
    z = np.array([[-1000, -20, 0, 1000]], dtype)
    with numerics():
        a = Sigmoid().value(z)
    np.testing.assert_allclose(a, [[0, 2.061153618e-9, 0.5, 1]], rtol=1e-6)


def test_relu_prime_is_zero_at_zero() -> None:
    z = np.array([[-1.0, 0.0, 2.0]])
    np.testing.assert_array_equal(prime_of(ReLU(), z), [[0, 0, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_columns_are_distributions_however_large_z_is(dtype: type[np.floating]) -> None:
    z = np.array([[1000, 0], [999, 0], [-1000, 0]], dtype)
    a = Softmax().value(z)
    np.testing.assert_allclose(a.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(a[:, 0], [1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0], rtol=1e-6)
    np.testing.assert_allclose(a[:, 1], 1 / 3, rtol=1e-6)


def test_identity_returns_z() -> None:
    np.testing.assert_array_equal(Identity().value(Z), Z)
