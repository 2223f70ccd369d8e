"""The data sets of a comparison on the machines of a cluster: their original files, in a cache, checked by hash."""

import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from netlearn import datasets
from netlearn.cluster.messages import DataFiles
from netlearn.datasets import Dataset
from netlearn.datasets.sources import cache_folder, sha256_of
from netlearn.errors import DataError
from netlearn.runs import data_identity


def files_of(name: str, identity: tuple[str, ...]) -> DataFiles:
    """Return the original files of a data set on this machine, which must have that identity."""
    data = datasets.load(name)
    where = Path(data.where)
    files = {file: (where / file if where.is_dir() else where).read_bytes() for file in data.sha256}
    if data_identity(data.name, data.sha256) != identity:
        raise DataError(f"data {name}: was changed while the comparison was in progress")
    return DataFiles(data=identity, files=files)


def is_here(identity: tuple[str, ...]) -> bool:
    """Return whether this machine has a data set; one without files needs none."""
    return not _has_files(identity) or _is_intact(_folder(identity), identity)


def store(data: DataFiles) -> None:
    """Store a data set in the cache of this machine, so that other processes see all of it or nothing.

    Raises:
        DataError: its files are not those of its identity, or cannot be written.
    """
    folder = _folder(data.data)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as temporary:
            path = Path(temporary, folder.name)
            path.mkdir()
            for name, content in data.files.items():
                (path / Path(name).name).write_bytes(content)
            if not _is_intact(path, data.data):
                raise DataError(
                    f"data {', '.join(data.files)}: damaged on the way: SHA-256 must be that of the order"
                )
            if not _is_intact(folder, data.data):
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(FileExistsError):  # another process was faster
                    path.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}") from error


@lru_cache(maxsize=2)
def load(name: str, identity: tuple[str, ...]) -> Dataset:
    """Load a data set from the cache of this machine, by netlearn's own reader, under its name elsewhere."""
    if not _has_files(identity):
        return datasets.load(name)
    folder = _folder(identity)
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return replace(datasets.load(str(files[0] if len(files) == 1 else folder)), name=name)


def _has_files(identity: tuple[str, ...]) -> bool:
    return all(len(sha256) == 64 for sha256 in identity)


def _folder(identity: tuple[str, ...]) -> Path:
    return cache_folder("cluster") / "-".join(sha256[:8] for sha256 in identity)


def _is_intact(folder: Path, identity: tuple[str, ...]) -> bool:
    """Return whether a folder holds the files with those hashes and no others."""
    try:
        return sorted(sha256_of(path) for path in folder.iterdir()) == sorted(identity)
    except OSError:
        return False
