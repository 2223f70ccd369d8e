"""Loading a user's own cost, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from netlearn.activations import Identity
from netlearn.costs import CrossEntropy
from netlearn.errors import CostError, SettingsError
from netlearn.network import Network
from netlearn.own_cost import check_gradient, load_cost
from tests.messages import has_facts


def own_network(sizes: list[int], name: str) -> Network:
    """Return a network with a cost that was loaded and checked, as a run does."""
    cost = load_cost(name)
    check_gradient(cost, name, outputs=sizes[-1])
    return Network(sizes, cost, rng=np.random.default_rng(0))


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
    assert has_facts(str(caught.value), message)


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
