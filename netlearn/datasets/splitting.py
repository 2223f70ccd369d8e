"""From images and labels as files hold them to rows of numbers, in training, validation and test sets.

Integer images are divided by the largest value of their type, so that pixels lie in [0, 1]: uint8 by 255, uint16 by
65,535. The type of signed and wider integers does not show the range of the pixels; they are divided by the largest
value of the smallest unsigned type (of 1, 8, 16, 32 or 64 bits) that holds them all. Booleans become 0 and 1. Floats
are not scaled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.dataset import Dataset, Examples, Labels
from netlearn.datasets.sources import is_known
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.text import printable

MAX_CLASSES = 1000
MOST_CLASSES = 20  # classes in a note
WIDTHS = (1, 8, 16, 32, 64)  # bits of a pixel
DARK = 0.25  # fraction of a type's range: if no pixel is brighter, the range may be another
UNLIKE = 20  # times the inputs of the training set: scaled by another number
ROUNDING = 0.01  # by which floats may leave [0, 1]
PARTS = {"train": "training", "val": "validation", "test": "test"}
SEED = 0  # of the order of a user's own data, which does not depend on the seed of a run
TEST, VALIDATION = 7, 6  # one in so many is withheld; full MNIST has 10,000 of 70,000, then of 60,000
ORDINALS = {7: "seventh", 6: "sixth"}
FEW = 10  # examples of a class: with fewer, none are withheld
MOST_MISSING = 10  # classes in a note


@dataclass(frozen=True)
class NamedArray:
    """An array and the name that errors give it, such as "data.npz: x_train"."""

    name: str
    values: NDArray[Any]


def as_images(array: NamedArray) -> NamedArray:
    """Return images of shape (n, n_in) or (n, height, width), without the channel axis of grayscale images."""
    x = array.values
    if x.ndim == 4 and 1 in {x.shape[1], x.shape[3]}:
        x = x[..., 0] if x.shape[3] == 1 else x[:, 0]
    if x.ndim not in {2, 3} or x.size == 0 or kind(x) not in "bif":
        colours = next((axis for axis in (3, 1) if x.ndim == 4 and x.shape[axis] in {3, 4}), None)
        hint = f"; of images in colour, .mean(axis={colours}) is the brightness" if colours else ""
        raise DataError(
            f"{array.name}: {x.dtype} of shape {x.shape}; must be numbers of shape (n, n_in) or (n, height, width)"
            f"{hint}"
        )
    return NamedArray(array.name, x)


def as_labels(array: NamedArray, n: int) -> Labels:
    """Return the labels of n examples.

    Accepted are whole numbers of any type, also as text, (n,), (n, 1) or (1, n), or one-hot, (n, classes).
    """
    y = array.values
    if y.size == n and n in y.shape:
        y = y.ravel()
    if y.dtype.kind in "USO":
        y = _numbers(array.name, y)
    if _is_one_hot(y, n):
        y = y.argmax(axis=1)
    if y.shape != (n,) or kind(y) not in "bif":
        hint = "; .argmax(axis=1) is the strongest class of each row, [:, 0] the first column"
        if y.ndim == 2 and y.dtype.kind in "bi" and set(np.unique(y).tolist()) <= {0, 1}:
            hint = "; several labels of one example are not supported"
        raise DataError(
            f"{array.name}: {y.dtype} of shape {y.shape}; must be whole numbers of shape ({n},), one for each example"
            f"{hint if y.ndim == 2 and len(y) == n else ''}"
            f"{'; if the examples are columns, .T makes them rows' if y.ndim == 1 else ''}"
        )
    with np.errstate(invalid="ignore"):  # NaN and infinity become a negative number
        labels: Labels = y.astype(np.int64)
    wrong = (labels != y) | (labels < 0) | (labels >= MAX_CLASSES)
    if wrong.any():
        i = int(wrong.argmax())
        hint = "; (y > 0).astype(int) makes 0 and 1 of -1 and 1" if set(np.unique(y).tolist()) == {-1, 1} else ""
        raise DataError(
            f"{array.name}: label {y[i]} at item {i}; must be a whole number from 0 to {MAX_CLASSES - 1}{hint}"
        )
    return labels


def _numbers(name: str, y: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers that are stored as text."""
    try:
        return y.astype(np.str_).astype(np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{name}: text such as {str(y.ravel()[0])[:40]!r}; must be whole numbers: .astype(int) makes them from "
            "digits, numpy.unique(y, return_inverse=True)[1] from names"
        ) from error


