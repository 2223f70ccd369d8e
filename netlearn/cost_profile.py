"""What a cost means for learning, from its equations alone: |δ| against error, its bound, and where it is least."""

from dataclasses import dataclass

import numpy as np

from netlearn.activations import Identity, Softmax
from netlearn.costs import Cost
from netlearn.gradient_check import laid_out
from netlearn.numerics import Array

ERRORS = (0.1, 0.5, 0.9, 0.99, 0.999)  # shown as numbers
CURVE = np.linspace(0.001, 0.999, 999)
SLOW = 0.1  # |δ| of a badly wrong output, relative to the largest: less is slow
STEPS, MOMENTUM, CLOSE = 1000, 0.9, 0.01  # of the search for the least expected cost; how near it must come to p


@dataclass(frozen=True)
class Profile:
    """How a cost treats the output neuron of the right class.

    Attributes:
        deltas: |δ| where the error 1 − a is 0.1, 0.5, 0.9, 0.99 and 0.999.
        is_slow: whether |δ| of a badly wrong output is small beside the largest |δ|: the learning slowdown.
        is_bounded: whether the value of an example has a limit as the output gets entirely wrong.
        probability: the probability of a class in a test of whether the cost is a proper scoring rule.
        least_at: the output for that class where the expected cost is least.
        is_proper: whether the expected cost is least where outputs are the probabilities of the classes.
    """

    deltas: tuple[float, ...]
    is_slow: bool
    is_bounded: bool
    probability: float
    least_at: float
    is_proper: bool

    @property
    def sentences(self) -> tuple[str, str, str]:
        """What the cost means for learning."""
        slow = "learns slowly when badly wrong" if self.is_slow else "does not learn slowly when badly wrong"
        bound = "is bounded" if self.is_bounded else "grows without bound"
        kind, where = "a proper scoring rule:", "where outputs are the probabilities of the classes"
        if not self.is_proper:
            kind = f"not a proper scoring rule: for a class of probability {self.probability:.2f}"
            where = f"at an output of {self.least_at:.2f}"
        proper = f"It is {kind} the expected cost is least {where}."
        return f"It {slow}.", f"It {bound} as an output gets more wrong.", proper

    def __str__(self) -> str:
        pairs = [f"{delta:.3f} at {error:g}" for error, delta in zip(ERRORS, self.deltas, strict=True)]
        return "\n".join([f"|δ| by the error 1 − a: {', '.join(pairs)}.", *self.sentences])


def profile(cost: Cost, outputs: int) -> Profile:
    """Return the profile of a cost in a network with that many outputs."""
    curve = theory_curve(cost, outputs, CURVE)
    _, far = _at(cost, outputs, np.array([-50.0, -200.0]))
    p, found = _least(cost, outputs, float(curve.max()))
    return Profile(
        deltas=tuple(theory_curve(cost, outputs, np.array(ERRORS)).tolist()),
        is_slow=bool(curve[-1] < SLOW * curve.max()),
        is_bounded=bool(np.isfinite(far).all() and far[1] - far[0] < 1e-6 * max(1.0, abs(far[0]))),
        probability=float(p[0]),
        least_at=float(found[0]),
        is_proper=bool(np.abs(found - p).max() < CLOSE),
    )


def theory_curve(cost: Cost, outputs: int, errors: Array) -> Array:
    """Return |δ| of the output neuron of the right class at errors 1 − a between 0 and 1; the others have z = 0."""
    others = outputs - 1 if isinstance(cost.output, Softmax) else 1
    z = 1 - errors if isinstance(cost.output, Identity) else np.log(others * (1 - errors) / errors)
    return _at(cost, outputs, z)[0]


def _at(cost: Cost, outputs: int, z: Array) -> tuple[Array, Array]:
    """Return |δ| of the right class and the value at its weighted inputs z, (n,), where the others have 0."""
    zs: Array = np.zeros((outputs, z.size))
    y = np.zeros_like(zs)
    zs[0], y[0] = z, 1
    delta, zs, a = _delta(cost, zs, y)
    with np.errstate(all="ignore"):
        return np.abs(delta[0]), np.asarray(cost.value(zs, a, y))


def _delta(cost: Cost, z: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return δ, z and a, called and laid out as in training."""
    z = laid_out(z)
    with np.errstate(all="ignore"):
        a, delta = cost.output.value(z), np.empty_like(z)
        cost.delta(z, a, y, delta)
    return delta, z, a


def _least(cost: Cost, outputs: int, scale: float) -> tuple[Array, Array]:
    """Return probabilities p of the classes, and the outputs where the expected cost Σ_k p_k C(y = k) is least.

    Gradient descent starts beside z = ln(p/(1 − p)), or what gives a = p otherwise, and steps by its largest |δ|.
    """
    p = 0.6 ** np.arange(outputs)
    p = p / p.sum() if outputs > 1 else np.array([0.3])
    y = np.eye(outputs) if outputs > 1 else np.array([[1.0, 0.0]])
    weights = p if outputs > 1 else np.array([0.3, 0.7])
    start = {Identity: p, Softmax: np.log(p)}.get(type(cost.output), np.log(p / (1 - p)))
    z = start + np.random.default_rng(0).normal(scale=0.2, size=outputs)
    step = np.zeros_like(z)
    for _ in range(STEPS):
        step = MOMENTUM * step - 0.5 / max(scale, 1e-12) * (
            _delta(cost, np.tile(z[:, None], y.shape[1]), y)[0] @ weights
        )
        z = np.clip(z + step, -30, 30)
    return p, np.asarray(cost.output.value(z[:, np.newaxis]))[:, 0]
