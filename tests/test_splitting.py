"""The split of own data into training, validation and test sets, and the order of its training examples."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netlearn import datasets
from netlearn.datasets.sources import BUNDLED_SHA256, FILES, sha256_of
from netlearn.datasets.splitting import missing_classes, stratified_order
from tests.files import refused


def write_npz(path: Path, labels: NDArray[Any], **others: Any) -> str:
    """Write an .npz file with these training labels, whose inputs are numbered, and return its path."""
    x = np.linspace(0, 1, len(labels))[:, np.newaxis]
    arrays: dict[str, Any] = {"x_train": x, "y_train": labels, "x_test": x, "y_test": labels}
    np.savez(path, **(arrays | others))
    return str(path)


SORTED = np.repeat(np.arange(4), 60)  # 240 examples, one class after another


def test_validation_set_of_sorted_data_has_every_class_in_proportion(tmp_path: Path) -> None:
    data = datasets.load(write_npz(tmp_path / "own.npz", SORTED))
    assert np.bincount(data.train.labels).tolist() == [50] * 4
    assert np.bincount(data.validation.labels).tolist() == [10] * 4
    assert data.note == ""


def test_first_training_examples_of_sorted_data_have_every_class_in_proportion(tmp_path: Path) -> None:
    data = datasets.load(write_npz(tmp_path / "own.npz", np.repeat(np.arange(3), [30, 60, 150])))
    for n in (16, 80, 160):
        found = np.bincount(data.with_train_size(n).train.labels, minlength=3) / n
        np.testing.assert_allclose(found, [1 / 8, 2 / 8, 5 / 8], atol=1 / n)


def test_every_training_example_is_used_once_with_its_label(tmp_path: Path) -> None:
    data = datasets.load(write_npz(tmp_path / "own.npz", SORTED))
    rows = np.concatenate([data.train.x, data.validation.x])[:, 0]
    labels = np.concatenate([data.train.labels, data.validation.labels])
    np.testing.assert_array_equal(labels, SORTED[np.rint(rows * 239).astype(int)])
    np.testing.assert_allclose(np.sort(rows), np.linspace(0, 1, 240), rtol=1e-6)
    assert np.any(np.diff(rows) < 0)


def test_split_depends_only_on_the_content_of_a_file(tmp_path: Path) -> None:
    first = write_npz(tmp_path / "own.npz", SORTED)
    moved = shutil.copy(first, tmp_path / "moved.npz")
    np.testing.assert_array_equal(datasets.load(first).train.x, datasets.load(str(moved)).train.x)


def test_test_set_keeps_its_order(tmp_path: Path) -> None:
    np.testing.assert_array_equal(datasets.load(write_npz(tmp_path / "own.npz", SORTED)).test.labels, SORTED)


def test_x_val_and_y_val_are_the_validation_set(tmp_path: Path) -> None:
    x_val, y_val = np.full((5, 1), 0.25), np.array([0, 1, 2, 3, 0])
    data = datasets.load(write_npz(tmp_path / "own.npz", SORTED, x_val=x_val, y_val=y_val))
    assert (len(data.train), data.validation.x.tolist()) == (240, x_val.tolist())
    assert data.validation.labels.tolist() == y_val.tolist()


@pytest.mark.parametrize(
    ("others", "facts"),
    [
        ({"x_val": np.ones((5, 1))}, r"no y_val, but .*; must hold .*x_val, y_val"),
        ({"y_val": np.ones(5)}, r"no x_val, but .*; must hold .*x_val, y_val"),
        ({"x_val": np.ones((5, 2)), "y_val": np.ones(5)}, r"x_val: .*\(2,\); must be \(1,\)"),
        ({"x_val": np.ones((5, 1)), "y_val": np.full(5, 4)}, r"y_val: label 4 at item 0; must be from 0 to 3"),
    ],
)
def test_unsuitable_validation_arrays_are_refused(
    tmp_path: Path, others: dict[str, NDArray[Any]], facts: str
) -> None:
    path = write_npz(tmp_path / "own.npz", SORTED, **others)
    assert re.match(rf"{re.escape(path)}: .*{facts}", refused(path))


def test_known_files_keep_their_order_wherever_they_are(tmp_path: Path) -> None:
    shutil.copytree(datasets.BUNDLED, tmp_path / "copy")
    copy, bundled = datasets.load(str(tmp_path / "copy")), datasets.load("mnist-5k")
    np.testing.assert_array_equal(copy.train.x, bundled.train.x)
    assert bundled.train.labels[:20].tolist() == [*range(10), *range(10)]
    assert tuple(sha256_of(datasets.BUNDLED / f"{file}.gz") for file in FILES) == BUNDLED_SHA256


def test_rare_class_stays_in_the_training_set_and_is_noted(tmp_path: Path) -> None:
    data = datasets.load(write_npz(tmp_path / "own.npz", np.array([0] * 30 + [1] * 29 + [2])))
    assert np.bincount(data.train.labels).tolist()[2] == 1
    assert data.note == "no validation example of class 2"


def test_missing_classes_are_noted_with_their_split() -> None:
    labels = {"train": np.array([1, 2, 4]), "val": np.array([1, 4]), "test": np.array([1, 2, 3])}
    assert missing_classes(labels, 5) == [
        "no example of class 0", "no training example of class 3", "no validation example of class 2, 3",
        "no test example of class 4",
    ]  # fmt: skip


def test_note_lists_a_few_of_many_missing_classes() -> None:
    (note,) = missing_classes({"train": np.array([0]), "val": np.array([0]), "test": np.array([0])}, 1000)
    assert re.fullmatch(r"no example of class 1, 2, .*, 10 and 989 more", note)


def test_stratified_order_is_a_permutation_without_long_gaps() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(5), [1, 2, 97, 300, 600]))
    order = stratified_order(labels, np.random.default_rng(1))
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    gaps = [np.diff(np.flatnonzero(labels[order] == label)).max() for label in (2, 3, 4)]
    assert np.all(np.array(gaps) <= [13, 6, 4])
