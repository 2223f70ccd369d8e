"""Splitting images and labels into a training, a validation and a test set."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.arrays import Named, as_images, as_labels, as_rows, divisor_of, kind
from netlearn.datasets.dataset import Dataset, Examples, Labels
from netlearn.datasets.sources import is_known
from netlearn.errors import DataError

PARTS = {"train": "training", "val": "validation", "test": "test"}
SEED = 0  # of the order of a user's own data, which does not depend on the seed of a run
TEST, VALIDATION = 7, 6  # one in so many is withheld; full MNIST has 10,000 of 70,000, then of 60,000
ORDINALS = {7: "seventh", 6: "sixth"}
FEW = 10  # examples of a class: with fewer, none are withheld
MAX_LISTED = 10  # classes in a note


def split(
    name: str, where: str, arrays: Mapping[str, Named], sha256: dict[str, str], notes: Iterable[str] = ()
) -> Dataset:
    """Return the data set of the arrays x_train, y_train, x_test, y_test and, if there are any, x_val and y_val.

    Args:
        name: the name or path that loads the data set.
        where: the folder or file it was read from.
        arrays: the arrays as they were read, by these keys, or x and y alone, of which a part becomes the test set.
        sha256: of each file; the training examples of known files keep their order.
        notes: what was decided when it was read.
    """
    whole = "x" in arrays
    named = {f"{key}_train": array for key, array in arrays.items()} if whole else arrays
    images = {part: as_images(named[f"x_{part}"]) for part in PARTS if f"x_{part}" in named}
    labels = {part: as_labels(named[f"y_{part}"], len(array.values)) for part, array in images.items()}
    classes = max(2, int(labels["train"].max()) + 1)
    for part, array in images.items():
        _check_images(array, images["train"].values)
        _check_classes(named[f"y_{part}"].name, labels[part], classes)
    divisor, doubtful = divisor_of([*images.values()])
    x = {part: array.values for part, array in images.items()}
    if not is_known(sha256.values()):
        order = stratified_order(labels["train"], np.random.default_rng(SEED))
        x["train"], labels["train"] = x["train"][order], labels["train"][order]
    parts = {part: Examples(as_rows(x[part], divisor), labels[part]) for part in x}
    said = [*notes, *filter(None, [doubtful])]
    if whole:
        parts["train"], parts["test"], note = _withhold(parts["train"], TEST, "test")
        said.append(note or f"a {ORDINALS[TEST]} of its examples, {len(parts['test']):,}, are the test set")
    if "val" not in parts:
        parts["train"], parts["val"], note = _withhold(parts["train"], VALIDATION, "validation")
        said += filter(None, [note])
    said += missing_classes({part: parts[part].labels for part in PARTS}, classes)
    shape = x["train"].shape[1:]
    image = (int(shape[0]), int(shape[1])) if len(shape) == 2 else None
    note = "; ".join(said)
    return Dataset(name, where, parts["train"], parts["val"], parts["test"], classes, image, sha256, note)


def _withhold(examples: Examples, share: int, part: str) -> tuple[Examples, Examples, str]:
    """Return the examples without their last seventh or so, which is a set of its own.

    Where there are very few, both are all of the examples, and a note says so.
    """
    classes = len(np.unique(examples.labels))
    if len(examples) < FEW * classes:
        few = f"its {len(examples):,} training examples are too few to withhold any"
        return examples, examples, f"{few}: the {part} set is the training set"
    n = len(examples) - max(1, len(examples) // share)
    return examples.first(n), Examples(examples.x[n:], examples.labels[n:]), ""


def _check_images(array: Named, train: NDArray[Any]) -> None:
    x = array.values
    if kind(x) != kind(train):
        raise DataError(f"{array.name}: {x.dtype}; must be of the same kind as in training, {train.dtype}")
    if x.shape[1:] != train.shape[1:]:
        raise DataError(f"{array.name}: examples of shape {x.shape[1:]}; must be {train.shape[1:]}, as in training")


def _check_classes(name: str, labels: Labels, classes: int) -> None:
    i = int(labels.argmax())
    if labels[i] >= classes:
        raise DataError(f"{name}: label {labels[i]} at item {i}; must be from 0 to {classes - 1}, as in training")


def stratified_order(labels: Labels, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a random order of examples in which any consecutive ones have each class in proportion.

    Each example gets the quantile that it has within its class, in random order: the first of four 1/8, the second
    3/8, and so on. Sorting by quantile spreads every class evenly.
    """
    shuffled = rng.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled].astype(np.int16), kind="stable")]  # a radix sort
    quantile = np.concatenate([(np.arange(count) + 0.5) / count for count in np.bincount(labels)])
    order: NDArray[np.int64] = by_class[np.argsort(quantile, kind="stable")]
    return order


def missing_classes(labels: Mapping[str, Labels], classes: int) -> list[str]:
    """Return a note on the classes that no split has, and one for each split that lacks others."""
    missing = {part: set(range(classes)).difference(np.unique(labels[part]).tolist()) for part in labels}
    nowhere = set.intersection(*missing.values())
    notes = [f"no example of class {_listed(nowhere)}"] if nowhere else []
    return notes + [
        f"no {PARTS[part]} example of class {_listed(lacking - nowhere)}"
        for part, lacking in missing.items()
        if lacking - nowhere
    ]


def _listed(classes: set[int]) -> str:
    more = f" and {len(classes) - MAX_LISTED} more" if len(classes) > MAX_LISTED else ""
    return ", ".join(map(str, sorted(classes)[:MAX_LISTED])) + more
