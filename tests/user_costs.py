"""Costs as users write them: 24 that are wrong, each with what a check should say of it, and 12 that are right.

Each is one honest mistake away from a cost that works, or none.
"""

# mypy: ignore-errors
# their types are wrong too
import numpy as np

from netlearn.activations import Identity, Sigmoid, Softmax


class Entropy:
    """The cross-entropy, computed from z."""

    output = Sigmoid()
    learning_rate = 0.5

    def value(self, z, a, y):
        return (np.logaddexp(0, z) - y * z).sum(axis=0)

    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)


class Square:
    """The quadratic cost."""

    output = Sigmoid()
    learning_rate = 3.0

    def value(self, z, a, y):
        return ((a - y) ** 2).sum(axis=0) / 2

    def delta(self, z, a, y, out):
        return np.multiply(a - y, a * (1 - a), out=out)


def writing(base, delta):
    """Return a cost with another delta."""

    def write(self, z, a, y, out):
        out[:] = delta(z, a, y)
        return out

    return type(base.__name__, (base,), {"delta": write})


def valued(base, value, **parts):
    """Return a cost with another value, and perhaps other parts."""
    return type(base.__name__, (base,), {"value": lambda self, z, a, y: value(z, a, y), **parts})


class Returned(Entropy):
    def delta(self, z, a, y, out):
        return a - y


class ChangesA(Entropy):
    def delta(self, z, a, y, out):
        a -= y
        out[:] = a
        return out


class ChangesY(Entropy):
    def value(self, z, a, y):
        y *= 0.9
        return super().value(z, a, y)


class Focusing(Entropy):
    """The focal cost, whose delta lacks a term of the product rule."""

    def value(self, z, a, y):
        p = y * a + (1 - y) * (1 - a)
        return -((1 - p) ** 2 * np.log(p)).sum(axis=0)

    def delta(self, z, a, y, out):
        p = y * a + (1 - y) * (1 - a)
        return np.multiply((1 - p) ** 2, a - y, out=out)


class Random(Entropy):
    def delta(self, z, a, y, out):
        return np.multiply(a - y, np.random.default_rng().uniform(0.9, 1.1, z.shape), out=out)


WRONG = {  # what is wrong: the cost and what its check says
    "value without the half": (valued(Square, lambda z, a, y: ((a - y) ** 2).sum(axis=0)), "delta is ½ of it"),
    "delta doubled": (writing(Entropy, lambda z, a, y: 2 * (a - y)), "delta is 2 times it"),
    "y − a": (writing(Entropy, lambda z, a, y: y - a), "delta is −1 times it: the sign is wrong"),
    "delta of the mean": (
        writing(Entropy, lambda z, a, y: (a - y) / z.shape[1]),
        "delta is divided by the number of examples",
    ),
    "value of the mean": (
        valued(Entropy, lambda z, a, y: (np.logaddexp(0, z) - y * z).mean(axis=0)),
        "the number of outputs",
    ),
    "log to base 10": (
        valued(Entropy, lambda z, a, y: (np.logaddexp(0, z) - y * z).sum(axis=0) / np.log(10)),
        "ln 10",
    ),
    "without σ'": (writing(Square, lambda z, a, y: a - y), "σ'(z) is missing"),
    "∂C/∂a": (writing(Entropy, lambda z, a, y: (a - y) / (a * (1 - a))), "σ'(z) is missing"),
    "σ' too often": (writing(Square, lambda z, a, y: (a - y) * (a * (1 - a)) ** 2), "σ'(z) is there once too often"),
    "σ' that cancels": (writing(Entropy, lambda z, a, y: (a - y) * a * (1 - a)), "σ'(z) is there once too often"),
    "sum over the batch": (
        valued(Entropy, lambda z, a, y: (np.logaddexp(0, z) - y * z).sum()),
        "sum over axis 0 alone",
    ),
    "mean over the batch": (
        valued(Square, lambda z, a, y: ((a - y) ** 2).sum(axis=0).mean() / 2),
        "sum over axis 0 alone",
    ),
    "sum over examples": (valued(Square, lambda z, a, y: ((a - y) ** 2).sum(axis=1) / 2), "sum over axis 0 alone"),
    "no sum": (valued(Square, lambda z, a, y: (a - y) ** 2 / 2), "sum over axis 0 alone"),
    "large constant in the logarithm": (
        valued(Entropy, lambda z, a, y: -(y * np.log(a + 1e-3) + (1 - y) * np.log(1 - a + 1e-3)).sum(axis=0)),
        "a constant inside a logarithm, about 0.001",
    ),
    "returned": (Returned, "delta returns its result but does not write it to `out`"),
    "text as output": (valued(Entropy, Entropy().value, output="sigmoid"), "output 'sigmoid': must be an instance"),
    "class as output": (
        valued(Entropy, Entropy().value, output=Softmax),
        "must be an instance of an activation",
    ),
    "changes a": (ChangesA, "z, a and y must be left unchanged"),
    "changes y": (ChangesY, "z, a and y must be left unchanged"),
    "sigmoid cost on softmax": (
        valued(Entropy, lambda z, a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0), output=Softmax()),
        "would be right with output = Sigmoid()",
    ),
    "softmax cost on sigmoid": (
        valued(Entropy, lambda z, a, y: -(y * np.log(a)).sum(axis=0)),
        "would be right with output = Softmax()",
    ),
    "product rule": (Focusing, "delta gives"),
    "random": (Random, "must return the same"),
}


