"""Other surroundings: a backend, settings of matplotlib, errors while drawing, and what other systems lack."""

import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import netlearn
from netlearn.comparison.experiment import Experiment
from netlearn.costs import Quadratic
from netlearn.errors import DataError, SettingsError
from netlearn.numerics import Array
from netlearn.plotting import style
from netlearn.runs import read_run
from netlearn.settings import resolve
from tests.commands import (
    CURVES_ALONE,
    PATIENCE,
    QUICK,
    assert_same_but_for_pictures,
    call,
    compare,
    done,
    one_line,
    python,
    train,
)
from tests.messages import has_facts

TINY = ["-q", "--data", "mnist-5k", "--train-size", "200", "--epochs", "1", "--hidden", "5"]


@pytest.fixture
def odd() -> Iterator[None]:
    """Let matplotlib have settings that change pictures, or need LaTeX."""
    with mpl.rc_context({"text.usetex": True, "font.size": 30, "savefig.bbox": "tight", "axes.facecolor": "red"}):
        yield


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".png", ".svg"}}


@pytest.mark.usefixtures("rendered")
def test_settings_of_matplotlib_change_no_picture(run: Path, trained: Path, odd: None) -> None:
    before = pictures(run)
    assert call("curves", str(run)).exit_code == 0
    assert pictures(run) == before
    assert len(before) == 2
    assert call("evaluate", str(trained / "ce"), "--out", "out", "-q").exit_code == 0
    assert {"confusion.png", "mistakes.svg"} <= pictures(Path("out")).keys()
    assert call("data", "show", "mnist-5k").exit_code == 0
    assert mpl.rcParams["text.usetex"]  # as it was, for the user's own figures


@pytest.mark.slow
@pytest.mark.usefixtures("rendered")
def test_backend_and_matplotlibrc_change_no_picture() -> None:
    assert train(*TINY, "--out", "before").exit_code == 0
    Path("matplotlibrc").write_text("text.usetex: True\nfont.size: 30\nno.such.key: 1\n")
    for name in ("module://matplotlib_inline.backend_inline", "no such backend"):
        environment = os.environ | {"MPLBACKEND": name}
        result = python("-m", "netlearn", "train", *TINY, "--out", name, env=environment)
        assert (result.returncode, result.stderr) == (0, "")
        assert pictures(Path(name)) == pictures(Path("before"))


def fail(figure: Figure, kind: str) -> bytes:
    raise RuntimeError("no font\nand much more")


@pytest.mark.filterwarnings("default::netlearn.errors.DrawingWarning")
def test_error_while_drawing_costs_the_picture_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "render", fail)
    result = train(*TINY, "--out", "run")
    line = "cannot be drawn: RuntimeError: no font\n"
    assert (result.exit_code, result.stderr) == (0, f"Warning: curves: {line}")
    assert "test accuracy" in result.stdout
    assert "curves.png" not in result.stdout
    assert read_run(Path("run")).is_complete()
    result = done(call("evaluate", "run", "-q", "--out", "evaluated"))
    assert Path("evaluated/predictions.csv").exists()
    result = call("curves", "run")
    assert (result.exit_code, result.stderr) == (1, f"Error: curves: {line}")


@pytest.mark.usefixtures("in_this_process", "every_picture")
@pytest.mark.filterwarnings("default::netlearn.errors.DrawingWarning")
def test_error_while_drawing_costs_no_result_of_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "render", fail)
    result = done(compare(*TINY, "--seeds", "1", "--out", "out"))
    lines = result.stderr.splitlines()
    assert lines[0] == "Warning: curves: cannot be drawn: RuntimeError: no font"
    assert all(line.endswith(": cannot be drawn: RuntimeError: no font") for line in lines)
    assert "page: out/report.html" in result.stdout
    assert Path("out/SHA256SUMS").exists()


def test_evaluated_runs_share_no_folder(run: Path) -> None:
    for name in ("p/run", "p/run-3", "q/run"):
        Path(name).parent.mkdir(exist_ok=True)
        shutil.copytree(run, name)
    done(call("evaluate", "p/run", "p/run-3", "q/run", "--out", "E", "-q"))
    assert sorted(path.name for path in Path("E").iterdir() if path.is_dir()) == ["run", "run-2", "run-3"]


def test_masked_values_are_refused() -> None:
    x, y = np.ma.array(np.zeros((60, 4)), mask=False), np.arange(60) % 3
    x[3, 1] = np.ma.masked
    with pytest.raises(DataError, match=r"x_train: has masked values"):
        netlearn.train(data={"x_train": x, "y_train": y, "x_test": y[:, None], "y_test": y})


def test_momentum_cannot_be_off_with_the_optimizer_that_has_it() -> None:
    result = call("train", "--optimizer", "momentum", "--momentum", "off")
    assert (result.exit_code, result.stdout) == (2, "")
    assert has_facts(result.stderr, "Error: momentum off: optimizer momentum 0.9")


