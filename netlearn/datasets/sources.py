"""Where the known data sets are: in the user's own folder, in the cache, or on a mirror, to be downloaded.

Every file of a known data set is checked against its SHA-256, wherever it is found; a downloaded one before it is
moved into the cache, which never holds a wrong or partial file.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import platformdirs

from netlearn.datasets.reading import errors_named
from netlearn.errors import DataError

if TYPE_CHECKING:
    from tqdm import tqdm

MakeBar: TypeAlias = "Callable[[str], tqdm[Any]] | None"  # of a progress bar, given a file's name
MAX_BYTES = 100_000_000  # of a download; the largest known file has 26 million
CHUNK = 65536
AUTO = {"silence": 3.0, "within": 8.0}  # time limits of a download for "auto", in seconds
BUNDLED = Path(__file__).parent / "mnist_5k"  # comes with netlearn
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class Source:
    """A known data set: its mirrors, the size of its download, the SHA-256 of its files in the order of `FILES`.

    `unpacked` has those of the same files unpacked, where they are known.
    """

    mirrors: tuple[str, ...]
    megabytes: int
    sha256: tuple[str, ...]
    unpacked: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file, by name."""
        return {f"{file}.gz": sha256 for file, sha256 in zip(FILES, self.sha256, strict=True)}


SOURCES = {
    "mnist": Source(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        megabytes=12,
        sha256=(
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        unpacked=(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    "fashion-mnist": Source(
        mirrors=("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",),
        megabytes=31,
        sha256=(
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
}
BUNDLED_SHA256 = (  # of the files in BUNDLED, in the order of FILES
    "d2652a4ee27cb760524979b7c483783eefe37e3889ebd8dd7ac06ae3118f54e2",
    "3555152ffba47d4af0db339f7c360d1520916dce04ad6555d5be2b55229a2825",
    "f37db61963514ec7b43e791877113890e61f380b7bc5c92208cfede7a417c144",
    "29542d2c1ef70d5b8ef7c9cc0a82d61cd929f7399a34e9ff40d69de4d261108d",
)


def is_known(sha256: Iterable[str]) -> bool:
    """Return whether files, in the order of `FILES`, are those of a known or the bundled set, wherever they are."""
    known = {each for source in SOURCES.values() for each in (source.sha256, source.unpacked)}
    return tuple(sha256) in {BUNDLED_SHA256, *known} - {()}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder(name: str) -> Path:
    """Return the folder in the user's cache where a downloaded set is kept."""
    return Path(platformdirs.user_cache_dir("netlearn", appauthor=False)) / name


def locate(name: str) -> Path | None:
    """Return the folder that holds all files of a known set, verified, or None.

    Searches `$NETLEARN_DATA/NAME`, for "mnist" also `$NETLEARN_DATA` itself, where a file that differs from the
    original is an error and MNIST's files may be unpacked, then the cache.
    """
    source = SOURCES[name]
    unpacked = dict(zip(FILES, source.unpacked, strict=False))
    for folder in _own_folders(name):
        for files in filter(None, (source.files, unpacked)):
            if all((folder / file).is_file() for file in files):
                _verify(name, folder, files)
                return folder
        if any((folder / file).is_file() for file in FILES):
            raise DataError(f"{folder}: holds unpacked files; must be the original .gz files, or name it with --data")
    cached = cache_folder(name)
    with suppress(OSError):  # an unreadable cache counts as empty
        if all((cached / each).is_file() and sha256_of(cached / each) == it for each, it in source.files.items()):
            return cached
    return None


def _own_folders(name: str) -> list[Path]:
    own = os.environ.get("NETLEARN_DATA")
    if not own:
        return []
    folder = Path(own).expanduser()
    if not folder.is_dir():
        raise DataError(f"NETLEARN_DATA {own!r}: no such folder; must be the folder that holds the MNIST files")
    return [folder / name, folder] if name == "mnist" else [folder / name]


def _verify(name: str, folder: Path, files: dict[str, str]) -> None:
    for file, sha256 in files.items():
        with errors_named(folder / file):
            found = sha256_of(folder / file)
        if found != sha256:
            raise DataError(
                f"{folder / file}: SHA-256 {found[:12]}…; must be {sha256[:12]}…, the original of {name}; "
                "to use other data, name its folder with --data"
            )


def find(name: str, progress: MakeBar = None) -> tuple[str, Path, str]:
    """Return the known set that a name stands for, its folder, and what may surprise about it, or "".

    It is downloaded if it is not on this machine. "auto" is "mnist" if that takes a few seconds at most.
    """
    if name == "mnist-5k":
        return name, BUNDLED, ""
    known, limits = ("mnist", AUTO) if name == "auto" else (name, {})
    folder, why_not = locate(known), ""
    try:
        folder = folder or download(known, progress, **limits)
    except DataError as error:
        if name != "auto":
            raise
        folder, why_not = BUNDLED, str(error).partition("; put its")[0]
    own, unused = _own_folders(known), ""
    if own and folder.absolute() not in {each.absolute() for each in own}:
        places = " or ".join(map(str, own))
        unused = f"NETLEARN_DATA {own[0].parent} does not hold {known}, whose files would be in {places}"
    if not why_not:
        return known, folder, unused
    because = "; ".join(filter(None, [unused, why_not]))
    return "mnist-5k", folder, f"used because {because}; to try for longer: netlearn data download mnist"


def download(name: str, progress: MakeBar = None, *, silence: float = 10, within: float = float("inf")) -> Path:
    """Download the files of a known set that are not in the cache, and return its folder there.

    `progress`, `silence` and `within` are those of `fetch`.
    """
    source, folder = SOURCES[name], cache_folder(name)
    try:
        fetch(source.files, source.mirrors, folder, silence=silence, within=within, progress=progress)
    except DataError as error:
        raise DataError(
            f"{name} is not on this machine and cannot be downloaded: {error}; put its four files, "
            f"{', '.join(source.files)}, in a folder named {name} and set NETLEARN_DATA to the folder that holds "
            "this folder, or use --data mnist-5k"
        ) from error
    return folder


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
    import pooch  # noqa: PLC0415 (with requests 0.1 s, saved without a download)
    import requests  # noqa: PLC0415
    import urllib3.exceptions  # noqa: PLC0415

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
    import requests  # noqa: PLC0415 (as above)
    from tqdm import tqdm  # noqa: PLC0415 (as above)

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
    """Return why a mirror failed."""
    import requests  # noqa: PLC0415 (as above)
    from urllib3.exceptions import ProtocolError, TimeoutError  # noqa: A004, PLC0415 (as above)

    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout | TimeoutError):
        return "timed out"
    return "connection lost" if isinstance(error, ProtocolError) else "cannot be reached"
