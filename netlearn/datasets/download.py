"""Downloading files from the first mirror that has them.

Each file is checked against its SHA-256 before it is moved into the folder, which so never holds a wrong or partial
file.
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
    """A progress bar for one file, such as tqdm's."""

    total: float | None

    def update(self, n: int) -> object:
        """Add n bytes."""
        ...

    def close(self) -> object:
        """Finish the bar."""
        ...


MAX_BYTES = 100_000_000  # the largest known file has 26 million
CHUNK = 65536


class _AbandonedError(Exception):
    """A download took too long or grew too large."""


def fetch(
    files: dict[str, str],
    mirrors: Iterable[str],
    folder: Path,
    *,
    silence: float = 10,
    within: float = float("inf"),
    progress: Callable[[str], Progress] | None = None,
) -> None:
    """Download into `folder` the files that are not there yet, trying one mirror after another.

    Args:
        files: SHA-256 of each file, by name.
        mirrors: addresses that end in a slash, the preferred one first.
        folder: created if it does not exist.
        silence: seconds without a byte after which a mirror is abandoned.
        within: seconds after which the whole download is abandoned.
        progress: returns a progress bar, given a file's name.

    Raises:
        DataError: no mirror has the files (each is named with the reason), or the folder cannot be written.
    """
    deadline = time.monotonic() + within
    reasons = []
    for mirror in mirrors:
        if time.monotonic() > deadline:
            break
        try:
            for name, sha256 in files.items():
                _fetch_one(mirror + name, sha256, folder / name, silence, deadline, progress)
        except (requests.RequestException, urllib3.exceptions.HTTPError, _AbandonedError) as error:
            reasons.append(f"{mirror} ({_reason(error)})")
        except ValueError:  # raised by pooch if the hash differs
            reasons.append(f"{mirror} ({name} has the wrong SHA-256)")
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
        else:
            return
    raise DataError(f"no mirror has the files: {', '.join(reasons)}")


def _fetch_one(
    url: str,
    sha256: str,
    path: Path,
    silence: float,
    deadline: float,
    progress: Callable[[str], Progress] | None,
) -> None:
    """Download one file unless it is there; pooch checks its hash and moves it into place.

    pooch's own downloader waits for whole chunks, so a server that sends one byte a second could block it for hours.
    """

    def stream(url: str, output_file: str, _: object) -> None:
        remaining = deadline - time.monotonic()
        headers = {"Accept-Encoding": "identity"}  # no decompression of the .gz on the way
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
                if file.tell() > MAX_BYTES:
                    raise _AbandonedError("too large")
                if time.monotonic() > deadline:
                    raise _AbandonedError("too slow")

    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=stream)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, _AbandonedError):
        return str(error)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "connection lost"
    return "cannot be reached"
