"""IDX files, the format of MNIST, plain or gzipped, read without trusting their headers.

An IDX file is a header (two zero bytes, a type, the number of dimensions, then each dimension as a big-endian 32-bit
number) and the items, one unsigned byte each. Nothing is read or unpacked before the size given by the header agrees
with the size of the file.
"""

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from netlearn.errors import DataError

UNSIGNED_BYTE = 0x08
MAX_RATIO, SMALL = 200, 10_000_000  # data sets compress less; that few bytes are harmless
MAX_PACKED_HEADER = 100_000  # bytes; far more than the header of any gzip file and the start of its data


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file with the given number of dimensions, gzipped if its name ends in .gz."""
    with _opened(path) as (file, size):
        shape = _read_shape(path, file, dimensions, size)
        content = _read_all(path, file, size)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def shape_of(path: Path, dimensions: int) -> tuple[int, ...]:
    """Read only the shape of an IDX file."""
    with _opened(path) as (file, size):
        return _read_shape(path, file, dimensions, size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, plain or gzipped; yields it with its unpacked size."""
    try:
        with path.open("rb") as file:
            yield file, _unpacked_size(path, file)
    except zlib.error as error:
        raise DataError(f"{path}: not a complete gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def check_unpacked_size(path: Path, packed: int, unpacked: int) -> None:
    """Reject a file that unpacks to far more bytes than a data set would, as a zip bomb does."""
    if unpacked > max(SMALL, packed * MAX_RATIO):
        raise DataError(f"{path}: {packed:,} bytes unpack to {unpacked:,}; must be at most {MAX_RATIO} times more")


def _unpacked_size(path: Path, file: BinaryIO) -> int:
    """Return the size of a plain file, or the plausible size that a gzip file gives in its last four bytes."""
    packed = file.seek(0, os.SEEK_END)
    if path.suffix != ".gz":
        return packed
    file.seek(max(0, packed - 4))
    size = int.from_bytes(file.read(4), "little")
    check_unpacked_size(path, packed, size)
    if packed > size + MAX_PACKED_HEADER:
        raise DataError(f"{path}: {packed:,} bytes unpack to only {size:,}; must be one gzipped IDX file")
    return size


def _read_shape(path: Path, file: BinaryIO, dimensions: int, size: int) -> tuple[int, ...]:
    header = _read_start(path, file, 4 + 4 * dimensions)
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


def _read_start(path: Path, file: BinaryIO, count: int) -> bytes:
    """Return the first bytes of an open file, unpacked."""
    file.seek(0)
    if path.suffix != ".gz":
        return file.read(count)
    return _gunzip().decompress(file.read(MAX_PACKED_HEADER), count)


def _read_all(path: Path, file: BinaryIO, size: int) -> bytes:
    """Return the whole of an open file, unpacked; it must have the given size."""
    file.seek(0)
    if path.suffix != ".gz":
        return file.read(size)
    unpacker = _gunzip()
    content = unpacker.decompress(file.read(), size + 1)
    if not unpacker.eof or unpacker.unused_data or len(content) != size:
        raise DataError(f"{path}: not a complete gzip file; must unpack to {size:,} bytes, the size given at its end")
    return content


def _gunzip() -> "zlib._Decompress":
    """Return a decompressor of one gzip stream that checks its CRC; gzip.open would read any number of empty ones."""
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
