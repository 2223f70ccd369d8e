"""Pictures as people have them, of any size, grey or colour; and folders of them, one for each class, as data sets.

In a folder each picture is one example, in grey, in `train` and `test` or without a split. Pictures of several sizes
are scaled to one. Files that are no pictures are counted and left out.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.reading import folders_in
from netlearn.errors import DataError
from netlearn.numerics import Array

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".avif",
            ".jfif"}  # fmt: skip
HEIC = {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc"}  # what photos of an iPhone begin with
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test", "val": "val", "valid": "val",
         "validation": "val"}  # fmt: skip
MOST_BYTES = 200_000_000  # of a file
MOST_PIXELS = 80_000_000  # of a picture
LARGE = 400  # larger pictures are averaged down to at most twice as many pixels a side, which takes out noise
SIDE = 28  # of the examples, in pixels, where pictures have several sizes
DEPTH = 2  # folders below the one that is named
OF_RUN = "config.toml"  # in the folders of runs and comparisons, whose pictures are no examples
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue (ITU-R BT.601)

Classes: TypeAlias = Mapping[str, list[Path]]  # the pictures of each class


def read_file(path: Path) -> bytes:
    """Return the content of a file, or its beginning if it is too large for a picture.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size or MOST_BYTES  # a pipe has none
            return file.read(min(size, MOST_BYTES) + 1)  # for which Python sets memory aside
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from error


def read_grey(content: bytes, *, clearest: bool = True) -> Array:
    """Return the brightness of a picture, from 0, black, to 1, white, shape (height, width).

    Args:
        content: of the file.
        clearest: where one of the colours red, green and blue has far more contrast than the brightness, return it
            instead: yellow on white is hardly darker, but has no blue.

    Raises:
        DataError: it is no picture of one of these formats, is animated, or has too many pixels.
    """
    pixels, _ = _decode(content)
    if pixels.ndim == 2:
        return pixels
    luma: Array = pixels @ LUMA
    contrasts = pixels.std(axis=(0, 1))
    colour: Array = pixels[..., int(contrasts.argmax())]
    return colour if clearest and contrasts.max() > 2 * luma.std() else luma


def resized(grey: NDArray[Any], size: tuple[int, int]) -> Array:
    """Return a picture scaled to a height and width."""
    from PIL import Image  # noqa: PLC0415 (takes 0.1 s to import)

    height, width = size
    image = Image.fromarray(grey.astype(np.float32, copy=False))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def border(grid: NDArray[Any], width: int = 1) -> list[NDArray[Any]]:
    """Return the pixels along each side of a picture, as vectors."""
    return [part.ravel() for part in (grid[:width], grid[-width:], grid[:, :width], grid[:, -width:])]


def border_value(grey: Array) -> float:
    """Return the median brightness along the sides of a picture."""
    return float(np.median(np.concatenate(border(grey))))


def bounding_box(mask: NDArray[np.bool_], more_than: float = 0) -> tuple[slice, slice] | None:
    """Return from where to where the rows and columns go of which more than a fraction is set, None if none are."""
    rows, columns = (np.flatnonzero(mask.mean(axis=axis) > more_than) for axis in (1, 0))
    if not rows.size or not columns.size:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _decode(content: bytes) -> tuple[Array, float]:
    """Return a picture as (height, width) or (height, width, 3), from 0 to 1, and, of more than 8 bits, its white."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 (takes 0.1 s to import)

    if len(content) > MOST_BYTES:
        raise DataError(f"too large: must be at most {MOST_BYTES:,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities in the file; large pictures are refused below
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                _check(image)
                return _flat(_load(image))
    except DataError:
        raise
    except UnidentifiedImageError as error:
        heic = ": it is HEIC, so export it as JPEG" if content[4:12] in HEIC else ""
        raise DataError(f"not an image{heic}: must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"too many pixels: must be at most {MOST_PIXELS:,}") from error
    except Exception as error:  # Pillow's decoders raise whatever a corrupt file leads them to
        raise DataError(f"not a valid image: {error}") from error


def _check(image: "Image") -> None:
    """Refuse a picture by its header, before any pixel is decoded."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise DataError(f"{width:,} × {height:,} pixels: must be at most {MOST_PIXELS:,} pixels")
    if image.format != "MPO" and getattr(image, "is_animated", False):  # a camera's MPO is one picture, and previews
        raise DataError(f"a {image.format} of several images: must be one image")


def _load(image: "Image") -> "Image":
    """Decode a picture and turn it upright, as its EXIF orientation says."""
    from PIL import ImageOps  # noqa: PLC0415 (as above)

    image.draft(image.mode, (LARGE, LARGE))  # a large JPEG is decoded at a fraction of its size
    return ImageOps.exif_transpose(image)


