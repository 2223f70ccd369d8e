"""A data set in memory that worker processes map, so that it is loaded once.

The memory is a file without a name: nothing is left behind, however the processes end. Linux has such files;
elsewhere each process loads the set.
"""

import mmap
import os
import pickle
import weakref
from collections.abc import Sequence
from functools import cache
from typing import Any

from netlearn.datasets.dataset import Dataset
from netlearn.datasets.loading import hold
from netlearn.numerics import ALIGNMENT


class Shared:
    """A data set whose arrays other processes of this user can map; unpickled there, it is the `Dataset` itself.

    Its arrays are read-only there. It must live until they have received it; the last one to end frees the memory.
    Where the system has no such memory, it is None when unpickled.
    """

    def __init__(self, data: Dataset) -> None:
        arrays: list[pickle.PickleBuffer] = []
        head = pickle.dumps(data, protocol=5, buffer_callback=arrays.append)
        path, spans = "", []
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("netlearn")
            weakref.finalize(self, os.close, descriptor)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                for array in arrays:
                    start = file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
                    file.write(array.raw())
                    spans.append((start, file.tell()))
            path = f"/proc/{os.getpid()}/fd/{descriptor}"
        self._arguments = (path, head, tuple(spans))

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, self._arguments


@cache
def _received(path: str, head: bytes, spans: tuple[tuple[int, int], ...]) -> Dataset | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (not a path to a user's file)
            memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError:  # this system has no such files
        return None
    data: Dataset = pickle.loads(head, buffers=[memory[slice(*span)] for span in spans])  # noqa: S301 (from the parent)
    return data


def hold_received(sets: Sequence[Shared | Dataset | None]) -> None:
    """Let `load` return the data sets that were received from another process; it loads those that were not."""
    for each in sets:
        if isinstance(each, Dataset):
            hold(each)