class Flat(Square):
    """The flat-spot fix."""

    def value(self, z, a, y):
        return super().value(z, a, y) + 0.1 * (np.logaddexp(0, z) - y * z).sum(axis=0)

    def delta(self, z, a, y, out):
        return np.multiply(a - y, a * (1 - a) + 0.1, out=out)


class Focal(Entropy):
    """−(1 − p)² ln p; from z, where p is σ(±z)."""

    def value(self, z, a, y):
        return (y * (1 - a) ** 2 * np.logaddexp(0, -z) + (1 - y) * a**2 * np.logaddexp(0, z)).sum(axis=0)

    def delta(self, z, a, y, out):
        right = -((1 - a) ** 3) - 2 * a * (1 - a) ** 2 * np.logaddexp(0, -z)
        wrong = a**3 + 2 * (1 - a) * a**2 * np.logaddexp(0, z)
        out[:] = y * right + (1 - y) * wrong
        return out


class Absolute:
    """2 (1 − p) on softmax."""

    output = Softmax()
    learning_rate = 0.1

    def value(self, z, a, y):
        return 2 * (1 - (y * a).sum(axis=0))

    def delta(self, z, a, y, out):
        out[:] = 2 * a * ((y * a).sum(axis=0) - y)
        return out


class Generalized(Absolute):
    """(1 − p^q)/q."""

    def __init__(self, q=0.7):
        self.q = q

    def value(self, z, a, y):
        return (y * (1 - a**self.q) / self.q).sum(axis=0)

    def delta(self, z, a, y, out):
        weighted = y * a**self.q
        out[:] = a * weighted.sum(axis=0) - weighted
        return out


def log_softmax(z):
    return z - z.max(axis=0) - np.log(np.exp(z - z.max(axis=0)).sum(axis=0))


class Smoothed(Absolute):
    """Log-likelihood of y' = 0.9 y + 0.1/K."""

    def value(self, z, a, y):
        return -((0.9 * y + 0.1 / len(z)) * log_softmax(z)).sum(axis=0)

    def delta(self, z, a, y, out):
        return np.subtract(a, 0.9 * y + 0.1 / len(z), out=out)


class Linear:
    """½ Σ (z − y)²."""

    output = Identity()
    learning_rate = 0.01

    def value(self, z, a, y):
        return ((a - y) ** 2).sum(axis=0) / 2

    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)


class Brier(Absolute):
    """½ Σ (a − y)² on softmax."""

    def value(self, z, a, y):
        return ((a - y) ** 2).sum(axis=0) / 2

    def delta(self, z, a, y, out):
        out[:] = a * ((a - y) - (a * (a - y)).sum(axis=0))
        return out


class Squentropy(Absolute):
    """Log-likelihood + Σ_{j≠y} z_j²/(K − 1)."""

    def value(self, z, a, y):
        return -(y * log_softmax(z)).sum(axis=0) + ((1 - y) * z**2).sum(axis=0) / (len(z) - 1)

    def delta(self, z, a, y, out):
        out[:] = a - y + 2 * (1 - y) * z / (len(z) - 1)
        return out


class Huber(Square):
    """Quadratic for errors up to 0.3, linear beyond."""

    def value(self, z, a, y):
        error = abs(a - y)
        return np.where(error < 0.3, error**2 / 2, 0.3 * (error - 0.15)).sum(axis=0)

    def delta(self, z, a, y, out):
        return np.multiply(np.clip(a - y, -0.3, 0.3), a * (1 - a), out=out)


class Hinge(Linear):
    """max(0, 1 − (2y − 1) z), which has a kink."""

    def value(self, z, a, y):
        return (y * np.maximum(0, 1 - z) + (1 - y) * np.maximum(0, 1 + z)).sum(axis=0)

    def delta(self, z, a, y, out):
        out[:] = (1 - y) * (z > -1) - y * (z < 1)
        return out


class TinyConstant(Entropy):
    """The cross-entropy, kept finite by a constant in its logarithms."""

    def value(self, z, a, y):
        return -(y * np.log(a + 1e-8) + (1 - y) * np.log(1 - a + 1e-8)).sum(axis=0)


class Clipped(Entropy):
    """The cross-entropy of clipped activations."""

    def value(self, z, a, y):
        a = np.clip(a, 1e-7, 1 - 1e-7)
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0)


TABLE = {  # of the design; the names are those of `netlearn.literature`
    "absolute": Absolute, "flat-spot": Flat, "focal": Focal, "generalized": Generalized, "smoothed": Smoothed,
    "square": Linear, "brier": Brier, "squentropy": Squentropy,
}  # fmt: skip
RIGHT = TABLE | {"huber": Huber, "hinge": Hinge, "tiny constant": TinyConstant, "clipped": Clipped}
for number, (kind, _) in enumerate(WRONG.values()):
    globals()[f"Wrong{number}"] = kind
