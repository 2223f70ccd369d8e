"""Values in memory that worker processes map, so that there is one copy of a data set."""

import mmap
import os
import pickle
import uuid
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any

from netlearn.numerics import ALIGNMENT


class Shared:
    """A value whose arrays the processes of a pool map, read-only; unpickled there, it is the value itself.

    It must live until they have received it. It lies in a file without a name, which Linux has: nothing is left of
    it, however the processes end. Elsewhere a copy of it travels with each task.
    """

    def __init__(self, value: Any) -> None:
        self._value, self._name, self._parts = value, uuid.uuid4().hex, list[tuple[int, int]]()
        try:
            self._file = os.memfd_create("netlearn")
        except (AttributeError, OSError):
            return
        weakref.finalize(self, os.close, self._file)
        self._value, arrays = None, list[pickle.PickleBuffer]()
        content = pickle.PickleBuffer(pickle.dumps(value, 5, buffer_callback=arrays.append))
        with open(self._file, "wb", closefd=False) as file:
            for part in (content, *arrays):
                start = file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
                self._parts.append((start, start + file.write(part.raw())))

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._parts:
            return _itself, (self._value,)
        return _received, (f"/proc/{os.getpid()}/fd/{self._file}", tuple(self._parts), self._name)


def _itself(value: Any) -> Any:
    return value


@lru_cache(maxsize=8)
def _received(path: str, parts: tuple[tuple[int, int], ...], name: str) -> Any:
    """Return the value in a file; the name tells it from an earlier one that had the same place."""
    with Path(path).open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    pickled, *arrays = [content[start:end] for start, end in parts]
    return pickle.loads(pickled, buffers=arrays)  # noqa: S301 (from the parent)
