"""Calibration: scores equal scikit-learn's, and simulated forecasts are judged as they were made."""

import numpy as np
import pytest

from netlearn.calibration import Calibration, calibrate
from netlearn.numerics import Array

I = np.arange(1, 61)  # noqa: E741 (60 forecasts that need no random numbers)
P = (I * 0.37) % 1
HAPPENED = (I * 0.73) % 1 < P**1.3
# Made by scikit-learn 1.9.1 from P and HAPPENED: brier_score_loss, log_loss, calibration_curve(n_bins=10)
BRIER, LOG_LOSS = 0.15914999999999982, 0.486206737927207
SHARES = [1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 7, 0.2, 0.4, 5 / 6, 1, 1]
MEANS = [0.061666666667, 0.155, 0.248333333333, 0.353333333333, 0.454285714286,
         0.554, 0.646, 0.736666666667, 0.84, 0.951666666667]  # fmt: skip
# and calibration_curve(n_bins=15, strategy="quantile"): the absolute and squared distances of its two columns
QUANTILE_ERROR, QUANTILE_SQUARE = 0.16866666666666674, 0.04622083333333333


def simulated(seed: int, n: int = 2000, power: float = 1.0) -> Calibration:
    """Return the scores of forecasts p of events that happen with p^power."""
    rng = np.random.default_rng(seed)
    p = rng.beta(4, 1.5, n)
    return calibrate(p, rng.random(n) < p**power)


def test_scores_equal_those_of_scikit_learn() -> None:
    found = calibrate(P, HAPPENED)
    assert found.forecasts == 60
    assert found.brier == pytest.approx(BRIER, rel=1e-12)
    assert found.log_loss == pytest.approx(LOG_LOSS, rel=1e-12)
    np.testing.assert_allclose([each.share for each in found.bins], SHARES, rtol=1e-9)
    np.testing.assert_allclose([each.mean for each in found.bins], MEANS, rtol=1e-9)
    assert found.error == pytest.approx(QUANTILE_ERROR, rel=1e-9)
    assert found.reliability == pytest.approx(QUANTILE_SQUARE, rel=1e-9)


@pytest.mark.parametrize("p", [P, P.reshape(20, 3), np.full(60, 0.3), np.round(P)])
def test_brier_score_is_the_sum_of_its_parts(p: Array) -> None:
    found = calibrate(p, HAPPENED.reshape(p.shape))
    parts = found.reliability - found.resolution + found.uncertainty + found.within_variance - found.within_covariance
    assert parts == pytest.approx(found.brier, abs=1e-12)


def test_calibrated_forecasts_are_called_so_in_95_percent_of_simulations() -> None:
    called = sum(simulated(seed, 200).is_calibrated for seed in range(200))
    assert 180 <= called <= 199  # 190 ± 3.1; binomial probability of another number: 0.3 %


def test_debiased_error_recovers_a_simulated_one_within_its_interval() -> None:
    """Each bin has a fifteenth of the forecasts, so that the truth is a mean over quantiles of Beta(4, 1.5)."""
    p = np.sort(np.random.default_rng(0).beta(4, 1.5, 300_000))
    distances = [float((part - part**1.5).mean()) for part in np.array_split(p, 15)]
    truth = float(np.sqrt(np.mean(np.square(distances))))
    results = [simulated(seed, 1000, power=1.5) for seed in range(60)]
    inside = sum(low <= truth <= high for low, high in (each.interval for each in results))
    assert 53 <= inside <= 60
    assert np.mean([each.debiased for each in results]) == pytest.approx(truth, rel=0.02)
    assert not any(each.is_calibrated for each in results)


def test_consistency_band_holds_the_shares_of_calibrated_forecasts() -> None:
    bins = [each for seed in range(20) for each in simulated(seed).bins if each.forecasts >= 30]
    inside = np.mean([each.low <= each.share <= each.high for each in bins])
    assert 0.92 <= inside <= 0.99


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_one_class_equal_forecasts_and_empty_bins_give_finite_scores(p: float, happened: bool) -> None:
    found = calibrate(np.full(20, p), np.full(20, happened))
    scores = [found.brier, found.log_loss, found.error, found.debiased, *found.interval]
    assert np.isfinite(scores).all()
    assert found.brier == (p - happened) ** 2
    assert found.is_calibrated == (p == happened)
    assert len(found.bins) == 1


def test_single_forecast_and_outputs_outside_0_and_1() -> None:
    assert calibrate(np.array([0.7]), np.array([True])).brier == pytest.approx(0.09)
    assert calibrate(np.array([1.5, -2.0]), np.array([True, False])).brier == 0
