import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from netlearn.datasets.sources import FILES, sha256_of
from netlearn.errors import DataError, SettingsError
from netlearn.numerics import Array
from tests.commands import POSIX
from tests.files import idx_bytes, refused, small_arrays, write_folder
from tests.messages import has_facts


def test_mnist_5k_is_included_and_balanced_in_every_part() -> None:
    data = datasets.load("mnist-5k")
    assert (len(data.train), len(data.validation), len(data.test)) == (3500, 700, 800)
    for part in (data.train, data.validation, data.test, data.with_train_size(100).train):
        np.testing.assert_array_equal(np.bincount(part.labels), np.full(10, len(part) // 10))
    assert data.train.x.dtype == np.float32
    assert data.train.inputs.dtype == np.uint8
    assert data.train.x.shape == data.train.inputs.shape == (3500, 784)
    assert data.train_sha256 == "ffc8e7a28e684a45c16ba0aeb4c4394736f2a3ed163d9cc9278c125c543e84ad"
    assert (data.train.x.min(), data.train.x.max()) == (0, 1)
    assert data.outputs == 10
    assert data.image == (28, 28)
    assert data.sha256 == {path.name: sha256_of(path) for path in datasets.BUNDLED.glob("*.gz")}


def test_full_mnist_splits_50000_10000_10000_in_file_order(full_mnist: Path) -> None:
    data = datasets.load("auto")
    assert (data.name, data.where, data.note) == ("mnist", str(full_mnist), "")
    assert (len(data.train), len(data.validation), len(data.test)) == (50_000, 10_000, 10_000)
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    raw = gzip.decompress((full_mnist / f"{FILES[0]}.gz").read_bytes())
    last = np.frombuffer(raw[-784:], np.uint8) / 255
    np.testing.assert_allclose(data.validation.x[-1], last, rtol=1e-6)


@pytest.mark.usefixtures("full_mnist")
def test_bundled_digits_are_in_full_mnist() -> None:
    full, small = datasets.load("mnist"), datasets.load("mnist-5k")
    zeros = full.train.x[full.train.labels == 0]
    np.testing.assert_array_equal(small.train.x[small.train.labels == 0], zeros[:350])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bytes_are_divided_in_float32_whatever_the_dtype(dtype: Any) -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected: Array = (every.astype(np.float32) / np.float32(255)).astype(dtype)
    np.testing.assert_array_equal(datasets.scaled(every, dtype), expected, strict=True)
    rows = np.array([3, 15, 3])
    out: Array = np.empty((3, 16), dtype)
    for unscaled in (None, np.empty((3, 16), np.uint8)):
        datasets.gather(every, rows, out, unscaled)
        np.testing.assert_array_equal(out, expected[rows])
    datasets.gather(expected.astype(np.float32), rows, out)
    np.testing.assert_array_equal(out, expected[rows])


def test_neuron_is_one_example_with_target_0() -> None:
    data = datasets.load("neuron")
    assert (data.train.x.tolist(), data.train.labels.tolist(), data.outputs) == ([[1.0]], [0], 1)
    np.testing.assert_array_equal(datasets.targets(data.train.labels, 1), [[0.0]])


def test_targets_are_one_hot_rows() -> None:
    np.testing.assert_array_equal(datasets.targets(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("packed", [False, True])
def test_folder_of_idx_files_is_read_plain_and_packed(tmp_path: Path, packed: bool) -> None:
    arrays = small_arrays()
    folder = write_folder(tmp_path / "own", arrays, packed=packed)
    data = datasets.load(str(folder))
    assert (len(data.train), len(data.validation), len(data.test)) == (100, 20, 6)
    np.testing.assert_allclose(data.test.x, arrays[2].reshape(6, 12) / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.test.labels, arrays[3])
    assert data.image == (4, 3)
    assert len(data.sha256) == 4


@pytest.mark.parametrize(
    ("at", "change", "facts"),
    [
        (1, lambda y: y[:-1], "(119,) (120,)"),
        (3, lambda y: np.append(y[:-1], 10), "label 10 at item 5 from 0 to 9"),
        (2, lambda x: x[:, :, :2], "(4, 2) (4, 3)"),
    ],
)
def test_file_that_does_not_fit_the_others_is_named(
    at: int, change: Callable[[Any], Any], facts: str, tmp_path: Path
) -> None:
    arrays = small_arrays()
    arrays[at] = change(arrays[at]).astype(np.uint8)
    folder = write_folder(tmp_path / "own", arrays)
    assert has_facts(refused(str(folder)), f"{folder / FILES[at]}.gz: {facts}")


@pytest.mark.parametrize("name", ["own", "own/data.npz"])
def test_unreadable_data_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", forbidden)
    with pytest.raises(DataError, match=rf"^{name}: .*Permission denied"):
        datasets.load(name)


def test_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"'minst': did you mean mnist\?.* must be "):
        datasets.load("minst")
    message = refused("minst")
    assert all(name in message for name in datasets.NAMES)


@pytest.mark.parametrize("name", ["data/mnist", "./mnist", "mnist.npz", "..\\data", "own.idx.gz", "mnist/"])
def test_missing_path_is_not_mistaken_for_a_name(name: str) -> None:
    message = refused(name)
    assert re.match(rf"data {re.escape(repr(name))}: no such file or folder", message)
    assert "auto" not in message


def test_data_set_of_a_path_can_be_loaded_again_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(Path("data/own"))
    Path("data/own.npz").symlink_to(tmp_path / "store")  # its name is kept, where it leads is not looked up
    x, y = np.ones((12, 2)), np.arange(12) % 2
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    (tmp_path / "own.npz").rename(tmp_path / "store")
    monkeypatch.chdir("data")
    found = {name: datasets.load(name) for name in ("own", "own.npz")}
    monkeypatch.chdir("/")
    for name, data in found.items():
        assert (data.name, data.where) == (str(tmp_path / "data" / name),) * 2
        np.testing.assert_array_equal(datasets.load(data.name).train.x, data.train.x)
    assert datasets.load(str(tmp_path / "store")).sha256.keys() == {"store"}


def test_data_in_a_folder_with_a_name_that_is_not_utf8_keeps_its_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / os.fsdecode(b"caf\xe9") / "own")
    monkeypatch.chdir(folder.parent)
    assert datasets.load("own").name == "own"


@POSIX
@pytest.mark.parametrize("name", ["", "pipe"])
def test_data_path_that_is_neither_folder_nor_file_is_refused(name: str) -> None:
    os.mkfifo("pipe")
    assert re.match(
        rf"data '{name}': must be .* a folder of IDX files or images, an \.npz or a CSV file", refused(name)
    )


def test_train_size_takes_the_first_examples_and_no_more_than_there_are() -> None:
    data = datasets.load("mnist-5k")
    np.testing.assert_array_equal(data.with_train_size(7).train.x, data.train.x[:7])
    assert len(data.with_train_size(7).validation) == 700
    with pytest.raises(SettingsError, match=r"train_size 3501: must be .*\b1 to 3500\b.*mnist-5k"):
        data.with_train_size(3501)


def test_folder_with_a_file_missing_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    (folder / f"{FILES[1]}.gz").unlink()
    message = refused(str(folder))
    assert message.startswith(f"{folder}: has no {FILES[1]}.gz")
    assert all(file in message for file in FILES)


def test_packed_and_unpacked_files_may_lie_side_by_side_if_they_are_equal(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    write_folder(folder, packed=False)
    assert datasets.load(str(folder)).sha256.keys() == {f"{file}.gz" for file in FILES}
    other = folder / FILES[0]
    other.write_bytes(idx_bytes(small_arrays()[0] // 2))
    assert refused(str(folder)).startswith(f"{other}.gz and {other}: differ; must be one of them")


@pytest.mark.parametrize("n", [1, 4])
def test_very_few_training_examples_are_all_trained_on_and_validated_with(tmp_path: Path, n: int) -> None:
    data = datasets.load(str(write_folder(tmp_path / "own", small_arrays(train=n, test=1))))
    assert (len(data.train), len(data.validation), len(data.test)) == (n, n, 1)
    assert (
        f"its {n} training examples are too few to withhold any: the validation set is the training set" in data.note
    )
