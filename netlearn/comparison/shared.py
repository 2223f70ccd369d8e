"""Values in memory that worker processes map, so that there is one copy of a data set."""

import math
import mmap
import os
import pickle
import uuid
import weakref
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from netlearn.numerics import ALIGNMENT

SMALL = 65_536  # bytes: smaller arrays are copied with what holds them


class Shared:
    """A value whose large arrays the processes of a pool map; unpickled there, it is the value itself.

    It must live until they have received it. It lies in a file without a name, which Linux has: nothing is left of
    it, however the processes end. Elsewhere a copy of it travels with each task.
    """

    def __init__(self, value: Any) -> None:
        self._value, self._name, self._ends = value, uuid.uuid4().hex, list[int]()
        large: list[pickle.PickleBuffer] = []

        def is_small(array: pickle.PickleBuffer) -> bool:
            if array.raw().nbytes >= SMALL:
                large.append(array)
            return array.raw().nbytes < SMALL

        try:
            self._file = os.memfd_create("netlearn")
        except (AttributeError, OSError):
            return
        weakref.finalize(self, os.close, self._file)
        self._value = None
        with open(self._file, "wb", closefd=False) as file:
            pickle.Pickler(file, 5, buffer_callback=is_small).dump(value)
            self._ends.append(file.tell())
            for array in large:
                file.seek(_aligned(self._ends))
                file.write(array.raw())
                self._ends.append(file.tell())

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._ends:
            return _itself, (self._value,)
        return _received, (f"/proc/{os.getpid()}/fd/{self._file}", tuple(self._ends), self._name)


def _aligned(ends: Sequence[int]) -> int:
    """Return where the next part begins, in bytes."""
    return ALIGNMENT * math.ceil(ends[-1] / ALIGNMENT) if ends else 0


def _itself(value: Any) -> Any:
    return value


@lru_cache(maxsize=8)
def _received(path: str, ends: tuple[int, ...], name: str) -> Any:
    """Return the value in a file; its arrays are read-only. The name tells it from one that had the same place."""
    with Path(path).open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    parts = [content[_aligned(ends[:number]) : end] for number, end in enumerate(ends)]
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 (from the parent)
