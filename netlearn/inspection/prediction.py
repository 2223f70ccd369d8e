"""What a network makes of people's own pictures, prepared as the images of its data set were.

Their strokes or their object are found, scaled and placed.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import MNIST, Appearance
from netlearn.datasets.appearance import DIM, INK, box_centres, extents, mass_centres
from netlearn.datasets.pictures import border, border_value, bounding_box, read_grey, resized
from netlearn.errors import DataError, NetlearnError, RunError
from netlearn.inspection.ink import find_strokes
from netlearn.inspection.trained import load_present
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.plotting import drawing
from netlearn.plotting.marks import strongest
from netlearn.predictions import answers
from netlearn.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 112  # pixels of a picture, drawn beside what the network saw
MOST_PICTURES = 24
ALIKE = 0.12  # difference of brightness, or of a place relative to the side, up to which pictures are alike
MOSTLY, SOME = 0.8, 0.01  # of the pixels of a border; of those of a row or a column
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
class Prepared:
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

    A run of netlearn 0.2 did not store it: it is measured on the run's data set.

    Raises:
        RunError: its inputs are not the pixels of an image, or the data set is not on this machine.
    """
    n_in, appearance = run.results.sizes[0], run.results.data.appearance or _measured(run)
    if appearance is None or appearance.height * appearance.width != n_in:
        raise RunError(f"{run.folder}: has {n_in} inputs: must be the pixels of an image, such as 784")
    if appearance.kind == "other":
        raise RunError(
            f"{run.folder}: its inputs are no brightness, but standardized one by one or all equal: pictures cannot "
            "be prepared as they were"
        )
    return appearance


def _measured(run: Run) -> Appearance | None:
    with suppress(NetlearnError):
        data = load_present(run.settings.data)
        if run.has_data(data):
            return data.appearance
    return None


def prepare_file(file: str, content: bytes, appearance: Appearance) -> Prepared:
    """Return what a network sees of a picture, prepared as the images were that it was trained with.

    Args:
        file: its name.
        content: of the file.
        appearance: what these images look like.

    Raises:
        DataError: it cannot be read, or has no ink.
    """
    grey = read_grey(content, clearest=appearance.kind == "strokes")
    height, width = (max(1, round(length * min(1, SMALL / max(grey.shape)))) for length in grey.shape)
    small = np.rint(255 * resized(grey, (height, width))).astype(np.uint8)
    return Prepared(file, small, prepare(grey, appearance))


def predict_pictures(network: Network, prepared: Sequence[Prepared], appearance: Appearance) -> list[Prediction]:
    """Return the answer of a network to each picture."""
    if not prepared:
        return []
    brightness = np.stack([each.x.ravel() for each in prepared], axis=1)
    outputs = network.feedforward(appearance.black + (appearance.white - appearance.black) * brightness)
    return [
        Prediction(file=each.file, answer=answer, outputs=tuple(a), remark=_remark(a))
        for each, answer, a in zip(prepared, answers(outputs).tolist(), outputs.T.tolist(), strict=True)
    ]


def _remark(outputs: Sequence[float]) -> str:
    """Return that an answer is not sure if no output is strong; a single output is sure if it is near 0 or 1."""
    strongest = max(outputs) if len(outputs) > 1 else max(outputs[0], 1 - outputs[0])
    return f"not sure ({strongest:.2f})" if strongest < SURE[len(outputs) == 1] else ""


@drawing()
def draw_prepared(prepared: Sequence[Prepared], predictions: Sequence[Prediction], title: str) -> "Figure":
    """Return the first pictures beside what the network saw of them, each with its answer."""
    from netlearn.plotting import networks  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.marks import short  # noqa: PLC0415

    if len(prepared) > MOST_PICTURES:
        title = f"{title}\nthe first {MOST_PICTURES} of {len(prepared):,} pictures"
    shown = list(zip(prepared, predictions, strict=True))[:MOST_PICTURES]
    captions = [
        f"{short(Path(each.file).name)}\nanswer {found.answer} ({strongest(np.array(found.outputs))})"
        for each, found in shown
    ]
    return networks.seen([(each.small / 255, each.x) for each, _ in shown], captions, title)