def _is_one_hot(y: NDArray[Any], n: int) -> bool:
    """Return whether each row of labels has a single 1 among zeros."""
    if y.ndim != 2 or len(y) != n or y.shape[1] < 2 or kind(y) not in "bif":
        return False
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def number_classes(labels: dict[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Return the numbers of classes, and their names if they have names; digits are their own numbers."""
    if not all(values.dtype.kind == "U" for values in labels.values()):
        return labels, ()
    names = sorted({name for part in labels.values() for name in np.unique(part).tolist()})
    if all(name.isdecimal() and name.isascii() for name in names):
        return {part: values.astype(np.int64) for part, values in labels.items()}, ()
    return {part: np.searchsorted(names, values) for part, values in labels.items()}, tuple(map(printable, names))


def listed(names: Sequence[str]) -> str:
    """Return the first names of classes with their numbers."""
    first = ", ".join(f"{i} = {name}" for i, name in enumerate(names[:MOST_CLASSES]))
    return f"{first}{', …' if len(names) > MOST_CLASSES else ''}"


def kind(x: NDArray[Any]) -> str:
    """Return "b" for booleans, "i" for integers of any type, "f" for floats."""
    return x.dtype.kind.replace("u", "i")


def divisor_of(images: Sequence[NamedArray]) -> tuple[float, str]:
    """Return the number to divide images of one kind by, and a note if it may be the wrong one, else "".

    The training set comes first; its pixels decide about the note.
    """
    if kind(images[0].values) != "f":
        return _range_of_integers(images)
    for array in images:
        largest = max(abs(array.values.min()), abs(array.values.max()))
        if not np.isfinite(largest) or largest > np.finfo(np.float32).max:
            raise DataError(f"{array.name}: holds a number that is not finite in float32; must be finite")
    low, high = min(array.values.min() for array in images), max(array.values.max() for array in images)
    if low >= -ROUNDING and high <= 1 + ROUNDING:
        brightest = float(images[0].values.max())
        dark = f"its inputs run to {brightest:g} only, but should use all of [0, 1]; divide them by {brightest:g}"
        return 1.0, dark if 0 < brightest < DARK else ""
    parts = [(array.name, float(np.abs(array.values).max())) for array in images]
    (trained, most), *_ = parts
    for name, largest in parts:
        if not most / UNLIKE < largest < most * UNLIKE:
            return 1.0, f"scaled unlike each other: the inputs of {trained} run to {most:g}, of {name} to {largest:g}"
    remedy = f"divide them by {high:g}" if low >= 0 else "rescale them (docs/data.md), unless they are standardized"
    return 1.0, f"its inputs run from {low:g} to {high:g}, but should lie in [0, 1]; {remedy}".replace("-", "−")


def _range_of_integers(images: Sequence[NamedArray]) -> tuple[float, str]:
    for array in images:
        if (low := int(array.values.min())) < 0:
            raise DataError(f"{array.name}: {low} in {array.values.dtype}; integers must be 0 or more, or use floats")
    high = max(int(array.values.max()) for array in images)
    types = {(array.values.dtype.kind, array.values.dtype.itemsize) for array in images}
    bits = next(bits for bits in WIDTHS if high < 2**bits)
    if types in ({("u", 1)}, {("u", 2)}):
        bits = 8 * images[0].values.dtype.itemsize
    divisor = 2**bits - 1
    brightest = int(images[0].values.max())
    if 0 < brightest < DARK * divisor:
        return divisor, (
            f"its brightest training pixel is {brightest} and was divided by {divisor:,}; if {brightest} is the "
            f"brightest possible, divide by {brightest} and store floats"
        )
    return divisor, ""


def as_rows(x: NDArray[Any], divisor: float) -> NDArray[Any]:
    """Return images as rows, (n, n_in): divided by a number in float32, or bytes where that is 255 (see `scaled`)."""
    flat = x.reshape(len(x), -1)
    if divisor == np.iinfo(np.uint8).max:
        return np.ascontiguousarray(flat, np.uint8)
    rows: Array = np.empty(flat.shape, np.float32)
    if kind(x) == "f":
        np.copyto(rows, flat)
    else:
        np.divide(flat, float(divisor), rows, dtype=np.float32)
    return rows


def split(
    name: str, where: str, arrays: Mapping[str, NamedArray], sha256: dict[str, str], notes: Iterable[str] = ()
) -> Dataset:
    """Return the data set of the arrays x_train, y_train, x_test, y_test and, if there are any, x_val and y_val.

    Args:
        name: the name or path that loads the data set.
        where: the folder or file it was read from.
        arrays: the arrays as they were read, by these keys. A part of the training set becomes the test set if there
            is none, as when they are x and y alone.
        sha256: of each file; the training examples of known files keep their order.
        notes: what was decided when it was read.
    """
    named = {f"{key}_train": array for key, array in arrays.items()} if "x" in arrays else arrays
    images = {part: as_images(named[f"x_{part}"]) for part in PARTS if f"x_{part}" in named}
    labels = {part: as_labels(named[f"y_{part}"], len(array.values)) for part, array in images.items()}
    classes = max(2, int(labels["train"].max()) + 1)
    for part, array in images.items():
        _check_part(array, images["train"].values, named[f"y_{part}"].name, labels[part], classes)
    divisor, doubtful = divisor_of([*images.values()])
    x = {part: array.values for part, array in images.items()}
    if not is_known(sha256.values()):
        order = stratified_order(labels["train"], np.random.default_rng(SEED))
        x["train"], labels["train"] = x["train"][order], labels["train"][order]
    parts = {part: Examples(as_rows(x[part], divisor), labels[part]) for part in x}
    all_notes = [*notes, doubtful]
    if "test" not in parts:
        parts["train"], parts["test"], note = _withhold(parts["train"], TEST, "test")
        all_notes.append(note or f"a {ORDINALS[TEST]} of its examples, {len(parts['test']):,}, are the test set")
    if "val" not in parts:
        parts["train"], parts["val"], note = _withhold(parts["train"], VALIDATION, "validation")
        all_notes.append(note)
    all_notes += missing_classes({part: parts[part].labels for part in PARTS}, classes)
    shape = x["train"].shape[1:]
    image = (int(shape[0]), int(shape[1])) if len(shape) == 2 else None
    note = "; ".join(filter(None, all_notes))
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
    return examples[:n], examples[n:], ""


def _check_part(array: NamedArray, train: NDArray[Any], name: str, labels: Labels, classes: int) -> None:
    """Check that the images and labels of a part are like those to learn from."""
    x, i = array.values, int(labels.argmax())
    if kind(x) != kind(train):
        raise DataError(f"{array.name}: {x.dtype}; must be of the same kind as in training, {train.dtype}")
    if x.shape[1:] != train.shape[1:]:
        raise DataError(f"{array.name}: examples of shape {x.shape[1:]}; must be {train.shape[1:]}, as in training")
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
    more = f" and {len(classes) - MOST_MISSING} more" if len(classes) > MOST_MISSING else ""
    return ", ".join(map(str, sorted(classes)[:MOST_MISSING])) + more
