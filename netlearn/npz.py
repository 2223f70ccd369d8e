"""Reads the four arrays of an .npz data file, and trusts none of it: never a pickle, nothing larger than it holds.

An .npz is a zip of .npy files. The shape that an array's header promises is compared with the size that the zip
states, and that with what so many packed bytes can hold, before anything is allocated.
"""

import math
import zipfile
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from netlearn.errors import DataError
from netlearn.idx import MOST_DEFLATE_EXPANDS, is_bomb

KEYS = ("x_train", "y_train", "x_test", "y_test")
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: Path) -> list[NDArray[Any]]:
    """Return x_train, y_train, x_test and y_test.

    Raises:
        DataError: the file cannot be read, is not an .npz, lacks an array or holds one that is not what it promises.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_array(path, archive, key) for key in KEYS]
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds over a broken file
        raise DataError(f"{path}: not an .npz file of plain arrays: {type(error).__name__}: {error}") from error


def _read_array(path: Path, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    if f"{key}.npy" not in archive.namelist():
        raise DataError(f"{path}: has no {key}; it needs {', '.join(KEYS)}")
    info = archive.getinfo(f"{key}.npy")
    with archive.open(info) as member:
        version = npy.read_magic(member)
        if version not in HEADERS:
            raise DataError(f"{path}: {key} has version {version[0]}.{version[1]}; allowed is 1.0 or 2.0")
        shape, _, dtype = HEADERS[version](member)
        if dtype.kind not in "uif":
            raise DataError(f"{path}: {key} holds {dtype}; allowed are numbers")
        promised, held = math.prod(shape) * dtype.itemsize, info.file_size - member.tell()
        if promised != held or info.file_size > (info.compress_size + 1) * MOST_DEFLATE_EXPANDS:
            raise DataError(f"{path}: {key} promises {promised:,} bytes, the file holds {held:,}")
        if is_bomb(info.compress_size, info.file_size):
            sizes = f"{info.compress_size:,} bytes unpack to {info.file_size:,}"
            raise DataError(f"{path}: {key}: {sizes}; no data set is packed so tightly")
        member.seek(0)
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array
