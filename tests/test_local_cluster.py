"""`--cluster local:N`: a cluster of processes on this machine."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netlearn.runs import read_run
from tests.commands import PATIENCE, compare, rows_of
from tests.files import small_arrays, write_folder
from tests.messages import has_facts
from tests.processes import wait_until

pytestmark = pytest.mark.slow

DEADLY = """
import multiprocessing, os
from netlearn.costs import Quadratic

class Deadly(Quadratic):
    def delta(self, z, a, y, out):
        if multiprocessing.parent_process() is not None:
            os._exit(1)
        return super().delta(z, a, y, out)
"""


@pytest.fixture
def data() -> str:
    return str(write_folder(Path("own"), small_arrays(train=120, test=20)))


@pytest.mark.long
def test_task_that_loses_three_workers_is_a_row_and_the_others_are_done(
    data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("deadly.py").write_text(DEADLY)
    monkeypatch.delitem(sys.modules, "deadly", raising=False)
    costs = ["--cost", "deadly:Deadly", "--cost", "quadratic"]
    flags = ["--cluster", "local:3", "--jobs", "1", "--out", "out", *costs]
    result = compare("--data", data, "--epochs", "2", "--hidden", "5", "--seeds", "1", *flags)
    assert result.exit_code == 1, result.output
    assert [row["status"] for row in rows_of(Path("out"))] == ["failed", "finished"]
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Deadly, seed 0: ")]
    assert has_facts(line, "3 workers")


def test_interrupt_of_the_whole_group_of_processes_keeps_checkpoints(data: str) -> None:
    flags = ["--cluster", "local:2", "--jobs", "1", "--out", "out"]
    command = ["compare", "--data", data, "--epochs", "500000", "--hidden", "5", "--seeds", "1", *flags]
    with subprocess.Popen(
        [sys.executable, "-m", "netlearn", *command], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        scratch = Path(os.environ["TMPDIR"])
        wait_until(lambda: len([*scratch.rglob("netlearn-*/run/metrics.csv")]) == 2)
        os.killpg(process.pid, signal.SIGINT)
        stderr = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    assert "--resume out" in stderr
    assert "Traceback" not in stderr
    for name in ("quadratic-0", "cross-entropy-0"):
        assert read_run(Path("out", name)).interrupted


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
