"""A check of 24 wrong costs says what is wrong with each, and 12 right ones pass it."""

import warnings
from typing import Any

import numpy as np
import pytest

from netlearn.custom_cost import CustomCost
from netlearn.errors import CostError, CostWarning
from netlearn.gradient_check import Verified, check_gradient
from tests.user_costs import RIGHT, WRONG, Absolute, Entropy

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
    [(3.7, "delta is 3.7 times it"), (-0.5, "delta is -0.5 times it"), (1 / 3, "divided by the number of outputs")],
)
def test_other_factors_are_named_by_their_number(factor: float, text: str) -> None:
    class Off(Entropy):
        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.multiply(a - y, factor, out=out)

    with pytest.raises(CostError) as caught:
        verified(Off, 3)
    assert text in str(caught.value)


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
