"""A sweep of many runs in processes of its own: interrupted, resumed, and in little memory."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import PATIENCE, python, rows_of

RUNS = 80
SWEEP = [
    "-m", "netlearn", "compare", "--data", "mnist-5k", "--train-size", "100", "--epochs", "1", "--seeds", "1", "-q",
    "--vary", "learning_rate=0.01:10:log20", "--vary", "hidden=30,40", "--jobs", "2", "--out",
]  # fmt: skip
MOST_GROWTH = 40_000  # bytes for each run that has ended: less than its weights, which stay in its folder


def complete(folder: str) -> int:
    return len(list(Path(folder).glob("*/SHA256SUMS")))


def is_finished(run: Path) -> bool:
    status: str = json.loads((run / "summary.json").read_text())["status"]
    return status == "finished"


def memory(process: "subprocess.Popen[bytes]") -> int:
    """Return the bytes that a process has in memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def wait_for(process: "subprocess.Popen[bytes]", folder: str, runs: int) -> None:
    until = time.monotonic() + PATIENCE
    while complete(folder) < runs:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process in /proc")
def test_an_interrupted_sweep_is_resumed_with_the_same_results_and_in_little_memory() -> None:
    with subprocess.Popen([sys.executable, *SWEEP, "whole"]) as whole:
        wait_for(whole, "whole", RUNS // 4)
        before = memory(whole)
        wait_for(whole, "whole", RUNS - 5)
        assert memory(whole) - before < MOST_GROWTH * RUNS
    assert whole.returncode == 0
    with subprocess.Popen([sys.executable, *SWEEP, "half"], start_new_session=True) as half:
        wait_for(half, "half", RUNS // 4)
        os.killpg(half.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    assert half.returncode == 130
    ended = [path for path in Path("half").glob("*/SHA256SUMS") if is_finished(path.parent)]
    kept = {path: path.stat().st_mtime_ns for path in ended}
    assert RUNS // 4 <= len(kept) < RUNS
    resumed = python("-m", "netlearn", "compare", "--resume", "half", "-q", "--jobs", "2")
    assert resumed.returncode == 0, resumed.stderr
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    assert complete("half") == RUNS
    for path in Path("whole").glob("*/weights.safetensors"):
        assert (Path("half") / path.relative_to("whole")).read_bytes() == path.read_bytes()
    assert [row["test_accuracy"] for row in rows_of(Path("half"))] == [
        row["test_accuracy"] for row in rows_of(Path("whole"))
    ]
