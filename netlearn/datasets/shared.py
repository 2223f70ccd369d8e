"""A data set in memory that worker processes map, so that it is loaded once.

The memory is that of files without names: nothing is left behind, however the processes end. Linux has such files;
elsewhere each process loads the set.
"""

import mmap
import os
import pickle
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.dataset import Dataset
from netlearn.datasets.loading import hold
from netlearn.datasets.memory import place_of, shareable

Place: TypeAlias = tuple[str, int, int]  # a file, and where in it an array starts and ends, in bytes


class Shared:
    """A data set whose arrays other processes of this user can map; unpickled there, it is the `Dataset` itself.

    Its arrays are read-only there. It must live until they have received it; the last one to end frees the memory.
    Where the system has no such memory, it is None when unpickled.
    """

    def __init__(self, data: Dataset) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self._head = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
        self._arrays = [_shareable(np.asarray(buffer.raw().obj)) for buffer in buffers]

    def __reduce__(self) -> tuple[Any, ...]:
        places = tuple(_place(array) for array in self._arrays)
        return _received, (self._head, None if None in places else places)


def _shareable(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in memory that other processes can map, where the system has it: itself or a copy."""
    if place_of(array) is not None:
        return array
    copy = shareable(array.shape, array.dtype)
    if place_of(copy) is None:
        return array
    np.copyto(copy, array)
    return copy


def _place(array: NDArray[Any]) -> Place | None:
    place = place_of(array)
    if place is None:
        return None
    descriptor, start = place
    return f"/proc/{os.getpid()}/fd/{descriptor}", start, start + array.nbytes


@cache
def _received(head: bytes, places: tuple[Place, ...] | None) -> Dataset | None:
    if places is None:
        return None
    try:
        mapped = {path: _map(path) for path, *_ in places}
    except OSError:  # this system has no such files
        return None
    buffers = [mapped[path][start:end] for path, start, end in places]
    data: Dataset = pickle.loads(head, buffers=buffers)  # noqa: S301 (from the parent)
    return data


def _map(path: str) -> memoryview:
    with open(path, "rb") as file:  # noqa: PTH123 (not a path to a user's file)
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def hold_received(sets: Sequence[Shared | Dataset | None]) -> None:
    """Let `load` return the data sets that were received from another process; it loads those that were not."""
    for each in sets:
        if isinstance(each, Dataset):
            hold(each)
