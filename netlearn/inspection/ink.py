"""The ink of one digit in a photo, a scan or a drawing: what is stroke, and what is paper, shadow, frame or dirt."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.pictures import border, bounding_box
from netlearn.errors import DataError
from netlearn.numerics import Array

LEAST_CONTRAST = 0.08  # of ink, where 1 is black on white
LEAST_TO_TEXTURE = 6.0  # contrast of ink to the standard deviation of the paper
DIMMEST, DARK = 0.1, 0.05  # light, relative to its mean; brightness of paper that is taken to be evenly lit
FAINT, STRONG = 0.2, 0.5  # of the contrast of ink
SPECK = 0.08  # of the area of the largest stroke
LEAST_LIT = 64  # pixels a side of a photo
BROAD = 0.62  # of the longer side of the ink: the thickness of what is no stroke
LARGE = 0.2  # of a picture: ink that fills it, so that no paper is around
STEEP = 60  # range of brightness in a side: soft shadows are less
SOFT = 0.1  # of the range of brightness: by how much blurring changes a soft shadow at most; strokes 0.14 and more
MOST_DIGITS = 8  # side by side, and not lines
MOST_ENDS = 12  # of lines at the edges of the ink
MARK, MOST_MARKS = 0.01, 20  # of the largest stroke: what is no speck; of these at most, where
MOSTLY = 0.7  # of the ink is not that of the digit
FULL = 0.7  # of its rectangle, which a sheet of paper and a frame cover
FRAMES, SMALLEST_FRAME = 3, 8  # at most, one inside another; pixels

Mask: TypeAlias = NDArray[np.bool_]
Box: TypeAlias = tuple[slice, slice]


def find_strokes(grey: Array) -> Array:
    """Return the ink of a picture, as a fraction of its contrast from 0 to 1, cut to the rectangle that it fills.

    0. Light: a picture in which nothing has an edge is a shadow, and refused. Each pixel is divided by the brightness
       of the paper around it, the morphological closing (the strokes filled by what is lighter within a fifth of a
       side), where this varies softly and ink is dark.
    1. Paper: its brightness is a plane through that of the border. The slopes are medians of differences between
       border pixels half a side apart, and the height is a median too, so a stroke or a shadow that crosses the
       border does not tilt it. The plane is subtracted; the rest is divided by the light, the plane relative to its
       mean.
    2. Polarity: ink is darker than paper if negative differences have the larger sum of squares, otherwise lighter.
    3. Strokes: connected areas (8 neighbours) that are above a faint threshold and somewhere above half of the
       contrast of ink. Faint is a fifth of the contrast, more where ruled lines or texture cross the border, at most
       half.
    4. Frames: if the widest area is a rectangle, it is a sheet of paper or a drawn frame. Where the same steps find
       ink inside it, that is the result.
    5. Dirt: areas of less than 8 % of the largest are left out, and those that touch the border (a shadow, the edge
       of a table) if a larger one does not. What has many more marks, with a third of the ink, is a chart or a text.

    Args:
        grey: brightness from 0, black, to 1, white, of any shape (height, width).

    Raises:
        DataError: there is no ink, or it is not the strokes of one digit.
    """
    if _is_shadow(grey):
        raise DataError("has no strokes, but a soft shadow: must be one digit, dark on light or light on dark")
    lit, depth = _evenly_lit(grey)
    ink = _find(lit, FRAMES, max(LEAST_CONTRAST, depth / 3))
    if ink is None:
        raise DataError("has no ink: must be one digit, dark on light or light on dark")
    _check_strokes(ink)
    return ink


def _find(grey: Array, frames: int, least: float = LEAST_CONTRAST) -> Array | None:
    """Return the ink of a picture, from 0 to 1, cut to the rectangle that it fills, or None if there is none."""
    from scipy import ndimage  # noqa: PLC0415 (takes 0.1 s to import)

    if not grey.size:
        return None
    paper = _paper(grey)
    light = np.clip(paper / paper.mean(), DIMMEST, None) if paper.mean() > DARK else 1.0
    ink = (grey - paper) / light
    if np.square(np.minimum(ink, 0)).sum() > np.square(np.maximum(ink, 0)).sum():
        ink = -ink
    texture = min(1.4826 * float(np.median(np.abs(side - np.median(side)))) for side in border(ink))
    strongest = float(ink.max())
    if strongest <= max(least, LEAST_TO_TEXTURE * texture):
        return None
    contrast = float(np.median(ink[ink > STRONG * strongest]))
    edge = np.concatenate(border(ink, max(1, min(ink.shape) // 40)))
    crossing = 1.25 * float(np.percentile(np.abs(edge[edge < STRONG * contrast]), 95))
    areas, _ = ndimage.label(ink > min(max(FAINT * contrast, crossing), STRONG * contrast), np.ones((3, 3)))
    sizes = np.bincount(areas[ink > STRONG * contrast], minlength=areas.max() + 1)
    boxes = ndimage.find_objects(areas)
    widest = max(np.flatnonzero(sizes), key=lambda area: _extent(boxes[area - 1]))
    box = boxes[widest - 1]
    inner = _find_inside(grey, areas[box] == widest, box, frames, contrast)
    if inner is not None:
        return inner
    strokes = _without_dirt(areas, sizes, boxes)
    marks = int((sizes > MARK * sizes.max()).sum())
    if marks > MOST_MARKS and sizes[strokes].sum() < MOSTLY * sizes.sum():
        raise DataError(
            f"has {marks} marks, as a chart or a text has, and no digit that stands out: must be one digit"
        )
    kept = strokes[areas]
    cut = bounding_box(kept) or ()
    found: Array = np.clip(ink[cut] / contrast, 0, 1) * kept[cut]
    return found


def _is_shadow(grey: Array) -> bool:
    """Return whether nothing in a picture has an edge: blurring by a thirtieth of a side changes little.

    Blurring by a 200th of a side goes before, which takes out noise.
    """
    from scipy import ndimage  # noqa: PLC0415 (as above)

    if min(grey.shape) < LEAST_LIT:
        return False
    fine, coarse = (ndimage.gaussian_filter(grey - _paper(grey), max(grey.shape) / part) for part in (200, 30))
    depth = float(np.ptp(fine))
    return depth > LEAST_CONTRAST and float(np.abs(fine - coarse).max()) < SOFT * depth


def _evenly_lit(grey: Array) -> tuple[Array, float]:
    """Return a picture of dark ink without soft shadows, and how deep these were; any other as it is, and 0."""
    from scipy import ndimage  # noqa: PLC0415 (as above)

    difference = grey - _paper(grey) if grey.size else grey
    dark = np.square(np.minimum(difference, 0)).sum() > np.square(np.maximum(difference, 0)).sum()
    large = bool(grey.size) and float((difference < STRONG * difference.min()).mean()) > LARGE
    if min(grey.shape) < LEAST_LIT or not dark or large:
        return grey, 0.0
    side = max(grey.shape)
    smooth = ndimage.gaussian_filter(grey, side / 200)
    around: Array = ndimage.grey_closing(smooth, 2 * [side // 5], mode="nearest")
    depth = float(np.ptp(around))
    steepest = float(np.percentile(np.hypot(*np.gradient(around)), 99.9))
    if depth < LEAST_CONTRAST or steepest * side > STEEP * depth:  # even light, or the edge of a table or a blot
        return grey, 0.0
    return grey / np.maximum(around, DARK), depth


def _check_strokes(ink: Array) -> None:
    """Raise a `DataError` if ink is a broad area, the lines of paper, or several digits side by side."""
    from scipy import ndimage  # noqa: PLC0415 (as above)

    strong = ink > STRONG
    thickness = 2 * float(ndimage.distance_transform_edt(np.pad(strong, 1)).max())
    if thickness > BROAD * max(ink.shape):
        raise DataError("has no strokes, but one broad area: must be one digit, dark on light or light on dark")
    ends = sum(int((np.diff(side.astype(np.int8)) == 1).sum()) for side in border(strong))
    if ends > MOST_ENDS:
        raise DataError("has no strokes, but lines from edge to edge: must be one digit, also on ruled paper")
    groups, count = ndimage.label(strong.any(axis=0))
    heights = [np.flatnonzero(strong[:, groups == i].any(axis=1)) for i in range(1, count + 1)]
    tall = sum(rows[-1] - rows[0] + 1 > ink.shape[0] / 2 for rows in heights)
    if tall > MOST_DIGITS:
        raise DataError("has no strokes, but lines side by side: must be one digit, also on ruled paper")
    if tall > 1 and ink.shape[1] > ink.shape[0]:
        raise DataError(f"has several digits, {tall} groups of strokes side by side: must be one")


def _paper(grey: Array) -> Array:
    """Return the brightness of the paper, a plane, at each pixel."""
    height, width = grey.shape
    right, down = width // 2, height // 2
    rows, columns = grey[[0, -1]], grey[:, [0, -1]]
    x = float(np.median(rows[:, right:] - rows[:, : width - right])) / max(1, right)
    y = float(np.median(columns[down:] - columns[: height - down])) / max(1, down)
    plane = (x * np.arange(width) + y * np.arange(height)[:, np.newaxis]).astype(np.float32)
    paper: Array = plane + np.median(np.concatenate(border(grey - plane)))
    return paper


def _find_inside(grey: Array, area: Mask, box: Box, frames: int, contrast: float) -> Array | None:
    """Return the ink inside an area, or None if the area is not a rectangle or there is none."""
    from scipy import ndimage  # noqa: PLC0415 (as above)

    if not frames or min(area.shape) < SMALLEST_FRAME:
        return None
    gaps, _ = ndimage.label(~area)
    sizes = np.bincount(gaps.ravel())
    sizes[[0, *np.concatenate(border(gaps))]] = 0  # the area itself, and gaps that are open to the outside
    if not _is_rectangle(area | (sizes > 0)[gaps]):
        return None
    widest = int(sizes.argmax())
    if sizes[widest] > area.size / 2:  # a drawn frame; otherwise the area is paper, and the gaps are ink
        gap = ndimage.find_objects(gaps)[widest - 1]
        if not _is_rectangle(gaps[gap] == widest):
            return None
        box = _inside(box, gap)
    inset = 1 + min(area.shape) // 40
    (top, bottom), (left, right) = ((part.start + inset, part.stop - inset) for part in box)
    return _find(grey[top:bottom, left:right], frames - 1, max(LEAST_CONTRAST, contrast / 5))


def _is_rectangle(area: Mask) -> bool:
    """Return whether an area covers most of its rectangle and reaches into all of its corners, as no digit does."""
    height, width = (-(-length // 10) for length in area.shape)
    ends = [
        (rows, columns)
        for rows in (slice(height), slice(-height, None))
        for columns in (slice(width), slice(-width, None))
    ]
    return bool(area.mean() > FULL) and all(area[end].any() for end in ends)


def _extent(box: Box) -> int:
    rows, columns = box
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def _inside(box: Box, part: Box) -> Box:
    """Return the place in the picture of a part of a box."""
    rows, columns = (slice(a.start + b.start, a.start + b.stop) for a, b in zip(box, part, strict=True))
    return rows, columns


def _without_dirt(areas: NDArray[np.int32], sizes: NDArray[np.int64], boxes: list[Box]) -> Mask:
    """Return which areas are strokes, given the number of strong pixels of each."""
    touching = np.zeros(len(sizes), bool)
    touching[np.concatenate(border(areas))] = True
    free = np.where(touching, 0, sizes)
    largest = int(free.argmax())
    if free[largest] and max(part.stop - part.start for part in boxes[largest - 1]) >= max(areas.shape) / 10:
        sizes = free
    strokes: Mask = sizes > SPECK * sizes.max()
    return strokes
