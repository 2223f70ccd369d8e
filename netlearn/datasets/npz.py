"""The arrays of an .npz file: read without trusting it (no pickles, no sizes beyond what it can hold), or stored.

An .npz is a zip file of .npy files, stored or deflated. The shape in an array's header is compared with the size that
the zip file gives, and that with the size of the file itself, before anything is allocated.
"""

import hashlib
import io
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from netlearn.datasets.arrays import Named
from netlearn.datasets.idx import check_unpacked_size
from netlearn.datasets.splitting import split
from netlearn.errors import DataError

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_val", "y_val")  # read where they are present
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes; bzip2 and LZMA expand a million times
MAX_DIRECTORY = 100_000  # bytes of the list of members: over a thousand


class _DirectoryReader(io.FileIO):
    """A file that rejects long reads: zipfile reads the whole list of members at once, then takes 6 µs for each."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise DataError(f"{self.name}: its list of members has {size:,} bytes; must be at most {MAX_DIRECTORY:,}")
        return super().read(size)


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays x_train, y_train, x_test, y_test and, if the file has them, x_val and y_val."""
    try:
        with _DirectoryReader(path) as file, zipfile.ZipFile(file) as archive:
            members = _members(path, archive)
        with zipfile.ZipFile(path) as archive:
            return {key: _read_array(path, archive, key, member) for key, member in members.items()}
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types for a damaged file
        raise DataError(f"{path}: not a valid .npz file: {type(error).__name__}: {error}") from error


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members that hold the arrays, by key, after checking their methods and sizes."""
    found = {member.filename: member for member in archive.infolist()}
    keys = KEYS + VALIDATION_KEYS * any(f"{key}.npy" in found for key in VALIDATION_KEYS)
    missing = [key for key in keys if f"{key}.npy" not in found]
    if missing:
        raise DataError(f"{path}: has no {missing[0]}; must hold {', '.join(keys)}")
    members = {key: found[f"{key}.npy"] for key in keys}
    for key, member in members.items():
        if member.compress_type not in METHODS:
            raise DataError(
                f"{path}: {key} uses zip method {member.compress_type}; must be 0, stored, or 8, deflated"
            )
    check_unpacked_size(path, path.stat().st_size, sum(member.file_size for member in members.values()))
    return members


def _read_array(path: Path, archive: zipfile.ZipFile, key: str, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        version = npy.read_magic(member)
        if version not in HEADERS:
            raise DataError(f"{path}: {key} has .npy version {version[0]}.{version[1]}; must be 1.0 or 2.0")
        shape, _, dtype = HEADERS[version](member)
        if dtype.kind not in "buif":
            raise DataError(f"{path}: {key} is {dtype}; must be numbers")
        needed, held = math.prod(shape) * dtype.itemsize, info.file_size - member.tell()
        if needed != held:
            raise DataError(f"{path}: {key} has {held:,} bytes; must be {needed:,} by its header")
        member.seek(0)
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array


def store(arrays: Mapping[str, ArrayLike], folder: Path) -> Path:
    """Store the arrays of a data set in a folder, in a file named by its content, and return its path.

    Args:
        arrays: x_train, y_train, x_test, y_test and, if given, x_val and y_val: images of shape (n, n_in) or
            (n, height, width), labels of shape (n,).
        folder: made if it does not exist.

    Raises:
        DataError: an array is missing, or has the wrong shape, type or labels, or the file cannot be written.
    """
    if set(arrays) not in (set(KEYS), {*KEYS, *VALIDATION_KEYS}):
        raise DataError(
            f"data: {', '.join(map(str, arrays)) or 'no arrays'}; must be {', '.join(KEYS)} and, if given, "
            f"{' and '.join(VALIDATION_KEYS)}"
        )
    named = {key: Named(f"data: {key}", _as_array(key, values)) for key, values in arrays.items()}
    split("data", "data", named, {})  # checks them
    content = io.BytesIO()
    np.savez(content, **{key: array.values for key, array in named.items()})  # type: ignore[arg-type]  # its kwds
    path = folder / f"data-{hashlib.sha256(content.getbuffer()).hexdigest()[:8]}.npz"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.getbuffer())
        partial.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error
    return path.absolute()


def _as_array(key: str, values: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except Exception as error:  # any library's own arrays
        raise DataError(f"data: {key}: cannot be converted to an array: {' '.join(str(error).split())}") from error