def _flat(image: "Image") -> tuple[Array, float]:
    """Return what `_decode` does, averaged down, on white or black if transparent."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits
        image, white = image.convert("F"), _largest(image)
    elif image.has_transparency_data:
        image, white = image.convert("RGBA"), 0.0
    else:
        image, white = image.convert("L" if image.mode in {"1", "L"} else "RGB"), 0.0
    image = image.reduce(max(1, max(image.size) // LARGE))
    pixels = np.asarray(image, np.float32) / (white or 255)
    if not np.isfinite(pixels).all():
        raise DataError("has pixels that are not finite numbers")
    if image.mode != "RGBA":
        return pixels, white
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    behind = 1.0 if (colour @ LUMA * alpha[..., 0]).sum() < alpha.sum() / 2 else 0.0
    flat: Array = colour * alpha + behind * (1 - alpha)
    return flat, white


def _largest(image: "Image") -> float:
    """Return the number that stands for white in a picture of more than 8 bits."""
    _, largest = image.getextrema()
    if image.mode.startswith("I"):  # scanners store 10 or 12 bits in 16
        return next((float(2**bits - 1) for bits in (8, 10, 12, 14) if float(largest) < 2**bits), 65535.0)  # type: ignore[arg-type]
    return float(largest) if isinstance(largest, float) and largest > 0 else 1.0


def find_images(folder: Path, depth: int = DEPTH) -> dict[str, Classes]:
    """Return the pictures of each part, "train", "test" and "val", or "" where there is no split, by their class."""
    inner = folders_in(folder)
    named = {PARTS[each.name.lower()]: _classes(each) for each in inner if each.name.lower() in PARTS}
    parts = {part: classes for part, classes in named.items() if classes}
    if "train" in parts:
        return parts
    if classes := _classes(folder):
        return {"": classes}
    return find_images(inner[0], depth - 1) if depth and len(inner) == 1 else {}


def without_classes(folder: Path) -> list[str]:
    """Return the folders of a split that hold pictures, but not by class."""
    return [each.name for each in folders_in(folder) if each.name.lower() in PARTS and any(_pictures(each))]


def _classes(folder: Path) -> Classes:
    found = {each.name: [*_pictures(each)] for each in folders_in(folder) if not (each / OF_RUN).exists()}
    return {name: paths for name, paths in found.items() if paths}


def _pictures(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.iterdir()) if each.suffix.lower() in SUFFIXES and not each.is_dir())


def read_images(classes: Mapping[str, Classes]) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.str_], str, str]]:
    """Read the pictures of each part: x, (n, height, width), the names of their classes, (n,), SHA-256, a note or "".

    The SHA-256 is that of the names and contents of all files of the part.

    Raises:
        DataError: there is no picture in a part.
    """
    gathered = _Gathered()
    read = {part: _read_part(each, gathered) for part, each in classes.items()}
    count = len(gathered.sizes)
    scaled = f"its pictures of {count:,} sizes were scaled to {SIDE} × {SIDE} pixels" if count > 1 else ""
    images = {}
    for part, (which, names, sha256, note) in read.items():
        images[part] = gathered.stacked(which), np.array(names), sha256, "; ".join(filter(None, [note, scaled]))
        scaled = ""  # said once
    return images


class _Gathered:
    """Pictures as bytes, scaled to one size as soon as they have two: thousands of photos would not fit in memory.

    Attributes:
        sizes: that they had.
    """

    def __init__(self) -> None:
        self._images: list[NDArray[np.uint8]] = []
        self._whites: list[float] = []
        self.sizes: set[tuple[int, ...]] = set()

    def __len__(self) -> int:
        return len(self._images)

    def add(self, grey: Array, white: float) -> None:
        """Add a picture and the number that stands for white in it if it has more than 8 bits, else 0."""
        image = np.rint(255 * grey).astype(np.uint8)
        if len(self.sizes) == 1 and image.shape not in self.sizes:
            self._images = [*map(_to_side, self._images)]
        self.sizes.add(image.shape)
        self._images.append(_to_side(image) if len(self.sizes) > 1 else image)
        self._whites.append(white)

    def stacked(self, which: slice) -> NDArray[np.uint8]:
        """Return some of them, (n, height, width); those of 16 bits that are dark beside others stay dark."""
        white = max(self._whites)
        own = zip(self._images[which], self._whites[which], strict=True)
        return np.stack([np.rint(x * (w / white)).astype(np.uint8) if 0 < w < white else x for x, w in own])


def _to_side(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (SIDE, SIDE)
    return image if image.shape == size else np.rint(resized(image, size)).astype(np.uint8)


def _read_part(classes: Classes, gathered: _Gathered) -> tuple[slice, list[str], str, str]:
    """Gather the pictures of a part; return which they are, the names of their classes, SHA-256, a note or ""."""
    names: list[str] = []
    broken: list[Path] = []
    sha256, first = hashlib.sha256(), len(gathered)
    for name, path in ((name, path) for name, paths in classes.items() for path in paths):
        try:
            content = read_file(path)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        line = f"{name}/{path.name} {hashlib.sha256(content).hexdigest()}\n"
        sha256.update(line.encode(errors="surrogateescape"))  # names may be of any bytes
        try:
            pixels, white = _decode(content)
        except DataError:
            broken.append(path)
            continue
        gathered.add(pixels if pixels.ndim == 2 else pixels @ LUMA, white)
        names.append(name)
    if not names:
        raise DataError(f"{broken[0].parents[1]}: none of its {len(broken):,} files is a picture that can be read")
    note, count = "", len(names) + len(broken)
    if broken:
        note = f"left out {len(broken):,} of {count:,} files that are no pictures, such as {broken[0].name}"
    return slice(first, len(gathered)), names, sha256.hexdigest(), note
