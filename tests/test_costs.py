import sys
from pathlib import Path

import numpy as np
import pytest

from netlearn.activations import Identity, Sigmoid
from netlearn.costs import COSTS, CrossEntropy, Quadratic
from netlearn.errors import CostError, SettingsError
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.own_cost import check_gradient, load_cost
from tests import reference
from tests.messages import tells


def own_network(sizes: list[int], name: str) -> Network:
    """Return a network with a cost that was loaded and checked, as a run does."""
    cost = load_cost(name)
    check_gradient(cost, name, outputs=sizes[-1])
    return Network(sizes, cost, rng=np.random.default_rng(0))


@pytest.mark.parametrize("name", COSTS)
def test_delta_is_the_derivative_of_value(name: str) -> None:
    check_gradient(COSTS[name](), name)


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


def test_quadratic_delta_serves_batches_of_changing_size() -> None:
    cost = Quadratic()
    for batch in (3, 1, 3):
        z = np.linspace(-1, 1, 2 * batch).reshape(2, batch)
        a, y = Sigmoid().value(z), np.ones((2, batch))
        delta = cost.delta(z, a, y, out=np.empty_like(z))
        np.testing.assert_allclose(delta, (a - 1) * a * (1 - a), rtol=1e-12)


def test_unknown_cost_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        load_cost("hinge")
    assert str(caught.value) == (
        "cost 'hinge': must be quadratic, cross-entropy, log-likelihood or package.module:ClassName"
    )


OWN_COSTS = """
import numpy as np
from netlearn.activations import Identity
from netlearn.costs import CrossEntropy, Quadratic

class Linear:
    output = Identity()
    learning_rate = 0.01
    def value(self, z, a, y):
        return ((a - y) ** 2).sum(axis=0) / 2
    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)

class Drifted(Quadratic):
    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)

class Forgetful(CrossEntropy):
    def delta(self, z, a, y, out):
        return a - y

class Loud(CrossEntropy):
    def value(self, z, a, y):
        return np.exp(500 * z).sum(axis=0)

class Named(CrossEntropy):
    def delta(self, z, a, y, *, out):
        return np.subtract(a, y, out=out)

class Scalar(CrossEntropy):
    def value(self, z, a, y):
        return 0.0

class Broken(CrossEntropy):
    def value(self, z, a, y):
        return z / undefined

class Half:
    output = Identity()
    value = delta = None

class Textbook(CrossEntropy):
    def value(self, z, a, y):
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0)

class Silent(CrossEntropy):
    def delta(self, z, a, y, out):
        np.subtract(a, y, out=out)

class Returning(CrossEntropy):
    def delta(self, z, a, y, out):
        np.subtract(a, y, out=out)
        return -out

class Meddling(CrossEntropy):
    def delta(self, z, a, y, out):
        a -= y
        out[:] = a
        return out

class Exiting(CrossEntropy):
    def __init__(self):
        raise SystemExit(0)

class Uphill(CrossEntropy):
    learning_rate = -1.0

class Wordy(CrossEntropy):
    learning_rate = "fast"

class Stuck:
    def value(self, z, out=None):
        return 1 / (1 + np.exp(-z))

class Deaf(CrossEntropy):
    output = Stuck()

class ForTen(CrossEntropy):
    def value(self, z, a, y):
        return super().value(z, a, y) * np.ones(10)[:len(z)].mean() if len(z) == 10 else z / undefined
"""


@pytest.fixture
def own_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_costs.py").write_text(OWN_COSTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_costs", raising=False)


