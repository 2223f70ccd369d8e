"""Files that netlearn does not read: they are named, with the lines of Python that convert them; these work."""

import ast
import gzip
import importlib.util
import io
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netlearn import datasets
from netlearn.datasets.sources import FILES
from tests.files import check_small, refused, small_arrays, write_folder

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = small_arrays()
PAGE = Path(__file__).parents[1] / "docs" / "data.md"
SIMILAR = {"digits.h5": "usps.h5", "train.parquet": "train.parquet", "usps": "usps"}  # where no library writes one


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


def recipe_for(name: str) -> str:
    found = re.search(r"to convert it in Python(?:, if you trust its source)?: (.*); must be ", refused(name))
    assert found is not None
    return found[1]


def write_pickle(name: str) -> None:
    x = IMAGES.reshape(120, 12).astype(np.float32) / 255
    parts = ((x, LABELS), (x[:9], LABELS[:9]), (x[:6], LABELS[:6]))
    Path(name).write_bytes(gzip.compress(pickle.dumps(parts, protocol=2)))


def write_matlab(name: str) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(name, {"data": IMAGES.reshape(120, 12).T, "label": LABELS[np.newaxis]})


def write_hdf5(name: str) -> None:
    with pytest.importorskip("h5py").File(name, "w") as file:
        for key, values in zip(datasets.KEYS, (IMAGES, LABELS, TEST_IMAGES, TEST_LABELS), strict=True):
            file[key] = values


def write_parquet(name: str) -> None:
    """Write pictures as Hugging Face does, as PNG files in a column."""
    pytest.importorskip("pyarrow")
    files = [io.BytesIO() for _ in IMAGES]
    for file, image in zip(files, IMAGES, strict=True):
        Image.fromarray(image).save(file, "PNG")
    column = [{"bytes": file.getvalue(), "path": None} for file in files]
    pytest.importorskip("pandas").DataFrame({"image": column, "label": LABELS}).to_parquet(name)


def write_arff(name: str) -> None:
    head = "@RELATION digits\n" + "".join(f"@ATTRIBUTE p{i} REAL\n" for i in range(12))
    rows = [",".join(map(str, [*image.ravel(), label])) for image, label in zip(IMAGES, LABELS, strict=True)]
    classes = "@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}\n@DATA\n"
    Path(name).write_text(head + classes + "\n".join(rows) + "\n")


def write_libsvm(name: str) -> None:
    """Write rows of a label and the inputs that are not 0, with their numbers."""
    rows = IMAGES.reshape(120, 12).tolist()
    lines = [
        " ".join([str(label), *(f"{j}:{value}" for j, value in enumerate(row, 1) if value or j == 1)])
        for label, row in zip(LABELS, rows, strict=True)
    ]
    Path(name).write_text("\n".join(lines) + "\n")


def write_single(name: str) -> None:
    np.save(name, IMAGES)
    np.save("labels.npy", LABELS)


RECIPES: dict[str, tuple[Callable[[str], None], str]] = {  # files of the page, and the package that reads them
    "mnist.pkl.gz": (write_pickle, "numpy"), "digits.mat": (write_matlab, "scipy"), "digits.h5": (write_hdf5, "h5py"),
    "train.parquet": (write_parquet, "pyarrow"), "mnist_784.arff": (write_arff, "scipy"),
    "usps": (write_libsvm, "sklearn"), "images.npy": (write_single, "numpy"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_on_the_page_and_makes_data_that_is_read(name: str) -> None:
    write, package = RECIPES[name]
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (block,) = [block for block in blocks if f'"{name}"' in block]
    if package in {"numpy", "scipy"} or importlib.util.find_spec(package):
        write(name)
    else:
        Path(name).write_bytes(FILES_OF_OTHERS[SIMILAR[name]][0])
    assert ast.dump(ast.parse(recipe_for(name))) == ast.dump(ast.parse(block))
    pytest.importorskip(package)
    exec(block, {})  # noqa: S102 (our own lines)
    data = datasets.load("data.npz")
    parts = [data.train, data.validation, data.test]
    together = np.concatenate([part.x for part in parts])
    assert len(together) == {"mnist.pkl.gz": 135, "digits.h5": 126}.get(name, 120)
    known = IMAGES.reshape(120, 12) / IMAGES.max()
    assert np.abs(together[:, np.newaxis] - known).max(axis=2).min(axis=1)[: len(data.train)].max() < 0.01
    assert np.concatenate([part.labels for part in parts]).max() == 9


def test_recipe_for_an_archive(tmp_path: Path) -> None:
    write_folder(tmp_path / "own")
    shutil.make_archive("mnist", "zip", tmp_path / "own")
    exec(recipe_for("mnist.zip"), {})  # noqa: S102 (our own lines)
    check_small(datasets.load("data"))
