"""Loading a data set by its name, or from a folder of IDX files or an .npz file."""

import difflib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netlearn.datasets.arrays import Named
from netlearn.datasets.dataset import Dataset, Examples
from netlearn.datasets.idx import read_idx, shape_of
from netlearn.datasets.npz import KEYS, read_npz
from netlearn.datasets.sources import BUNDLED, FILES, SOURCES, download, locate, sha256_of
from netlearn.datasets.splitting import split
from netlearn.errors import DataError, SettingsError

if TYPE_CHECKING:
    from netlearn.datasets.download import MakeBar

NAMES = ("auto", "mnist", "mnist-5k", "fashion-mnist", "neuron")
HELD: dict[str, Dataset] = {}  # what a worker process was given, by name
AUTO_SILENCE, AUTO_WITHIN = 3.0, 8.0  # time limits of a download for "auto", in seconds


def load(name: str, progress: "MakeBar" = None) -> Dataset:
    """Load a data set by its name (one of `NAMES`), or from a folder of IDX files or an `.npz` file.

    Args:
        name: a name or a path; the data set's own name is then the absolute path. "mnist" and "fashion-mnist" are
            downloaded if they are not on this machine; "auto" is "mnist" if that takes a few seconds at most, else
            "mnist-5k", and the set's note says why.
        progress: returns a progress bar for the download of a file, given the file's name.

    Raises:
        SettingsError: there is no such name, folder or file.
        DataError: the set cannot be downloaded or read, or its files are not valid.
    """
    if name in HELD:
        return HELD[name]
    if name == "auto":
        return _load_auto(progress)
    if name in SOURCES:
        return _load_folder(locate(name) or _download(name, progress), name)
    if name == "mnist-5k":
        return _load_folder(BUNDLED, name)
    if name == "neuron":
        one = Examples(np.ones((1, 1), np.float32), np.zeros(1, np.int64))
        return Dataset(name, "the book", one, one, one, outputs=1, image=None, sha256={})
    return _load_path(name)


def hold(data: Dataset) -> None:
    """Let `load` return a data set from now on, in a process that uses it until its end."""
    HELD[data.name] = data


def is_present(name: str) -> bool:
    """Return whether a data set can be loaded without a download."""
    return name in HELD or not (name == "auto" or (name in SOURCES and locate(name) is None))


def _load_path(name: str) -> Dataset:
    path = Path(name)
    try:
        if name and path.is_dir():
            return _load_folder(path, _absolute(path))
        if path.is_file():
            return _load_npz(path)
        exists = bool(name) and path.exists()
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror}") from error
    if exists or not any(mark in name for mark in "./\\"):
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise SettingsError(f"data {name!r}: {hint}must be {', '.join(NAMES)}, a folder of IDX files or an .npz file")
    raise SettingsError(f"data {name!r}: no such file or folder")


def _absolute(path: Path) -> str:
    """Return the absolute path, or the path as given if the folders above it have names that a run cannot store."""
    absolute = str(path.absolute())
    return absolute if absolute.isprintable() else str(path)


def _download(name: str, progress: "MakeBar") -> Path:
    try:
        return download(name, progress)
    except DataError as error:
        raise DataError(
            f"{error}; put its four files in a folder named {name} and set NETLEARN_DATA to the folder that holds "
            "this folder, or use --data mnist-5k"
        ) from error


def _load_auto(progress: "MakeBar") -> Dataset:
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
    for images, labels in (paths[:2], paths[2:]):  # before either is read, which may take gigabytes
        n_images, n_labels = shape_of(images, 3)[0], shape_of(labels, 1)[0]
        if n_images != n_labels:
            raise DataError(f"{labels}: {n_labels:,} labels; must be {n_images:,}, one for each image")
    arrays = {
        key: Named(str(path), read_idx(path, 3 if key.startswith("x") else 1))
        for key, path in zip(KEYS, paths, strict=True)
    }
    return split(name, _absolute(folder), arrays, {path.name: sha256_of(path) for path in paths})


def _find(folder: Path, file: str) -> Path:
    found = [path for path in (folder / f"{file}.gz", folder / file) if path.is_file()]
    if len(found) == 2:
        raise DataError(f"{folder}: holds both {found[0].name} and {found[1].name}; must be one of them")
    if not found:
        raise DataError(f"{folder}: has no {file}.gz and no {file}; must be a folder with {', '.join(FILES)}")
    return found[0]


def _load_npz(path: Path) -> Dataset:
    arrays = {key: Named(f"{path}: {key}", values) for key, values in read_npz(path).items()}
    return split(_absolute(path), _absolute(path), arrays, {path.name: sha256_of(path)})
