"""Loading a data set by its name, or from a folder or a file of any layout that is read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.dataset import Dataset, Examples
from netlearn.datasets.formats import KEYS, choose, find_sets, is_idx, keys_beside, read_idx, read_npz
from netlearn.datasets.pictures import Classes, find_images, read_images, without_classes
from netlearn.datasets.reading import NPZ, describe, kind_of, start_of
from netlearn.datasets.sources import FILES, SOURCES, MakeBar, find, locate, sha256_of
from netlearn.datasets.splitting import NamedArray, listed, number_classes, split
from netlearn.datasets.tables import have_equal_columns, is_table, read_table
from netlearn.errors import DataError, SettingsError
from netlearn.text import printable, suggestion

NAMES = ("auto", "mnist", "mnist-5k", "fashion-mnist", "neuron")
PATHS = "a folder of IDX files or images, an .npz or a CSV file"
HELD: dict[str, Dataset] = {}  # what a worker process was given, by name
ELSEWHERE = (  # known data sets that do not come with netlearn
    "kmnist", "kuzushiji-mnist", "k49", "emnist", "qmnist", "notmnist", "medmnist", "usps", "svhn", "cifar10",
    "cifar-10", "cifar100", "digits", "iris", "gtsrb", "sign-mnist", "kannada-mnist", "xor",
)  # fmt: skip
MOST_FILES = 8  # files of a folder in an error


def load(name: str, progress: MakeBar = None) -> Dataset:
    """Load a data set by its name (one of `NAMES`), or from a folder or a file.

    Args:
        name: a name or a path; the data set's own name is then the absolute path. "mnist" and "fashion-mnist" are
            downloaded if they are not on this machine; "auto" is "mnist" if that takes a few seconds at most, else
            "mnist-5k", and the set's note says why. Of several sets of IDX files in a folder, the path names one by
            what its files begin with: folder/emnist-letters.
        progress: returns a progress bar for the download of a file, given the file's name.

    Raises:
        SettingsError: there is no such name, folder or file.
        DataError: the set cannot be downloaded or read, or its files are not valid.
    """
    if name in HELD:
        return HELD[name]
    if name in {"auto", "mnist-5k", *SOURCES}:
        known, folder, note = find(name, progress)
        data = _load_idx(folder, known)
        return replace(data, note="; ".join(filter(None, [note, data.note])))
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
    if "://" in name:
        raise SettingsError(f"data {name!r}: is an address; download it first, then name the file or its folder")
    path = Path(name)
    try:
        path = path.expanduser()
        if name and path.is_dir():
            return _load_folder(path)
        if path.is_file():
            return _load_file(path)
        if name and path.parent.is_dir() and path.name in find_sets(path.parent):
            return _load_idx(path.parent, _absolute(path), path.name)
        exists = bool(name) and path.exists()
    except (OSError, RuntimeError) as error:
        raise DataError(f"{name}: cannot be read: {getattr(error, 'strerror', error)}") from error
    if name.lower() in ELSEWHERE:
        raise SettingsError(
            f"data {name!r}: not included; download it and name the folder or file that holds it: {PATHS}"
        )
    if exists or not any(mark in name for mark in "./\\"):
        near = suggestion(name, NAMES)
        hint = f"did you mean {near}? " if near else ""
        raise SettingsError(f"data {name!r}: {hint}must be {', '.join(NAMES)}, {PATHS}")
    raise SettingsError(f"data {name!r}: no such file or folder")


def _absolute(path: Path) -> str:
    """Return the absolute path, or the path as given if the folders above it have names that a run cannot store."""
    absolute = str(path.absolute())
    if not str(path).isprintable():
        raise DataError(f"{printable(str(path))}: must have a name of printable characters; rename it")
    return absolute if absolute.isprintable() else str(path)


def _load_file(path: Path) -> Dataset:
    start = start_of(path)
    if is_idx(start):
        return _load_folder(path.parent)
    if start.startswith(b"PK") and (path.suffix == ".npz" or kind_of(path) is NPZ):
        arrays = {key: NamedArray(f"{path}: {key}", values) for key, values in read_npz(path).items()}
        return split(_absolute(path), _absolute(path), arrays, {path.name: sha256_of(path)})
    if is_table(path):
        return _load_tables(path, {"": path})
    raise DataError(f"{path}: cannot be read as data: {describe(path)}; must be {PATHS}")


def _load_folder(folder: Path) -> Dataset:
    if sets := find_sets(folder):
        return _load_idx(folder, _absolute(folder), *([] if len(sets) > 1 else sets))
    if images := find_images(folder):
        return _load_images(folder, images)
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    tables: dict[str, list[Path]] = {"train": [], "test": []}
    for each in files:
        part = next((part for part in tables if part in each.name.lower()), None)  # latest_train.csv is no test set
        if part and each.suffix in {".csv", ".gz"} and is_table(each):
            tables[part].append(each)
    for part, several in tables.items():
        if tables["train"] and len(several) > 1:
            those = ", ".join(each.name for each in several)
            raise DataError(
                f"{folder}: has several tables for its {part} set, {those}; must have one, or name one file"
            )
    if tables["train"]:
        return _load_tables(folder, {part: paths[0] for part, paths in tables.items() if paths})
    if len(files) == 1:
        return _load_file(files[0])
    names = ", ".join(path.name for path in files[:MOST_FILES]) or "no files"
    raise DataError(
        f"{folder}: has no {FILES[0]}.gz and no images by class, but {names}; must be a folder with "
        f"{', '.join(FILES)}, or with a folder of images for each class, or name one file"
    )


def _load_idx(folder: Path, name: str, family: str | None = None) -> Dataset:
    sets = find_sets(folder)
    if family is None and len(sets) > 1:
        raise DataError(
            f"{folder}: holds several data sets, {', '.join(sorted(sets))}; must be one of them, such as "
            f"--data {folder / max(sets)}"
        )
    family = next(iter(sets), "") if family is None else family
    files = sets.get(family, {})
    keys = keys_beside(files)
    for key in keys:
        if key not in files:
            file = dict(zip(KEYS, FILES, strict=True)).get(key, key)
            raise DataError(f"{folder}: has no {file}.gz and no {file}; must be a folder with {', '.join(FILES)}")
    paths = {key: choose(files[key]) for key in keys}
    arrays, notes = _turned(family, {key: read_idx(path) for key, path in paths.items()})
    named = {key: NamedArray(str(paths[key]), values) for key, values in arrays.items()}
    where = _absolute(paths["x_train"].parent)
    return split(name, where, named, {path.name: sha256_of(path) for path in paths.values()}, notes)


def _turned(family: str, arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return arrays of EMNIST, whose images are stored transposed, upright; those of QMNIST with one label."""
    if family.rpartition("/")[2].startswith("qmnist"):
        return {key: values[:, 0] if values.ndim == 2 else values for key, values in arrays.items()}, []
    if not family.rpartition("/")[2].startswith("emnist"):
        return dict(arrays), []
    turned = {key: values.swapaxes(1, 2) if values.ndim == 3 else values for key, values in arrays.items()}
    return turned, ["the images of EMNIST are stored transposed and were turned upright"]


