"""The book's `mnist_loader`: MNIST as the lists of examples that its programs learn from (chapter 1)."""

import sys
from typing import Any

import numpy as np

from netlearn import datasets
from netlearn.numerics import Array


def load_data() -> tuple[tuple[Array, datasets.Labels], ...]:
    """Return the training, validation and test data, each as images, (n, 784) in float32, and digits, (n,).

    A pixel is k/256, as in the book's file; netlearn's own data sets have k/255. Without full MNIST these are the
    digits that netlearn brings, and a line on stderr says so.
    """
    data = datasets.load("auto")
    if data.name != "mnist":
        sys.stderr.write(f"mnist_loader: {data.name}, {len(data.train):,} training images, {data.note}\n")
    return tuple((np.rint(255 * p.x) / np.float32(256), p.labels) for p in (data.train, data.validation, data.test))


def load_data_wrapper() -> tuple[list[Any], list[Any], list[Any]]:
    """Return (training_data, validation_data, test_data), lists of pairs (x, y).

    x is an image, (784, 1). In the training data y is a column, (10, 1), with 1 at the digit, else the digit itself.
    """
    training_data, validation_data, test_data = (list(zip(x[:, :, None], y, strict=True)) for x, y in load_data())
    return [(x, vectorized_result(digit)) for x, digit in training_data], validation_data, test_data


def vectorized_result(j: int) -> Array:
    """Return the desired output for digit j, (10, 1): 1 in place j and 0 elsewhere."""
    return np.eye(10)[:, [j]]
