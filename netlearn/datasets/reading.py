"""The bytes of a file, plain or gzipped, read within bounds; and what a file is, by its first bytes.

Whether a file is gzipped is decided by its content, since browsers unpack what they download and keep the name. What
netlearn does not read is named, with the lines of Python that convert it where there are any.
"""

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import IO, NamedTuple

from netlearn.errors import DataError

MAX_RATIO, HARMLESS = 200, 250_000_000  # data sets seldom compress better; that many bytes are harmless
GZIP = b"\x1f\x8b"
START = 4096  # bytes that tell what a file is


class Kind(NamedTuple):
    """What a file is, and the Python that makes an .npz file from it; `{path}` stands for the file's name."""

    name: str
    recipe: str = ""
    caution: str = ""


NPZ = Kind("an .npz file")
IN_ZIP = (  # what the name of a member tells of a zip file, as a regular expression
    (r"xl/", Kind("a spreadsheet: save it as CSV")),
    (r".*\.npy\Z", NPZ),
    (r".*/data\.pkl\Z", Kind(
        "a file of PyTorch",
        'import numpy as np, torch; x, y = torch.load({path}); np.savez("data.npz", x=x.numpy(), y=y.numpy())',
    )),
    (r"", Kind("a zip file", 'import zipfile; zipfile.ZipFile({path}).extractall("data")')),
)  # fmt: skip
KINDS = (  # how a file begins, as a regular expression, and what it is then; the first one that fits counts
    (rb"\Z", Kind("an empty file")),
    (rb"(?s).{257}ustar", Kind(
        "a tar archive", 'import tarfile; tarfile.open({path}).extractall("data", filter="data")',
    )),
    (rb"\x89HDF\r\n\x1a\n|MATLAB 7\.3", Kind(
        "an HDF5 file",
        "import h5py, numpy as np; d = h5py.File({path}); print(d.keys()); "
        'np.savez("data.npz", x_train=d["x_train"], y_train=d["y_train"], x_test=d["x_test"], y_test=d["y_test"])',
    )),
    (rb"MATLAB", Kind(
        "a MATLAB file",
        "import numpy as np; from scipy.io import loadmat; d = loadmat({path}); print(d.keys()); "
        'np.savez("data.npz", x=d["data"].T, y=d["label"].ravel())',
    )),
    (rb"PAR1", Kind(
        "a parquet file",
        "import io, numpy as np, pandas as pd; from PIL import Image; d = pd.read_parquet({path}); "
        'x = [np.asarray(Image.open(io.BytesIO(i["bytes"]))) for i in d["image"]]; '
        'np.savez("data.npz", x=x, y=d["label"])',
    )),
    (rb"\x93NUMPY", Kind(
        "an .npy file, which holds one array",
        'from numpy import load, savez; savez("data.npz", x=load({path}), y=load("labels.npy"))',
    )),
    (rb"%PDF", Kind("a PDF")),
    (rb"7z\xbc\xaf", Kind("a 7-Zip archive: unpack it")),
    (rb"Rar!", Kind("a RAR archive: unpack it")),
    (rb"BZh", Kind("a bzip2 file: unpack it")),
    (rb"\xfd7zXZ", Kind("an xz file: unpack it")),
    (rb"version https://git-lfs", Kind("a pointer of Git LFS, not the file itself: get it with git lfs pull")),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", Kind(
        "a picture, and not a data set; a folder of pictures for each class is one",
    )),
    (rb"\x1f\x8b", Kind("a file that was gzipped twice: unpack it once")),
    (rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x04]", Kind("an IDX file")),
    (rb"(?i)\s*(<\?xml[^>]*>\s*)?(<!doctype html|<html)", Kind("a web page, not the file: download it again")),
    (rb"\s*(<\?xml[^>]*>\s*)?<Error>", Kind("a server's error, not the file: download it again")),
    (rb"(?i)(\s*%[^\n]*\n|\s)*@relation\b", Kind(
        "an ARFF file",
        "import numpy as np; from scipy.io.arff import loadarff; d = np.array(loadarff({path})[0].tolist(), float); "
        'np.savez("data.npz", x=d[:, :-1] / d[:, :-1].max(), y=d[:, -1])',
    )),
    (rb"\s*[+-]?\d+(\.\d+)?( \d+:\S+)+\s", Kind(
        "a file of LIBSVM",
        "import numpy as np; from sklearn.datasets import load_svmlight_file; x, y = load_svmlight_file({path}); "
        'np.savez("data.npz", x=x.toarray() / x.max(), y=y)',
    )),
    (rb"\x80[\x02-\x05]|\(?[ld]p\d|c\w+\n|\(+c?numpy|\(+[ld]p?\d", Kind(
        "a pickle, which is not read since it can run code",
        "import gzip, pickle, numpy as np; "
        '(a, b), (c, d), (e, f) = pickle.load({opened}, encoding="latin1"); '
        'np.savez("data.npz", x_train=a, y_train=b, x_val=c, y_val=d, x_test=e, y_test=f)',
        caution=", if you trust its source",
    )),
    (rb"\s*[{\[]", Kind("a JSON file")),
    (rb"\s*<", Kind("an XML file")),
    (rb"[^\0]*\Z", Kind("a text file")),
)  # fmt: skip


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn errors of reading or unpacking a file into a `DataError` that names it."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked if it is gzipped; errors are those of `errors_named`."""
    with errors_named(path), path.open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        yield GzipFile(fileobj=file) if packed else file  # type: ignore[misc]  # an IO[bytes] in all but its type


