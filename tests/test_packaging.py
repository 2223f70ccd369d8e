"""The wheel: its content, and that it works outside the repository."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from netlearn import __version__

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_has_the_version_the_data_the_licences_and_the_types(wheel: Path) -> None:
    assert wheel.name == f"netlearn-{__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    images = "datasets/mnist_5k/train-images-idx3-ubyte.gz"
    for part in ("py.typed", "__main__.py", "cli/train.py", images, "configs/depth.toml"):
        assert f"netlearn/{part}" in names
    licences = {name.rpartition("licenses/")[2] for name in names if "licenses/" in name}
    assert licences == {"LICENSE", "netlearn/datasets/mnist_5k/LICENSE-mnist-5k.txt"}
    assert not any(name.startswith(("tests", "scripts")) for name in names)


@pytest.mark.slow
def test_wheel_trains_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "netlearn", "train", "--data", "mnist-5k", "--epochs", "1"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"from {tmp_path / 'site' / 'netlearn' / 'datasets' / 'mnist_5k'}" in result.stderr
    command = [sys.executable, "-m", "netlearn", "compare", "--list"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for path in (ROOT / "configs").glob("*.toml"):
        assert re.search(rf"^ *{path.stem} +\w", listed.stdout, re.MULTILINE), path


def test_version_is_defined_once() -> None:
    found = [
        path.name
        for path in [
            *(ROOT / "netlearn").rglob("*.py"),
            ROOT / "pyproject.toml",
            ROOT / "README.md",
            ROOT / "Makefile",
        ]
        if re.search(rf"\b{re.escape(__version__)}\b", path.read_text())
    ]
    assert found == ["__init__.py"]
