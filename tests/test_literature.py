"""The costs from the literature: values, the identities between them, and what they mean for learning."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netlearn.activations import Sigmoid, Softmax
from netlearn.cost_profile import ERRORS, profile, theory_curve
from netlearn.costs import Cost, CrossEntropy, LogLikelihood, Quadratic
from netlearn.custom_cost import KNOWN, load_cost
from netlearn.errors import SettingsError
from netlearn.literature import (
    LITERATURE,
    AbsoluteError,
    FlatSpot,
    Focal,
    GeneralizedCrossEntropy,
    SmoothedLabels,
)
from netlearn.numerics import Array


def log_softmax(z: Array) -> Array:
    return np.asarray(z - np.log(np.exp(z).sum(axis=0)))


def cross_entropy(z: Array, y: Array) -> Array:
    return np.asarray((np.logaddexp(0, z) - y * z).sum(axis=0))


VALUES: dict[str, Callable[[Array, Array, Array], Array]] = {  # as a paper has them, for one-hot y; p of its class
    "absolute-error": lambda z, a, y: abs(a - y).sum(axis=0),
    "flat-spot": lambda z, a, y: ((a - y) ** 2).sum(axis=0) / 2 + 0.1 * cross_entropy(z, y),
    "focal": lambda z, a, y: -((1 - (p := abs(1 - y - a))) ** 2 * np.log(p)).sum(axis=0),
    "generalized-cross-entropy": lambda z, a, y: (1 - (y * a).sum(axis=0) ** 0.7) / 0.7,
    "smoothed-labels": lambda z, a, y: -((0.9 * y + 0.1 / len(z)) * log_softmax(z)).sum(axis=0),
    "square-loss": lambda z, a, y: ((z - y) ** 2).sum(axis=0) / 2,
    "brier": lambda z, a, y: ((a - y) ** 2).sum(axis=0) / 2,
    "squentropy": lambda z, a, y: -(y * log_softmax(z)).sum(axis=0) + ((1 - y) * z**2).sum(axis=0) / (len(z) - 1),
}
RNG = np.random.default_rng(5)
Z = RNG.normal(scale=4, size=(7, 40))
HOT = np.eye(7)[RNG.integers(7, size=40)].T


def both(cost: Cost, z: Array = Z, y: Array = HOT) -> tuple[Array, Array]:
    """Return value and delta."""
    a = cost.output.value(z)
    return cost.value(z, a, y), cost.delta(z, a, y, np.empty_like(z))


@pytest.mark.parametrize("name", LITERATURE)
def test_value_is_that_of_the_paper(name: str) -> None:
    cost = load_cost(name)
    expected = VALUES[name](Z, cost.output.value(Z), HOT)
    np.testing.assert_allclose(both(cost)[0], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", LITERATURE)
@pytest.mark.parametrize("z", [-1000.0, 1000.0])
def test_saturated_output_is_finite_in_float32(name: str, z: float) -> None:
    zs = np.zeros((3, 1), np.float32)
    zs[0] = z
    with np.errstate(over="ignore"):
        value, delta = both(load_cost(name), zs, np.eye(3, 1, dtype=np.float32))
    assert np.isfinite(value).all()
    assert np.isfinite(delta).all()
    assert value.dtype == delta.dtype == np.float32


def test_flat_spot_fix_is_quadratic_plus_a_tenth_of_the_cross_entropy() -> None:
    for fixed, one, other in zip(both(FlatSpot()), both(Quadratic()), both(CrossEntropy()), strict=True):
        np.testing.assert_allclose(fixed, one + 0.1 * other, rtol=1e-14, atol=1e-16)
    a = Sigmoid().value(Z)
    np.testing.assert_allclose(both(FlatSpot())[1], (a - HOT) * (a * (1 - a) + 0.1), rtol=1e-9)


def test_generalized_cross_entropy_tends_to_the_log_likelihood_and_is_half_the_absolute_error() -> None:
    for limit, exact in zip(both(GeneralizedCrossEntropy(1e-6)), both(LogLikelihood()), strict=True):
        np.testing.assert_allclose(limit, exact, rtol=2e-5, atol=1e-12)
    for whole, half in zip(both(GeneralizedCrossEntropy(1)), both(AbsoluteError()), strict=True):
        np.testing.assert_allclose(whole, half / 2, rtol=1e-9, atol=1e-15)


def test_focal_without_focus_is_the_cross_entropy_and_unsmoothed_labels_the_log_likelihood() -> None:
    for one, other in ((Focal(0), CrossEntropy()), (SmoothedLabels(0), LogLikelihood())):
        for found, expected in zip(both(one), both(other), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_absolute_error_summed_over_all_labels_is_constant_on_softmax_but_not_on_sigmoids() -> None:
    labels = np.eye(7)[:, :, np.newaxis]
    total = sum(AbsoluteError().value(Z, Softmax().value(Z), np.tile(label, 40)) for label in labels)
    np.testing.assert_allclose(total, 2 * 6, rtol=1e-12)
    on_sigmoids = sum(np.abs(Sigmoid().value(Z) - label).sum(axis=0) for label in labels)
    assert np.ptp(on_sigmoids) > 1


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("quadratic", lambda e: e**2 * (1 - e)),
        ("cross-entropy", lambda e: e),
        ("absolute-error", lambda e: 2 * e * (1 - e)),
        ("flat-spot", lambda e: e * (e * (1 - e) + 0.1)),
        ("generalized-cross-entropy", lambda e: (1 - e) ** 0.7 * e),
        ("square-loss", lambda e: e),
        ("squentropy", lambda e: e),
    ],
)
def test_theory_curve_is_that_of_the_equations(name: str, curve: Any) -> None:
    errors = np.array(ERRORS)
    np.testing.assert_allclose(theory_curve(load_cost(name), 10, errors), curve(errors), rtol=1e-9)


@pytest.mark.parametrize("name", KNOWN)
def test_profile_says_what_is_known_of_each_cost(name: str) -> None:
    found = profile(load_cost(name), 10)
    assert found.is_slow == (name in {"quadratic", "absolute-error", "generalized-cross-entropy", "brier"})
    assert found.is_bounded == found.is_slow
    improper = {"absolute-error", "focal", "generalized-cross-entropy", "smoothed-labels", "squentropy"}
    assert found.is_proper == (name not in improper)


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_expected_focal_cost_is_least_where_its_derivative_says(gamma: float) -> None:
    """The least of p (1 − a)^γ (−ln a) + (1 − p) a^γ (−ln(1 − a)) on a fine grid."""
    found = profile(Focal(gamma), 1)
    a, p = np.linspace(0.001, 0.999, 9981), found.probability
    expected = p * (1 - a) ** gamma * -np.log(a) + (1 - p) * a**gamma * -np.log(1 - a)
    assert found.least_at == pytest.approx(a[expected.argmin()], abs=2e-4)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flat-spot(added=-0.1)", "cost flat-spot: added -0.1: must be a number from 0 to 1000"),
        ("focal(gamma=-1)", "cost focal: gamma -1: must be a number from 0 to 1000"),
        ("focal(gamma='x')", "cost focal: gamma 'x': must be a number"),
        ("generalized-cross-entropy(q=0)", "q 0: must be a number from 1e-06 to 1"),
        ("smoothed-labels(epsilon=2)", "epsilon 2: must be a number from 0 to 1"),
    ],
)
def test_parameter_out_of_range_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_cost(name)
    assert text in str(caught.value)


def test_profile_is_printed_as_the_command_line_says_it() -> None:
    quadratic, *meaning = str(profile(load_cost("quadratic"), 10)).splitlines()
    deltas = "0.009 at 0.1, 0.125 at 0.5, 0.081 at 0.9, 0.010 at 0.99, 0.001 at 0.999"
    assert quadratic == f"|δ| by the error 1 − a: {deltas}."
    assert meaning == [
        "It learns slowly when badly wrong.",
        "It is bounded as an output gets more wrong.",
        "It is a proper scoring rule: the expected cost is least where outputs are the probabilities of the classes.",
    ]
    improper = str(profile(Focal(2.0), 1)).splitlines()[-1]
    assert improper.startswith(
        "It is not a proper scoring rule: for a class of probability 0.30 the expected cost is"
    )
