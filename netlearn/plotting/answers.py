"""What pictures of networks show: answers to single examples, runs by letters. It imports no matplotlib."""

from dataclasses import dataclass

from netlearn.numerics import Array


@dataclass(frozen=True)
class Answer:
    """An example and the answer to it.

    Attributes:
        index: the place of the example in its set, from 0.
        x: the example, (n_in,).
        label: its class.
        answer: the class that the network answers.
        outputs: activations of the output layer, (n_out,).
    """

    index: int
    x: Array
    label: int
    answer: int
    outputs: Array


def letter(place: int) -> str:
    """Return the letter of a run: A to Z, then A1, B1 and so on."""
    rounds, rest = divmod(place, 26)
    return chr(ord("A") + rest) + (str(rounds) if rounds else "")
