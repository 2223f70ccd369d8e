"""The layouts in which people have their data: names of IDX files, keys of arrays, tables, folders of images."""

import gzip
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from netlearn import datasets
from netlearn.datasets import Dataset
from netlearn.datasets.reading import ARFF, HDF5, MATLAB, NPY, PARQUET, PICKLE, SVMLIGHT
from netlearn.datasets.sources import FILES
from tests.files import idx_bytes, refused, small_arrays, write_folder

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = ARRAYS = small_arrays()
NOTE = "no test example of class 6, 7, 8, 9"


def check(data: Dataset, x_test: NDArray[Any] = TEST_IMAGES, y_test: NDArray[Any] = TEST_LABELS) -> None:
    """Check that a data set has the small arrays as its test set, and their training examples."""
    np.testing.assert_allclose(data.test.x, x_test.reshape(len(x_test), -1) / 255, atol=1e-6)
    np.testing.assert_array_equal(data.test.labels, y_test)
    assert len(data.train) + len(data.validation) == len(LABELS)


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
    check(data)
    assert (data.note, data.image, len(data.sha256)) == (NOTE, (4, 3), 4)
    if make is not kaggle:
        assert all((Path(data.where) / name).is_file() for name in data.sha256)


def test_one_of_the_idx_files_stands_for_their_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    data = datasets.load(str(folder / f"{FILES[1]}.gz"))
    check(data)
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
    check(data)
    assert data.image == (4, 3)
    assert "transposed and were turned upright" in data.note


def test_one_of_several_families_is_named_by_what_its_files_begin_with(tmp_path: Path) -> None:
    folder = emnist(tmp_path / "gzip", "emnist-letters", "emnist-digits")
    data = datasets.load(str(folder / "emnist-letters"))
    check(data)
    assert (data.name, data.where) == (str(folder / "emnist-letters"), str(folder))
    check(datasets.load(str(folder / "emnist-digits")), y_test=(TEST_LABELS + 1) % 10)
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


def test_unpacked_mnist_keeps_its_order(full_mnist: Path, tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / file).write_bytes(gzip.decompress((full_mnist / f"{file}.gz").read_bytes()))
    data = datasets.load(str(tmp_path))
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


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
    check(datasets.load("own.npz"))


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        (np.stack([LABELS, LABELS], axis=1), ".argmax(axis=1) is the strongest class of each row, [:, 0]"),
        (np.array(["cat", "dog"] * 60), "numpy.unique(y, return_inverse=True)[1] from names"),
        (LABELS.astype(str).astype("U4") + ".5", ".astype(int)"),
    ],
)
def test_other_labels_are_refused_with_what_converts_them(labels: NDArray[Any], hint: str) -> None:
    np.savez("own.npz", x_train=IMAGES, y_train=labels, x_test=TEST_IMAGES, y_test=TEST_LABELS)
    assert hint in refused("own.npz")


def write_csv(path: str, images: NDArray[Any], labels: NDArray[Any], **given: Any) -> str:
    return write_lines(path, np.column_stack([labels, images.reshape(len(images), -1)]), **given)


def write_lines(path: str, rows: NDArray[Any], *, header: str = "", delimiter: str = ",", end: str = "\n") -> str:
    lines = [*filter(None, [header]), *(delimiter.join(map(str, row)) for row in rows.tolist())]
    content = (end.join(lines) + end).encode()
    Path(path).write_bytes(gzip.compress(content) if path.endswith(".gz") else content)
    return path


SQUARES = np.random.default_rng(3).integers(256, size=(140, 5, 5), dtype=np.uint8)
DIGITS = np.arange(140) % 10
PIXELS = "label," + ",".join(f"pixel{i}" for i in range(25))


