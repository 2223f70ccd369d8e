"""The data set: examples and labels, split into training, validation and test sets."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.errors import SettingsError
from netlearn.numerics import Array

Labels: TypeAlias = NDArray[np.int64]
LABEL_NOISE_STREAM = (4,)  # its spawn key among the random streams of a run


@dataclass(frozen=True)
class Examples:
    """Examples as rows: x of shape (n, n_in), labels of shape (n,)."""

    x: Array
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int) -> "Examples":
        """Return the first n examples, as views."""
        return Examples(self.x[:n], self.labels[:n])


@dataclass(frozen=True)
class Dataset:
    """A data set, split and ready for training.

    Attributes:
        name: the name or path that loads this set again.
        where: the folder or file it was read from.
        train: the examples to learn from.
        validation: the examples to choose settings with.
        test: the examples to report results on.
        outputs: the number of output neurons; with 1, the labels 0 and 1 are themselves the targets.
        image: height and width if each example is an image, else None.
        sha256: SHA-256 of each file it was read from, by file name.
        note: anything about the set that may surprise its user, or "".
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

    @cached_property
    def train_sha256(self) -> str:
        """SHA-256 of the training examples and their labels."""
        arrays = [np.ascontiguousarray(array) for array in (self.train.x, self.train.labels)]
        sha256 = hashlib.sha256("".join(f"{array.dtype} {array.shape} " for array in arrays).encode())
        for array in arrays:
            sha256.update(array.data)
        return sha256.hexdigest()

    def with_train_size(self, train_size: int) -> "Dataset":
        """Return the set with only its first `train_size` training examples.

        Raises:
            SettingsError: there are fewer training examples than that.
        """
        if train_size > len(self.train):
            raise SettingsError(
                f"train_size {train_size}: must be from 1 to {len(self.train)}, the training examples of {self.name}"
            )
        return replace(self, train=self.train.first(train_size))

    def with_label_noise(self, fraction: float, seed: int) -> "Dataset":
        """Return the set with another label for a fraction of its training examples, each other class as likely.

        The seed of the run determines which examples are wrong first, and which class each of them gets: what is
        wrong with a smaller fraction is as wrong with a larger one.
        """
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=LABEL_NOISE_STREAM))
        n, classes = len(self.train), max(2, self.outputs)
        order, shifts = rng.permutation(n), rng.integers(1, classes, n)
        wrong = order[: round(fraction * n)]
        labels = self.train.labels.copy()
        labels[wrong] = (labels[wrong] + shifts[wrong]) % classes
        return replace(self, train=Examples(self.train.x, labels))


def targets(labels: Labels, outputs: int) -> Array:
    """Return the desired outputs as rows, (n, outputs): one-hot, or the labels themselves for one output.

    Raises:
        SettingsError: a label has no output neuron.
    """
    largest = int(labels.max(initial=0))
    if largest >= max(2, outputs):
        raise SettingsError(f"outputs {outputs}: must be {largest + 1} or more for labels up to {largest}")
    if outputs == 1:
        return labels[:, np.newaxis].astype(np.float32)
    return np.eye(outputs, dtype=np.float32)[labels]
