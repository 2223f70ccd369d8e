"""The lock of a folder: exclusive for a writer, shared by readers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from netlearn.errors import RunError

WITHIN, AGAIN = 1.0, 0.01  # seconds to wait and between attempts: readers and killed processes release it soon


@contextmanager
def lock(path: Path, *, shared: bool = False, within: float = WITHIN) -> Iterator[None]:
    """Keep other processes from writing to a folder, and from reading it if the lock is not shared.

    Raises:
        RunError: another process holds the lock for longer than `within`, in seconds, or there is no such folder.
    """
    if os.name == "nt" or (
        shared and not path.is_dir()
    ):  # Windows has no such locks; a reader reports what is missing
        yield
        return
    import fcntl  # noqa: PLC0415 (Windows has none)

    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RunError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        give_up_at = monotonic() + within
        while True:
            try:
                fcntl.flock(folder, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if monotonic() > give_up_at:
                    raise RunError(f"{path}: in use by another process; wait until it ends") from error
                sleep(AGAIN)
        if not (path.exists() and os.path.samestat(os.fstat(folder), path.stat())):
            raise RunError(f"{path}: was removed by another process")
        yield
    finally:
        os.close(folder)
