import numpy as np
import pytest

from netlearn.activations import Sigmoid
from netlearn.costs import COSTS, CrossEntropy, Quadratic
from netlearn.numerics import numerics
from tests import reference


@pytest.mark.parametrize("name", COSTS)
def test_value_and_delta_equal_the_reference_for_targets_0_1_and_between(name: str) -> None:
    rng = np.random.default_rng(3)
    cost, (_, value, delta) = COSTS[name](), reference.COSTS[name]
    z = rng.normal(scale=3, size=(5, 20))
    y = np.concatenate([np.eye(5), np.full((5, 5), 0.2), rng.dirichlet(np.ones(5), 10).T], axis=1)
    a = cost.output.value(z)
    np.testing.assert_allclose(cost.value(z, a, y), [value(z[:, x], y[:, x]) for x in range(20)], rtol=1e-9)
    np.testing.assert_allclose(
        cost.delta(z, a, y, out=np.empty_like(z)),
        np.transpose([delta(z[:, x], y[:, x]) for x in range(20)]),
        rtol=1e-9,
        atol=1e-15,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("z", [-1000.0, 1000.0])
@pytest.mark.parametrize("name", ["quadratic", "cross-entropy"])
def test_saturated_sigmoid_costs_are_finite_and_exact(
    name: str, z: float, target: float, dtype: type[np.floating]
) -> None:
    cost = COSTS[name]()
    zs, ys = np.full((1, 1), z, dtype), np.full((1, 1), target, dtype)
    with numerics():
        a = cost.output.value(zs)
    output = 1.0 if z > 0 else 0.0
    exact = (output - target) ** 2 / 2 if name == "quadratic" else 1000 * abs(output - target)
    value = cost.value(zs, a, ys)
    assert value.dtype == dtype
    assert value[0] == exact
    delta = cost.delta(zs, a, ys, out=np.empty_like(zs))
    if name == "quadratic":
        assert abs(delta[0, 0]) < 1e-38
    else:
        assert delta[0, 0] == output - target


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_log_likelihood_is_finite_and_exact(dtype: type[np.floating]) -> None:
    cost = COSTS["log-likelihood"]()
    z = np.array([[1000, 1000, 1000], [-1000, -1000, -1000]], dtype)
    y = np.array([[1, 0, 0.25], [0, 1, 0.75]], dtype)
    a = cost.output.value(z)
    np.testing.assert_array_equal(cost.value(z, a, y), np.array([0, 2000, 1500], dtype))
    np.testing.assert_array_equal(cost.delta(z, a, y, out=np.empty_like(z)), a - y)


@pytest.mark.parametrize("z", [17.0, 20.0, 50.0, -20.0, -50.0])
def test_quadratic_delta_of_a_stuck_neuron_is_not_lost_to_rounding(z: float) -> None:
    zs, y = np.full((1, 1), z, np.float32), np.full((1, 1), 0.0 if z > 0 else 1.0, np.float32)
    delta = Quadratic().delta(zs, Sigmoid().value(zs), y, out=np.empty_like(zs))
    np.testing.assert_allclose(delta, np.sign(z) * np.exp(-abs(z)), rtol=1e-5)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_quadratic_cost_of_a_neuron_that_is_almost_right_keeps_its_digits(target: float) -> None:
    z = np.array([[4.0, 8.0, 16.0, 20.0, 40.0]], np.float32) * (1 if target else -1)
    y = np.full_like(z, target)
    value = Quadratic().value(z, Sigmoid().value(z), y)
    exact = 1 / (1 + np.exp(np.abs(z.astype(np.float64))))
    np.testing.assert_allclose(value, exact[0] ** 2 / 2, rtol=2e-6)


@pytest.mark.parametrize("name", ["cross-entropy", "log-likelihood"])
def test_tiny_cost_keeps_its_digits_in_float32(name: str) -> None:
    cost = COSTS[name]()
    z, y = np.array([[20], [-20]], np.float32), np.array([[1], [0]], np.float32)
    exact = {"cross-entropy": 2 * np.log1p(np.exp(-20)), "log-likelihood": np.log1p(np.exp(-40))}[name]
    np.testing.assert_allclose(cost.value(z, cost.output.value(z), y), exact, rtol=1e-6)


@pytest.mark.parametrize("z", [-30.0, -17.0, 17.0, 30.0])
@pytest.mark.parametrize("share", [1e-5, 1.2e-7, 0.0])
def test_cross_entropy_of_soft_targets_keeps_its_digits_in_float32(z: float, share: float) -> None:
    y = np.full((1, 1), 1 - share if z > 0 else share, np.float32)
    wrong = 1 - float(y[0, 0]) if z > 0 else float(y[0, 0])
    value = CrossEntropy().value(np.full((1, 1), z, np.float32), np.empty((1, 1), np.float32), y)
    np.testing.assert_allclose(value, wrong * abs(z) + np.log1p(np.exp(-abs(z))), rtol=1e-6)
