import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlearn import datasets
from netlearn.errors import DataError, SettingsError
from netlearn.sources import FILES, sha256_of
from tests.files import idx_bytes, small_arrays, write_folder


def test_mnist_5k_comes_with_netlearn_balanced_in_every_part() -> None:
    data = datasets.load("mnist-5k")
    assert (len(data.train), len(data.validation), len(data.test)) == (3500, 700, 800)
    for part in (data.train, data.validation, data.test, data.with_train_size(100).train):
        np.testing.assert_array_equal(np.bincount(part.labels), np.full(10, len(part) // 10))
    assert data.train.x.dtype == np.float32
    assert data.train.x.shape == (3500, 784)
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


def test_neuron_is_one_example_with_target_0() -> None:
    data = datasets.load("neuron")
    assert (data.train.x.tolist(), data.train.labels.tolist(), data.outputs) == ([[1.0]], [0], 1)
    np.testing.assert_array_equal(datasets.targets(data.train.labels, 1), [[0.0]])


def test_targets_are_one_hot_rows() -> None:
    np.testing.assert_array_equal(datasets.targets(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("packed", [False, True])
def test_folder_of_idx_files_keeps_its_last_sixth_for_validation(tmp_path: Path, packed: bool) -> None:
    arrays = small_arrays()
    folder = write_folder(tmp_path / "own", arrays, packed=packed)
    data = datasets.load(str(folder))
    assert (len(data.train), len(data.validation), len(data.test)) == (20, 4, 6)
    np.testing.assert_allclose(data.validation.x, arrays[0][20:].reshape(4, 12) / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.validation.labels, arrays[1][20:])
    assert data.image == (4, 3)
    assert len(data.sha256) == 4


@pytest.mark.parametrize("name", ["own", "own/data.npz"])
def test_data_that_cannot_be_read_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", forbidden)
    with pytest.raises(DataError) as caught:
        datasets.load(name)
    assert str(caught.value) == f"{name}: cannot be read: Permission denied"


def test_unknown_name_lists_what_is_allowed() -> None:
    with pytest.raises(SettingsError) as caught:
        datasets.load("emnist")
    assert str(caught.value) == (
        "data 'emnist': did you mean mnist? allowed is auto, mnist, mnist-5k, fashion-mnist, neuron, "
        "a folder of IDX files or an .npz file"
    )


def test_train_size_takes_the_first_examples_and_no_more_than_there_are() -> None:
    data = datasets.load("mnist-5k")
    np.testing.assert_array_equal(data.with_train_size(7).train.x, data.train.x[:7])
    assert len(data.with_train_size(7).validation) == 700
    with pytest.raises(SettingsError) as caught:
        data.with_train_size(3501)
    assert str(caught.value) == "train_size 3501: mnist-5k has 1 to 3500 training examples"


def test_folder_with_a_file_missing_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    (folder / f"{FILES[1]}.gz").unlink()
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == (
        f"{folder}: has no {FILES[1]}.gz and no {FILES[1]}; allowed is a folder with {', '.join(FILES)}"
    )


def test_folder_with_two_candidates_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    write_folder(folder, packed=False)
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == f"{folder}: holds both {FILES[0]}.gz and {FILES[0]}; one of them must go"


def test_images_and_labels_must_pair(tmp_path: Path) -> None:
    arrays = small_arrays()
    arrays[1] = arrays[1][:-1]
    folder = write_folder(tmp_path / "own", arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == f"{folder / FILES[1]}.gz: 23 labels do not pair with 24 images"


def test_training_and_test_images_must_have_one_size(tmp_path: Path) -> None:
    arrays = small_arrays()
    arrays[2] = arrays[2][:, :, :2]
    folder = write_folder(tmp_path / "own", arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == f"{folder}: training examples have shape (4, 3), test examples (4, 2)"


def test_labels_must_lie_in_range(tmp_path: Path) -> None:
    arrays = small_arrays()
    arrays[3][2] = 10
    folder = write_folder(tmp_path / "own", arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == f"{folder / FILES[3]}.gz: label 10 at item 2; allowed is 0 to 9"


def npz_arrays() -> dict[str, Any]:
    x_train, y_train, x_test, y_test = small_arrays()
    return {"x_train": x_train, "y_train": y_train % 3, "x_test": x_test, "y_test": y_test % 3}


def test_npz_has_the_classes_of_its_training_labels(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    arrays = npz_arrays()
    np.savez(path, **arrays)
    data = datasets.load(str(path))
    assert (data.outputs, len(data.train), len(data.validation)) == (3, 20, 4)
    np.testing.assert_allclose(data.train.x[0], arrays["x_train"][0].ravel() / 255, rtol=1e-6)


def test_npz_of_floats_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    x = np.linspace(-2, 2, 30).reshape(10, 3)
    np.savez(path, x_train=x, y_train=np.arange(10) % 2, x_test=x, y_test=np.arange(10) % 2)
    data = datasets.load(str(path))
    np.testing.assert_allclose(data.test.x, x, rtol=1e-6)
    assert data.image is None


def _with(key: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    arrays = npz_arrays()
    return arrays | {key: change(arrays[key])}


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (
            {"x_train": np.ones((3, 2))},
            "has no y_train; it needs x_train, y_train, x_test, y_test",
        ),
        (
            _with("x_test", lambda x: x.astype(str)),
            "x_test holds <U3; allowed are numbers",
        ),
        (_with("x_train", np.ravel), "x_train is uint8 of shape (288,); allowed is uint8 or float, (n, ...)"),
        (_with("y_train", lambda y: y[1:]), "y_train is uint8 of shape (23,); allowed is integers, (24,)"),
        (_with("y_test", lambda y: y / 2), "y_test is float64 of shape (6,); allowed is integers, (6,)"),
        (
            _with("x_train", lambda x: np.where(x > 9, np.nan, 1.0)),
            "x_train holds numbers that are not finite in float32",
        ),
        (_with("x_test", lambda x: x[:, :2]), "training examples have shape (4, 3), test examples (2, 3)"),
        (_with("y_test", lambda y: y + 1), "labels run from 0 to 3; allowed is 0 to 2, the classes of y_train"),
        (
            _with("y_train", lambda y: y.astype(int) - 1),
            "labels run from -1 to 2; allowed is 0 to 1, the classes of y_train",
        ),
    ],
)
def test_npz_that_cannot_serve_is_refused(tmp_path: Path, arrays: dict[str, Any], reason: str) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(str(path))
    assert str(caught.value) == f"{path}: {reason}"


def test_npz_with_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **(npz_arrays() | {"y_train": np.array([print, None], dtype=object)}))
    with pytest.raises(DataError, match=r"own\.npz: y_train holds object; allowed are numbers"):
        datasets.load(str(path))


def test_npz_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(b"nothing like it")
    with pytest.raises(DataError, match=r"own\.npz: not an \.npz file of plain arrays"):
        datasets.load(str(path))


def test_npz_with_floats_too_large_for_float32_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **(npz_arrays() | {"x_test": np.full((6, 4, 3), 1e300)}))
    with pytest.raises(DataError, match="x_test holds numbers that are not finite in float32"):
        datasets.load(str(path))


def test_npz_that_promises_more_than_it_holds_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**11,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
        for key in ("y_train", "x_test", "y_test"):
            archive.writestr(f"{key}.npy", b"")
    with pytest.raises(DataError) as caught:
        datasets.load(str(path))
    assert str(caught.value) == f"{path}: x_train promises 100,000,000,000 bytes, the file holds 0"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3))
def test_corrupted_npz_is_read_or_refused_with_one_error(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, **npz_arrays())
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path.write_bytes(content)
    try:
        found = datasets.load(str(path)).outputs
    except DataError:
        found = 3
    assert found <= datasets.MOST_CLASSES


def test_single_training_example_leaves_none_for_validation(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own", small_arrays(train=1))
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == (
        f"{folder}: 1 training example; allowed are 2 or more, the last sixth is for validation"
    )


def test_truncated_idx_file_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own", packed=False)
    (folder / FILES[2]).write_bytes(idx_bytes(small_arrays()[2])[:-5])
    with pytest.raises(DataError) as caught:
        datasets.load(str(folder))
    assert str(caught.value) == f"{folder / FILES[2]}: its header promises 88 bytes, the file holds 83"
