"""What other systems lack, switched off here: fork, files without names, limits, UTF-8, a case of names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import netlearn
from netlearn.comparison.experiment import Experiment
from netlearn.errors import SettingsError
from netlearn.settings import resolve
from tests.commands import QUICK, untimed

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
    command = [sys.executable, "-m", "netlearn", "compare", *QUICK, "--jobs", "2", "--out", "back\\slash and space"]
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
    there = Path(command[-1])
    assert untimed(there) == untimed(compared)
    assert {path.name for path in there.iterdir()} == {path.name for path in compared.iterdir()}


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
