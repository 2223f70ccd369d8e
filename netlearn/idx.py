"""Reads IDX files, the format of MNIST, and trusts none of them.

An IDX file is a header (two zero bytes, a type, a number of dimensions, then each dimension as a big-endian 32-bit
number) and the items, one byte each. A header can promise anything, so nothing is allocated or read before the size
that it promises agrees with the file's own.
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
MOST_DEFLATE_EXPANDS = 1032  # no deflate stream expands further (zlib's technical details)
MOST_DATA_EXPAND, SMALL = 200, 50_000_000  # no data set expands further; what unpacks to fewer bytes does no harm


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the items of an IDX file, plain or gzipped (by its name's ending), as an array of that many dimensions.

    Raises:
        DataError: the file cannot be read, is not IDX, holds more or less than it promises, or is empty.
    """
    with _opened(path) as (file, size):
        return _read_items(path, file, dimensions, size)


def shape_of(path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the shape that an IDX file promises, reading no items.

    Raises:
        DataError: the file cannot be read, is not IDX, holds more or less than it promises, or is empty.
    """
    with _opened(path) as (file, size):
        return _read_shape(path, file, dimensions, size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, plain or gzipped, with its size or the one that it states unpacked."""
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
        raise DataError(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _unpacked_size(path: Path, plain: BinaryIO) -> int:
    """Return the unpacked size that the gzip file states in its last four bytes, if it is a possible one."""
    packed = plain.seek(0, os.SEEK_END)
    plain.seek(max(0, packed - 4))
    size = int.from_bytes(plain.read(4), "little")
    plain.seek(0)
    if size > packed * MOST_DEFLATE_EXPANDS:
        raise DataError(f"{path}: states {size:,} bytes unpacked, more than {packed:,} packed bytes can hold")
    if is_bomb(packed, size):
        raise DataError(f"{path}: {packed:,} bytes unpack to {size:,}; no data set is packed so tightly")
    return size


def is_bomb(packed: int, unpacked: int) -> bool:
    """Tell whether packed bytes are made to fill the memory."""
    return unpacked > max(SMALL, packed * MOST_DATA_EXPAND)


def _read_shape(path: Path, file: BinaryIO, dimensions: int, size: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != magic:
        raise DataError(
            f"{path}: starts with {header[:4].hex() or 'nothing'}, an IDX file of its kind with {magic.hex()}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path}: ends inside its header")
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
    count = math.prod(shape)
    if count == 0:
        raise DataError(f"{path}: promises no items: its dimensions are {' x '.join(map(str, shape))}")
    if len(header) + count != size:
        raise DataError(f"{path}: its header promises {len(header) + count:,} bytes, the file holds {size:,}")
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
        raise DataError(f"{path}: goes on after its {count:,} items")
    return items.reshape(shape)
