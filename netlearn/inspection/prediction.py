"""What a network makes of people's own pictures."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import MNIST, Appearance, measure
from netlearn.datasets.pictures import read_grey, scale
from netlearn.errors import NetlearnError, RunError
from netlearn.inspection.preparation import prepare
from netlearn.inspection.trained import is_data_of, load_present, results_of
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.plotting import drawing
from netlearn.plotting.marks import strongest
from netlearn.runs import Run
from netlearn.slowdown import answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 112  # pixels of a picture, drawn beside what the network saw
MOST_SHOWN = 24
SURE = (0.5, 0.75)  # of the strongest output among several, and of a single one


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one picture.

    Attributes:
        file: the name of the picture.
        answer: the class that the network answers.
        outputs: activations of the output layer.
        remark: "not sure" and the strongest output where that is low, else "".
    """

    file: str
    answer: int
    outputs: tuple[float, ...]
    remark: str = ""


@dataclass(frozen=True)
class Seen:
    """What a network sees of a picture.

    Attributes:
        file: the name of the picture.
        small: the picture itself, in grey and at most 112 pixels a side.
        x: what the network sees, of brightness 0 to 1, (height, width).
    """

    file: str
    small: NDArray[np.uint8]
    x: Array


def appearance_of(run: Run) -> Appearance:
    """Return what the images look like that the network of a run was trained with.

    A run of netlearn 0.2 did not store it: it is measured on the run's data set where that is on this machine,
    otherwise it is that of MNIST, or of scenes in a square for other sizes.

    Raises:
        RunError: its inputs are not the pixels of an image.
    """
    summary = results_of(run)
    n_in = summary.sizes[0]
    like = summary.data.appearance or _measured(run) or _assumed(n_in)
    if like is None or like.height * like.width != n_in:
        raise RunError(f"{run.folder}: has {n_in} inputs: must be the pixels of an image, such as 784")
    if like.kind == "other":
        raise RunError(
            f"{run.folder}: its inputs are no brightness, but standardized one by one or all equal: pictures cannot "
            "be prepared as they were"
        )
    return like


def _measured(run: Run) -> Appearance | None:
    with suppress(NetlearnError):
        data = load_present(run.settings.data)
        if is_data_of(run, data):
            return measure(data)
    return None


def _assumed(n_in: int) -> Appearance | None:
    side = isqrt(n_in)
    if side < 2 or side**2 != n_in:
        return None
    return MNIST if n_in == MNIST.height * MNIST.width else Appearance(kind="scenes", height=side, width=side)


def see(file: str, content: bytes, like: Appearance) -> Seen:
    """Return what a network sees of a picture, prepared as the images were that it was trained with.

    Args:
        file: its name.
        content: of the file.
        like: what these images look like.

    Raises:
        DataError: it cannot be read, or has no ink.
    """
    grey = read_grey(content, clearest=like.kind == "strokes")
    height, width = (max(1, round(length * min(1, SMALL / max(grey.shape)))) for length in grey.shape)
    small = np.rint(255 * scale(grey, (height, width))).astype(np.uint8)
    return Seen(file, small, prepare(grey, like))


def predict_pictures(network: Network, seen: Sequence[Seen], like: Appearance) -> list[Prediction]:
    """Return the answer of a network to each picture."""
    if not seen:
        return []
    brightness = np.stack([each.x.ravel() for each in seen], axis=1)
    outputs = network.feedforward(like.black + (like.white - like.black) * brightness)
    return [
        Prediction(file=each.file, answer=answer, outputs=tuple(a), remark=_remark(a))
        for each, answer, a in zip(seen, answers(outputs).tolist(), outputs.T.tolist(), strict=True)
    ]


def _remark(outputs: Sequence[float]) -> str:
    """Return that an answer is not sure if no output is strong; a single output is sure if it is near 0 or 1."""
    strongest = max(outputs) if len(outputs) > 1 else max(outputs[0], 1 - outputs[0])
    return f"not sure ({strongest:.2f})" if strongest < SURE[len(outputs) == 1] else ""


@drawing()
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
