"""Arrays in the safetensors format, which holds numbers and no code."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from netlearn.errors import RunError
from netlearn.numerics import Array

MOST_HEADER = 1_000_000  # bytes, with the metadata
BEFORE_HEADER = 8  # bytes, which hold its size
METADATA = "__metadata__"


def pack(tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return arrays and texts as the content of a file."""
    return safetensors.numpy.save(dict(tensors), dict(metadata) if metadata else None)


def unpack_metadata(path: Path, content: bytes) -> dict[str, str]:
    """Return the texts in the content of a file."""
    size = int.from_bytes(content[:BEFORE_HEADER], "little")
    if size > MOST_HEADER:
        raise RunError(f"{path}: not a safetensors file: a header of {size:,} bytes: must be at most {MOST_HEADER:,}")
    try:
        header = msgspec.json.decode(content[BEFORE_HEADER : BEFORE_HEADER + size], type=dict[str, msgspec.Raw])
        return msgspec.json.decode(header.get(METADATA, b"{}"), type=dict[str, str])
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error


def unpack(
    path: Path, content: bytes, shapes: Mapping[str, tuple[int, ...]], dtype: str, *, finite: bool = True
) -> dict[str, Array]:
    """Return the arrays in the content of a file, which must have the given names, shapes and dtype.

    With `finite`, all their numbers must be finite.
    """
    unpack_metadata(path, content)  # bounds the header before it is parsed
    try:
        tensors = safetensors.numpy.load(content)
    except (ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error
    if tensors.keys() != shapes.keys():
        names, wrong = ", ".join(shapes), ", ".join(sorted(tensors.keys() ^ shapes.keys()))
        raise RunError(f"{path}: its arrays must be {names[:200]}; missing or unexpected: {wrong[:200]}")
    for name, shape in shapes.items():
        found = tensors[name]
        if (found.shape, found.dtype) != (shape, np.dtype(dtype)):
            raise RunError(f"{path}: {name}: {found.dtype} of shape {found.shape}: must be {dtype}, {shape}")
        if finite and not np.isfinite(found).all():
            raise RunError(f"{path}: {name} has numbers that are not finite")
    return tensors


def most_bytes(shapes: Mapping[str, tuple[int, ...]], dtype: str) -> int:
    """Return the largest size of a file with arrays of these shapes."""
    return sum(int(np.prod(shape)) for shape in shapes.values()) * np.dtype(dtype).itemsize + MOST_HEADER
