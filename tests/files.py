"""Makes small data files, whole or broken, and other things that several tests need."""

import gzip
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from numpy.typing import NDArray

from netlearn import datasets
from netlearn.datasets import Dataset, Examples
from netlearn.datasets.sources import FILES
from netlearn.errors import NetlearnError


def idx_bytes(items: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, items.ndim]) + np.array(items.shape, ">u4").tobytes() + items.tobytes()


def small_arrays(train: int = 120, test: int = 6) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(4)
    return [
        rng.integers(256, size=(train, 4, 3), dtype=np.uint8),
        (np.arange(train) % 10).astype(np.uint8),
        rng.integers(256, size=(test, 4, 3), dtype=np.uint8),
        (np.arange(test) % 10).astype(np.uint8),
    ]


def write_folder(folder: Path, arrays: list[NDArray[np.uint8]] | None = None, *, packed: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in zip(FILES, arrays or small_arrays(), strict=True):
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(items), mtime=0))
        else:
            (folder / name).write_bytes(idx_bytes(items))
    return folder


def check_small(data: Dataset, y_test: NDArray[np.uint8] | None = None) -> None:
    """Check that a data set has the small arrays as its test set, and their training examples."""
    _, y_train, x_test, labels = small_arrays()
    np.testing.assert_allclose(data.test.x, x_test.reshape(len(x_test), -1) / 255, atol=1e-6)
    np.testing.assert_array_equal(data.test.labels, labels if y_test is None else y_test)
    assert len(data.train) + len(data.validation) == len(y_train)


def small_dataset(train: int = 47, validation: int = 20, n_in: int = 6, outputs: int = 3) -> Dataset:
    """Return points around one centre for each class, in the units of pixels."""
    rng = np.random.default_rng(7)
    centres = rng.random((outputs, n_in))

    def examples(n: int) -> Examples:
        labels = rng.integers(outputs, size=n)
        return Examples((centres[labels] + rng.normal(scale=0.2, size=(n, n_in))).astype(np.float32), labels)

    parts = examples(train), examples(validation), examples(validation)
    return Dataset("small", "here", *parts, outputs=outputs, image=None, sha256={})


def refused(name: str) -> str:
    """Return the one line with which a data set is refused."""
    with pytest.raises(NetlearnError) as caught:
        datasets.load(name)
    (line,) = str(caught.value).splitlines()
    return line


def wait_for(text: str, stream: IO[str]) -> None:
    """Read a process's output until a line has that text."""
    for line in stream:
        if text in line:
            return
    raise AssertionError(f"{text!r} never came")
