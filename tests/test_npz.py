"""Own data as .npz files: what is accepted, and how damaged or hostile files are refused."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from tests.files import refused, small_arrays


def npz_arrays() -> dict[str, Any]:
    x_train, y_train, x_test, y_test = small_arrays()
    return {"x_train": x_train, "y_train": y_train % 3, "x_test": x_test, "y_test": y_test % 3}


def test_npz_of_floats_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    x = np.linspace(-2, 2, 30).reshape(10, 3)
    np.savez(path, x_train=x, y_train=np.arange(10) % 2, x_test=x, y_test=np.arange(10) % 2)
    data = datasets.load(str(path))
    np.testing.assert_allclose(data.test.x, x, rtol=1e-6)
    assert data.image is None


def test_floats_that_use_little_of_the_range_are_noted() -> None:
    x, y = np.random.default_rng(0).random((60, 4)) / 255, np.arange(60) % 2
    np.savez("twice.npz", x=x, y=y)
    assert f"run to {np.float32(x.max()):g} only" in datasets.load("twice.npz").note


def _with(key: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    arrays = npz_arrays()
    return arrays | {key: change(arrays[key])}


def _floats(change: Callable[[Any], Any]) -> dict[str, Any]:
    arrays = npz_arrays()
    return arrays | {"x_train": change(arrays["x_train"].astype(float)), "x_test": arrays["x_test"] / 255}


@pytest.mark.parametrize(
    ("arrays", "facts"),
    [
        ({"x_train": np.ones((3, 2))}, r"no y_train, but x_train; must .*x_train, y_train, x_test, y_test"),
        (_with("x_test", lambda x: x.astype(str)), r"x_test: <U3 of shape \(6, 4, 3\); must be numbers"),
        (_with("x_train", np.ravel), r"x_train: uint8 of shape \(1440,\); must be .*\(n, "),
        (_with("y_train", lambda y: y[1:]), r"y_train: uint8 of shape \(119,\); must be .*\(120,\)"),
        (_with("y_test", lambda y: y / 2), r"y_test: label 0\.5 at item 1; must be a whole number"),
        (_with("x_test", lambda x: x / 255), r"x_test: float64; must be .*uint8"),
        (_floats(lambda x: np.where(x > 9, np.nan, 1.0)), r"x_train: .*not finite"),
        (_floats(lambda x: np.where(x > 9, -np.inf, 1.0)), r"x_train: .*not finite"),
        (_floats(lambda x: x * 1e300), r"x_train: .*not finite in float32"),
        (_with("x_train", lambda x: x.astype(np.int16) - 3), r"x_train: -\d in int16; .*must be 0 or more"),
        (_with("x_test", lambda x: x[:, :2]), r"\(2, 3\); must be \(4, 3\)"),
        (_with("y_test", lambda y: y + 1), r"y_test: label 3 at item \d; must be from 0 to 2"),
        (_with("y_train", lambda y: y.astype(int) - 1), r"y_train: label -1 at item 0; must be .* from 0 to 999"),
        (_with("y_train", lambda y: np.where(y == 2, 1e300, y)), r"y_train: label 1e\+300 at item 2; must be"),
        (_with("y_train", lambda y: np.where(y == 2, np.nan, y)), r"y_train: label nan at item 2; must be"),
        (_with("y_train", lambda y: np.eye(3)[y] / 2), r"y_train: float64 of shape \(120, 3\); .*\.argmax\(axis=1\)"),
        (
            _with("x_train", lambda x: np.zeros((120, 4, 3, 3))),
            r"x_train: .*\(120, 4, 3, 3\); must be .*\.mean\(axis=3\)",
        ),
        (_with("y_train", lambda y: np.array([print, *y[1:]], dtype=object)), r"Object arrays .*; numpy\.stack"),
    ],
)
def test_unsuitable_npz_is_refused(tmp_path: Path, arrays: dict[str, Any], facts: str) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    assert re.match(f"{re.escape(str(path))}: .*{facts}", refused(str(path)))


def test_npz_that_is_not_a_zip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(b"nothing like it")
    assert refused(str(path)).startswith(f"{path}: cannot be read as data: it is a text file; must be ")


def test_npz_with_a_header_larger_than_its_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**11,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
        for key in ("y_train", "x_test", "y_test"):
            archive.writestr(f"{key}.npy", b"")
    assert refused(str(path)).startswith(f"{path}: not a valid .npz file: ")


def test_npz_members_are_stored_or_deflated(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for key, array in npz_arrays().items():
            with archive.open(f"{key}.npy", "w") as member:
                np.save(member, array)
    assert "must be stored or deflated" in refused(str(path))