def prepare(grey: Array, appearance: Appearance = MNIST) -> Array:
    """Return a picture as an image of a data set, of brightness 0 to 1, shape (height, width).

    A picture of the images' own size whose content lies where theirs does is one of them, and stays as it is. Others
    are prepared by the kind of the images:

    - strokes: ink is found, scaled and placed;
    - objects: what differs from the border of the picture is scaled and placed, and keeps its brightness;
    - scenes: all of the picture is scaled, without a uniform margin.

    Where the images have a uniform background and the picture has one that is nearer to its opposite, light and dark
    are exchanged. Steps 6 and 7, which follow those of `find_strokes`, are for MNIST those of its authors (Y. LeCun,
    C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"); the others replace their scanner.

    6. Size: the ink, as a fraction of its contrast from 0 to 1, is scaled with antialiasing until its longer side is
       that of the images, 20 of 28 pixels for MNIST, and keeps its ratio of width to height.
    7. Place: it is moved by whole pixels until its centre is nearest to that of the images: for MNIST the centre of
       mass, at pixel (14, 14), counted from 0.

    Args:
        grey: brightness from 0, black, to 1, white, of any shape (height, width).
        appearance: what the images of the data set look like.

    Raises:
        DataError: there is no ink, or no object.
    """
    grey = grey.astype(np.float32, copy=False)
    if grey.shape == appearance.size and (same := _as_it_is(grey, appearance)) is not None:
        return same
    if appearance.kind == "scenes":
        whole = _without_margin(grey) if appearance.background is None else grey
        return resized(_turned(whole, appearance), appearance.size)
    if appearance.kind == "objects":
        return _prepare_object(_turned(grey, appearance), appearance)
    return _on_background(_place(_fit(find_strokes(grey), appearance), appearance), appearance)


def _as_it_is(grey: Array, appearance: Appearance) -> Array | None:
    """Return a picture of the size of the images if it looks like one of them, otherwise None."""
    white = appearance.white if appearance.white <= 1 else appearance.white / 255
    if white < DIM and 0 < float(grey.max()) <= 1.01 * white:  # saved as the numbers that the data has
        grey = grey / np.float32(white)
    if appearance.background is None:
        return grey
    if abs(border_value(grey) - appearance.background) > 0.5:
        return None
    if appearance.kind == "scenes":
        return grey
    ink = np.abs(grey - appearance.background)[np.newaxis]
    if not (ink > INK).any():
        return None
    centre = (mass_centres(ink) if appearance.centred == "mass" else box_centres(ink > INK))[0]
    off = np.abs(centre - appearance.centre) / appearance.size
    longest = max(int(extent[0]) for extent in extents(ink > INK))
    return grey if off.max() < ALIKE and 0.5 < longest / appearance.extent < 1.2 else None


def _turned(grey: Array, appearance: Appearance) -> Array:
    """Return a picture with light and dark exchanged if its border is uniform and opposite to that of the images."""
    value = border_value(grey)
    uniform = float((np.abs(np.concatenate(border(grey)) - value) < ALIKE).mean()) > MOSTLY
    background = value if appearance.background is None else appearance.background
    opposite = abs(value - background) > abs(1 - value - background)
    return 1 - grey if uniform and opposite else grey


def _without_margin(grey: Array) -> Array:
    """Return a picture without the uniform margin on all of its sides, if it has one."""
    box = bounding_box(np.abs(grey - border_value(grey)) > ALIKE, SOME)
    if box is None or any(part.start == 0 or part.stop == n for part, n in zip(box, grey.shape, strict=True)):
        return grey
    return grey[box]


def _prepare_object(grey: Array, appearance: Appearance) -> Array:
    """Return what differs from the border of a picture, scaled and placed as the objects of the images are."""
    value = border_value(grey)
    box = bounding_box(np.abs(grey - value) > INK, SOME)
    if box is None:
        raise DataError("has no object: must be one, on a uniform background")
    fitted = resized(grey[box], _fitting(grey[box], appearance))
    return _on_background(_place(np.abs(fitted - value), appearance), appearance)


def _fit(ink: Array, appearance: Appearance) -> Array:
    """Return ink scaled to the size that it has in the images, the strongest at 1."""
    from PIL import Image  # noqa: PLC0415 (takes 0.1 s to import)

    scaled = np.asarray(Image.fromarray(ink).resize(_fitting(ink, appearance)[::-1], Image.Resampling.HAMMING))
    fitted: Array = scaled / scaled.max()
    return fitted


def _fitting(ink: Array, appearance: Appearance) -> tuple[int, int]:
    """Return the height and width at which the longer side of ink is that in the images."""
    height, width = (max(1, round(appearance.extent * length / max(ink.shape))) for length in ink.shape)
    return min(height, appearance.height), min(width, appearance.width)


def _place(ink: Array, appearance: Appearance) -> Array:
    """Return ink in an image of the size of the data set, its centre where theirs is."""
    image, place = np.zeros(appearance.size, np.float32), []
    for axis, length in enumerate(ink.shape):
        centre = (length - 1) / 2
        if appearance.centred == "mass":
            centre = float(ink.sum(axis=1 - axis) @ np.arange(length) / ink.sum())
        start = min(max(round(appearance.centre[axis] - centre), 0), appearance.size[axis] - length)
        place.append(slice(start, start + length))
    image[tuple(place)] = ink
    return image


def _on_background(ink: Array, appearance: Appearance) -> Array:
    """Return ink, a difference from 0 to 1, on the background of the images."""
    background = np.float32(appearance.background or 0)
    return background + ink if background < 0.5 else background - ink
