"""SHA256SUMS, the last file that a run writes: a folder that has it is complete.

It has the format that `sha256sum -c` checks. Its own hash is in a comment on its last line, so that a change of any
byte in any file is detected.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from netlearn.errors import RunError
from netlearn.runs.files import read_bounded, sha256_bounded

NAME = "SHA256SUMS"
MOST_BYTES = 100_000
LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]{0,254})", re.ASCII)


class Sums:
    """The hashes of the files in a folder.

    Args:
        folder: the folder.
        hashes: SHA-256 of each file, by name.
    """

    def __init__(self, folder: Path, hashes: dict[str, str]) -> None:
        self.folder = folder
        self.hashes = hashes

    @classmethod
    def compute(cls, folder: Path, names: Iterable[str]) -> "Sums":
        """Return the hashes of those files that exist."""
        found = [name for name in names if (folder / name).exists()]
        return cls(folder, {name: sha256_bounded(folder / name) for name in found})

    @classmethod
    def read(cls, folder: Path) -> "Sums":
        """Read the hashes of a folder."""
        path = folder / NAME
        if not path.exists():
            raise RunError(f"{folder}: not the folder of a complete run: it has no {NAME}")
        content = read_bounded(path, MOST_BYTES)
        lines = [LINE.fullmatch(line) for line in content.decode("utf-8", "replace").split("\n")]
        sums = cls(folder, {line[2]: line[1] for line in lines if line})
        if sums.encode() != content:
            raise RunError(f"{path}: was changed or damaged after the run ended")
        return sums

    def encode(self) -> bytes:
        """Return the content of the file."""
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in self.hashes.items()).encode()
        return lines + f"# {_sha256(lines)}\n".encode()

    def content(self, name: str, most: int) -> bytes:
        """Return the content of a file of at most `most` bytes, checked against its hash."""
        if name not in self.hashes:
            raise RunError(f"{self.folder}: its {NAME} lists no {name}")
        content = read_bounded(self.folder / name, most)
        self._check(name, _sha256(content))
        return content

    def check_all(self) -> None:
        """Check every file against its hash."""
        for name in self.hashes:
            self._check(name, sha256_bounded(self.folder / name))

    def _check(self, name: str, sha256: str) -> None:
        if sha256 != self.hashes[name]:
            path = self.folder / name
            raise RunError(f"{path}: was changed or damaged after the run ended: its SHA-256 is not that in {NAME}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
