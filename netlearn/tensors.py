"""Arrays in safetensors files, read only where names, shapes and types are those that are expected.

The format holds plain numbers and no code. The header is read first; nothing is loaded before it agrees.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from netlearn.activations import Array
from netlearn.errors import RunError
from netlearn.files import check_file

MOST_HEADER = 1_000_000  # bytes, with the metadata
BEFORE_HEADER = 8  # bytes, which tell its size
TYPES = {"float32": "F32", "float64": "F64"}


def pack(tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return arrays and texts as the content of a file."""
    return safetensors.numpy.save(dict(tensors), dict(metadata) if metadata else None)


def read_texts(path: Path, most: int) -> dict[str, str]:
    """Return the texts that a file of at most `most` bytes holds beside its arrays.

    Raises:
        RunError: it cannot be read or is no such file.
    """
    _check_header(path, most)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error


def tensor_names(path: Path, most: int) -> list[str]:
    """Return the names of the arrays in a file of at most `most` bytes.

    Raises:
        RunError: it cannot be read or is no such file.
    """
    _check_header(path, most)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            return list(file.keys())
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error


def read_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> dict[str, Array]:
    """Return the arrays of a file that holds exactly those names, with those shapes and that type, all finite.

    Raises:
        RunError: it cannot be read, or holds anything else.
    """
    check_tensors(path, shapes, dtype)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in shapes}
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise RunError(f"{path}: {name} holds numbers that are not finite")
    return tensors


def check_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> None:
    """Check that a file holds exactly arrays of those names, with those shapes and that type, loading none of them.

    Raises:
        RunError: it cannot be read, or holds anything else.
    """
    _check_header(path, sum(math.prod(shape) for shape in shapes.values()) * np.dtype(dtype).itemsize + MOST_HEADER)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            _check_names(path, set(file.keys()), set(shapes))
            for name, shape in shapes.items():
                part = file.get_slice(name)
                found = (tuple(part.get_shape()), part.get_dtype())
                if found != (shape, TYPES[dtype]):
                    raise RunError(f"{path}: {name} is {found[1]} of shape {found[0]}; allowed is {dtype}, {shape}")
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error


def _check_header(path: Path, most: int) -> None:
    """Check that a file of at most `most` bytes has a header of at most `MOST_HEADER`, which is read whole."""
    check_file(path, most)
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(BEFORE_HEADER), "little")
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if size > MOST_HEADER:
        raise RunError(
            f"{path}: not a safetensors file: states a header of {size:,} bytes; allowed are {MOST_HEADER:,}"
        )


def _check_names(path: Path, found: set[str], wanted: set[str]) -> None:
    for names, problem in ((wanted - found, "has no"), (found - wanted, "has, and should not,")):
        if names:
            raise RunError(f"{path}: {problem} {', '.join(sorted(names))[:200]}")


def layer_shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a network's weights and biases, the first hidden layer being layer 1."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        shapes |= {f"weights.{layer}": (n_out, n_in), f"biases.{layer}": (n_out, 1)}
    return shapes


def named(weights: Sequence[Array], biases: Sequence[Array]) -> dict[str, Array]:
    """Return weights and biases by the names that `layer_shapes` gives them."""
    pairs = [("weights", weights), ("biases", biases)]
    return {f"{kind}.{layer}": array for kind, arrays in pairs for layer, array in enumerate(arrays, 1)}
