"""Folders of images: a folder for each class, in train and test or without a split.

Each picture is one example, in grey; those of several sizes are scaled to one. Files that are no pictures are counted
and left out.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.pictures import read_file, read_pixels, scale
from netlearn.errors import DataError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"}
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test", "val": "val", "valid": "val",
         "validation": "val"}  # fmt: skip
SIDE = 28  # pixels of pictures that have several sizes
MOST_PIXELS = 4_000_000_000  # of all pictures together
DEPTH = 2  # folders below the one that is named

Classes: TypeAlias = Mapping[str, list[Path]]  # the pictures of each class


class Images(NamedTuple):
    """The pictures of one part of a data set.

    Attributes:
        x: (n, height, width).
        y: the names of their classes, (n,).
        sha256: of the names and contents of all of their files.
        notes: what was decided about them.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.str_]
    sha256: str
    notes: tuple[str, ...]


def find_images(folder: Path, depth: int = DEPTH) -> dict[str, Classes]:
    """Return the pictures of each part, "train", "test" and "val", or "" where there is no split, by their class."""
    parts = {PARTS[each.name.lower()]: classes for each in _folders(folder) if each.name.lower() in PARTS
             and (classes := _classes(each))}  # fmt: skip
    if "train" in parts:
        return parts
    if classes := _classes(folder):
        return {"": classes}
    inner = _folders(folder)
    return find_images(inner[0], depth - 1) if depth and len(inner) == 1 else {}


def without_classes(folder: Path) -> list[str]:
    """Return the folders of a split that hold pictures, but not by class."""
    return [each.name for each in _folders(folder) if each.name.lower() in PARTS and any(_pictures(each))]


def _classes(folder: Path) -> Classes:
    found = {each.name: [*_pictures(each)] for each in _folders(folder)}
    return {name: paths for name, paths in found.items() if paths}


def _folders(folder: Path) -> list[Path]:
    return [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith((".", "__"))]


def _pictures(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.iterdir()) if each.suffix.lower() in SUFFIXES)


def read_images(classes: Mapping[str, Classes]) -> dict[str, Images]:
    """Read the pictures of each part.

    Raises:
        DataError: there is no picture in a part, or there are too many pixels.
    """
    read = {part: _read(each) for part, each in classes.items()}
    sizes = Counter(x.shape for xs, *_ in read.values() for x in xs)
    size, note = next(iter(sizes)), []
    if len(sizes) > 1:
        size = SIDE, SIDE
        note = [f"its pictures of {len(sizes):,} sizes were scaled to {SIDE} × {SIDE} pixels"]
    images = {}
    for part, (xs, names, sha256, notes) in read.items():
        x = np.stack([x if x.shape == size else np.rint(scale(x, size)).astype(np.uint8) for x in xs])
        images[part] = Images(x, np.array(names), sha256, (*notes, *note))
        note = []
    return images


def _read(classes: Classes) -> tuple[list[NDArray[np.uint8]], list[str], str, list[str]]:
    images: list[NDArray[np.uint8]] = []
    names: list[str] = []
    broken: list[Path] = []
    total, sha256 = 0, hashlib.sha256()
    for name, paths in classes.items():
        for path in paths:
            content = read_file(path)
            sha256.update(f"{name}/{path.name} {hashlib.sha256(content).hexdigest()}\n".encode())
            try:
                images.append(read_pixels(content))
            except DataError:
                broken.append(path)
                continue
            names.append(name)
            total += images[-1].size
            if total > MOST_PIXELS:
                raise DataError(f"{path.parents[1]}: more than {MOST_PIXELS:,} pixels; must be smaller pictures")
    if not images:
        raise DataError(f"{broken[0].parents[1]}: none of its {len(broken):,} files is a picture that can be read")
    count = len(images) + len(broken)
    notes = [
        f"left out {len(broken):,} of {count:,} files that are no pictures, such as {path.name}" for path in broken
    ]
    return images, names, sha256.hexdigest(), notes[:1]
