"""Loading a data set by its name, or from a folder of IDX files or an .npz file."""

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlearn.activations import Array
from netlearn.datasets.dataset import Dataset, Examples, Labels
from netlearn.datasets.idx import read_idx, shape_of
from netlearn.datasets.npz import read_npz
from netlearn.datasets.sources import BUNDLED, FILES, SOURCES, download, locate, sha256_of
from netlearn.errors import DataError, SettingsError

if TYPE_CHECKING:
    from netlearn.datasets.download import Progress

NAMES = ("auto", "mnist", "mnist-5k", "fashion-mnist", "neuron")
AUTO_SILENCE, AUTO_WITHIN = 3.0, 8.0  # time limits of a download for "auto", in seconds
DIGITS = 10  # the classes of every IDX set, as of MNIST
MAX_CLASSES = 1000


def load(name: str, progress: "Callable[[str], Progress] | None" = None) -> Dataset:
    """Load a data set by its name (one of `NAMES`), or from a folder of IDX files or an `.npz` file.

    Args:
        name: a name or a path. "mnist" and "fashion-mnist" are downloaded if they are not on this machine; "auto" is
            "mnist" if that takes a few seconds at most, else "mnist-5k", and the set's note says why.
        progress: returns a progress bar for the download of a file, given the file's name.

    Raises:
        SettingsError: there is no such name, folder or file.
        DataError: the set cannot be downloaded or read, or its files are not valid.
    """
    if name == "auto":
        return _load_auto(progress)
    if name in SOURCES:
        return _load_folder(locate(name) or _download(name, progress), name)
    if name == "mnist-5k":
        return _load_folder(BUNDLED, name)
    if name == "neuron":
        one = Examples(np.ones((1, 1), np.float32), np.zeros(1, np.int64))
        return Dataset(name, "the book", one, one, one, outputs=1, image=None, sha256={})
    path = Path(name)
    try:
        if name and path.is_dir():
            return _load_folder(path, name)
        if path.suffix == ".npz" and path.is_file():
            return _load_npz(path)
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror}") from error
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise SettingsError(f"data {name!r}: {hint}must be {', '.join(NAMES)}, a folder of IDX files or an .npz file")


def _download(name: str, progress: "Callable[[str], Progress] | None") -> Path:
    try:
        return download(name, progress)
    except DataError as error:
        raise DataError(
            f"{error}; put its four files in a folder and set NETLEARN_DATA to it, or use --data mnist-5k"
        ) from error


def _load_auto(progress: "Callable[[str], Progress] | None") -> Dataset:
    folder = locate("mnist")
    if folder is None:
        try:
            folder = download("mnist", progress, silence=AUTO_SILENCE, within=AUTO_WITHIN)
        except DataError as error:
            return replace(
                _load_folder(BUNDLED, "mnist-5k"),
                note=f"used because {error}; to try for longer: netlearn data download mnist",
            )
    return _load_folder(folder, "mnist")


def _load_folder(folder: Path, name: str) -> Dataset:
    paths = [_find(folder, file) for file in FILES]
    for images, labels in ((paths[0], paths[1]), (paths[2], paths[3])):
        n_images, n_labels = shape_of(images, 3)[0], shape_of(labels, 1)[0]
        if n_images != n_labels:
            raise DataError(f"{labels}: {n_labels:,} labels; must be {n_images:,}, one for each image")
    y_train, y_test = read_idx(paths[1], 1), read_idx(paths[3], 1)
    for path, y in ((paths[1], y_train), (paths[3], y_test)):
        if y.max() >= DIGITS:
            raise DataError(f"{path}: label {y.max()} at item {int(y.argmax())}; must be from 0 to {DIGITS - 1}")
    x_train, x_test = read_idx(paths[0], 3), read_idx(paths[2], 3)
    hashes = {path.name: sha256_of(path) for path in paths}
    return _split(name, str(folder), (x_train, y_train, x_test, y_test), DIGITS, hashes)


def _find(folder: Path, file: str) -> Path:
    found = [path for path in (folder / f"{file}.gz", folder / file) if path.is_file()]
    if len(found) == 2:
        raise DataError(f"{folder}: holds both {found[0].name} and {found[1].name}; must be one of them")
    if not found:
        raise DataError(f"{folder}: has no {file}.gz and no {file}; must be a folder with {', '.join(FILES)}")
    return found[0]


def _load_npz(path: Path) -> Dataset:
    x_train, y_train, x_test, y_test = read_npz(path).values()
    for key, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.ndim not in (2, 3) or x.size == 0 or not (x.dtype == np.uint8 or x.dtype.kind == "f"):
            raise DataError(f"{path}: x_{key} is {x.dtype} of shape {x.shape}; must be uint8 or float, (n, ...)")
        if y.shape != (len(x),) or y.dtype.kind not in "iu":
            raise DataError(f"{path}: y_{key} is {y.dtype} of shape {y.shape}; must be integers, ({len(x)},)")
    classes = max(2, int(y_train.max()) + 1)
    if min(y_train.min(), y_test.min()) < 0 or y_test.max() >= classes or classes > MAX_CLASSES:
        raise DataError(
            f"{path}: labels run from {min(y_train.min(), y_test.min())} to {max(y_train.max(), y_test.max())}; "
            f"must be from 0 to {min(classes, MAX_CLASSES) - 1}, the classes of y_train"
        )
    for key, x in (("train", x_train), ("test", x_test)):
        if x.dtype != np.uint8 and not np.isfinite(_rows(x)).all():
            raise DataError(f"{path}: x_{key} holds numbers that are not finite in float32")
    return _split(str(path), str(path), (x_train, y_train, x_test, y_test), classes, {path.name: sha256_of(path)})


def _split(name: str, where: str, arrays: tuple[NDArray[Any], ...], outputs: int, sha256: dict[str, str]) -> Dataset:
    x_train, y_train, x_test, y_test = arrays
    if len(x_train) < 2:
        raise DataError(f"{where}: 1 training example; must be 2 or more, since the last sixth is for validation")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: test examples have shape {x_test.shape[1:]}; must be {x_train.shape[1:]}, as in training"
        )
    n_train = len(x_train) - max(1, len(x_train) // 6)
    train, test = Examples(_rows(x_train), _integers(y_train)), Examples(_rows(x_test), _integers(y_test))
    validation = Examples(train.x[n_train:], train.labels[n_train:])
    image = (int(x_train.shape[1]), int(x_train.shape[2])) if x_train.ndim == 3 else None
    return Dataset(name, where, train.first(n_train), validation, test, outputs, image, sha256)


def _rows(x: NDArray[Any]) -> Array:
    """Return examples as rows of float32, (n, n_in); bytes are divided by 255, so that pixels lie in [0, 1]."""
    flat = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        scaled: Array = np.divide(flat, 255, dtype=np.float32)
        return scaled
    with np.errstate(over="ignore"):  # overflow is found by the check for finite numbers
        return flat.astype(np.float32)


def _integers(labels: NDArray[Any]) -> Labels:
    return labels.astype(np.int64)