@pytest.mark.parametrize("path", ["train.csv", "train.csv.gz"])
@pytest.mark.parametrize("header", [PIXELS, ""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_of_pixels_is_read_and_split(path: str, header: str, end: str) -> None:
    data = datasets.load(write_csv(path, SQUARES, DIGITS, header=header, end=end))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [100, 20, 20]
    assert (data.image, data.outputs, data.train.x.max()) == ((5, 5), 10, 1)
    rows = {x.tobytes(): y for x, y in zip((SQUARES.reshape(140, 25) / np.float32(255)), DIGITS, strict=True)}
    assert all(rows[x.tobytes()] == y for x, y in zip(data.train.x, data.train.labels, strict=True))
    assert ("first column was taken for the label" in data.note) == (not header)


def test_csv_with_a_test_set_beside_it_or_in_its_folder() -> None:
    Path("own").mkdir()
    write_csv("own/mnist_train.csv", SQUARES[:120], DIGITS[:120], header=PIXELS)
    write_csv("own/mnist_test.csv", SQUARES[120:], DIGITS[120:], header=PIXELS)
    for name in ("own", "own/mnist_train.csv"):
        data = datasets.load(name)
        np.testing.assert_allclose(data.test.x, SQUARES[120:].reshape(20, 25) / 255, atol=1e-6)
        assert data.test.labels.tolist() == DIGITS[120:].tolist()
        assert data.sha256.keys() == {"mnist_train.csv", "mnist_test.csv"}
        assert all((Path(data.where) / name).is_file() for name in data.sha256)


def test_the_unlabelled_test_csv_of_a_competition_is_left_out() -> None:
    write_csv("train.csv", SQUARES, DIGITS, header=PIXELS)
    write_lines("test.csv", SQUARES.reshape(140, 25), header=PIXELS.removeprefix("label,"))
    data = datasets.load("train.csv")
    assert len(data.test) == 20
    assert "test.csv has other columns (no labels?) and was left out" in data.note


def test_table_with_names_of_classes_at_its_end() -> None:
    rng = np.random.default_rng(0)
    names = np.array(["setosa", "versicolor", "virginica"])[np.arange(60) % 3]
    rows = np.column_stack([np.round(rng.random((60, 4)) * 7, 1), names])
    for header in ("", "sepal_length,sepal_width,petal_length,petal_width,species"):
        data = datasets.load(write_lines("iris.csv", rows, header=header))
        assert (data.outputs, data.image, data.train.x.shape[1]) == (3, None, 4)
        assert "0 = setosa, 1 = versicolor, 2 = virginica" in data.note
        assert "should lie in [0, 1]" in data.note


@pytest.mark.parametrize("delimiter", [";", "\t", " "])
def test_table_with_other_delimiters_and_the_label_last(delimiter: str) -> None:
    rows = np.column_stack([SQUARES.reshape(140, 25), DIGITS])
    data = datasets.load(write_lines("optdigits.tra", rows, delimiter=delimiter))
    assert (data.image, data.outputs) == ((5, 5), 10)
    assert "its last column was taken for the label" in data.note


def test_decimal_commas_and_a_column_of_row_numbers() -> None:
    x = np.round(np.random.default_rng(0).random((60, 3)), 3)
    lines = [
        f"{i};{y};" + ";".join(f"{v:.3f}".replace(".", ",") for v in row)
        for i, (y, row) in enumerate(zip(DIGITS[:60] % 3, x, strict=True))
    ]
    Path("table.csv").write_text("\n".join([";label;a;b;c", *lines]))
    data = datasets.load("table.csv")
    assert data.train.x.shape[1] == 3
    assert "which numbers the rows, was left out" in data.note
    together = np.concatenate([data.train.x, data.validation.x, data.test.x])
    np.testing.assert_allclose(np.sort(together, axis=0), np.sort(x, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        (lambda line: line.replace(",7", ",?", 1), "could not convert string '?'"),
        (lambda line: line + ",1", "number of columns changed"),
    ],
)
def test_broken_table_is_named_with_its_row(change: Callable[[str], str], facts: str) -> None:
    rows = np.column_stack([DIGITS, np.full((140, 3), 7)])
    lines = [",".join(map(str, row)) for row in rows.tolist()]
    lines[90] = change(lines[90])
    Path("table.csv").write_text("\n".join(["label,a,b,c", *lines]))
    message = refused("table.csv")
    assert message.startswith("table.csv: ")
    assert facts in message
    assert "row 9" in message


def write_images(folder: Path, images: NDArray[np.uint8], labels: NDArray[Any]) -> Path:
    for i, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{i:04}.png")
    return folder


def test_folder_of_images_by_class_in_train_and_test(tmp_path: Path) -> None:
    write_images(tmp_path / "own" / "training", IMAGES, LABELS)
    write_images(tmp_path / "own" / "testing", TEST_IMAGES, TEST_LABELS)
    data = datasets.load(str(tmp_path / "own"))
    check(data)
    assert (data.image, data.note, set(map(len, data.sha256.values()))) == ((4, 3), NOTE, {64})


def test_folder_of_images_without_a_split_counts_what_is_no_picture(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "notMNIST", IMAGES, np.array(list("ABCDEFGHIJ"))[LABELS])
    (folder / "A" / "broken.png").write_bytes(b"")
    (folder / "B" / "Thumbs.db").write_bytes(b"of Windows")
    data = datasets.load(str(folder))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [86, 17, 17]
    assert "left out 1 of 121 files that are no pictures, such as broken.png" in data.note
    assert "its classes are 0 = A, 1 = B, " in data.note
    before = data.sha256
    Image.fromarray(IMAGES[1]).save(next((folder / "A").glob("*.png")))
    assert datasets.load(str(folder)).sha256 != before


def test_pictures_of_several_sizes_are_scaled_with_a_note(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "signs", IMAGES, LABELS)
    Image.fromarray(np.full((40, 30), 200, np.uint8)).save(folder / "0" / "large.png")
    data = datasets.load(str(folder))
    assert data.image == (28, 28)
    assert "pictures of 2 sizes were scaled to 28 × 28 pixels" in data.note


def test_folder_without_data_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    assert "no files" in refused(str(folder))
    for name in ("notes.md", "thesis.tex"):
        (folder / name).write_text("words\n")
    message = refused(str(folder))
    assert "notes.md, thesis.tex" in message
    assert all(file in message for file in FILES)


FILES_OF_OTHERS: dict[str, tuple[bytes, str]] = {
    "page.gz": (b"<!DOCTYPE html>\n<html><body>Moved</body></html>", "a web page"),
    "denied": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "a server's error"),
    "mnist.pkl.gz": (
        gzip.compress(b"\x80\x02((cnumpy.core.multiarray\n"),
        "gzip.open('mnist.pkl.gz'), encoding=\"latin1\"",
    ),
    "data.pickle": (b"\x80\x04\x95", "open('data.pickle', 'rb')"),
    "digits.mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "loadmat('digits.mat')"),
    "usps.h5": (b"\x89HDF\r\n\x1a\n\0", "h5py.File('usps.h5')"),
    "train.parquet": (b"PAR1\x15\x04", "read_parquet('train.parquet')"),
    "mnist_784.arff": (b"% comment\n@RELATION mnist_784\n@ATTRIBUTE pixel1 real\n", "loadarff('mnist_784.arff')"),
    "x.npy": (b"\x93NUMPY\x01\0", "load('x.npy')"),
    "usps": (b"5 1:0.5 2:-1 3:0.25\n1 2:1 7:1\n", "load_svmlight_file('usps')"),
    "set.tar": (bytes(257) + b"ustar\0" + bytes(250), "tarfile.open('set.tar')"),
    "set.7z": (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    "pointer.npz": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "digit.png": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "labels.json": (b'{"a": 1}', "a JSON file"),
    "empty.csv": (b"", "an empty file"),
    "twice.gz": (gzip.compress(gzip.compress(b"\0\0\x08\3")), "gzipped twice"),
}


@pytest.mark.parametrize("name", FILES_OF_OTHERS)
def test_what_is_not_read_is_named_and_converted(name: str) -> None:
    content, facts = FILES_OF_OTHERS[name]
    Path(name).write_bytes(content)
    message = refused(name)
    assert message.startswith(f"{name}: ")
    assert facts in message


def test_web_page_under_the_name_of_an_idx_file_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    page = folder / f"{FILES[0]}.gz"
    page.write_bytes(b"<html><head><title>404 Not Found</title></head></html>")
    assert refused(str(folder)) == (
        f"{page}: it is a web page, not the file: download it again; must be an IDX file of 1 to 4 dimensions"
    )


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
    check(datasets.load("~/own"))
    assert "download it first" in refused("https://example.org/train.csv")


def test_relative_netlearn_data_holds_mnist(full_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sets").mkdir()
    Path("sets/mnist").symlink_to(full_mnist)
    monkeypatch.setenv("NETLEARN_DATA", "sets")
    data = datasets.load("mnist")
    assert (data.note, len(data.train)) == ("", 50_000)


def test_netlearn_data_without_mnist_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLEARN_DATA", str(tmp_path))
    monkeypatch.setattr("netlearn.datasets.sources.cache_folder", lambda name: datasets.BUNDLED)
    monkeypatch.setattr("netlearn.datasets.loading.locate", lambda name: datasets.BUNDLED)
    for name in ("mnist", "auto"):
        assert f"NETLEARN_DATA {tmp_path} does not hold mnist" in datasets.load(name).note


def test_gzipped_files_under_the_names_of_unpacked_ones_are_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own")
    for path in list(folder.iterdir()):
        path.rename(path.with_suffix(""))
    check(datasets.load(str(folder)))


def test_what_systems_and_notebooks_leave_in_folders_is_no_class(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "own", IMAGES, LABELS)
    for name in (".ipynb_checkpoints", "__MACOSX"):
        write_images(folder / name, IMAGES[:1], LABELS[:1])
        Image.fromarray(IMAGES[0]).save(folder / name / "copy.png")
    (folder / ".DS_Store").touch()
    data = datasets.load(str(folder))
    assert (data.outputs, len(data.train) + len(data.validation) + len(data.test)) == (10, 120)


def test_unsorted_pictures_of_a_test_set_are_left_out_with_a_note(tmp_path: Path) -> None:
    write_images(tmp_path / "Train", IMAGES, LABELS)
    (tmp_path / "Test").mkdir()
    Image.fromarray(IMAGES[0]).save(tmp_path / "Test" / "00000.png")
    assert "Test has no folders of classes and was left out" in datasets.load(str(tmp_path)).note


def test_classes_numbered_from_1_leave_class_0_empty_with_a_note() -> None:
    np.savez("own.npz", x=IMAGES, y=LABELS + 1)
    data = datasets.load("own.npz")
    assert data.outputs == 11
    assert "no example of class 0" in data.note


@pytest.mark.parametrize(
    ("x", "y", "hint"),
    [
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


def test_tables_of_spreadsheets_and_of_r() -> None:
    lines = [f"{i % 3};{i};{i + 1}" for i in range(60)]
    Path("excel.csv").write_bytes("\r\n".join(["label;a;b", *lines]).encode("utf-16"))
    rows = [f'"{i + 1}","{i % 3}","{i}","{i + 1}"' for i in range(60)]
    Path("r.csv").write_text("\n".join(['"","label","a","b"', *rows]) + "\n")
    excel, r = datasets.load("excel.csv"), datasets.load("r.csv")
    np.testing.assert_array_equal(excel.train.x, r.train.x)
    assert excel.outputs == 3
    assert "which numbers the rows, was left out" in r.note


def recipe_for(name: str) -> str:
    found = re.search(r"to convert it in Python(?:, if you trust its source)?: (.*); must be ", refused(name))
    assert found is not None
    return found[1]


def converted(name: str) -> Dataset:
    """Run the lines of Python that an error names, and load what they make."""
    exec(recipe_for(name), {})  # noqa: S102 (our own lines)
    return datasets.load("data.npz")


def test_recipe_for_the_books_pickle() -> None:
    x = IMAGES.reshape(120, 12).astype(np.float32) / 256
    parts = ((x, LABELS), (x[:9], LABELS[:9]), (x[:6], LABELS[:6]))
    Path("mnist.pkl.gz").write_bytes(gzip.compress(pickle.dumps(parts, protocol=2)))
    data = converted("mnist.pkl.gz")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [120, 9, 6]


def test_recipe_for_matlab() -> None:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat("digits.mat", {"data": IMAGES.reshape(120, 12).T, "label": LABELS[np.newaxis]})
    assert len(converted("digits.mat").train) == 86


def test_recipe_for_arff() -> None:
    head = "@RELATION digits\n" + "".join(f"@ATTRIBUTE p{i} REAL\n" for i in range(12))
    rows = [",".join(map(str, [*image.ravel(), label])) for image, label in zip(IMAGES, LABELS, strict=True)]
    classes = "@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}\n@DATA\n"
    Path("digits.arff").write_text(head + classes + "\n".join(rows) + "\n")
    assert converted("digits.arff").outputs == 10


def test_recipe_for_single_arrays() -> None:
    np.save("images.npy", IMAGES)
    np.save("labels.npy", LABELS)
    assert converted("images.npy").image == (4, 3)


def test_recipe_for_an_archive(tmp_path: Path) -> None:
    write_folder(tmp_path / "own")
    shutil.make_archive("mnist", "zip", tmp_path / "own")
    exec(recipe_for("mnist.zip"), {})  # noqa: S102 (our own lines)
    check(datasets.load("data"))


def test_page_on_data_has_the_recipes() -> None:
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text()
    for kind in (PICKLE, MATLAB, HDF5, PARQUET, ARFF, SVMLIGHT, NPY):
        last = kind.recipe.rpartition("; ")[2] if "{" in kind.recipe else kind.recipe
        assert last.partition("x=load")[0] in page, kind.name
