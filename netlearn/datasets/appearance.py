"""What the images of a data set look like, measured, so that other pictures can be prepared as they were."""

from math import isqrt
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from netlearn.numerics import Array

DIM = 0.25  # of the range of pixels: if no pixel is brighter, the range is another
UNIFORM = 0.6  # of the pixels at the borders, which have the same value
NEAR = 0.1  # brightness that counts as the same
INK = 0.15  # difference from the background
LOOSE = 0.08  # of a side: standard deviation of the centres of images that nobody centred
VARIED = 0.4  # relative range of the sizes of images that nobody scaled
THICK = 0.45  # of the pixels of an object, but not of a stroke, lie inside it

Kind: TypeAlias = Literal["strokes", "objects", "scenes", "other"]
Size: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """What the training images of a run look like.

    Attributes:
        kind: "strokes" or "objects" of one size and at one place, on a uniform background; "scenes", which fill the
            frame or lie anywhere in it; "other", inputs that are not the brightness of pixels.
        height: of the images, in pixels.
        width: likewise.
        black: the input of a black pixel.
        white: the input of a white pixel.
        background: brightness at the borders, from 0 to 1, or None where it varies.
        extent: the longer side of strokes or objects, in pixels.
        centred: whether they are centred by their mass or by the rectangle that they fill.
        centre: row and column of this centre, counted from 0.
    """

    kind: Kind
    height: Size
    width: Size
    black: float = 0.0
    white: float = 1.0
    background: Annotated[float, Meta(ge=0, le=1)] | None = None
    extent: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    centred: Literal["mass", "box"] = "box"
    centre: tuple[float, float] = (0.0, 0.0)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width


MNIST = Appearance(
    kind="strokes", height=28, width=28, background=0.0, extent=20.0, centred="mass", centre=(14.0, 14.0)
)


def measure(x: Array, image: tuple[int, int] | None) -> Appearance | None:
    """Return what training images x, (n, n_in), of a height and width look like; None if x cannot be images."""
    side = isqrt(x.shape[1])
    height, width = image or (side, side)
    if height < 2 or width < 2 or height * width != x.shape[1]:
        return None
    black, white = _range(x)
    if black == white or _is_standardized(x):
        return Appearance(kind="other", height=height, width=width)
    images = np.clip((x.reshape(-1, height, width) - black) / (white - black), 0, 1)
    ranged = Appearance(kind="scenes", height=height, width=width, black=black, white=white)
    background = _background(images)
    if background is None:
        return ranged
    ranged = msgspec.structs.replace(ranged, background=background)
    ink = np.abs(images - background)
    ink = ink[(ink > INK).any(axis=(1, 2))]
    if not len(ink):
        return ranged
    boxes, masses = box_centres(ink > INK), mass_centres(ink)
    longest = np.maximum(*extents(ink > INK))
    extent = float(np.median(longest))
    low, high = np.percentile(longest, [10, 90])
    spread = {"mass": _spread(masses), "box": _spread(boxes)}
    if min(spread.values()) > LOOSE * max(height, width) or high - low > VARIED * extent:
        return ranged
    centred: Literal["mass", "box"] = "mass" if spread["mass"] <= spread["box"] else "box"
    row, column = np.round((masses if centred == "mass" else boxes).mean(axis=0), 1).tolist()
    return msgspec.structs.replace(
        ranged,
        kind="objects" if _thickness(ink) > THICK else "strokes",
        extent=extent,
        centred=centred,
        centre=(row, column),
    )


def _range(x: Array) -> tuple[float, float]:
    """Return the inputs of a black and of a white pixel: 0 and 1, 0 and 255, or the range that is used."""
    low, high = float(x.min()), float(x.max())
    if low >= -0.01 and DIM < high <= 1.01:
        return 0.0, 1.0
    if low >= 0 and 100 < high <= 255:
        return 0.0, 255.0
    return min(low, 0.0), high


def _is_standardized(x: Array) -> bool:
    """Return whether each input has mean 0 and standard deviation 1, so that it is no brightness."""
    varying = x[:, np.ptp(x, axis=0) > 0].astype(np.float64)
    if not varying.size or x.min() >= 0:
        return False
    off = np.abs(np.stack([varying.mean(axis=0), varying.std(axis=0) - 1]))
    centred, scaled = (off < 0.25).mean(axis=1)
    return bool(centred > 0.9 and scaled > 0.5)


def _background(images: Array) -> float | None:
    """Return the brightness at the borders if most of them have it, and it is near black or white."""
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    value = float(np.median(borders))
    uniform = float((np.abs(borders - value) < NEAR).mean())
    return round(value, 3) if uniform >= UNIFORM and not 0.2 < value < 0.8 else None


def extents(ink: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return height and width of the rectangles that fill of ink, (n,) each, in images (n, height, width)."""
    (top, bottom), (left, right) = _edges(ink)
    return bottom - top + 1, right - left + 1


def box_centres(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the centres of the rectangles that the ink of images fills, (n, 2)."""
    return np.stack([(first + last) / 2 for first, last in _edges(ink)], axis=1)


def mass_centres(ink: Array) -> NDArray[np.float64]:
    """Return the centres of mass of images, (n, 2)."""
    total = ink.sum(axis=(1, 2), dtype=np.float64)
    rows, columns = (ink.sum(axis=axis, dtype=np.float64) @ np.arange(ink.shape[3 - axis]) for axis in (2, 1))
    return np.stack([rows / total, columns / total], axis=1)


def _edges(ink: NDArray[np.bool_]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return the first and the last row of ink, and the first and the last column, of each image."""
    edges = []
    for axis in (2, 1):
        inked: NDArray[np.bool_] = np.any(ink, axis=axis)
        edges.append((inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)))
    return edges


def _spread(centres: NDArray[np.float64]) -> float:
    return float(np.sqrt(centres.var(axis=0).mean()))


def _thickness(ink: Array) -> float:
    """Return which fraction of the pixels of ink has ink above, below and at both sides."""
    strong = ink > ink.max(axis=(1, 2), keepdims=True) / 2
    inner = strong[:, 1:-1, 1:-1] & strong[:, :-2, 1:-1] & strong[:, 2:, 1:-1]
    inner &= strong[:, 1:-1, :-2] & strong[:, 1:-1, 2:]
    return float(inner.sum() / max(1, strong.sum()))
