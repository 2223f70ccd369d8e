"""Memory for large arrays that other processes can map: files without names, which Linux has."""

import math
import mmap
import os
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_descriptors: weakref.WeakKeyDictionary[mmap.mmap, int] = weakref.WeakKeyDictionary()


def shareable(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return a new array that other processes can map; an ordinary one where the system has no such memory.

    It takes two file descriptors. A forked process that changes it changes it here too.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        descriptor = os.memfd_create("netlearn")
    except (AttributeError, OSError):
        return np.empty(shape, dtype)
    try:
        os.ftruncate(descriptor, size)
        memory = mmap.mmap(descriptor, size)
    except (OSError, ValueError):  # too large, or empty
        os.close(descriptor)
        return np.empty(shape, dtype)
    _descriptors[memory] = descriptor
    weakref.finalize(memory, os.close, descriptor)
    return np.frombuffer(memory, dtype).reshape(shape)


def place_of(array: NDArray[Any]) -> tuple[int, int] | None:
    """Return the file descriptor of the memory of an array, and where in it the array starts, in bytes.

    Returns None if other processes cannot map it.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    memory = owner.obj if isinstance(owner, memoryview) else None
    if not isinstance(memory, mmap.mmap) or memory not in _descriptors:
        return None
    start = np.frombuffer(memory, np.uint8).ctypes.data
    return _descriptors[memory], array.ctypes.data - start
