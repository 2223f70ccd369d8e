"""The layouts in which people have their data: names of IDX files, keys of arrays, forms of labels."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netlearn import datasets
from netlearn.datasets.sources import FILES
from tests.files import check_small, idx_bytes, refused, small_arrays, write_folder

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = ARRAYS = small_arrays()
NOTE = "no test example of class 6, 7, 8, 9"


def seven_zip(folder: Path) -> Path:
    write_folder(folder, packed=False)
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    return folder


def kaggle(folder: Path) -> Path:
    """Unpack each file twice, one of them in a folder with its own name."""
    seven_zip(folder)
    for name in FILES:
        (folder / name).mkdir()
        shutil.copy(folder / name.replace("-idx", ".idx"), folder / name / name)
    return folder


def torchvision(folder: Path) -> Path:
    write_folder(folder / "MNIST" / "raw")
    write_folder(folder / "MNIST" / "raw", packed=False)
    return folder


def in_the_browser(folder: Path) -> Path:
    """Keep the names of gzipped files for unpacked ones."""
    write_folder(folder, packed=False)
    for path in list(folder.iterdir()):
        path.rename(f"{path}.gz")
    return folder


def kannada(folder: Path) -> Path:
    write_folder(folder)
    for path in list(folder.iterdir()):
        part = "test" if "t10k" in path.name else "train"
        kind = "X_kannada_MNIST_{}-idx3-ubyte.gz" if "images" in path.name else "y_kannada_MNIST_{}-idx1-ubyte.gz"
        path.rename(folder / kind.format(part))
    return folder


def qmnist(folder: Path) -> Path:
    """Write labels of eight columns, the first of which is the class."""
    folder.mkdir()
    for part, images, labels in (("train", IMAGES, LABELS), ("test", TEST_IMAGES, TEST_LABELS)):
        (folder / f"qmnist-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        eight = np.repeat(labels[:, np.newaxis], 8, axis=1).astype(">i4") + np.arange(8, dtype=">i4") * 100
        header = bytes([0, 0, 12, 2]) + np.array(eight.shape, ">u4").tobytes()
        (folder / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(
            gzip.compress(header + eight.astype(">i4").tobytes())
        )
    return folder


@pytest.mark.parametrize("make", [seven_zip, kaggle, torchvision, in_the_browser, kannada, qmnist])
def test_idx_files_are_found_under_their_usual_names(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    data = datasets.load(str(make(tmp_path / "own")))
    check_small(data)
    assert (data.note, data.image, len(data.sha256)) == (NOTE, (4, 3), 4)
    if make is not kaggle:
        assert all((Path(data.where) / name).is_file() for name in data.sha256)


def test_family_may_have_the_name_of_a_part_in_its_own(tmp_path: Path) -> None:
    for path in list(write_folder(tmp_path).iterdir()):
        path.rename(path.with_name(f"latest-{path.name}"))
    check_small(datasets.load(str(tmp_path)))


def test_one_of_the_idx_files_stands_for_their_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    data = datasets.load(str(folder / f"{FILES[1]}.gz"))
    check_small(data)
    assert data.name == str(folder)


def emnist(folder: Path, *families: str) -> Path:
    folder.mkdir()
    for i, family in enumerate(families):
        arrays = [IMAGES.swapaxes(1, 2), LABELS, TEST_IMAGES.swapaxes(1, 2), (TEST_LABELS + i) % 10]
        names = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")
        for name, items in zip(names, arrays, strict=True):
            (folder / f"{family}-{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.ascontiguousarray(items))))
    return folder


def test_emnist_is_turned_upright_with_a_note(tmp_path: Path) -> None:
    data = datasets.load(str(emnist(tmp_path / "gzip", "emnist-digits")))
    check_small(data)
    assert data.image == (4, 3)
    assert "transposed and were turned upright" in data.note


def test_one_of_several_families_is_named_by_what_its_files_begin_with(tmp_path: Path) -> None:
    folder = emnist(tmp_path / "gzip", "emnist-letters", "emnist-digits")
    data = datasets.load(str(folder / "emnist-letters"))
    check_small(data)
    assert (data.name, data.where) == (str(folder / "emnist-letters"), str(folder))
    check_small(datasets.load(str(folder / "emnist-digits")), y_test=(TEST_LABELS + 1) % 10)
    message = refused(str(folder))
    assert message.startswith(f"{folder}: holds several data sets, emnist-digits, emnist-letters; ")
    assert f"--data {folder}/emnist-letters" in message


@pytest.mark.parametrize(("code", "dtype"), [(9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_idx_of_any_type_is_read(tmp_path: Path, code: int, dtype: str) -> None:
    folder = write_folder(tmp_path / "own")
    for name, items in zip(FILES[::2], ARRAYS[::2], strict=True):
        values = (items // 2).astype(dtype)
        content = bytes([0, 0, code, 3]) + np.array(items.shape, ">u4").tobytes() + values.tobytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    data = datasets.load(str(folder))
    divisor = 1 if code > 12 else 255
    np.testing.assert_allclose(data.test.x, (TEST_IMAGES // 2).reshape(6, 12) / divisor, rtol=1e-6)


KEYS = {
    "MedMNIST": ("train_images", "train_labels", "test_images", "test_labels", "val_images", "val_labels"),
    "Keras": ("x_train", "y_train", "x_test", "y_test"),
    "capitals": ("X_train", "Y_train", "X_test", "Y_test"),
    "camels": ("trainX", "trainY", "testX", "testY"),
}


@pytest.mark.parametrize("name", KEYS)
def test_npz_has_the_keys_of_others(name: str) -> None:
    arrays = [*ARRAYS, IMAGES[:7], LABELS[:7]]
    np.savez("own.npz", **dict(zip(KEYS[name], arrays, strict=False)))  # type: ignore[arg-type]
    data = datasets.load("own.npz")
    np.testing.assert_allclose(data.test.x, TEST_IMAGES.reshape(6, 12) / 255, atol=1e-6)
    assert len(data.validation) == (7 if name == "MedMNIST" else 20)


def test_unknown_keys_are_listed_with_the_line_that_renames_them() -> None:
    np.savez("own.npz", trainimg=IMAGES, train_labels=LABELS, a=TEST_IMAGES, b=TEST_LABELS)
    message = refused("own.npz")
    assert "has no x_train, but trainimg, train_labels, a, b; " in message
    assert 'd = numpy.load("own.npz"); numpy.savez("data.npz", x_train=d["…"], y_train=d["train_labels"], ' in message


def test_npz_without_a_test_set_is_split() -> None:
    np.savez("own.npz", data=IMAGES, target=LABELS)
    data = datasets.load("own.npz")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [86, 17, 17]
    assert "a seventh of its examples, 17, are the test set" in data.note
    together = np.concatenate([data.train.x, data.validation.x, data.test.x])
    np.testing.assert_allclose(np.sort(together, axis=0), np.sort(IMAGES.reshape(120, 12) / 255, axis=0), atol=1e-6)


LABEL_FORMS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "one-hot": lambda y: np.eye(10)[y],
    "one-hot booleans": lambda y: np.eye(10, dtype=bool)[y],
    "column": lambda y: y[:, np.newaxis],
    "row": lambda y: y[np.newaxis],
    "digits": lambda y: y.astype(str),
    "bytes": lambda y: y.astype(bytes),
}


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_labels_are_accepted_where_they_are_unambiguous(form: str) -> None:
    change = LABEL_FORMS[form]
    np.savez("own.npz", x_train=IMAGES, y_train=change(LABELS), x_test=TEST_IMAGES, y_test=change(TEST_LABELS))
    check_small(datasets.load("own.npz"))


def test_folder_without_data_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    assert "no files" in refused(str(folder))
    for name in ("notes.md", "thesis.tex"):
        (folder / name).write_text("words\n")
    message = refused(str(folder))
    assert "notes.md, thesis.tex" in message
    assert all(file in message for file in FILES)


@pytest.mark.parametrize("name", ["kmnist", "emnist", "EMNIST"])
def test_sets_of_others_are_not_included(name: str) -> None:
    message = refused(name)
    assert "not included" in message
    assert "did you mean" not in message


def test_path_may_begin_with_the_home_folder_and_addresses_are_downloaded_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_folder(tmp_path / "own")
    check_small(datasets.load("~/own"))
    assert "download it first" in refused("https://example.org/train.csv")


def test_netlearn_data_without_mnist_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLEARN_DATA", str(tmp_path))
    monkeypatch.setattr("netlearn.datasets.sources.cache_folder", lambda name: datasets.BUNDLED)
    monkeypatch.setattr("netlearn.datasets.sources.locate", lambda name: datasets.BUNDLED)
    for name in ("mnist", "auto"):
        assert f"NETLEARN_DATA {tmp_path} does not hold mnist" in datasets.load(name).note


def test_gzipped_files_under_the_names_of_unpacked_ones_are_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    for path in list(folder.iterdir()):
        path.rename(path.with_suffix(""))
    check_small(datasets.load(str(folder)))


def test_classes_numbered_from_1_leave_class_0_empty_with_a_note() -> None:
    np.savez("own.npz", x=IMAGES, y=LABELS + 1)
    data = datasets.load("own.npz")
    assert data.outputs == 11
    assert "no example of class 0" in data.note


@pytest.mark.parametrize(
    ("x", "y", "hint"),
    [
        (IMAGES, np.stack([LABELS, LABELS], axis=1), ".argmax(axis=1) is the strongest class of each row, [:, 0]"),
        (IMAGES, np.array(["cat", "dog"] * 60), "numpy.unique(y, return_inverse=True)[1] from names"),
        (IMAGES, LABELS.astype(str).astype("U4") + ".5", ".astype(int)"),
        (IMAGES, np.array([[1, 1, 0], [0, 1, 1]] * 60), "several labels of one example are not supported"),
        (IMAGES, np.where(LABELS > 4, 1, -1), "(y > 0).astype(int)"),
        (IMAGES.reshape(120, 12).T, LABELS, ".T makes them rows"),
        (np.array([IMAGES[0], IMAGES[0][:2], 1], dtype=object), LABELS[:3], "numpy.stack(list(x))"),
    ],
)
def test_forms_of_others_are_refused_with_what_converts_them(x: NDArray[Any], y: NDArray[Any], hint: str) -> None:
    np.savez("own.npz", x=x, y=y)
    assert hint in refused("own.npz")


def test_frame_of_pandas_with_labels_of_text_is_data() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(IMAGES.reshape(120, 12))
    labels = pandas.Series(LABELS.astype(str), dtype="category")
    data = datasets.load(str(datasets.store((frame, labels), Path("stored"))))
    assert (data.outputs, len(data.train) + len(data.validation) + len(data.test)) == (10, 120)


PYTHON_FORMS: dict[str, Any] = {
    "of Keras": ((IMAGES, LABELS), (TEST_IMAGES, TEST_LABELS)),
    "of scikit-learn": (IMAGES, TEST_IMAGES, LABELS, TEST_LABELS),
    "by part": (IMAGES, LABELS, TEST_IMAGES, TEST_LABELS),
    "lists": [IMAGES.tolist(), LABELS.tolist(), TEST_IMAGES.tolist(), TEST_LABELS.tolist()],
    "of the book": ((IMAGES, LABELS), (IMAGES[:9], LABELS[:9]), (TEST_IMAGES, TEST_LABELS)),
    "by name": {"X_train": IMAGES, "Y_train": LABELS, "X_test": TEST_IMAGES, "Y_test": TEST_LABELS},
}


@pytest.mark.parametrize("form", PYTHON_FORMS)
def test_arrays_are_given_in_the_order_of_others(form: str) -> None:
    data = datasets.load(str(datasets.store(PYTHON_FORMS[form], Path("stored"))))
    np.testing.assert_allclose(data.test.x, TEST_IMAGES.reshape(6, 12) / 255, atol=1e-6)
    assert data.test.labels.tolist() == TEST_LABELS.tolist()
    assert len(data.validation) == (9 if form == "of the book" else 20)