def _load_tables(path: Path, files: Mapping[str, Path]) -> Dataset:
    """Load a table, with the one of the test set that lies beside it where their names say so."""
    table = files.get("") or files["train"]
    beside = table.with_name(table.name.replace("train", "test"))
    test = files.get("test") or (beside if beside != table and beside.is_file() and is_table(beside) else None)
    notes, files = [], {"train": table}
    if test is not None and have_equal_columns(table, test):
        files["test"] = test
    elif test is not None:
        notes = [f"{test.name} has other columns (no labels?) and was left out"]
    parts, like = {}, None
    for part, each in files.items():
        like = read_table(each, like)
        parts[part] = like.x, like.y
        notes += like.notes
    hashes = {each.name: sha256_of(each) for each in files.values()}
    return _load_parts(path, files, parts, hashes, notes, table.name.lower())


def _load_images(folder: Path, found: Mapping[str, Classes]) -> Dataset:
    parts, hashes, notes = {}, {}, []
    for part, (x, y, sha256, note) in read_images(found).items():
        parts[part], hashes[part or "images"] = (x, y), sha256
        notes += [f"{folder / part}: {note}" if part else note] if note else []
    unsorted = [] if "" in found else without_classes(folder)  # where nothing is split, train is a class
    notes += [f"{part} has no folders of classes and was left out" for part in unsorted]
    return _load_parts(folder, dict.fromkeys(parts, folder), parts, hashes, notes)


def _load_parts(
    path: Path, files: Mapping[str, Path], parts: Mapping[str, Sequence[NDArray[Any]]],
    sha256: dict[str, str], notes: Iterable[str], family: str = "",
) -> Dataset:  # fmt: skip
    """Return the data set of parts, "train", "test" and "val", or one alone, whose labels may be names."""
    labels, names = number_classes({part: y for part, (_, y) in parts.items()})
    arrays = {f"x_{part}": x for part, (x, _) in parts.items()} | {f"y_{part}": y for part, y in labels.items()}
    if len(parts) == 1:
        arrays = {key[0]: values for key, values in arrays.items()}
    arrays, turned = _turned(family, arrays)
    named = {key: NamedArray(str(files.get(key[2:], path)), values) for key, values in arrays.items()}
    where = path.parent if path.is_file() and len(files) > 1 else path
    note = f"its classes are {listed(names)}" if names else ""
    data = split(_absolute(path), _absolute(where), named, sha256, [*notes, *turned, note])
    return replace(data, classes=names)
