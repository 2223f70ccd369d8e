"""Data sets: from a name, a folder or a file to examples split into training, validation and test.

Examples are rows here, x of shape (n, n_in) in float32, and labels are one vector of integers; `targets` makes of
them what the network should put out. Whatever comes as a training file and a test file keeps the last sixth of its
training file for validation: full MNIST splits 50,000 / 10,000 / 10,000 in file order.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.activations import Array
from netlearn.errors import DataError, SettingsError
from netlearn.idx import read_idx, shape_of
from netlearn.npz import read_npz
from netlearn.sources import FILES, SOURCES, download, locate, sha256_of

if TYPE_CHECKING:
    from netlearn.download import Progress

Labels: TypeAlias = NDArray[np.int64]

NAMES = ("auto", "mnist", "mnist-5k", "fashion-mnist", "neuron")
BUNDLED = Path(__file__).parent / "data"  # mnist-5k
AUTO_SILENCE, AUTO_WITHIN = 3.0, 8.0  # seconds that "auto" gives a download
DIGITS = 10  # the classes of every IDX set, as of MNIST
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Examples:
    """Examples as rows: x of shape (n, n_in), labels of shape (n,)."""

    x: Array
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int) -> "Examples":
        """Return the first n of them."""
        return Examples(self.x[:n], self.labels[:n])


@dataclass(frozen=True)
class Dataset:
    """A data set, split and ready.

    Attributes:
        name: what was asked for, or what "auto" took.
        where: the folder or file it was read from.
        train: the examples to learn from.
        validation: those to choose settings with.
        test: those to report.
        outputs: neurons in the output layer of a network for it; with 1, the labels 0 and 1 are the targets.
        image: height and width of an example that is a picture, else None.
        sha256: of each file it was read from, by the file's name.
        note: why it is this set, where the user might wonder.
    """

    name: str
    where: str
    train: Examples
    validation: Examples
    test: Examples
    outputs: int
    image: tuple[int, int] | None
    sha256: dict[str, str]
    note: str = ""

    def with_train_size(self, train_size: int | None) -> "Dataset":
        """Return the set with its first `train_size` training examples only; None keeps them all."""
        if train_size is None:
            return self
        if train_size > len(self.train):
            raise SettingsError(f"train_size {train_size}: {self.name} has 1 to {len(self.train)} training examples")
        return replace(self, train=self.train.first(train_size))


def targets(labels: Labels, outputs: int) -> Array:
    """Return the desired outputs as rows, (n, outputs): one-hot, or the label itself for one output neuron."""
    if outputs == 1:
        return labels[:, np.newaxis].astype(np.float32)
    return np.eye(outputs, dtype=np.float32)[labels]


def load(name: str, progress: "Callable[[str], Progress] | None" = None) -> Dataset:
    """Return the data set of that name (`NAMES`), or the one in that folder or `.npz` file.

    Args:
        name: a name or a path. "mnist" and "fashion-mnist" are downloaded where they are not at hand; "auto" is
            "mnist" where that takes a few seconds at most, else "mnist-5k", and the set's note says why.
        progress: makes what shows a download's progress, from a file's name.

    Raises:
        SettingsError: there is no such name, folder or file.
        DataError: the set cannot be had, or its files do not hold what they promise.
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
    raise SettingsError(f"data {name!r}: {hint}allowed is {', '.join(NAMES)}, a folder of IDX files or an .npz file")


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
                note=f"taken because {error}; longer tries: netlearn data download mnist",
            )
    return _load_folder(folder, "mnist")


def _load_folder(folder: Path, name: str) -> Dataset:
    paths = [_find(folder, file) for file in FILES]
    for images, labels in ((paths[0], paths[1]), (paths[2], paths[3])):
        promised, labelled = shape_of(images, 3)[0], shape_of(labels, 1)[0]
        if promised != labelled:
            raise DataError(f"{labels}: {labelled:,} labels do not pair with {promised:,} images")
    y_train, y_test = read_idx(paths[1], 1), read_idx(paths[3], 1)
    for path, y in ((paths[1], y_train), (paths[3], y_test)):
        if y.max() >= DIGITS:
            raise DataError(f"{path}: label {y.max()} at item {int(y.argmax())}; allowed is 0 to {DIGITS - 1}")
    x_train, x_test = read_idx(paths[0], 3), read_idx(paths[2], 3)
    hashes = {path.name: sha256_of(path) for path in paths}
    return _split(name, str(folder), (x_train, y_train, x_test, y_test), DIGITS, hashes)


def _find(folder: Path, file: str) -> Path:
    found = [path for path in (folder / f"{file}.gz", folder / file) if path.is_file()]
    if len(found) == 2:
        raise DataError(f"{folder}: holds both {found[0].name} and {found[1].name}; one of them must go")
    if not found:
        raise DataError(f"{folder}: has no {file}.gz and no {file}; allowed is a folder with {', '.join(FILES)}")
    return found[0]


def _load_npz(path: Path) -> Dataset:
    x_train, y_train, x_test, y_test = read_npz(path)
    for key, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.ndim not in (2, 3) or x.size == 0 or not (x.dtype == np.uint8 or x.dtype.kind == "f"):
            raise DataError(f"{path}: x_{key} is {x.dtype} of shape {x.shape}; allowed is uint8 or float, (n, ...)")
        if y.shape != (len(x),) or y.dtype.kind not in "iu":
            raise DataError(f"{path}: y_{key} is {y.dtype} of shape {y.shape}; allowed is integers, ({len(x)},)")
    classes = max(2, int(y_train.max()) + 1)
    if min(y_train.min(), y_test.min()) < 0 or y_test.max() >= classes or classes > MOST_CLASSES:
        raise DataError(
            f"{path}: labels run from {min(y_train.min(), y_test.min())} to {max(y_train.max(), y_test.max())}; "
            f"allowed is 0 to {min(classes, MOST_CLASSES) - 1}, the classes of y_train"
        )
    for key, x in (("train", x_train), ("test", x_test)):
        if x.dtype != np.uint8 and not np.isfinite(_rows(x)).all():
            raise DataError(f"{path}: x_{key} holds numbers that are not finite in float32")
    return _split(str(path), str(path), (x_train, y_train, x_test, y_test), classes, {path.name: sha256_of(path)})


def _split(name: str, where: str, arrays: tuple[NDArray[Any], ...], outputs: int, sha256: dict[str, str]) -> Dataset:
    x_train, y_train, x_test, y_test = arrays
    if len(x_train) < 2:
        raise DataError(f"{where}: 1 training example; allowed are 2 or more, the last sixth is for validation")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: training examples have shape {x_train.shape[1:]}, test examples {x_test.shape[1:]}"
        )
    kept = len(x_train) - max(1, len(x_train) // 6)
    train, test = Examples(_rows(x_train), _integers(y_train)), Examples(_rows(x_test), _integers(y_test))
    validation = Examples(train.x[kept:], train.labels[kept:])
    image = (int(x_train.shape[1]), int(x_train.shape[2])) if x_train.ndim == 3 else None
    return Dataset(name, where, train.first(kept), validation, test, outputs, image, sha256)


def _rows(x: NDArray[Any]) -> Array:
    """Return examples as rows of float32; bytes become shares of 255, so that pixels lie in [0, 1]."""
    flat = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        shares: Array = np.divide(flat, 255, dtype=np.float32)
        return shares
    with np.errstate(over="ignore"):  # the reader of floats looks for infinities
        return flat.astype(np.float32)


def _integers(labels: NDArray[Any]) -> Labels:
    return labels.astype(np.int64)
