"""Are outputs probabilities? Scores of forecasts that an event happens, each a probability p and whether it did.

An evaluation has two kinds of forecasts: that the answer is right, whose p is the largest output, and, as the book
suggests for sigmoid outputs, that the label is j, for every output neuron j, read as the distribution (a_j, 1 − a_j).
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.numerics import Array

BINS = 15  # with equally many forecasts each, for the calibration error
WIDE_BINS = 10  # of equal width, for the reliability diagram
RESAMPLES = 200
LEVEL = 0.05
EPS = float(np.finfo(np.float64).eps)  # the least probability in the logarithm, as in scikit-learn
Events = NDArray[np.bool_]


class Bin(msgspec.Struct, frozen=True):
    """The forecasts whose p is within an interval.

    Attributes:
        forecasts: their number.
        mean: of p.
        share: how many of the events happened.
        low: with probability 0.95 the share is from here, if each event happens with its p (the consistency band).
        high: to here.
    """

    forecasts: int
    mean: float
    share: float
    low: float
    high: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of forecasts.

    The Brier score is reliability − resolution + uncertainty + within_variance − within_covariance (D. B. Stephenson,
    C. A. S. Coelho, I. T. Jolliffe, "Two extra components in the Brier score decomposition", 2008).

    Attributes:
        forecasts: their number.
        brier: mean of (p − o)², where o is 1 if the event happened.
        reliability: mean over the forecasts of the squared distance between p and o, averaged in each bin; 0 is best.
        resolution: variance of the average o of the bins.
        uncertainty: variance of o.
        within_variance: mean variance of p in the bins.
        within_covariance: twice the mean covariance of p and o in the bins.
        log_loss: negative log-likelihood, mean of −ln p where the event happened and −ln(1 − p) elsewhere.
        error: the expected calibration error, mean of the distance |p − o| of the averages in the bins.
        debiased: root of the mean squared distance, without what chance adds to it (A. Kumar, P. Liang, T. Ma,
            "Verified uncertainty calibration", 2019); 0 where that is negative.
        interval: of `debiased`, 95 %, by a bootstrap over the examples.
        is_calibrated: whether forecasts that are right, with these p, would have a larger distance in more than 5 %.
        bins: of the reliability diagram.
    """

    forecasts: int
    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    log_loss: float
    error: float
    debiased: float
    interval: tuple[float, float]
    is_calibrated: bool
    bins: tuple[Bin, ...]


def calibrate(p: Array, happened: Events) -> Calibration:
    """Return the scores of forecasts.

    Args:
        p: the probabilities, (n,) or, with several forecasts for each example, (n, m); those outside [0, 1], which
            linear outputs give, are read as 0 and 1.
        happened: whether each event happened, of the same shape.
    """
    p, o, mass = _prepared(p, happened)
    rng = np.random.default_rng(0)
    brier = float(np.mean((p - o) ** 2))
    squared, low, high, is_calibrated = _squared_error(p, o, mass, rng)
    safe = np.clip(p, EPS, 1 - EPS)
    return Calibration(
        forecasts=p.size,
        brier=brier,
        log_loss=float(-np.mean(o * np.log(safe) + (1 - o) * np.log1p(-safe))),
        error=float(mass.mean(np.abs(mass.p - mass.o))),
        debiased=_root(squared),
        interval=(_root(low), _root(high)),
        is_calibrated=is_calibrated,
        bins=_wide_bins(p, o, rng),
        **_decompose(p, o, mass),
    )


def calibration_error(p: Array, happened: Events) -> float:
    """Return `Calibration.debiased` of forecasts, (n,)."""
    _, _, mass = _prepared(p, happened)
    return _root(float(_debiased(mass.n, mass.p, mass.o)[0]))


@dataclass(frozen=True)
class _Binned:
    """Forecasts in bins, none of which is empty.

    Attributes:
        place: the bin of each forecast, of the shape of p.
        n, p, o: their number, and the averages of p and o, in each bin.
    """

    place: NDArray[np.int64]
    n: Array
    p: Array
    o: Array

    @staticmethod
    def of(p: Array, o: Array, edges: Array) -> "_Binned":
        used, place = np.unique(np.searchsorted(edges[1:-1], p), return_inverse=True)
        place = place.reshape(p.shape)
        n, p_sum, o_sum = (np.bincount(place.ravel(), each, len(used)) for each in (None, p.ravel(), o.ravel()))
        return _Binned(place, n.astype(np.float64), p_sum / n, o_sum / n)

    def mean(self, values: Array) -> Array:
        """Return the mean over the forecasts of values of the bins, whose axis is the last one."""
        return np.asarray((values * self.n).sum(axis=-1) / self.n.sum())


