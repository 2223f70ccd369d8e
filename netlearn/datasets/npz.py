"""The four arrays of an .npz file, read without trusting it: no pickles, and no sizes beyond what it can hold.

An .npz is a zip file of .npy files. The shape in an array's header is compared with the size given by the zip file,
and that with what the compressed bytes can hold, before anything is allocated.
"""

import math
import zipfile
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from netlearn.datasets.idx import MAX_DATA_RATIO, MAX_DEFLATE_RATIO, is_bomb
from netlearn.errors import DataError

KEYS = ("x_train", "y_train", "x_test", "y_test")
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: Path) -> list[NDArray[Any]]:
    """Read x_train, y_train, x_test and y_test.

    Raises:
        DataError: the file cannot be read, is not a valid .npz file of numbers, or lacks one of the arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_array(path, archive, key) for key in KEYS]
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types for a damaged file
        raise DataError(f"{path}: not an .npz file of plain arrays: {type(error).__name__}: {error}") from error


def _read_array(path: Path, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    if f"{key}.npy" not in archive.namelist():
        raise DataError(f"{path}: has no {key}; must hold {', '.join(KEYS)}")
    info = archive.getinfo(f"{key}.npy")
    with archive.open(info) as member:
        version = npy.read_magic(member)
        if version not in HEADERS:
            raise DataError(f"{path}: {key} has .npy version {version[0]}.{version[1]}; must be 1.0 or 2.0")
        shape, _, dtype = HEADERS[version](member)
        if dtype.kind not in "uif":
            raise DataError(f"{path}: {key} is {dtype}; must be numbers")
        promised, held = math.prod(shape) * dtype.itemsize, info.file_size - member.tell()
        if promised != held or info.file_size > (info.compress_size + 1) * MAX_DEFLATE_RATIO:
            raise DataError(f"{path}: {key} has {held:,} bytes; must be {promised:,} by its header")
        if is_bomb(info.compress_size, info.file_size):
            sizes = f"{info.compress_size:,} bytes unpack to {info.file_size:,}"
            raise DataError(f"{path}: {key}: {sizes}; must be at most {MAX_DATA_RATIO} times more")
        member.seek(0)
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array
