"""The files of data sets: IDX, the format of MNIST, and .npz.

An IDX file is a header (two zero bytes, a type, the number of dimensions, then each dimension as a big-endian 32-bit
number) and the items, big-endian. An .npz file is a zip file of .npy files, stored or deflated. Nothing is unpacked
that a header says to be far larger than the file.

The four IDX files of a data set are found under any of their usual names: MNIST's own, 7-Zip's (`.idx3-ubyte`), with
the prefix of a family (`emnist-letters-train-images-idx3-ubyte`), in folders that have the names of files, and one or
two folders down (`MNIST/raw`).
"""

import hashlib
import io
import math
import os
import re
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlearn.datasets.reading import check_unpacked_size, content_of, describe, folders_in, is_packed, opened
from netlearn.datasets.splitting import NamedArray, split
from netlearn.errors import DataError

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 4
IDX_PARTS = {"train": "train", "t10k": "test", "test": "test", "val": "val"}
DEPTH = 2  # folders below the one that is named
MOST_FOLDERS = 100  # looked into
NOT_FAMILY = re.compile(r"\.gz$|train(ing)?|t10k|test|val(idation)?|images?|labels?|idx\d?|u?byte|int|^[xy](?=[-_])")
KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_val", "y_val")  # read where they are present
WHOLE_KEYS = ("x", "y")  # of a set that is not split
SYNONYMS = {
    "x": "images image imgs img data features inputs",
    "y": "labels label targets target classes",
    "train": "training",
    "test": "testing",
    "val": "valid validation dev",
}
WORDS = {word: meaning for meaning, words in SYNONYMS.items() for word in words.split()}
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # what numpy writes; bzip2 and LZMA expand a million times
MOST_NAMES = 12  # of arrays in an error

