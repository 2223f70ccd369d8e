"""Makes small data files, whole or broken."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netlearn.sources import FILES


def idx_bytes(items: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, items.ndim]) + np.array(items.shape, ">u4").tobytes() + items.tobytes()


def small_arrays(train: int = 24, test: int = 6) -> list[NDArray[np.uint8]]:
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
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(items)))
        else:
            (folder / name).write_bytes(idx_bytes(items))
    return folder
