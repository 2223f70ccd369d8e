"""The gradient check: costs that are wrong only somewhere, 25 wrong ones with what is wrong, right ones of users."""

import re
import warnings
from typing import Any

import numpy as np
import pytest

from netlearn.activations import Softmax
from netlearn.costs import CrossEntropy
from netlearn.custom_cost import KNOWN, CustomCost, load_cost
from netlearn.errors import CostError, CostWarning
from netlearn.gradient_check import Verified, check_gradient
from tests.messages import has_facts
from tests.user_costs import RIGHT, TEXTBOOK, WRONG, WRONG_SOMEWHERE, Absolute, Entropy


def silently(cost: Any, **given: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gradient(cost, "c", **given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 2, 10])
@pytest.mark.parametrize("name", KNOWN)
def test_every_cost_of_netlearn_passes_without_a_warning(name: str, outputs: int, dtype: str) -> None:
    cost = load_cost(name)
    if outputs > 1 or not isinstance(cost.output, Softmax):
        silently(cost, outputs=outputs, dtype=dtype, batch=7)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("sigmoid", {"outputs": outputs}) for outputs in (1, 4, 10)),
        *(("softmax", {"dtype": dtype}) for dtype in ("float32", "float64")),
    ],
)
def test_textbook_costs_pass_where_they_have_digits(name: str, given: dict[str, Any]) -> None:
    silently(TEXTBOOK[name](), **given)


@pytest.mark.parametrize(
    ("name", "dtype", "hint"), [("sigmoid", "float32", "np.logaddexp(0, z)"), ("overflowing", "float64", "from z")]
)
def test_value_that_is_not_finite_at_large_z_is_a_warning_with_the_remedy(name: str, dtype: str, hint: str) -> None:
    with pytest.warns(CostWarning) as caught:
        check_gradient(TEXTBOOK[name](), "c", dtype=dtype)
    message = str(caught[0].message)
    assert has_facts(message, f"'c' {dtype}")
    assert hint in message
    assert float(message.partition("at z = ")[2].partition(",")[0]) > 15  # where 1 − a is 0 in float32


@pytest.mark.parametrize("name", WRONG_SOMEWHERE)
def test_cost_that_is_wrong_only_somewhere_is_refused(name: str) -> None:
    kind, dtype, facts = WRONG_SOMEWHERE[name]
    with pytest.raises(CostError, match=r"cost 'c': ") as caught:
        check_gradient(kind(), "c", dtype=dtype)
    assert facts in str(caught.value)


def test_error_in_float32_only_is_none_in_a_run_of_float64() -> None:
    silently(WRONG_SOMEWHERE["delta in float32"][0](), dtype="float64")


def test_batch_size_of_the_run_is_among_those_checked() -> None:
    class WrongFor37(CrossEntropy):
        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.multiply(a - y, 2 if z.shape[1] == 37 else 1, out=out)

    silently(WrongFor37(), batch=36)
    with pytest.raises(CostError, match="in a batch of 37 "):
        check_gradient(WrongFor37(), "c", batch=37)


WARNED = {
    "tiny constant": "inside a logarithm, about 1e-08",
    "clipped": "stops growing where outputs are badly wrong",
}


def verified(kind: Any, outputs: int = 10) -> Verified:
    return check_gradient(CustomCost(kind(), "c"), "c", outputs, dtype="float32")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_cost_is_refused_with_the_reason(name: str) -> None:
    kind, facts = WRONG[name]
    with pytest.raises(CostError) as caught:
        verified(kind)
    assert facts in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [name for name in RIGHT if name not in WARNED])
def test_right_cost_is_accepted(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "cost 'c': value is not finite in float32", CostWarning)
        found = verified(RIGHT[name])
    assert found.points == 5120
    assert found.worst < 1e-8


@pytest.mark.parametrize("name", WARNED)
def test_constant_in_a_logarithm_is_named_and_accepted_where_delta_is_right(name: str) -> None:
    with pytest.warns(CostWarning) as caught:
        assert verified(RIGHT[name]).worst < 1e-5
    assert any(WARNED[name] in str(each.message) for each in caught)


def test_cost_for_one_hot_targets_alone_is_accepted_with_a_warning() -> None:
    class Picking(Absolute):
        def value(self, z: Any, a: Any, y: Any) -> Any:
            return -np.log(np.take_along_axis(a, y.argmax(axis=0)[None], axis=0)[0])

        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.subtract(a, y, out=out)

    with pytest.warns(CostWarning, match="desired outputs 0 and 1"):
        verified(Picking)


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (3.7, "delta is 3.7 times it"),
        (1.00001, "delta is 1.00001 times it"),
        (-0.5, "delta is -0.5 times it"),
        (1 / 3, "divided by the number of outputs"),
    ],
)
def test_other_factors_are_named_by_their_number(factor: float, text: str) -> None:
    class Off(Entropy):
        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.multiply(a - y, factor, out=out)

    with pytest.raises(CostError) as caught:
        verified(Off, 3)
    assert text in str(caught.value)
    both = re.search(r" y = \S+ delta gives (\S+), central differences of value give (\S+)$", str(caught.value))
    assert both is not None
    assert float(both[1]) == pytest.approx(factor * float(both[2]), rel=1e-6)


def test_missing_derivative_of_the_softmax_is_named() -> None:
    class OfA(Absolute):
        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.multiply(y, -2, out=out)

    with pytest.raises(CostError, match="the derivative of the softmax is missing: delta is ∂C/∂a"):
        verified(OfA)


@pytest.mark.parametrize("outputs", [1, 2, 62])
def test_number_of_points_follows_the_outputs(outputs: int) -> None:
    found = check_gradient(Entropy(), "c", outputs)
    assert found.points == {1: 512, 2: 1024, 62: 5084}[outputs]
