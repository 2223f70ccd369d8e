"""IDX files, the format of MNIST, plain or gzipped, read without trusting their headers.

An IDX file is a header (two zero bytes, a type, the number of dimensions, then each dimension as a big-endian 32-bit
number) and the items, one unsigned byte each. Nothing is allocated or read before the size given by the header agrees
with the size of the file.
"""

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from netlearn.errors import DataError

UNSIGNED_BYTE = 0x08
MAX_DEFLATE_RATIO = 1032  # of any deflate stream (zlib's technical details)
MAX_DATA_RATIO, SMALL = 200, 50_000_000  # data sets compress less; anything that unpacks to fewer bytes is harmless


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file with that many dimensions; a name that ends in .gz means that it is gzipped.

    Raises:
        DataError: the file cannot be read, is not a valid IDX file of that many dimensions, or has no items.
    """
    with _opened(path) as (file, size):
        return _read_items(path, file, dimensions, size)


def shape_of(path: Path, dimensions: int) -> tuple[int, ...]:
    """Read only the shape of an IDX file.

    Raises:
        DataError: as for `read_idx`.
    """
    with _opened(path) as (file, size):
        return _read_shape(path, file, dimensions, size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, plain or gzipped; yields it with its uncompressed size."""
    try:
        with path.open("rb") as plain:
            if path.suffix != ".gz":
                size = plain.seek(0, os.SEEK_END)
                plain.seek(0)
                yield plain, size
                return
            size = _unpacked_size(path, plain)
            with gzip.open(plain) as unpacked:
                yield cast(BinaryIO, unpacked), size
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a complete gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _unpacked_size(path: Path, plain: BinaryIO) -> int:
    """Return the uncompressed size that a gzip file gives in its last four bytes, if it is plausible."""
    packed = plain.seek(0, os.SEEK_END)
    plain.seek(max(0, packed - 4))
    size = int.from_bytes(plain.read(4), "little")
    plain.seek(0)
    if size > packed * MAX_DEFLATE_RATIO:
        raise DataError(f"{path}: {packed:,} bytes cannot unpack to {size:,}, the size given at its end")
    if is_bomb(packed, size):
        raise DataError(f"{path}: {packed:,} bytes unpack to {size:,}; must be at most {MAX_DATA_RATIO} times more")
    return size


def is_bomb(packed: int, unpacked: int) -> bool:
    """Return whether so few bytes unpack to so many only in order to exhaust the memory."""
    return unpacked > max(SMALL, packed * MAX_DATA_RATIO)


def _read_shape(path: Path, file: BinaryIO, dimensions: int, size: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != magic:
        raise DataError(f"{path}: starts with {header[:4].hex() or 'nothing'}; must be {magic.hex()}, an IDX header")
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path}: ends inside its header")
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
    count = math.prod(shape)
    if count == 0:
        raise DataError(f"{path}: dimensions {' x '.join(map(str, shape))}; must be 1 or more each")
    if len(header) + count != size:
        raise DataError(f"{path}: {size:,} bytes; must be {len(header) + count:,} by its header")
    return shape


def _read_items(path: Path, file: BinaryIO, dimensions: int, size: int) -> NDArray[np.uint8]:
    shape = _read_shape(path, file, dimensions, size)
    count = math.prod(shape)
    items = np.empty(count, np.uint8)
    view, filled = items.data, 0
    while filled < count:
        got = file.readinto(view[filled:])  # type: ignore[attr-defined]
        if not got:
            raise DataError(f"{path}: ends after {filled:,} of {count:,} items")
        filled += got
    if file.read(1):
        raise DataError(f"{path}: has more than its {count:,} items")
    return items.reshape(shape)
