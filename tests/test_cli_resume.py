"""`netlearn train --resume`."""

import re
import signal
from pathlib import Path

import pytest

from netlearn.errors import RunError
from netlearn.runs import read_run
from tests.commands import SMALL, call, done, one_line, python, train
from tests.messages import has_facts
from tests.runs import results_of


@pytest.mark.usefixtures("run")
def test_metrics_that_do_not_match_the_checkpoint_are_refused_unchanged() -> None:
    path = Path("run/metrics.csv")
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = call("train", "--resume", "run", "--epochs", "4", "-q")
    assert result.exit_code == 1
    assert has_facts(result.stderr, "Error: run/metrics.csv: ")
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


def test_resumed_run_that_diverged_or_stopped_early_says_so() -> None:
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    result = call("train", "--resume", "wild")
    assert result.exit_code == 1
    assert re.search(r"wild: .* after update \d+", result.stderr)
    train("-q", "--out", "early", "--epochs", "50", "--patience", "1", "--learning-rate", "5")
    result = done(call("train", "--resume", "early"))
    assert "stopped early" in result.stderr


@pytest.mark.usefixtures("run")
def test_edited_settings_are_noticed_in_complete_and_in_interrupted_runs() -> None:
    path = Path("run/config.toml")
    path.write_text(path.read_text().replace("l2 = 0.0", "l2 = 9.0"))
    result = call("train", "--resume", "run")
    assert (result.exit_code, has_facts(result.stderr, "Error: run/config.toml: SHA256SUMS")) == (1, True)
    Path("run/SHA256SUMS").unlink()
    result = call("train", "--resume", "run")
    assert (result.exit_code, has_facts(result.stderr, "run/checkpoint.safetensors: l2 0.0; 9.0")) == (1, True)


def test_data_that_changed_are_named_as_such() -> None:
    rows = [f"{i % 2},{i % 7 / 7},{i % 5 / 5}" for i in range(60)]
    Path("own.csv").write_text("\n".join(rows))
    done(call("train", "-q", "--out", "own", "--data", "own.csv", "--epochs", "2"))
    Path("own.csv").write_text("\n".join(rows[1:]))
    result = call("train", "--resume", "own", "--epochs", "9", "-q")
    assert one_line(result, 1, "own/checkpoint.safetensors: was trained on other data")


INTERRUPTED = """
import os, sys
from netlearn.cli import main
from netlearn.training import Descent
step = Descent.__iter__
def interrupted(descent):
    for update in step(descent):
        if update == 430:
            os.kill(os.getpid(), int(sys.argv[1]))
        yield update
Descent.__iter__ = interrupted
main(sys.argv[2:])
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_train_keeps_its_work_and_prints_the_command_that_resumes_it(number: int, code: int) -> None:
    result = python("-c", INTERRUPTED, str(int(number)), "train", *SMALL, "--out", "my run")
    assert result.returncode == code
    last = result.stderr.splitlines()[-1]
    assert re.match(r"Interrupted after update 430\b", last)
    assert last.endswith("netlearn train --resume 'my run'")
    assert "training: interrupted, " in result.stdout
    run = read_run(Path("my run"))
    assert (run.interrupted, run.metrics["update"][-1], len(run.weights())) == (True, 430, 4)
    assert call("train", "--resume", "my run", "-q").exit_code == 0
    assert train("-q", "--out", "whole").exit_code == 0
    assert results_of(Path("my run")) == results_of(Path("whole"))


@pytest.mark.usefixtures("run")
def test_finished_run_is_reported_and_left_unchanged() -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("run").iterdir()}
    result = call("train", "--resume", "run")
    assert (result.exit_code, has_facts(result.stderr, "run: --epochs beyond 2")) == (0, True)
    assert result.stdout.startswith("test accuracy: ")
    assert {path: path.stat().st_mtime_ns for path in Path("run").iterdir()} == before


REFUSED = [
    (["--learning-rate", "0.25"], "--learning-rate 0.25: 0.5"),
    (["--hidden", "none"], "--hidden none: 5"),
    (["--epochs", "1"], "--epochs 1: 2"),
    (["--out", "other"], "--out: run"),
    (["--force"], "--force: run"),
]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_other_changes_are_refused_with_both_values(arguments: list[str], message: str) -> None:
    result = call("train", "--resume", "run", *arguments)
    assert (result.exit_code, has_facts(result.stderr, message)) == (2, True)


def test_folder_without_a_run_cannot_be_resumed() -> None:
    Path("empty").mkdir()
    for command in ("train", "compare"):
        result = call(command, "--resume", "empty")
        assert result.exit_code == 1
        assert has_facts(result.stderr, "Error: empty: config.toml")


@pytest.mark.parametrize("content", [None, b"x" * 3000])
def test_missing_weights_are_restored_by_resuming(run: Path, content: bytes | None) -> None:
    path = run / "weights.safetensors"
    weights = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    done(call("train", "--resume", "run", "-q"))
    assert path.read_bytes() == weights
    assert "already" in call("train", "--resume", "run").stderr


def test_run_goes_back_from_a_longer_one_that_was_not_completed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise RunError(f"{path}: cannot be written: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("netlearn.runs.folder.write_whole", full)
        result = call("train", "--resume", "run", "--epochs", "4", "-q")
    assert one_line(result, 1, "Error: run/.extension/metrics.csv: No space left on device")
    assert "already finished" in call("train", "--resume", "run").stderr
    assert call("train", "--resume", "run", "--epochs", "4", "-q").exit_code == 0
    assert read_run(run).settings.epochs == 4
