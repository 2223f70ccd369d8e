"""Shared by all tests: no test reaches the internet, and none sees the user's own data or cache."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from netlearn.comparison import compare as comparison
from netlearn.comparison.pool import cores
from netlearn.comparison.statistics import group
from netlearn.plotting import style
from netlearn.plotting.pictures import DRAWN
from netlearn.runs import read_run
from tests.commands import ONE_EPOCH, QUICK, call, compare, train, workers_here

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FULL_MNIST = os.environ.get("NETLEARN_DATA", "")
FONTS = mpl.get_cachedir()  # found once, not again for every test that starts a process
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
hypothesis.settings.register_profile(  # the same cases each time, however busy the machine is
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("repeatable")
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one more worker than there are cores, since many tests wait: for their processes or for a browser."""
    return cores() + 1


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never in the modules that are there for all tests: that took a tenth of a run."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def unflushed() -> Iterator[None]:
    """Flush no file to disk: a power cut during the tests costs nothing, and those of power cuts count the calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETLEARN_DATA", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the command line chooses one, for its own process
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


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Return a Chromium for the tests of one file."""
    from tests.browser import chromium  # noqa: PLC0415 (few tests need Playwright)

    with chromium() as started:
        yield started


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let comparisons work here, in tests that are not about processes: one takes a second of CPU time to start."""
    for module in ("netlearn.api.calls", "netlearn.cli.compare", "scripts.reproduce"):
        monkeypatch.setattr(f"{module}.Pool", workers_here)


def _empty(figure: Figure, kind: str) -> bytes:
    return b""


@pytest.fixture
def rendered() -> None:
    """Render the figures of a test, which others make, but whose files they leave empty: that takes most of a run."""


@pytest.fixture
def every_picture() -> None:
    """Draw every picture of a comparison that its runs have something for, not the curves alone."""


@pytest.fixture(autouse=True)
def _unrendered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "rendered" not in request.fixturenames:
        monkeypatch.setattr(style, "render", _empty)
    if "every_picture" not in request.fixturenames:
        monkeypatch.setattr(comparison, "PICTURES", ("curves",))


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compared") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.compare.Pool", workers_here)
        result = compare(*QUICK, "-q", "--out", str(out))
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def copied(compared: Path) -> Path:
    """Stand beside a copy of the comparison."""
    shutil.copytree(compared, "copy")
    return Path("copy")


@pytest.fixture
def drawn(compared: Path) -> dict[str, Figure]:
    runs = [read_run(compared / f"{name}-{seed}", name) for name in ("quadratic", "cross-entropy") for seed in (0, 1)]
    figures = {name: draw(group(runs), "title\nsecond line") for name, draw in DRAWN.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of runs: with and without hidden layers, stopped early, diverged, of the single neuron."""
    folder = tmp_path_factory.mktemp("trained")
    neuron = ["--data", "neuron", "--hidden", "none", "--batch-size", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "render", _empty)
        for name, settings in {
            "ce": [],
            "quadratic": ["--cost", "quadratic"],
            "stopped": ["--patience", "1", "--epochs", "2"],
            "plain": ["--hidden", "none"],
            "diverged": ["--learning-rate", "1e6", "--l2", "1e6"],
            "neuron": [*neuron, "--initializer", "2,2"],
            "perfect": [*neuron, "--initializer", "-2,-2"],
        }.items():
            result = call("train", *ONE_EPOCH, *settings, "--out", str(folder / name))
            assert result.exit_code == (name == "diverged"), result.output
    return folder


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    """Stand beside copies of the runs."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small run of two epochs."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert train("-q", "--hidden", "5", "--out", str(folder)).exit_code == 0
    return folder


@pytest.fixture
def run(finished: Path) -> Path:
    """Stand beside a copy of it."""
    shutil.copytree(finished, "run")
    return Path("run")
