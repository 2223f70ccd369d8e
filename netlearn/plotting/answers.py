"""What pictures of networks show: answers to single examples, and runs by letter. It does not import matplotlib."""

from dataclasses import dataclass

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


def letter(index: int) -> str:
    """Return the letter of a run: A to Z, then A1, B1 and so on."""
    rounds, rest = divmod(index, 26)
    return chr(ord("A") + rest) + (str(rounds) if rounds else "")
