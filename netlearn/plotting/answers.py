"""What pictures of networks show: answers to single examples, and runs by letter. It does not import matplotlib."""

from dataclasses import dataclass

import numpy as np

from netlearn.numerics import Array


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