def test_runs_are_compared_in_one_process_if_one_job_is_asked_for(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.api.calls.Pool", lambda *_: pytest.fail("started processes"))
    shutil.copytree(run, "other")
    assert call("train", "--config", "other/config.toml", "--l2", "1", "-q", "--out", "third").exit_code == 0
    assert netlearn.compare(["other", "third"], jobs=1, out="over") is not None


class Interrupted(Quadratic):
    """A cost during whose delta the user presses Ctrl-C, when the run before is complete."""

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        if Path("out/quadratic-0/SHA256SUMS").exists():
            raise KeyboardInterrupt
        return super().delta(z, a, y, out)


def test_ctrl_c_while_a_cost_runs_interrupts_the_comparison() -> None:
    small: dict[str, Any] = {"data": "mnist-5k", "epochs": 1, "train_size": 200, "hidden": (5,), "progress": False}
    costs: list[Any] = ["quadratic", Interrupted(), "cross-entropy"]
    with pytest.raises(KeyboardInterrupt):
        netlearn.compare(costs=costs, seeds=1, jobs=1, out="out", **small)
    assert not Path("out/cross-entropy-0").exists()
    assert read_run(Path("out/quadratic-0")).is_complete()


def test_too_few_processes_are_one_line_that_names_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    room = itertools.repeat(None, 5)

    def start_few(thread: threading.Thread) -> None:
        if next(room, thread) is thread:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_few)
    monkeypatch.setattr(
        resource, "getrlimit", lambda kind: (10 if kind == resource.RLIMIT_NPROC else resource.RLIM_INFINITY, 0)
    )
    result = compare(*TINY, "--jobs", "2", "--out", "out")
    assert one_line(result, 1, "worker process ulimit -u 10 --jobs 1")
    assert not Path("out/quadratic-0").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "limit", "codes"),
    [("train", 1, {0}), *(("compare --jobs 2 --seeds 1", limit, {0, 1}) for limit in (1, 5, 8, 10))],
)
def test_few_processes_suffice_or_are_one_line(command: str, limit: int, codes: set[int], tmp_path: Path) -> None:
    """OpenBLAS prints lines of its own where it cannot start a thread, and Python's pool a traceback."""
    user = {"user": 65534, "extra_groups": []} if os.geteuid() == 0 else {}  # the limit is none for root
    plain = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin") or sys.executable
    places = [str(Path(__file__).parents[1]), *(path for path in sys.path if path.endswith("-packages"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "HOME": str(tmp_path)}
    reachable = subprocess.run(
        [plain, "-c", "import netlearn, numpy, click"], env=environment, check=False, capture_output=True, **user
    )  # type: ignore[call-overload]
    if reachable.returncode:
        pytest.skip("needs a Python that a user without rights can start")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    result = subprocess.run(
        ["bash", "-c", f'ulimit -u {limit}; exec "$0" -m netlearn {command} {" ".join(TINY)} --out out', plain],
        env=environment, check=False, capture_output=True, text=True, cwd=folder, timeout=PATIENCE, **user,
    )  # type: ignore[call-overload]  # fmt: skip
    shutil.rmtree(folder)
    assert result.returncode in codes, result.stderr
    assert result.stderr.count("\n") == result.returncode
    assert result.returncode == 0 or f"ulimit -u {limit}" in result.stderr


def test_config_of_a_run_in_the_place_of_a_comparisons_says_to_begin_again(run: Path) -> None:
    shutil.copytree(run, "out")
    Path("out/quadratic-0").mkdir()
    Path("out/quadratic-0/.config.toml.part").touch()  # its run was killed when it began
    assert one_line(compare("--resume", "out"), 1, "out/config.toml begin again")


ROOT = Path(__file__).parents[1]
PACKAGE = Path(netlearn.__file__).parent
WITHOUT = '''
"""Leaves Python with what it has on Windows, but for locks (test_runs), in the program and in its workers."""

import multiprocessing
import os
import sys

for module in ("resource", "termios", "pty", "pwd"):
    sys.modules[module] = None
for name in ("fork", "forkpty", "memfd_create", "sched_getaffinity", "O_NOFOLLOW", "O_NONBLOCK"):
    if hasattr(os, name):
        delattr(os, name)
multiprocessing.set_start_method("spawn", force=True)
'''


LACKS = """
import multiprocessing, os, sys
assert multiprocessing.get_start_method() == "spawn"
assert not any(hasattr(os, name) for name in ("fork", "memfd_create", "sched_getaffinity"))
assert sys.modules["resource"] is None and sys.stdout.encoding == "cp1252"
"""


@pytest.mark.slow
def test_comparison_has_the_same_bytes_without_what_only_some_systems_have(tmp_path: Path, compared: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    command = [sys.executable, "-c", CURVES_ALONE, "compare", *QUICK, "--jobs", "2", "--out", "back\\slash and space"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    lacking = bare | {
        "PYTHONPATH": str(tmp_path),
        "PYTHONIOENCODING": "cp1252",
        "PYTHONUTF8": "0",
        "PYTHONWARNDEFAULTENCODING": "1",  # text files are UTF-8, whatever the system would take
    }
    subprocess.run([sys.executable, "-c", LACKS], env=lacking, check=True)
    result = subprocess.run(command, env=lacking, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode("cp1252")
    assert b"cross-entropy" in result.stdout
    warned = [line for line in result.stderr.splitlines() if b"EncodingWarning" in line]
    assert not [line for line in warned if line.startswith(os.fsencode(PACKAGE))]
    assert_same_but_for_pictures(Path(command[-1]), compared)


@pytest.mark.slow
@pytest.mark.long
def test_tests_are_collected_without_what_only_some_systems_have(tmp_path: Path) -> None:
    lacking = WITHOUT.replace('"resource", ', "")  # psutil, which Dask needs, takes Linux by its name
    (tmp_path / "sitecustomize.py").write_text(f"{lacking}\ndel os.mkfifo, os.killpg\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", ROOT / "tests"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:]


def test_variants_that_differ_in_case_only_would_share_a_folder_on_some_systems() -> None:
    settings = resolve({"learning_rate": 0.1})
    with pytest.raises(SettingsError, match=r"'ABC': names must differ in letters or digits, not in case alone"):
        Experiment("title", (0,), {"ABC": settings, "abc": settings})
