"""Costs that go wrong in every way that a user's code can; each is derived from one that works."""

# mypy: ignore-errors
# their types are wrong too
import sys
import warnings

import numpy as np

from netlearn.activations import Identity, Sigmoid, Softmax
from netlearn.costs import CrossEntropy


def value_of(result):
    """Return a class whose value is a function of the right one."""
    return type("Value", (CrossEntropy,), {"value": lambda self, z, a, y: result(CrossEntropy().value(z, a, y))})


def raising(error):
    """Return a class whose value raises an error."""

    def value(self, z, a, y):
        raise error

    return type("Raising", (CrossEntropy,), {"value": value})


def delta_doing(what):
    """Return a class whose delta does something to its arguments."""
    return type("Delta", (CrossEntropy,), {"delta": lambda self, z, a, y, out: what(z, a, y, out)})


def having(**attributes):
    """Return a class with other attributes."""
    return type("Having", (CrossEntropy,), attributes)


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError


class Unrepresentable(float):
    def __repr__(self):
        raise RuntimeError


class Recursive(CrossEntropy):
    def value(self, z, a, y):
        return self.value(z, a, y)


class NeedsArguments(CrossEntropy):
    def __init__(self, scale):
        self.scale = scale


class FailsToStart(CrossEntropy):
    def __init__(self):
        raise ValueError("\x1b[31mno\nway " + "x" * 100_000)


class ExitsAtStart(CrossEntropy):
    def __init__(self):
        sys.exit(3)


class RateFails(CrossEntropy):
    @property
    def learning_rate(self):
        raise KeyError("rate")


class NoDelta:
    output, learning_rate = Sigmoid(), 1.0

    def value(self, z, a, y):
        return a.sum(axis=0)


class Closes(CrossEntropy):
    def value(self, z, a, y):
        sys.stdout = None
        return super().value(z, a, y)


class BadOutput(Sigmoid):
    def value(self, z, out=None):
        return np.zeros(3)


class Path(CrossEntropy):
    def __init__(self):
        sys.path.clear()
        raise OSError("the path is gone")


class Counting(CrossEntropy):
    calls = 0

    def value(self, z, a, y):
        Counting.calls += 1
        return super().value(z, a, y) * Counting.calls


HOSTILE = {
    "scalar": value_of(lambda value: value.mean()),
    "list": value_of(list),
    "none": value_of(lambda value: None),
    "text": value_of(lambda value: "cost"),
    "generator": value_of(iter),
    "column": value_of(lambda value: value[:, None]),
    "shorter": value_of(lambda value: value[1:]),
    "nan": value_of(lambda value: value * np.nan),
    "infinite": value_of(lambda value: value + np.inf),
    "complex": value_of(lambda value: value + 1j),
    "objects": value_of(lambda value: value.astype(object)),
    "texts": value_of(lambda value: value.astype(str)),
    "bools": value_of(lambda value: value > 0),
    "noise": value_of(lambda value: value + np.random.default_rng().random(len(value))),
    "warns": value_of(lambda value: warnings.warn("x" * 1000, stacklevel=1) or value * 2),
    "counting": Counting,
    "raises": raising(ZeroDivisionError("\r\n\x07")),
    "exits": raising(SystemExit(0)),
    "stops": raising(StopIteration()),
    "ends": raising(GeneratorExit()),
    "full": raising(MemoryError()),
    "unprintable": raising(UnprintableError()),
    "system": raising(OSError(28, "No space left on device", "\udcff")),
    "unicode": raising(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")),
    "recursive": Recursive,
    "leaves out": delta_doing(lambda z, a, y, out: a - y),
    "nan delta": delta_doing(lambda z, a, y, out: np.multiply(a - y, np.nan, out=out)),
    "huge delta": delta_doing(lambda z, a, y, out: np.multiply(a - y, 1e300, out=out)),
    "changes z": delta_doing(lambda z, a, y, out: np.multiply(z, 0, out=z)),
    "changes y": delta_doing(lambda z, a, y, out: np.subtract(a, y, out=y)),
    "resizes": delta_doing(lambda z, a, y, out: out.resize((1, 1))),
    "writes one": delta_doing(lambda z, a, y, out: out.fill(1.0)),
    "fast": having(learning_rate=1e300),
    "huge": having(learning_rate=10**5000),
    "unending": having(learning_rate=float("inf")),
    "true": having(learning_rate=True),
    "secret": having(learning_rate=Unrepresentable(-1)),
    "rate fails": RateFails,
    "no output": having(output=None),
    "class as output": having(output=Sigmoid),
    "other output": having(output=Softmax()),
    "identity": having(output=Identity()),
    "bad output": having(output=BadOutput()),
    "no value": having(value=None),
    "no delta": NoDelta,
    "needs arguments": NeedsArguments,
    "fails to start": FailsToStart,
    "exits at start": ExitsAtStart,
    "closes stdout": Closes,
    "clears the path": Path,
    "a function": len,
    "a number": 3,
    "a module": sys,
}
globals().update({f"Cost{number}": cost for number, cost in enumerate(HOSTILE.values())})
