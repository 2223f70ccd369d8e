"""Splitting images and labels into a training, a validation and a test set."""

from collections.abc import Mapping

from netlearn.datasets.arrays import Named, as_images, as_labels, as_rows, divisor_of, kind
from netlearn.datasets.dataset import Dataset, Examples
from netlearn.errors import DataError


def split(name: str, where: str, arrays: Mapping[str, Named], sha256: dict[str, str]) -> Dataset:
    """Return a data set of the arrays x_train, y_train, x_test and y_test; the last sixth of training validates.

    Raises:
        DataError: an array is not of images or labels, or does not fit the others.
    """
    images = {part: as_images(arrays[f"x_{part}"]) for part in ("train", "test")}
    labels = {part: as_labels(arrays[f"y_{part}"], len(x.values)) for part, x in images.items()}
    first = images["train"].values
    if len(first) < 2:
        raise DataError(f"{where}: 1 training example; must be 2 or more, since the last sixth is for validation")
    classes = max(2, int(labels["train"].max()) + 1)
    for part, array in images.items():
        x, y = array.values, labels[part]
        if kind(x) != kind(first):
            raise DataError(f"{array.name}: {x.dtype}; must be of the same kind as in training, {first.dtype}")
        if x.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{array.name}: examples of shape {x.shape[1:]}; must be {first.shape[1:]}, as in training"
            )
        if y.max() >= classes:
            of, i = arrays[f"y_{part}"].name, int(y.argmax())
            raise DataError(f"{of}: label {y[i]} at item {i}; must be from 0 to {classes - 1}, as in training")
    divisor, note = divisor_of([*images.values()])
    parts = {part: Examples(as_rows(x.values, divisor), labels[part]) for part, x in images.items()}
    n_train = len(first) - max(1, len(first) // 6)
    train = parts["train"]
    validation = Examples(train.x[n_train:], train.labels[n_train:])
    image = (int(first.shape[1]), int(first.shape[2])) if first.ndim == 3 else None
    return Dataset(name, where, train.first(n_train), validation, parts["test"], classes, image, sha256, note)
