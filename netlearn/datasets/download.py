"""Downloading files from the first mirror that has them.

Each file is checked against its SHA-256 before it is moved into the folder, so the folder never holds a wrong or
partial file.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pooch
import requests
import urllib3.exceptions
from tqdm import tqdm

from netlearn.errors import DataError

MakeBar: TypeAlias = Callable[[str], "tqdm[Any]"] | None  # of a progress bar, given a file's name
MAX_BYTES = 100_000_000  # the largest known file has 26 million
CHUNK = 65536


def fetch(
    files: dict[str, str],
    mirrors: Iterable[str],
    folder: Path,
    *,
    silence: float = 10,
    within: float = float("inf"),
    progress: MakeBar = None,
) -> None:
    """Download the files that are not yet in a folder, trying one mirror after another.

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
    stream = partial(_stream, silence=silence, deadline=deadline, progress=progress)
    pooch.get_logger().setLevel("WARNING")
    reasons = []
    for mirror in mirrors:
        if time.monotonic() > deadline:
            break
        try:
            for name, sha256 in files.items():
                pooch.retrieve(mirror + name, f"sha256:{sha256}", fname=name, path=folder, downloader=stream)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reasons.append(f"{mirror} ({_reason(error)})")
        except ValueError:  # raised by pooch if the hash differs
            reasons.append(f"{mirror} ({name} has the wrong SHA-256)")
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
        else:
            return
    raise DataError(f"no mirror has the files: {', '.join(reasons)}")


def _stream(url: str, output_file: str, _: object, *, silence: float, deadline: float, progress: MakeBar) -> None:
    """Download one file for pooch, which checks its hash.

    pooch's own downloader waits for whole chunks, so a server that sends one byte a second could block it for hours.
    """
    timeout = max(0.1, min(silence, deadline - time.monotonic()))
    headers = {"Accept-Encoding": "identity"}  # no decompression of the .gz on the way
    with (
        requests.get(url, stream=True, timeout=timeout, headers=headers) as response,
        Path(output_file).open("wb") as file,
        progress(url.rpartition("/")[2]) if progress else tqdm(disable=True) as bar,
    ):
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        bar.total = int(length) if length.isdecimal() else None
        while (chunk := response.raw.read1(CHUNK)) and file.tell() < MAX_BYTES:  # cut off, its hash is wrong
            bar.update(file.write(chunk))
            if time.monotonic() > deadline:
                raise requests.Timeout


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "timed out"
    return "connection lost" if isinstance(error, urllib3.exceptions.ProtocolError) else "cannot be reached"
