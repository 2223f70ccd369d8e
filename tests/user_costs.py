"""Costs as users write them: 25 that are wrong, each with what a check should say of it, and five that are right.

Each is one honest mistake away from a cost that works, or none.
"""

# mypy: ignore-errors
# their types are wrong too
import numpy as np

from netlearn.activations import Identity, Sigmoid, Softmax
from netlearn.costs import LogLikelihood


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
    "without σ', 3 times": (
        writing(Square, lambda z, a, y: 3 * (a - y)),
        "σ'(z) is missing: delta is ∂C/∂a, and a factor 3 is wrong",
    ),
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
    "complex numbers": (valued(Square, lambda z, a, y: ((a - y) ** 2).sum(axis=0) / 2 + 0j), "not complex128"),
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


class Absolute:
    """2 (1 − p) on softmax."""

    output = Softmax()
    learning_rate = 0.1

    def value(self, z, a, y):
        return 2 * (1 - (y * a).sum(axis=0))

    def delta(self, z, a, y, out):
        out[:] = 2 * a * ((y * a).sum(axis=0) - y)
        return out


def single(z):
    return z.dtype == np.float32


def of_a(z, a, y):
    return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0)


TEXTBOOK = {  # computed from a
    "sigmoid": valued(Entropy, of_a),
    "softmax": valued(LogLikelihood, lambda z, a, y: -(y * np.log(a)).sum(axis=0)),
    "overflowing": valued(
        Entropy, lambda z, a, y: Entropy().value(z, a, y) + np.where(z > 20, np.inf, 0).sum(axis=0)
    ),
}
WRONG_SOMEWHERE = {  # in what: the cost, the type of numbers and what its check says
    "delta where stuck": (
        writing(Entropy, lambda z, a, y: (a - y) * (abs(z) < 12)), "float64", "delta is not the derivative of value",
    ),
    "delta divided by σ'": (
        writing(Entropy, lambda z, a, y: (a - y) / (a * (1 - a)) * a * (1 - a)), "float32",
        "delta must write a finite number",
    ),
    "delta in float32": (
        writing(Entropy, lambda z, a, y: (a - y) * (0.9 if single(z) else 1)), "float32",
        "delta must be the same in float32",
    ),
    "value in float32": (
        valued(Entropy, lambda z, a, y: Entropy().value(z, a, y) * (0.9 if single(z) else 1)), "float32",
        "value must be the same in float32",
    ),
    "delta in other batches": (
        writing(Entropy, lambda z, a, y: (a - y) * 256 / z.shape[1]), "float64",
        "delta of an example must not depend on the others: in a batch of 1 ",
    ),
    "value in other batches": (
        valued(Entropy, lambda z, a, y: Entropy().value(z, a, y) + (z.shape[1] != 256)), "float64",
        "value of an example must not depend on the others: in a batch of 1 ",
    ),
    "delta of one": (
        writing(Entropy, lambda z, a, y: (a - y) * (2 if z.shape[1] == 1 else 1)), "float64", "in a batch of 1 ",
    ),
}  # fmt: skip


class Huber(Square):
    """Quadratic for errors up to 0.3, linear beyond."""

    def value(self, z, a, y):
        error = abs(a - y)
        return np.where(error < 0.3, error**2 / 2, 0.3 * (error - 0.15)).sum(axis=0)

    def delta(self, z, a, y, out):
        return np.multiply(np.clip(a - y, -0.3, 0.3), a * (1 - a), out=out)


class Hinge(Entropy):
    """max(0, 1 − (2y − 1) z), which has a kink."""

    output = Identity()

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


RIGHT = {"absolute": Absolute, "huber": Huber, "hinge": Hinge, "tiny constant": TinyConstant, "clipped": Clipped}