@pytest.mark.usefixtures("own_costs")
def test_own_cost_is_loaded_from_the_current_folder() -> None:
    path = list(sys.path)
    cost = load_cost("own_costs:Linear")
    assert cost.learning_rate == 0.01
    assert isinstance(cost.output, Identity)
    assert sys.path == path


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "own_costs:Forgetful",
            "cost 'own_costs:Forgetful': delta must write a number for every neuron and example to `out`",
        ),
        (
            "own_costs:Scalar",
            "cost 'own_costs:Scalar': value must return a finite number per example, shape (64,) for 64",
        ),
        (
            "own_costs:Broken",
            "cost 'own_costs:Broken': fails when called: NameError: name 'undefined' is not defined",
        ),
        (
            "own_costs:Loud",
            "cost 'own_costs:Loud': value must return a finite number per example, shape (64,) for 64",
        ),
        (
            "own_costs:Named",
            "cost 'own_costs:Named': fails when called: "
            "TypeError: Named.delta() takes 4 positional arguments but 5 were given",
        ),
        (
            "own_costs:Half",
            "cost 'own_costs:Half': the class has no 'learning_rate'; a cost has output, learning_rate, value, delta",
        ),
        ("own_costs:Meddling", "cost 'own_costs:Meddling': delta must leave z, a and y as they are"),
        ("own_costs:Exiting", "cost 'own_costs:Exiting': cannot be loaded: SystemExit: 0"),
        ("own_costs:Uphill", "cost 'own_costs:Uphill': its learning_rate is -1.0; must be a number above 0"),
        ("own_costs:Wordy", "cost 'own_costs:Wordy': its learning_rate is 'fast'; must be a number above 0"),
        (
            "own_costs:Deaf",
            "cost 'own_costs:Deaf': the value of its output activation must write to `out` what it returns",
        ),
        (
            "own_costs:Missing",
            "cost 'own_costs:Missing': cannot be loaded: "
            "AttributeError: module 'own_costs' has no attribute 'Missing'",
        ),
        (
            "no_such_module:Cost",
            "cost 'no_such_module:Cost': cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'",
        ),
    ],
)
def test_invalid_own_cost_is_refused(name: str, message: str) -> None:
    with pytest.raises(CostError) as caught:
        own_network([2, 4], name)
    assert tells(str(caught.value), message)


@pytest.mark.usefixtures("own_costs")
def test_textbook_cross_entropy_computed_from_a_passes_the_check() -> None:
    own_network([2, 4], "own_costs:Textbook")


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize("name", ["own_costs:Silent", "own_costs:Returning"])
def test_the_delta_written_to_out_is_checked(name: str) -> None:
    x, y = np.ones((2, 3)), np.eye(4)[:, :3]
    own, built_in = (own_network([2, 4], cost) for cost in (name, "cross-entropy"))
    np.testing.assert_array_equal(own.backprop(x, y)[1][0], built_in.backprop(x, y)[1][0])


@pytest.mark.usefixtures("own_costs")
def test_own_cost_is_checked_with_the_networks_number_of_outputs() -> None:
    own_network([2, 10], "own_costs:ForTen")
    with pytest.raises(CostError, match="fails when called"):
        own_network([2, 4], "own_costs:ForTen")


@pytest.mark.usefixtures("own_costs")
def test_own_cost_of_one_output_neuron_is_checked() -> None:
    own_network([2, 1], "own_costs:Linear")
    with pytest.raises(CostError, match="delta is not the derivative of value"):
        own_network([2, 1], "own_costs:Drifted")


@pytest.mark.usefixtures("own_costs")
def test_own_cost_with_a_wrong_gradient_is_refused_with_both_numbers() -> None:
    with pytest.raises(CostError) as caught:
        own_network([2, 4], "own_costs:Drifted")
    message = str(caught.value)
    assert message.startswith("cost 'own_costs:Drifted': delta is not the derivative of value: at z = ")
    words = message.replace(",", "").split()
    z, y, delta, numeric = (float(words[i]) for i in (12, 15, 18, 24))
    a = 1 / (1 + np.exp(-z))
    assert delta == pytest.approx(a - y, abs=1e-3)
    assert numeric == pytest.approx((a - y) * a * (1 - a), abs=1e-3)


def test_gradient_check_notices_an_error_of_one_in_a_hundred_thousand() -> None:
    class Off(CrossEntropy):
        def delta(self, z, a, y, out):  # type: ignore[no-untyped-def]
            return np.multiply(a - y, 1 + 1e-5, out=out)

    with pytest.raises(CostError, match="delta is not the derivative of value"):
        check_gradient(Off(), "off")


@pytest.mark.parametrize("name", ["os:abort", "signal:pause", "subprocess:Popen", "sys:path"])
def test_objects_that_are_not_cost_classes_are_never_called(name: str) -> None:
    with pytest.raises(CostError, match=rf"cost '{name}': (must be a class|the class has no 'value')"):
        load_cost(name)