Files: TypeAlias = dict[str, list[Path]]  # the files of each array, such as "x_train"; several should be equal


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file."""
    with opened(path) as file:
        header = file.read(4)
        if not is_idx(header):
            raise DataError(f"{path}: {describe(path)}; must be an IDX file of 1 to {MOST_DIMENSIONS} dimensions")
        dtype, sizes = np.dtype(IDX_TYPES[header[2]]), file.read(4 * header[3])
        if len(sizes) < 4 * header[3]:
            raise DataError(f"{path}: ends inside its header")
        shape = tuple(np.frombuffer(sizes, ">u4").tolist())
        if math.prod(shape) == 0:
            raise DataError(f"{path}: dimensions {' x '.join(map(str, shape))}; must be 1 or more each")
        needed = math.prod(shape) * dtype.itemsize
        check_unpacked_size(path, needed)
        content = file.read(needed + 1)
    if len(content) != needed:
        found = f"{len(content):,}" if len(content) < needed else "more"
        raise DataError(f"{path}: {found} bytes of items; must be {needed:,} by its header")
    return np.frombuffer(content, dtype).reshape(shape)


def is_idx(start: bytes) -> bool:
    """Return whether a file begins as an IDX file does."""
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and 1 <= start[3] <= MOST_DIMENSIONS


def find_sets(folder: Path, depth: int = DEPTH) -> dict[str, Files]:
    """Return the files of the IDX data sets in a folder, by their families' names, "" for MNIST's own names."""
    sets: dict[str, Files] = defaultdict(lambda: defaultdict(list))
    for path in _candidates(folder):
        family, key = _meaning(path)
        if key:
            sets[family][key].append(path)
    if not sets and depth:
        for each in folders_in(folder)[:MOST_FOLDERS]:
            for family, files in find_sets(each, depth - 1).items():
                sets["/".join(filter(None, (each.name, family)))] = files
    return {family: dict(files) for family, files in sets.items()}


def _candidates(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, and those in folders with the names of files, as some archives unpack."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _meaning(path)[1]:
            yield from (each for each in sorted(path.iterdir()) if each.is_file())
        elif path.is_file():
            yield path


def _meaning(path: Path) -> tuple[str, str]:
    """Return the family of a file, and the key of the array that it holds by its name, "" if it holds none."""
    name = path.name.lower()
    part = next((part for part in IDX_PARTS if part in name), None)  # latest-train is no test set
    images = re.search(r"image|idx[34]|^x[-_]", name)
    labels = re.search(r"label|idx[12]|^y[-_]", name)
    if part is None or not (images or labels) or not re.search(r"idx|ubyte", name):
        return "", ""
    family = re.sub(r"[-_. ]+", "-", NOT_FAMILY.sub("", name)).strip("-")
    return family, f"{'x' if images else 'y'}_{IDX_PARTS[part]}"


def choose(paths: list[Path]) -> Path:
    """Return one of the files that hold the same array: a gzipped one if there is one.

    Raises:
        DataError: they differ.
    """
    paths = sorted(paths, key=lambda path: not is_packed(path))
    if len(paths) > 1 and len({hashlib.sha256(content_of(path)).digest() for path in paths}) > 1:
        raise DataError(f"{' and '.join(map(str, paths))}: differ; must be one of them, or equal")
    return paths[0]


def meaning_of(name: str) -> str | None:
    """Return the key in `KEYS`, `VALIDATION_KEYS` or `WHOLE_KEYS` that is meant by another's, or None.

    "train_images", "X_train", "trainX" and "x_train" mean the same.
    """
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    meanings = [WORDS.get(word, word) for word in words]
    key = "_".join(sorted(meanings, key=("x", "y").__contains__, reverse=True))
    return key if key in {*KEYS, *VALIDATION_KEYS, *WHOLE_KEYS} else None


def keys_beside(found: Collection[str]) -> tuple[str, ...]:
    """Return the keys of all arrays that a data set must have which has some of them."""
    if found and {*found} <= {*WHOLE_KEYS}:
        return WHOLE_KEYS
    return KEYS + VALIDATION_KEYS * any(key in found for key in VALIDATION_KEYS)


def rename(name: str, names: Iterable[str]) -> dict[str, str]:
    """Return which of the names of arrays stands for which key.

    Args:
        name: of the file, for errors.
        names: of its arrays.

    Raises:
        DataError: an array is missing, or two have the same meaning.
    """
    names = list(names)
    found: dict[str, str] = {}
    for each in names:
        if key := meaning_of(each):
            if key in found:
                raise DataError(f"{name}: both {found[key]} and {each} could be {key}; must be one of them")
            found[key] = each
    keys = keys_beside(found)
    if missing := [key for key in keys if key not in found]:
        shown = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        renamed = ", ".join(f'{key}=d["{found.get(key, "…")}"]' for key in keys)
        raise DataError(
            f"{name}: has no {missing[0]}, but {shown or 'nothing'}; must hold {', '.join(keys)}; to rename its "
            f'arrays: d = numpy.load("{Path(name).name}"); numpy.savez("data.npz", {renamed})'
        )
    return {key: found[key] for key in keys}


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a data set, under any of their usual names, by key."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            _check_members(path, archive.zip.infolist())
            return {key: np.asarray(archive[name]) for key, name in rename(str(path), archive.files).items()}
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types for a damaged file
        hint = "; numpy.stack(list(x)) makes numbers of images of one size" if "Object arrays" in str(error) else ""
        raise DataError(f"{path}: not a valid .npz file: {type(error).__name__}: {error}{hint}") from error


def _check_members(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    if not {member.compress_type for member in members} <= METHODS:
        raise DataError(f"{path}: its arrays must be stored or deflated, as numpy writes them")
    check_unpacked_size(path, sum(member.file_size for member in members))


def store(data: Mapping[str, ArrayLike] | Sequence[Any], folder: Path) -> Path:
    """Store the arrays of a data set in a folder, in a file named by its content, and return its path.

    Args:
        data: by name (x_train, y_train, x_test, y_test and, if given, x_val and y_val, or x and y alone), or in the
            order of Keras, ((x, y), (x, y)), of the book, ((x, y), (x, y), (x, y)) with the validation set second, or
            of scikit-learn, (x_train, x_test, y_train, y_test), which its shapes tell from (x_train, y_train, x_test,
            y_test).
        folder: made if it does not exist.

    Raises:
        DataError: an array is missing, or has the wrong shape, type or labels, or the file cannot be written.
    """
    named = {key: NamedArray(f"data: {key}", values) for key, values in _by_key(data).items()}
    split("data", "data", named, {})  # checks them
    content = io.BytesIO()
    np.savez(content, **{key: array.values for key, array in named.items()})  # type: ignore[arg-type]  # its kwds
    path = folder / f"data-{hashlib.sha256(content.getbuffer()).hexdigest()[:8]}.npz"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.getbuffer())
        partial.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error
    return path.absolute()


def _by_key(data: Mapping[str, ArrayLike] | Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the arrays that a caller gives, by their keys."""
    if isinstance(data, Mapping):
        names = rename("data", map(str, data))
        return {key: _as_array(key, data[name]) for key, name in names.items()}
    pairs = [part for part in data if isinstance(part, Sequence) and not isinstance(part, str) and len(part) == 2]
    if len(pairs) == len(data) and len(data) in {2, 3}:
        order: tuple[str, ...] = KEYS if len(data) == 2 else (*KEYS[:2], *VALIDATION_KEYS, *KEYS[2:])
        data = [array for pair in data for array in pair]
    elif len(data) == 2:
        order = WHOLE_KEYS
    elif len(data) == 4:
        order = KEYS
    else:
        raise DataError(
            f"data: {len(data)} arrays; must be a name, a path, or the arrays {', '.join(KEYS)}, or ((x, y), (x, y))"
        )
    arrays = [_as_array(key, values) for key, values in zip(order, data, strict=True)]
    if len(arrays) == 4 and order == KEYS and arrays[1].ndim > 1 and arrays[1].shape[1:] == arrays[0].shape[1:]:
        order = ("x_train", "x_test", "y_train", "y_test")
    return dict(zip(order, arrays, strict=True))


def _as_array(key: str, values: ArrayLike) -> NDArray[Any]:
    if np.ma.is_masked(values):
        raise DataError(f"data: {key}: has masked values, which nothing can be learned from; fill or leave them out")
    try:
        array = np.asarray(values)
        text = array.dtype == object and all(isinstance(value, str) for value in array.flat)
    except Exception as error:  # any library's own arrays
        raise DataError(f"data: {key}: cannot be converted to an array: {' '.join(str(error).split())}") from error
    return array.astype(np.str_) if text else array
