"""A picture prepared as the images of a data set were: its strokes or its object found, scaled and placed."""

import numpy as np

from netlearn.datasets import MNIST, Appearance
from netlearn.datasets.appearance import DIM, INK, box_centres, extents, mass_centres
from netlearn.datasets.pictures import scale
from netlearn.errors import DataError
from netlearn.inspection.ink import find_strokes, sides
from netlearn.numerics import Array

ALIKE = 0.12  # difference of brightness, or of a place relative to the side, up to which pictures are alike
MOSTLY, SOME = 0.8, 0.01  # of the pixels of a border; of those of a row or a column


def prepare(grey: Array, like: Appearance = MNIST) -> Array:
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
        like: what the images of the data set look like.

    Raises:
        DataError: there is no ink, or no object.
    """
    grey = grey.astype(np.float32, copy=False)
    if grey.shape == like.size and (same := _as_it_is(grey, like)) is not None:
        return same
    if like.kind == "scenes":
        return scale(_turned(_without_margin(grey) if like.background is None else grey, like), like.size)
    if like.kind == "objects":
        return _prepare_object(_turned(grey, like), like)
    return _on_background(_place(_fit(find_strokes(grey), like), like), like)


def _as_it_is(grey: Array, like: Appearance) -> Array | None:
    """Return a picture of the size of the images if it looks like one of them, otherwise None."""
    white = like.white if like.white <= 1 else like.white / 255
    if white < DIM and 0 < float(grey.max()) <= 1.01 * white:  # saved as the numbers that the data has
        grey = grey / np.float32(white)
    if like.background is None:
        return grey
    border = np.concatenate(sides(grey))
    if abs(float(np.median(border)) - like.background) > 0.5:
        return None
    if like.kind == "scenes":
        return grey
    ink = np.abs(grey - like.background)[np.newaxis]
    if not (ink > INK).any():
        return None
    centre = (mass_centres(ink) if like.centred == "mass" else box_centres(ink > INK))[0]
    off = np.abs(centre - like.centre) / like.size
    longest = max(int(extent[0]) for extent in extents(ink > INK))
    return grey if off.max() < ALIKE and 0.5 < longest / like.extent < 1.2 else None


def _turned(grey: Array, like: Appearance) -> Array:
    """Return a picture with light and dark exchanged if its border is uniform and opposite to that of the images."""
    border = np.concatenate(sides(grey))
    value = float(np.median(border))
    uniform = float((np.abs(border - value) < ALIKE).mean()) > MOSTLY
    opposite = like.background is not None and abs(value - like.background) > abs(1 - value - like.background)
    return 1 - grey if uniform and opposite else grey


def _without_margin(grey: Array) -> Array:
    """Return a picture without the uniform margin on all of its sides, if it has one."""
    value = float(np.median(np.concatenate(sides(grey))))
    other = np.abs(grey - value) > ALIKE
    rows, columns = (np.flatnonzero(other.mean(axis=axis) > SOME) for axis in (1, 0))
    if not rows.size or not columns.size:
        return grey
    cut = (rows[0], grey.shape[0] - 1 - rows[-1]), (columns[0], grey.shape[1] - 1 - columns[-1])
    if min(map(min, cut)) == 0:
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _prepare_object(grey: Array, like: Appearance) -> Array:
    """Return what differs from the border of a picture, scaled and placed as the objects of the images are."""
    value = float(np.median(np.concatenate(sides(grey))))
    other = np.abs(grey - value) > INK
    rows, columns = (np.flatnonzero(other.mean(axis=axis) > SOME) for axis in (1, 0))
    if not rows.size or not columns.size:
        raise DataError("has no object: must be one, on a uniform background")
    cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(like.extent * length / max(cut.shape))) for length in cut.shape)
    fitted = scale(cut, (min(height, like.height), min(width, like.width)))
    return _on_background(_place(np.abs(fitted - value), like), like)


def _fit(ink: Array, like: Appearance) -> Array:
    """Return ink scaled to the size that it has in the images, the strongest at 1."""
    from PIL import Image  # noqa: PLC0415 (takes 0.1 s to import)

    height, width = (max(1, round(like.extent * length / max(ink.shape))) for length in ink.shape)
    size = min(width, like.width), min(height, like.height)
    scaled = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.HAMMING))
    fitted: Array = scaled / scaled.max()
    return fitted


def _place(ink: Array, like: Appearance) -> Array:
    """Return ink in an image of the size of the data set, its centre where theirs is."""
    image, place = np.zeros(like.size, np.float32), []
    for axis, length in enumerate(ink.shape):
        centre = (length - 1) / 2
        if like.centred == "mass":
            centre = float(ink.sum(axis=1 - axis) @ np.arange(length) / ink.sum())
        start = min(max(round(like.centre[axis] - centre), 0), like.size[axis] - length)
        place.append(slice(start, start + length))
    image[tuple(place)] = ink
    return image


def _on_background(ink: Array, like: Appearance) -> Array:
    """Return ink, a difference from 0 to 1, on the background of the images."""
    background = np.float32(like.background or 0)
    return background + ink if background < 0.5 else background - ink
