"""Pictures as people have them: modes, sizes, orientations, and files that are not pictures."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netlearn.datasets.pictures import MOST_BYTES, MOST_PIXELS, read_grey
from netlearn.errors import DataError
from netlearn.numerics import Array

UPRIGHT = np.full((40, 60), 230, np.uint8)
UPRIGHT[5:15, 5:50] = 20
EXIF_ORIENTATION = 0x0112


def saved(image: Image.Image, kind: str = "PNG", **given: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **given)
    return buffer.getvalue()


def grey() -> Image.Image:
    return Image.fromarray(UPRIGHT)


def transparent(ink: int) -> Image.Image:
    alpha = np.where(UPRIGHT < 100, 255, 0).astype(np.uint8)
    return Image.fromarray(np.stack([np.full_like(UPRIGHT, ink)] * 3 + [alpha], axis=2))


def turned(orientation: int, turn: Image.Transpose) -> bytes:
    image, exif = grey().transpose(turn), Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return saved(image, "JPEG", exif=exif, quality=95)


MAKERS: dict[str, Callable[[], bytes]] = {
    "grey": lambda: saved(grey()),
    "one bit": lambda: saved(grey().convert("1")),
    "palette": lambda: saved(grey().convert("P")),
    "palette with transparency": lambda: saved(transparent(20).quantize(8)),
    "colour": lambda: saved(grey().convert("RGB")),
    "grey with alpha": lambda: saved(grey().convert("LA")),
    "16 bit": lambda: saved(Image.fromarray(UPRIGHT.astype(np.uint16) * 257)),
    "16 bit TIFF": lambda: saved(Image.fromarray(UPRIGHT.astype(np.uint16) * 257), "TIFF"),
    "10 bit in 16": lambda: saved(Image.fromarray(UPRIGHT.astype(np.uint16) * 4)),
    "12 bit in 16": lambda: saved(Image.fromarray(UPRIGHT.astype(np.uint16) * 16)),
    "14 bit TIFF in 16": lambda: saved(Image.fromarray(UPRIGHT.astype(np.uint16) * 64), "TIFF"),
    "32 bit float TIFF": lambda: saved(Image.fromarray(UPRIGHT.astype(np.float32)), "TIFF"),
    "CMYK": lambda: saved(grey().convert("CMYK"), "JPEG", quality=95),
    "JPEG": lambda: saved(grey(), "JPEG", quality=95),
    "WebP": lambda: saved(grey().convert("RGB"), "WEBP", lossless=True),
    "GIF": lambda: saved(grey(), "GIF"),
    "BMP": lambda: saved(grey(), "BMP"),
    "PPM": lambda: saved(grey().convert("RGB"), "PPM"),
    "MPO": lambda: saved(grey().convert("RGB"), "MPO", save_all=True, append_images=[grey().convert("RGB")]),
    "dark ink on nothing": lambda: saved(transparent(20)),
    "turned left": lambda: turned(6, Image.Transpose.ROTATE_90),
    "upside down": lambda: turned(3, Image.Transpose.ROTATE_180),
    "mirrored": lambda: turned(2, Image.Transpose.FLIP_LEFT_RIGHT),
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_mode_format_and_orientation_gives_the_same_brightness(name: str) -> None:
    found = read_grey(MAKERS[name]())
    assert found.dtype == np.float32
    assert found.shape == UPRIGHT.shape
    assert found[5:15, 5:50].mean() < 0.15
    assert found[20:].mean() > 0.85


def test_light_ink_on_nothing_stays_light() -> None:
    found = read_grey(saved(transparent(255)))
    assert found[5:15, 5:50].min() == 1
    assert found[20:].max() == 0


@pytest.mark.parametrize(("ink", "paper"), [((255, 255, 0), (255, 255, 255)), ((200, 30, 30), (30, 106, 30))])
def test_ink_that_is_hardly_darker_than_its_paper_is_seen_by_its_colour(
    ink: tuple[int, ...], paper: tuple[int, ...]
) -> None:
    colours = np.where((UPRIGHT < 100)[..., np.newaxis], np.array(ink), np.array(paper)).astype(np.uint8)
    found = read_grey(saved(Image.fromarray(colours)))
    assert abs(found[10, 20] - found[30, 20]) > 0.6


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_pictures_are_averaged_down(kind: str) -> None:
    found = read_grey(saved(grey().resize((3000, 2000), Image.Resampling.NEAREST), kind))
    assert 400 <= max(found.shape) < 800
    assert found.shape[1] / found.shape[0] == pytest.approx(1.5, abs=0.02)
    assert found[found.shape[0] // 4, found.shape[1] // 2] < 0.15


def header_of(width: int, height: int) -> bytes:
    """Return a PNG whose header promises that many pixels, with none of them in it."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def animated(kind: str) -> bytes:
    return saved(grey(), kind, save_all=True, append_images=[Image.fromarray(255 - UPRIGHT)])


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not an image"),
    "text": (lambda: b"seven\n" * 100, "not an image"),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is HEIC, so export it as JPEG"),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image"),
    "truncated": (lambda: MAKERS["JPEG"]()[:300], "not a valid image"),
    "100 megapixels": (lambda: header_of(10_000, 10_000), "10,000 × 10,000"),
    "more than Pillow opens": (lambda: header_of(60_000, 60_000), f"{MOST_PIXELS:,}"),
    "too large": (lambda: bytes(MOST_BYTES + 1), f"{MOST_BYTES:,}"),
    "animated GIF": (lambda: animated("GIF"), "GIF"),
    "animated PNG": (lambda: animated("PNG"), "PNG"),
    "not numbers": (lambda: saved(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"), "finite"),
    "pages of a TIFF": (lambda: animated("TIFF"), "TIFF"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_single_picture_is_refused(name: str) -> None:
    make, fact = REFUSED[name]
    with pytest.raises(DataError) as caught:
        read_grey(make())
    assert fact in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MAKERS if name != "PPM"])
def test_corrupt_files_are_read_or_refused(name: str) -> None:
    rng = np.random.default_rng(0)
    whole = MAKERS[name]()
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(len(content), size=rng.integers(1, 9)):
            content[place] = rng.integers(256)
        try:
            found: Array = read_grey(bytes(content))
            assert found.ndim == 2
        except DataError:
            refused += 1
    assert refused
