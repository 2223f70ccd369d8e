"""IDX files, the format of MNIST, plain or gzipped, read without trusting their headers; and folders of them.

An IDX file is a header (two zero bytes, a type, the number of dimensions, then each dimension as a big-endian 32-bit
number) and the items, big-endian. Nothing is read or unpacked before the size given by the header agrees with the
size of the file.

The four files of a data set are found under any of their usual names: MNIST's own, 7-Zip's (`.idx3-ubyte`), with the
prefix of a family (`emnist-letters-train-images-idx3-ubyte`), in folders that have the names of files, and one or two
folders down (`MNIST/raw`).
"""

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.reading import content_of, describe, is_packed, start_of, unpacked_size
from netlearn.errors import DataError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 4
PARTS = {"train": "train", "t10k": "test", "test": "test", "val": "val"}
DEPTH = 2  # folders below the one that is named
MOST_FOLDERS = 100  # looked into
WORDS = re.compile(r"\.gz$|train(ing)?|t10k|test|val(idation)?|images?|labels?|idx\d?|u?byte|int|^[xy](?=[-_])")

Shape: TypeAlias = tuple[int, ...]
Files: TypeAlias = dict[str, list[Path]]  # the files of each array, such as "x_train"; several should be equal


def read_idx(path: Path, dimensions: int | None = None) -> NDArray[Any]:
    """Read an IDX file, with the given number of dimensions if one is given."""
    dtype, shape = header_of(path, dimensions)
    return np.frombuffer(content_of(path), dtype, offset=4 + 4 * len(shape)).reshape(shape)


def header_of(path: Path, dimensions: int | None = None) -> tuple[np.dtype[Any], Shape]:
    """Return the type and the shape of the items of an IDX file, without reading them."""
    header = start_of(path, 4 + 4 * MOST_DIMENSIONS)
    if not is_idx(header) or dimensions not in {None, header[3]}:
        wanted = dimensions or "1 to 4"
        problem = f"it is an IDX file of {header[3]} dimensions" if is_idx(header) else describe(path)
        raise DataError(f"{path}: {problem}; must be an IDX file of {wanted} dimensions")
    header = header[: 4 + 4 * header[3]]
    if len(header) < 4 + 4 * header[3]:
        raise DataError(f"{path}: ends inside its header")
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
    dtype = np.dtype(TYPES[header[2]])
    if math.prod(shape) == 0:
        raise DataError(f"{path}: dimensions {' x '.join(map(str, shape))}; must be 1 or more each")
    size, needed = unpacked_size(path), len(header) + math.prod(shape) * dtype.itemsize
    if size != needed:
        raise DataError(f"{path}: {size:,} bytes; must be {needed:,} by its header")
    return dtype, shape


def is_idx(start: bytes) -> bool:
    """Return whether a file begins as an IDX file does."""
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in TYPES and 1 <= start[3] <= MOST_DIMENSIONS


def find_sets(folder: Path, depth: int = DEPTH) -> dict[str, Files]:
    """Return the files of the IDX data sets in a folder, by their families' names, "" for MNIST's own names."""
    sets: dict[str, Files] = defaultdict(lambda: defaultdict(list))
    for path in _candidates(folder):
        family, key = _meaning(path)
        if key:
            sets[family][key].append(path)
    if not sets and depth:
        for each in _folders(folder):
            for family, files in find_sets(each, depth - 1).items():
                sets["/".join(filter(None, (each.name, family)))] = files
    return {family: dict(files) for family, files in sets.items()}


def _candidates(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, and those in folders with the names of files, as some archives unpack."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _meaning(path)[1]:
            yield from (each for each in sorted(path.iterdir()) if each.is_file())
        elif path.is_file():
            yield path


def _folders(folder: Path) -> list[Path]:
    inner = (path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith((".", "__")))
    return [path for path, _ in zip(inner, range(MOST_FOLDERS), strict=False)]


def _meaning(path: Path) -> tuple[str, str]:
    """Return the family of a file, and the key of the array that it holds by its name, "" if it holds none."""
    name = path.name.lower()
    part = re.search("train|t10k|test|val", name)
    images = re.search(r"image|idx[34]|^x[-_]", name)
    labels = re.search(r"label|idx[12]|^y[-_]", name)
    if part is None or not (images or labels) or not re.search(r"idx|ubyte", name):
        return "", ""
    family = re.sub(r"[-_. ]+", "-", WORDS.sub("", name)).strip("-")
    return family, f"{'x' if images else 'y'}_{PARTS[part[0]]}"


def choose(paths: list[Path]) -> Path:
    """Return one of the files that hold the same array: a gzipped one if there is one.

    Raises:
        DataError: they differ.
    """
    paths = sorted(paths, key=lambda path: not is_packed(path))
    if len(paths) > 1 and len({hashlib.sha256(content_of(path)).digest() for path in paths}) > 1:
        raise DataError(f"{' and '.join(map(str, paths))}: differ; must be one of them, or equal")
    return paths[0]
