"""Shared by all tests: no test reaches the internet, and none sees the user's own data or cache."""

import os
from pathlib import Path

import pytest

FULL_MNIST = os.environ.get("NETLEARN_DATA") or str(Path(__file__).parents[2] / "shared" / "mnist")
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETLEARN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def full_mnist(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(FULL_MNIST)
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        pytest.skip("needs full MNIST: set NETLEARN_DATA to its folder")
    monkeypatch.setenv("NETLEARN_DATA", str(folder))
    return folder