def start_of(path: Path, count: int = START) -> bytes:
    """Return the first bytes of a file, unpacked if it is gzipped."""
    with opened(path) as file:
        return file.read(count)


def is_packed(path: Path) -> bool:
    """Return whether a file is gzipped."""
    with errors_named(path), path.open("rb") as file:
        return file.read(2) == GZIP


def content_of(path: Path) -> bytes:
    """Return the whole of a file, unpacked if it is gzipped, within bounds."""
    if is_packed(path):
        with errors_named(path), path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            check_unpacked_size(path, int.from_bytes(file.read(), "little"))  # as the file states
    with opened(path) as file:
        content = file.read(most_unpacked(path) + 1)
    check_unpacked_size(path, len(content))
    return content


def check_unpacked_size(path: Path, unpacked: int) -> None:
    """Reject a file that unpacks to far more bytes than a data set would, as a zip bomb does."""
    if unpacked > most_unpacked(path):
        packed = path.stat().st_size
        raise DataError(f"{path}: {packed:,} bytes unpack to {unpacked:,}; must be at most {MAX_RATIO} times more")


def most_unpacked(path: Path) -> int:
    """Return how many bytes a file may unpack to."""
    return max(HARMLESS, path.stat().st_size * MAX_RATIO)


def kind_of(path: Path) -> Kind:
    """Return what a file is, by its first bytes, or of a zip file by the names of its members."""
    start = start_of(path)
    if not start.startswith(b"PK"):
        found = (kind for pattern, kind in KINDS if re.match(pattern, start))
        return next(found, Kind(f"a file that starts with {start[:4].hex()}"))
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Kind("a damaged zip file")
    return next(kind for pattern, kind in IN_ZIP if any(re.match(pattern, name) for name in [*names, ""]))


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, without those that systems and notebooks leave there."""
    return [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith((".", "__"))]


def describe(path: Path) -> str:
    """Return what a file is and how to convert it, for an error."""
    kind, file = kind_of(path), repr(path.name)
    if not kind.recipe:
        return f"it is {kind.name}"
    opened = f"gzip.open({file})" if is_packed(path) else f"open({file}, 'rb')"
    python = kind.recipe.replace("{path}", file).replace("{opened}", opened)
    return f"it is {kind.name}; to convert it in Python{kind.caution}: {python}"
