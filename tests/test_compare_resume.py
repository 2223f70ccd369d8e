"""Comparisons that are killed or interrupted, and how they are resumed."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netlearn.cli import main
from netlearn.comparison.pool import Workers
from tests.commands import CURVES_ALONE, PATIENCE, QUICK, compare, done, one_line, rows_of, untimed, workers_here
from tests.files import wait_for

pytestmark = pytest.mark.slow  # most of these start worker processes or draw every picture


def kill_one_worker(killed: list[int]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at and not list(Path().glob("runs/compare/*/metrics.csv")):
        time.sleep(0.02)
    child = multiprocessing.active_children()[0]
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    killed.append(child.pid)


def test_killed_worker_costs_one_retry_and_the_comparison_completes() -> None:
    killed: list[int] = []
    thread = threading.Thread(target=kill_one_worker, args=(killed,))
    thread.start()
    result = compare("--data", "mnist-5k", "--epochs", "8", "--hidden", "30", "--seeds", "2", "-q")
    thread.join()
    assert killed
    assert result.exit_code == 0, result.output
    assert [row["status"] for row in rows_of(Path("runs/compare"))] == ["finished"] * 4


class Dying(Workers):
    """Workers that die whenever they train from seed 1."""

    def map(self, function: Any, tasks: Any, look: Any = None, on_result: Any = lambda *pair: None) -> list[Any]:
        results = [
            None if getattr(task, "settings", None) and task.settings.seed == 1 else function(task) for task in tasks
        ]
        for pair in zip(tasks, results, strict=True):
            on_result(*pair)
        return results


def test_run_that_kills_its_workers_is_a_line_below_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.cli.compare.Pool", lambda jobs: Dying())
    result = compare(*QUICK, "-q")
    assert result.exit_code == 1, result.output
    assert "quadratic, seed 1: its worker process died whenever it was trained" in result.stdout.splitlines()
    status = {(row["variant"], row["seed"]): row["status"] for row in rows_of(Path("runs/compare"))}
    assert [status[name, seed] for name in ("quadratic", "cross-entropy") for seed in "01"] == [
        "finished",
        "failed",
    ] * 2


LONG = ["--data", "mnist-5k", "--train-size", "2000", "--epochs", "30", "--seeds", "2", "--hidden", "20"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("uninterrupted") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.compare.Pool", workers_here)
        patch.setattr("netlearn.comparison.compare.PICTURES", ("curves",))
        assert compare(*LONG, "-q", "--out", str(out)).exit_code == 0
    return untimed(out)


@pytest.mark.usefixtures("in_this_process", "rendered")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_interrupted_comparison_prints_the_command_that_resumes_it(
    number: int, code: int, uninterrupted: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "netlearn", "compare", *LONG, "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        wait_for(" of 4 runs complete", process.stderr)
        os.killpg(process.pid, number)  # a terminal sends Ctrl-C to the workers too
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == code
    kept, last = rest.splitlines()[-2:]
    assert last == "Interrupted"
    counts = re.fullmatch(
        r"kept: (\d) runs? complete, (\d) begun; to resume: netlearn compare --resume runs/compare", kept
    )
    assert counts is not None, kept
    ends = {path: json.loads(path.read_text())["status"] for path in Path("runs/compare").glob("*/summary.json")}
    finished = {path: path.stat().st_mtime_ns for path, status in ends.items() if status == "finished"}
    assert 1 <= len(finished) < 4
    assert (
        1 <= int(counts[1]) <= len(finished) <= int(counts[1]) + int(counts[2])
    )  # a run may end while the line is printed
    assert set(ends.values()) <= {"finished", "interrupted"}
    done(compare("--resume", "runs/compare", "-q"))
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert untimed(Path("runs/compare")) == uninterrupted


@pytest.mark.parametrize(
    "arguments", ["--baseline a", "--epochs 3", "--hidden none", "--no-track-test", "--force", "depth"]
)
def test_resumed_comparison_uses_the_settings_of_its_folder(arguments: str) -> None:
    Path("anywhere").mkdir()
    result = compare("--resume", "anywhere", *arguments.split())
    what = arguments.split(maxsplit=1)[0].replace("--no-", "--")
    assert one_line(result, 2, f"Error: {what}: a comparison that is resumed is done as its folder has it")


@pytest.mark.usefixtures("in_this_process")
def test_resumed_comparison_leaves_a_run_with_other_settings_unchanged(copied: Path) -> None:
    CliRunner().invoke(main, ["train", "--resume", str(copied / "quadratic-0"), "--epochs", "3", "-q"])
    weights = (copied / "quadratic-0" / "weights.safetensors").read_bytes()
    result = compare("--resume", str(copied), "-q")
    assert result.exit_code == 1, result.output
    line = "quadratic, seed 0: copy/quadratic-0: holds a run with other settings; it was left unchanged: "
    line += "move copy/quadratic-0 away and resume"
    assert line in result.stdout.splitlines()
    assert (copied / "quadratic-0" / "weights.safetensors").read_bytes() == weights


@pytest.mark.usefixtures("in_this_process")
def test_resumed_comparison_follows_no_link(copied: Path) -> None:
    (copied / "quadratic-0").rename("elsewhere")
    Path("elsewhere/summary.json").unlink()
    before = sorted(Path("elsewhere").iterdir())
    (copied / "quadratic-0").symlink_to(Path("elsewhere").resolve())
    result = compare("--resume", str(copied), "-q")
    facts = ("quadratic, seed 0: ", "copy/quadratic-0: ", "must not be a link")
    assert any(all(fact in line for fact in facts) for line in result.stdout.splitlines())
    assert sorted(Path("elsewhere").iterdir()) == before


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("content", [b"x\n\xff\xfe,\n", b"x\nfoo\n", b""])
def test_run_whose_metrics_cannot_be_read_is_trained_again(copied: Path, compared: Path, content: bytes) -> None:
    (copied / "quadratic-0" / "summary.json").unlink()
    (copied / "quadratic-0" / "metrics.csv").write_bytes(content)
    result = done(compare("--resume", str(copied)))
    assert any("copy/quadratic-0/metrics.csv: " in line for line in result.stderr.splitlines())
    for left in ("results", "quadratic-0/weights.safetensors", "quadratic-0/metrics.csv"):
        assert untimed(copied)[left] == untimed(compared)[left]


@pytest.mark.usefixtures("in_this_process")
def test_interrupted_tuning_is_resumed() -> None:
    settings = ["--data", "mnist-5k", "--train-size", "1500", "--epochs", "3", "--seeds", "1", "--tune"]
    command = [sys.executable, "-c", CURVES_ALONE, "compare", *settings, "--out", "tuned"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        give_up_at = time.monotonic() + PATIENCE
        while time.monotonic() < give_up_at and not list(Path().glob("tuned/tuning/*/summary.json")):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    assert "to resume: netlearn compare --resume tuned" in rest
    result = done(compare("--resume", "tuned", "--json"))
    whole = compare(*settings, "--json", "--out", "whole")
    rates = [[row["learning_rate"] for row in json.loads(each.stdout)["rows"]] for each in (result, whole)]
    assert rates[0] == rates[1]
    assert untimed(Path("tuned")) == untimed(Path("whole"))
