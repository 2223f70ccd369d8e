"""Shared by all tests: no test reaches the internet, and none sees the user's own data or cache."""

import os
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from netlearn.comparison import PICTURES
from netlearn.history import read_run
from netlearn.plotting.compare import DRAWN
from netlearn.results import group
from tests.commands import QUICK, compare

FULL_MNIST = os.environ.get("NETLEARN_DATA") or str(Path(__file__).parents[2] / "shared" / "mnist")
FONTS = mpl.get_cachedir()  # found once, not again for every test that starts a process
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETLEARN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MPLCONFIGDIR", FONTS)
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


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compared") / "out"
    result = compare(*QUICK, "-q", "--out", str(out))
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def drawn(compared: Path) -> dict[str, Figure]:
    runs = [read_run(compared / f"{name}-{seed}", name) for name in ("quadratic", "cross-entropy") for seed in (0, 1)]
    figures = {name: DRAWN[name](group(runs), "title\nsecond line") for name in PICTURES}
    return {name: figure for name, figure in figures.items() if figure is not None}
