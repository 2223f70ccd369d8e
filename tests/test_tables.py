"""Tables as text and folders of images, as people have them."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from netlearn import datasets
from netlearn.datasets.tables import START
from netlearn.runs import read_run
from tests.commands import POSIX, call, done
from tests.files import check_small, refused, small_arrays

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = small_arrays()


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


def test_tables_of_a_folder_are_told_apart_by_their_names() -> None:
    Path("own").mkdir()
    write_csv("own/latest_train.csv", SQUARES, DIGITS, header=PIXELS)
    assert len(datasets.load("own").test) == 20
    write_csv("own/older_train.csv", SQUARES, DIGITS, header=PIXELS)
    assert "latest_train.csv, older_train.csv" in refused("own")


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
        (lambda line: line.replace(",7", ",?", 1), "no value, but '?' at row 90, column 2"),
        (lambda line: line.replace(",7", ",x", 1), "could not convert string 'x'"),
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
    check_small(data)
    assert (data.image, data.note, set(map(len, data.sha256.values()))) == (
        (4, 3),
        "no test example of class 6, 7, 8, 9",
        {64},
    )


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


def test_folders_train_and_val_without_a_test_set(tmp_path: Path) -> None:
    write_images(tmp_path / "own" / "train", IMAGES, LABELS)
    write_images(tmp_path / "own" / "val", TEST_IMAGES, TEST_LABELS)
    data = datasets.load(str(tmp_path / "own"))
    assert [len(part) for part in (data.train, data.test)] == [103, 17]
    np.testing.assert_array_equal(np.sort(data.validation.labels), np.sort(TEST_LABELS))
    assert "a seventh of its examples, 17, are the test set" in data.note


def test_dark_pictures_of_16_bits_stay_dark_beside_others(tmp_path: Path) -> None:
    for name, white in (("dark", 4095), ("light", 65535)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(20):
            grey = np.linspace(0, white, 16).reshape(4, 4).astype(np.uint16)
            Image.fromarray(grey).save(tmp_path / "own" / name / f"{i}.png")
    train = datasets.load(str(tmp_path / "own")).train
    assert train.x[train.labels == 0].max() == pytest.approx(1 / 16, abs=0.01)
    assert train.x[train.labels == 1].max() == 1


def test_picture_of_a_class_that_cannot_be_read_is_named_and_a_folder_is_none(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "own", IMAGES, LABELS)
    (folder / "0" / "folder.png").mkdir()
    assert datasets.load(str(folder)).note.startswith("a seventh")
    (folder / "0" / "lost.png").symlink_to("nowhere.png")
    assert "lost.png: cannot be read" in refused(str(folder))


def test_pictures_of_several_sizes_are_scaled_with_a_note(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "signs", IMAGES, LABELS)
    Image.fromarray(np.full((40, 30), 200, np.uint8)).save(folder / "0" / "large.png")
    data = datasets.load(str(folder))
    assert data.image == (28, 28)
    assert "pictures of 2 sizes were scaled to 28 × 28 pixels" in data.note


def test_photos_of_several_sizes_are_not_held_in_memory_as_they_are(tmp_path: Path) -> None:
    for i in range(60):
        (tmp_path / "own" / str(i % 2)).mkdir(parents=True, exist_ok=True)
        Image.new("L", (400, 300 + i % 3), i).save(tmp_path / "own" / str(i % 2) / f"{i}.png")
    datasets.load(str(tmp_path / "own"))  # imports what is needed
    tracemalloc.start()
    datasets.load(str(tmp_path / "own"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 400 * 300


def test_what_systems_and_notebooks_leave_in_folders_is_no_class(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "own", IMAGES, LABELS)
    for name in (".ipynb_checkpoints", "__MACOSX"):
        write_images(folder / name, IMAGES[:1], LABELS[:1])
        Image.fromarray(IMAGES[0]).save(folder / name / "copy.png")
    (folder / ".DS_Store").touch()
    data = datasets.load(str(folder))
    assert (data.outputs, len(data.train) + len(data.validation) + len(data.test)) == (10, 120)


def test_train_may_be_a_class(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "own", IMAGES, np.array(["plane", "train"])[LABELS % 2])
    data = datasets.load(str(folder))
    assert data.classes == ("plane", "train")
    assert "left out" not in data.note


def test_pictures_of_runs_are_no_examples(tmp_path: Path) -> None:
    for name in ("quadratic", "cross-entropy"):
        write_images(tmp_path / "runs", IMAGES[:1], np.array([name]))
        (tmp_path / "runs" / name / "config.toml").touch()
    assert "no images by class" in refused(str(tmp_path))


@POSIX
def test_classes_and_files_may_have_names_of_any_bytes(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "own", IMAGES, np.array(["\udcffa", "\x1b[31mb"])[LABELS % 2])
    (folder / "\udcffa" / "\udcfe.png").touch()
    data = datasets.load(str(folder))
    assert data.classes == (r"\x1b[31mb", r"\udcffa")
    done(call("train", "-q", "--data", str(folder), "--epochs", "1", "--out", "run"))
    assert read_run(Path("run")).results.data.classes == data.classes
    Path("own.csv").write_text("\n".join(f"{i % 2},{i % 3},{i % 5}" for i in range(60)))
    (tmp_path / "table").mkdir()
    Path("own.csv").rename(tmp_path / "table" / "\udcff.csv")
    assert "rename it" in refused(str(tmp_path / "table"))


def test_unsorted_pictures_of_a_test_set_are_left_out_with_a_note(tmp_path: Path) -> None:
    write_images(tmp_path / "Train", IMAGES, LABELS)
    (tmp_path / "Test").mkdir()
    Image.fromarray(IMAGES[0]).save(tmp_path / "Test" / "00000.png")
    assert "Test has no folders of classes and was left out" in datasets.load(str(tmp_path)).note


def test_tables_of_spreadsheets_and_of_r() -> None:
    lines = [f"{i % 3};{i};{i + 1}" for i in range(60)]
    Path("excel.csv").write_bytes("\r\n".join(["label;a;b", *lines]).encode("utf-16"))
    rows = [f'"{i + 1}","{i % 3}","{i}","{i + 1}"' for i in range(60)]
    Path("r.csv").write_text("\n".join(['"","label","a","b"', *rows]) + "\n")
    excel, r = datasets.load("excel.csv"), datasets.load("r.csv")
    np.testing.assert_array_equal(excel.train.x, r.train.x)
    assert excel.outputs == 3
    assert "which numbers the rows, was left out" in r.note


POINTS = np.round(np.random.default_rng(0).random((60, 2)), 3)
SIDES = np.array(["left", "right"])[(POINTS[:, 0] > 0.5).astype(int)]


def points(header: str, row: Callable[[int], str], end: str = "\n") -> str:
    Path("points.csv").write_bytes("".join(line + end for line in [header, *map(row, range(60))] if line).encode())
    return "points.csv"


@pytest.mark.parametrize(
    ("header", "row", "end"),
    [
        ('"width, cm","height, cm",class', "{0},{1},{2}", "\n"),  # delimiters in quotes
        ("a,b,label", '{0},{1},"{2}"', "\n"),
        ("a, b, label", "{0}, {1}, {2}", "\n"),
        ("x,y,class", "{0},{1},{2}", "\n"),  # y is a coordinate
        ("# a,b,label", "{0},{1},{2}", "\n"),  # as numpy.savetxt writes it
        ("a,b,label", "{0},{1},{2}", "\r"),
        ("\n\na,b,label", "{0},{1},{2}", "\n"),
        ("a,b,label", "{0},{1},{2}", "\n\n"),
    ],
)
def test_labels_are_found_in_tables_as_programs_write_them(header: str, row: str, end: str) -> None:
    data = datasets.load(points(header, lambda i: row.format(*POINTS[i], SIDES[i]), end))
    assert (data.train.n_in, data.outputs) == (2, 2)
    assert "0 = left, 1 = right" in data.note
    np.testing.assert_array_equal(data.train.labels, data.train.x[:, 0] > 0.5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_of_classes_have_their_accents(encoding: str) -> None:
    text = "".join(f"{i % 7},{i % 5},{('größe', 'über')[i % 2]}\n" for i in range(60))
    Path("names.csv").write_bytes(text.encode(encoding))
    assert datasets.load("names.csv").classes == ("größe", "über")


@pytest.mark.parametrize(
    ("header", "row", "facts"),
    [
        ("", lambda i: f"{POINTS[i, 0]},{'' if i == 5 else POINTS[i, 1]},{i % 2}", ["'' at row 5, column 2"]),
        ("", lambda i: f"{POINTS[i, 0]},{'?' if i == 5 else POINTS[i, 1]},{i % 2}", ["'?' at row 5, column 2"]),
        ("a,b,label", lambda i: f"{i},{i},{'' if i == 5 else i % 2}", ["'' at row 5, column 3"]),
        ("a,b,label", lambda i: f"{i},{i},{'' if i == 5 else SIDES[i]}", ["'' at row 5, column 3"]),
        ("", lambda i: f"{i},{i},{i % 2},", ["'' at row 0, column 4"]),
        ("", lambda i: f"{i},{'?' if i == 0 else i},{i % 2}", ["'?' at row 0, column 2"]),
        ("a,target,species", lambda i: f"{i},{i % 2},{SIDES[i]}", ["'target' and 'species'", "one of them"]),
        ("a,label,label", lambda i: f"{i},{i % 2},{i % 2}", ["'label' and 'label'"]),
        ("day,a,b,c", lambda i: f"2020-01-{i},{i},{i},{SIDES[i]}", ["text in the columns 1 and 4"]),
        ("a,label", lambda i: f"{i},{i},{i % 2}", ["2 names", "3 columns"]),
        ("id,label", lambda i: f"{i},{i % 2}", ["no columns of inputs"]),
        ("1," * 600_000 + "1", lambda i: "", ["must be"]),  # more than is looked at
        ("0,1,2,3,4", lambda i: f"{i},{i},{i},{i},{i % 2}", ["no column of labels"]),
    ],
)
def test_table_whose_label_or_values_are_doubtful_is_refused(
    header: str, row: Callable[[int], str], facts: list[str]
) -> None:
    message = refused(points(header, row))
    assert all(fact in message for fact in facts)


def test_label_of_the_test_table_is_where_that_of_the_training_table_is() -> None:
    rows = np.column_stack([DIGITS, SQUARES.reshape(140, 25)])
    rows[:, -1] = np.arange(140) % 16  # more values than there are digits; fewer of them in the test set
    rows[120:, -1] = np.arange(20) % 2
    write_lines("train.csv", rows[:120])
    write_lines("test.csv", rows[120:])
    assert datasets.load("train.csv").test.labels.tolist() == DIGITS[120:].tolist()
    write_lines("train.csv", rows[:120], header=PIXELS)
    write_lines("test.csv", rows[120:], header=",".join([*PIXELS.split(",")[1:], "label"]))
    assert "test.csv has other columns (no labels?) and was left out" in datasets.load("train.csv").note


def test_numbers_of_rows_are_no_input_in_any_order() -> None:
    data = datasets.load(points("id,a,b,label", lambda i: f"{7 * i % 60},{POINTS[i, 0]},{POINTS[i, 1]},{i % 2}"))
    assert data.train.n_in == 2
    assert "its column 'id', which numbers the rows, was left out" in data.note
    Path("train.csv").write_bytes(Path("points.csv").read_bytes())
    Path("test.csv").write_text("id,a,b,label\n5,0.1,0.2,0\n5,0.3,0.4,1\n")
    assert datasets.load("train.csv").test.n_in == 2


def test_start_of_a_table_that_ends_within_a_character_is_in_utf8() -> None:
    header, row = "öße,b,label\n", "0.1,0.2,ä\n"
    Path("train.csv").write_text(header + row * 100_000, "utf-8")
    Path("test.csv").write_text(header + row * 9, "utf-8")
    cut = Path("train.csv").read_bytes()[:START]
    assert cut.decode(errors="ignore").encode() != cut
    assert len(datasets.load("train.csv").test) == 9


def test_whole_numbers_in_tables_need_not_be_bytes() -> None:
    bits = datasets.load(points("label,a,b", lambda i: f"{i % 2},{i // 2 % 2},{i // 4 % 2}"))
    assert set(np.unique(bits.train.x)) == {0, 1}
    degrees = datasets.load(points("label,a,b", lambda i: f"{i % 2},{i % 9 - 4},{i % 7}"))
    assert (degrees.train.x.min(), degrees.train.x.max()) == (-4, 6)
