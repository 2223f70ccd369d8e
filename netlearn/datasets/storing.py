"""Arrays that a caller gives, stored as the .npz file of a data set."""

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlearn.datasets.arrays import Named
from netlearn.datasets.npz import KEYS, VALIDATION_KEYS
from netlearn.datasets.splitting import split
from netlearn.errors import DataError


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
