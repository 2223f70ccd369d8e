"""The data set: examples and labels, split into training, validation and test sets."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netlearn.datasets.appearance import Appearance, measure
from netlearn.errors import SettingsError
from netlearn.numerics import Array

Labels: TypeAlias = NDArray[np.int64]
LABEL_NOISE_KEY = 4  # of its random stream; those of a run's others are in `runs.setup`
BLOCK = 1000  # examples that are floats at once where all are hashed
MEASURED = 1000  # training images


def scaled(inputs: NDArray[Any], dtype: DTypeLike = np.float32, out: Array | None = None) -> Array:
    """Return inputs as floats: bytes are divided by 255, in float32 whatever the dtype, and floats are as they are.

    Args:
        inputs: as `Examples` stores them.
        dtype: of the floats.
        out: where to write them instead of to a new array.
    """
    if out is None:
        if inputs.dtype != np.uint8:
            return inputs.astype(dtype, copy=False)
        out = np.empty(inputs.shape, dtype)
    if inputs.dtype == np.uint8:
        np.divide(inputs, 255, out, dtype=np.float32)
    else:
        np.copyto(out, inputs)
    return out


def gather(inputs: NDArray[Any], rows: NDArray[np.int64], out: Array, unscaled: NDArray[Any] | None = None) -> None:
    """Write some rows of inputs, scaled, to `out`; with `unscaled`, a buffer for them, it allocates no memory."""
    if inputs.dtype == out.dtype:
        inputs.take(rows, 0, out, "clip")  # "clip" writes without a buffer; every row exists
    else:
        scaled(inputs.take(rows, 0, unscaled, "clip"), out=out)


@dataclass(frozen=True)
class Examples:
    """Examples as rows.

    Attributes:
        inputs: (n, n_in), as they are stored: floats, or bytes, which need a quarter of the memory.
        labels: (n,).
    """

    inputs: NDArray[Any]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> "Examples":
        """Return some of the examples, as views."""
        return Examples(self.inputs[part], self.labels[part])

    @cached_property
    def x(self) -> Array:
        """The inputs as floats, (n, n_in)."""
        return scaled(self.inputs, np.float32 if self.inputs.dtype == np.uint8 else self.inputs.dtype)

    @property
    def n_in(self) -> int:
        """The number of inputs of an example."""
        return int(self.inputs.shape[1])


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
        classes: their names in the order of their numbers, if they have names.
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
    classes: tuple[str, ...] = ()

    @cached_property
    def train_sha256(self) -> str:
        """SHA-256 of the training examples, as floats, and their labels."""
        inputs, labels = self.train.inputs, np.ascontiguousarray(self.train.labels)
        dtypes = self.train[:0].x.dtype, labels.dtype
        sha256 = hashlib.sha256(f"{dtypes[0]} {inputs.shape} {dtypes[1]} {labels.shape} ".encode())
        for start in range(0, len(inputs), BLOCK):
            sha256.update(np.ascontiguousarray(self.train[start : start + BLOCK].x).data)
        sha256.update(labels.data)
        return sha256.hexdigest()

    @cached_property
    def appearance(self) -> Appearance | None:
        """What the training images look like; None if the inputs cannot be images."""
        return measure(self.train[:MEASURED].x, self.image)

    def with_train_size(self, train_size: int) -> "Dataset":
        """Return the set with only its first `train_size` training examples.

        Raises:
            SettingsError: there are fewer training examples than that.
        """
        if train_size > len(self.train):
            raise SettingsError(
                f"train_size {train_size}: must be from 1 to {len(self.train)}, the training examples of {self.name}"
            )
        return replace(self, train=self.train[:train_size])

    def with_label_noise(self, fraction: float, seed: int) -> "Dataset":
        """Return the set with another label for a fraction of its training examples, each other class as likely.

        The seed of the run determines which examples are wrong first, and which class each of them gets: what is
        wrong with a smaller fraction is as wrong with a larger one.
        """
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(LABEL_NOISE_KEY,)))
        n, classes = len(self.train), max(2, self.outputs)
        order, shifts = rng.permutation(n), rng.integers(1, classes, n)
        wrong = order[: round(fraction * n)]
        labels = self.train.labels.copy()
        labels[wrong] = (labels[wrong] + shifts[wrong]) % classes
        return replace(self, train=Examples(self.train.inputs, labels))


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
