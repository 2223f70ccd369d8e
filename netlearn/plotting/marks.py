"""How pictures mark what they show: colours, dashes and markers, and names that fit beside a line.

The colours are Okabe and Ito's, and one of Tol's, which colour-blind readers can tell apart. It does not import
matplotlib: tables and pages use it too.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from netlearn.numerics import Array

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
COLOURS = (ORANGE, BLUE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255")
DASHES = ("-", "--", "-.", ":", (0, (7, 1.5, 1, 1.5, 1, 1.5)), (0, (9, 3)))
MARKS = (("o", "●"), ("s", "■"), ("^", "▲"), ("D", "◆"), ("v", "▼"), ("P", "✚"), ("X", "✖"))  # and as characters
PARTS = re.compile(r", | (?=\w+=\S)")  # where a name has several, such as settings
LABEL = 36  # characters beside a line


def short(name: str, names: Collection[str] = ()) -> str:
    """Return a variant's name, cut to the length of a label so that it still differs from the other names.

    Parts that all names share are left out; else the beginning is shown, and the place where the name differs from
    the one most like it.
    """
    if len(name) <= LABEL:
        return name
    others = [other for other in names if other != name]
    shared = set.intersection(*(set(PARTS.split(other)) for other in others)) if others else set()
    own = ", ".join(part for part in PARTS.split(name) if part not in shared)
    if 0 < len(own) <= LABEL:
        return own
    same = max((_shared_length(name, other) for other in others), default=0)
    if same < LABEL - 1:
        return f"{name[: LABEL - 1]}…"
    head = LABEL // 2 - 1
    start = max(head + 1, min(same, len(name) - head))
    return f"{name[:head]}…{name[start : start + head]}{'…' if start + head < len(name) else ''}"


def _shared_length(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True)
class Answer:
    """An example and a network's answer to it.

    Attributes:
        index: of the example in its set, from 0.
        x: the example, (n_in,).
        label: its class.
        answer: the class that the network gives.
        outputs: activations of the output layer, (n_out,).
    """

    index: int
    x: Array
    label: int
    answer: int
    outputs: Array


def strongest(outputs: Array) -> str:
    """Return the two strongest outputs in words, such as "7: 0.98, 2: 0.05", or the only one."""
    if len(outputs) == 1:
        return f"output {outputs[0]:.2f}"
    first, second = np.argsort(-outputs, kind="stable")[:2]
    return f"{first}: {outputs[first]:.2f}, {second}: {outputs[second]:.2f}"


def letter(index: int) -> str:
    """Return the letter of a run: A to Z, then A1, B1 and so on."""
    rounds, rest = divmod(index, 26)
    return chr(ord("A") + rest) + (str(rounds) if rounds else "")
