"""Pictures as people have them, read with Pillow: any size, grey or colour, from files of the usual formats."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlearn.errors import DataError
from netlearn.numerics import Array

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
HEIC = {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc"}  # what photos of an iPhone begin with
MOST_BYTES = 200_000_000  # of a file
MOST_PIXELS = 80_000_000
SIDE = 400  # larger pictures are averaged down to at most twice as many pixels a side, which takes out noise
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue (ITU-R BT.601)


def read_file(path: Path) -> bytes:
    """Return the content of a file, or its beginning if it is too large for a picture.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
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
    pixels = _read(content)
    if pixels.ndim == 2:
        return pixels
    luma: Array = pixels @ LUMA
    contrasts = pixels.std(axis=(0, 1))
    colour: Array = pixels[..., int(contrasts.argmax())]
    return colour if clearest and contrasts.max() > 2 * luma.std() else luma


def read_pixels(content: bytes) -> NDArray[np.uint8]:
    """Return the brightness of a picture as an example of a data set, from 0 to 255: see `read_grey`."""
    return np.rint(255 * read_grey(content, clearest=False)).astype(np.uint8)


def scale(grey: NDArray[Any], size: tuple[int, int]) -> Array:
    """Return a picture scaled to a height and width."""
    from PIL import Image  # noqa: PLC0415 (takes 0.1 s to import)

    height, width = size
    image = Image.fromarray(grey.astype(np.float32, copy=False))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _read(content: bytes) -> Array:
    """Return a picture as (height, width) or (height, width, 3)."""
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

    image.draft(image.mode, (SIDE, SIDE))  # a large JPEG is decoded at a fraction of its size
    return ImageOps.exif_transpose(image)


def _flat(image: "Image") -> Array:
    """Return a picture as (height, width) or (height, width, 3), averaged down, on white or black if transparent."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits
        image, scale = image.convert("F"), _largest(image)
    elif image.has_transparency_data:
        image, scale = image.convert("RGBA"), 255.0
    else:
        image, scale = image.convert("L" if image.mode in {"1", "L"} else "RGB"), 255.0
    image = image.reduce(max(1, max(image.size) // SIDE))
    pixels = np.asarray(image, np.float32) / scale
    if not np.isfinite(pixels).all():
        raise DataError("has pixels that are not finite numbers")
    if image.mode != "RGBA":
        return pixels
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    behind = 1.0 if (colour @ LUMA * alpha[..., 0]).sum() < alpha.sum() / 2 else 0.0
    flat: Array = colour * alpha + behind * (1 - alpha)
    return flat


def _largest(image: "Image") -> float:
    """Return the number that stands for white in a picture of more than 8 bits."""
    _, largest = image.getextrema()
    if image.mode.startswith("I"):  # scanners store 10 or 12 bits in 16
        return next((float(2**bits - 1) for bits in (8, 10, 12, 14) if float(largest) < 2**bits), 65535.0)  # type: ignore[arg-type]
    return float(largest) if isinstance(largest, float) and largest > 0 else 1.0
