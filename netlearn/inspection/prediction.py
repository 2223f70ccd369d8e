"""What a network makes of people's own pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.pictures import read_grey, scale
from netlearn.errors import NetlearnError, RunError
from netlearn.inspection.ink import SIDE, prepare
from netlearn.inspection.trained import is_data_of, load_present, results_of
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.plotting.marks import strongest
from netlearn.runs import Run
from netlearn.slowdown import answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 112  # pixels of a picture, drawn beside what the network saw
MOST_SHOWN = 24
Size: TypeAlias = tuple[int, int]  # height and width in pixels


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one picture.

    Attributes:
        file: the name of the picture.
        answer: the class that the network answers.
        outputs: activations of the output layer.
    """

    file: str
    answer: int
    outputs: tuple[float, ...]


@dataclass(frozen=True)
class Seen:
    """What a network sees of a picture.

    Attributes:
        file: the name of the picture.
        small: the picture itself, in grey and at most 112 pixels a side.
        x: the input of the network, (height, width).
    """

    file: str
    small: NDArray[np.uint8]
    x: Array


def input_size(run: Run) -> Size:
    """Return height and width of the images that the network of a run takes.

    Those of the run's data set where it is on this machine, otherwise a square.

    Raises:
        RunError: its inputs are not the pixels of an image.
    """
    n_in = results_of(run).sizes[0]
    side = isqrt(n_in)
    if n_in == SIDE**2:
        return SIDE, SIDE
    try:
        data = load_present(run.settings.data)
        if data.image is not None and is_data_of(run, data):
            return data.image
    except NetlearnError:
        pass
    if side < 2 or side**2 != n_in:
        raise RunError(f"{run.folder}: has {n_in} inputs: must be the pixels of an image, such as {SIDE**2}")
    return side, side


def see(file: str, content: bytes, size: Size) -> Seen:
    """Return what a network with inputs of some size sees of a picture.

    For 28 × 28 pixels the picture is prepared as MNIST was, see `prepare`; for others all of it is scaled.

    Args:
        file: its name.
        content: of the file.
        size: height and width of the network's input.

    Raises:
        DataError: it cannot be read, or has no ink.
    """
    grey = read_grey(content)
    height, width = (max(1, round(length * min(1, SMALL / max(grey.shape)))) for length in grey.shape)
    small = np.rint(255 * scale(grey, (height, width))).astype(np.uint8)
    return Seen(file, small, prepare(grey) if size == (SIDE, SIDE) else scale(grey, size))


def predict_pictures(network: Network, seen: Sequence[Seen]) -> list[Prediction]:
    """Return the answer of a network to each picture."""
    if not seen:
        return []
    outputs = network.feedforward(np.stack([each.x.ravel() for each in seen], axis=1))
    return [
        Prediction(file=each.file, answer=answer, outputs=tuple(a))
        for each, answer, a in zip(seen, answers(outputs).tolist(), outputs.T.tolist(), strict=True)
    ]


def draw_seen(seen: Sequence[Seen], predictions: Sequence[Prediction], title: str) -> "Figure":
    """Return the first pictures beside what the network saw of them, each with its answer."""
    from netlearn.plotting import networks  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.marks import short  # noqa: PLC0415

    if len(seen) > MOST_SHOWN:
        title = f"{title}\nthe first {MOST_SHOWN} of {len(seen):,} pictures"
    shown = list(zip(seen, predictions, strict=True))[:MOST_SHOWN]
    captions = [
        f"{short(Path(each.file).name)}\nanswer {found.answer} ({strongest(np.array(found.outputs))})"
        for each, found in shown
    ]
    return networks.seen([(each.small / 255, each.x) for each, _ in shown], captions, title)
