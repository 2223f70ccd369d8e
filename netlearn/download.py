"""Brings the files of a known data set into a folder, from whichever of its mirrors has them.

Each file is checked against its SHA-256 before it takes its place, so the folder never holds a wrong or half one.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Protocol

import pooch
import requests
import urllib3.exceptions

from netlearn.errors import DataError


class Progress(Protocol):
    """What shows how far one file is; a tqdm bar is one."""

    total: float | None

    def update(self, n: int) -> object:
        """Count n more bytes."""
        ...

    def close(self) -> object:
        """Leave it as it is."""
        ...


MOST_BYTES = 100_000_000  # the largest known file has 26 million
CHUNK = 65536


class _GaveUpError(Exception):
    """The download went on longer, or grew larger, than is sensible."""


def fetch(
    files: dict[str, str],
    mirrors: Iterable[str],
    folder: Path,
    *,
    silence: float = 10,
    within: float = float("inf"),
    progress: Callable[[str], Progress] | None = None,
) -> None:
    """Download into `folder` what is not there yet, trying mirror after mirror.

    Args:
        files: SHA-256 of each file, by name.
        mirrors: addresses that end in a slash, the preferred one first.
        folder: made where it does not exist.
        silence: seconds without a byte after which a mirror is given up.
        within: seconds after which everything is given up.
        progress: makes a progress for a file's name.

    Raises:
        DataError: naming each mirror with its reason, or the folder that cannot be written.
    """
    give_up_at = time.monotonic() + within
    reasons = []
    for mirror in mirrors:
        if time.monotonic() > give_up_at:
            break
        try:
            for name, sha256 in files.items():
                _fetch_one(mirror + name, sha256, folder / name, silence, give_up_at, progress)
        except (requests.RequestException, urllib3.exceptions.HTTPError, _GaveUpError) as error:
            reasons.append(f"{mirror} ({_reason(error)})")
        except ValueError:  # how pooch says that a hash differs
            reasons.append(f"{mirror} ({name} has the wrong SHA-256)")
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
        else:
            return
    raise DataError(f"no mirror could give the files: {', '.join(reasons)}")


def _fetch_one(
    url: str,
    sha256: str,
    path: Path,
    silence: float,
    give_up_at: float,
    progress: Callable[[str], Progress] | None,
) -> None:
    """Let pooch find, check and place the file; what it does not have is streamed here.

    pooch's own downloader waits for whole chunks, so a server that sends a byte a second would hold it for hours.
    """

    def stream(url: str, output_file: str, _: object) -> None:
        remaining = give_up_at - time.monotonic()
        headers = {"Accept-Encoding": "identity"}  # the .gz as it is, never unpacked on the way
        with (
            requests.get(url, stream=True, timeout=max(0.1, min(silence, remaining)), headers=headers) as response,
            Path(output_file).open("wb") as file,
            closing(progress(path.name)) if progress else nullcontext() as bar,
        ):
            response.raise_for_status()
            if bar is not None:
                length = response.headers.get("Content-Length", "")
                bar.total = int(length) if length.isdecimal() else None
            while chunk := response.raw.read1(CHUNK):
                file.write(chunk)
                if bar is not None:
                    bar.update(len(chunk))
                if file.tell() > MOST_BYTES:
                    raise _GaveUpError("too large")
                if time.monotonic() > give_up_at:
                    raise _GaveUpError("too slow")

    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=stream)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, _GaveUpError):
        return str(error)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "broke off"
    return "cannot be reached"