def _prepared(p: Array, happened: Events) -> tuple[Array, Array, _Binned]:
    """Return p and o as numbers from 0 to 1, and both in bins with equally many forecasts."""
    p, o = np.clip(np.asarray(p, np.float64), 0, 1), np.asarray(happened, np.float64)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, BINS + 1)))  # many equal p give equal edges
    return p, o, _Binned.of(p, o, edges)


def _decompose(p: Array, o: Array, binned: _Binned) -> dict[str, float]:
    """Return the five parts of the Brier score."""
    p_rest, o_rest = p - binned.p[binned.place], o - binned.o[binned.place]
    return {
        "reliability": float(binned.mean((binned.p - binned.o) ** 2)),
        "resolution": float(binned.mean((binned.o - o.mean()) ** 2)),
        "uncertainty": float(o.mean() * (1 - o.mean())),
        "within_variance": float(np.mean(p_rest**2)),
        "within_covariance": float(2 * np.mean(p_rest * o_rest)),
    }


def _squared_error(p: Array, o: Array, binned: _Binned, rng: np.random.Generator) -> tuple[float, float, float, bool]:
    """Return the debiased squared calibration error, its interval, and whether it may be chance.

    The bootstrap draws examples, with all their forecasts. Its estimates scatter around the error of the sample,
    which is larger than the debiased one, as that scatters around the truth; the interval is the debiased error minus
    the quantiles of the difference.
    """
    found, plain = (float(each) for each in _debiased(binned.n, binned.p, binned.o))
    rows, bins = len(p), len(binned.n)
    sums = np.zeros((3, rows, bins))  # of each example in each bin: forecasts, p and o
    each = np.arange(rows).reshape(-1, *[1] * (p.ndim - 1))
    for part, values in zip(sums, (np.ones_like(p), p, o), strict=True):
        np.add.at(part, (np.broadcast_to(each, p.shape), binned.place), values)
    drawn = rng.multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES).astype(np.float64)
    n, p_sum, o_sum = drawn @ sums
    with np.errstate(invalid="ignore"):
        again, _ = _debiased(n, p_sum / n, o_sum / n)
    below, above = np.quantile(again - plain, (LEVEL / 2, 1 - LEVEL / 2))
    by_chance, _ = _debiased(binned.n, binned.p, _shares_by_chance(binned, p, rng))
    return found, found - above, found - below, bool(np.mean(by_chance >= found) > LEVEL)


def _debiased(n: Array, p: Array, o: Array) -> tuple[Array, Array]:
    """Return the squared calibration error without its bias, and with it; bins are the last axis, some may be empty.

    The squared distance (p − o)² of a bin's averages is too large by the variance of o, which is estimated by
    o (1 − o)/(n − 1), or p (1 − p) for a bin with one forecast.
    """
    share = n / n.sum(axis=-1, keepdims=True)
    plain = np.where(n > 0, (p - o) ** 2, 0)
    variance = np.where(n > 1, o * (1 - o) / np.maximum(n - 1, 1), p * (1 - p))
    return (share * (plain - np.where(n > 0, variance, 0))).sum(axis=-1), (share * plain).sum(axis=-1)


def _root(squared: float) -> float:
    return float(np.sqrt(max(0.0, squared)))


def _shares_by_chance(binned: _Binned, p: Array, rng: np.random.Generator) -> Array:
    """Return the share of events in each bin, (resamples, bins), if each happens with its p."""
    counts = [np.bincount(binned.place.ravel(), rng.random(p.size) < p.ravel()) for _ in range(RESAMPLES)]
    return np.asarray(counts) / binned.n


def _wide_bins(p: Array, o: Array, rng: np.random.Generator) -> tuple[Bin, ...]:
    binned = _Binned.of(p, o, np.linspace(0, 1, WIDE_BINS + 1))
    lows, highs = np.quantile(_shares_by_chance(binned, p, rng), (LEVEL / 2, 1 - LEVEL / 2), axis=0)
    parts = zip(binned.n, binned.p, binned.o, lows, highs, strict=True)
    return tuple(Bin(int(n), *map(float, rest)) for n, *rest in parts)
