"""Where the files of a result are."""

import shutil
import tempfile
import weakref
from pathlib import Path

from netlearn.errors import RunError


class Place:
    """The folder that a caller named, or a temporary one, which is removed when nothing refers to this any more.

    Attributes:
        folder: where the files are.
        is_temporary: whether they will be removed.
        beside: the folder for the data set that they refer to; None if they are temporary.
    """

    def __init__(self, out: str | Path | None = None) -> None:
        self.is_temporary = out is None
        if out is not None:
            self.folder = Path(out)
            self.beside: Path | None = self.folder.parent
            return
        try:
            temporary = Path(tempfile.mkdtemp(prefix="netlearn-"))
        except OSError as error:
            raise RunError(f"no temporary folder can be made: {error.strerror}") from error
        weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
        self.folder, self.beside = temporary / "result", None
