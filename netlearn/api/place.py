"""Where the files of a result are."""

import atexit
import shutil
import tempfile
import time
import weakref
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

from netlearn.errors import RunError
from netlearn.runs import lock

PREFIX = "netlearn-session-"
NEW = 60  # seconds in which a process locks the folder that it has made


class Place:
    """The folder that a caller named, or a temporary one, which is removed when nothing refers to this any more.

    Attributes:
        folder: where the files are.
        is_temporary: whether they will be removed.
        beside: the folder for the data set that they refer to; None if they are temporary.
    """

    def __init__(self, out: str | Path | None = None) -> None:
        self.is_temporary = out is None
        if out is None:
            temporary = _made(None, session())
            weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
        self.folder = temporary / "result" if out is None else Path(out)
        self.beside = None if out is None else self.folder.parent


@cache
def session() -> Path:
    """Return a temporary folder that lasts until Python ends.

    A killed process leaves its folder, without the lock on it; the next process removes it.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(RunError, OSError):
            if time.time() - left.stat().st_mtime > NEW:
                with lock(left, within=0):
                    shutil.rmtree(left)
    folder = _made(PREFIX, None)
    until_exit = ExitStack()
    until_exit.enter_context(lock(folder))
    until_exit.callback(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(until_exit.close)
    return folder


def _made(prefix: str | None, parent: Path | None) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        raise RunError(f"no temporary folder can be made: {error.strerror}") from error
