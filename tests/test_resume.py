"""A run that is interrupted anywhere and resumed ends as if it never was, to the byte."""

import csv
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.experiments.run import make_trainer, run
from netlearn.runs import RunFolder, checkpoint, metrics
from netlearn.settings import Settings, resolve
from netlearn.training import Trainer
from netlearn.training import trainer as trainer_module
from tests.commands import call, train
from tests.files import small_dataset, wait_for
from tests.messages import tells
from tests.runs import do_run, resume_run

SETTINGS = {"hidden": (5,), "epochs": 7, "batch_size": 10, "l2": 0.5, "learning_rate": 0.5, "data": "small"}
VARIANTS: list[dict[str, Any]] = [
    {}, {"patience": 2, "learning_rate": 3.0}, {"probe_every": 3}, {"probe_every": 4, "patience": 4},
    {"track_test": True, "batch_size": 47},
]  # fmt: skip


def settings_of(**given: Any) -> Settings:
    return resolve(SETTINGS | given)


def begin(settings: Settings, data: Dataset | None = None) -> Trainer:
    return make_trainer(settings, data or small_dataset())


def left(folder: Path) -> dict[str, Any]:
    """Return the results of a run, except for its times."""
    files: dict[str, Any] = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".toml", ".svg"}
    }
    for name in ("weights", "best", "output_neurons"):
        if (folder / f"{name}.safetensors").exists():
            files[name] = (folder / f"{name}.safetensors").read_bytes()
    with (folder / "metrics.csv").open(newline="") as file:
        files["metrics"] = [row[:2] + row[3:] for row in csv.reader(file)]
    summary = json.loads((folder / "summary.json").read_text())
    files["summary"] = {name: value for name, value in summary.items() if not name.endswith("seconds")}
    return files


@pytest.mark.slow
@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_run_interrupted_after_any_update_ends_as_if_it_was_not(given: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(**given)
    do_run(settings, tmp_path / "whole")
    whole = left(tmp_path / "whole")
    for update in range(1, whole["summary"]["updates"]):
        do_run(settings, tmp_path / str(update), update)
        resume_run(settings, tmp_path / str(update))
        assert left(tmp_path / str(update)) == whole, update


def test_run_interrupted_many_times_ends_as_if_it_was_not(tmp_path: Path) -> None:
    settings = settings_of()
    do_run(settings, tmp_path / "whole", draw=True)
    do_run(settings, tmp_path / "part", 1)
    for update in range(3, 35, 4):
        resume_run(settings, tmp_path / "part", update)
    resume_run(settings, tmp_path / "part", draw=True)
    assert left(tmp_path / "part") == left(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("given", [*VARIANTS, {"batch_size": 47, "probe_every": 7}], ids=str)
def test_run_can_be_resumed_from_each_checkpoint_that_is_ever_written(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_INSIDE", -1.0)
    monkeypatch.setattr(trainer_module, "CHECKPOINT_AT_END", -1.0)
    settings, path = settings_of(**given), tmp_path / "run"
    checkpoints: list[dict[Path, bytes]] = []
    files = [path / name for name in (checkpoint.NAME, metrics.NAME)]
    write = RunFolder.write

    def keep(folder: RunFolder, name: str, content: bytes) -> None:
        write(folder, name, content)
        if name == checkpoint.NAME:
            checkpoints.append({file: file.read_bytes() for file in files})

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", keep)
        do_run(settings, path)
    whole = left(path)
    assert len(checkpoints) >= 4
    for state in checkpoints:
        for file, content in state.items():
            file.write_bytes(content)
        resume_run(settings, path)
        assert left(path) == whole


@pytest.mark.parametrize("done", [0, 5, 10])
def test_stop_before_the_next_update_changes_nothing_and_records_nothing_twice(done: int, tmp_path: Path) -> None:
    settings, part = settings_of(), tmp_path / "part"
    do_run(settings, tmp_path / "whole")
    do_run(settings, part, done)
    assert left(part)["summary"]["status"] == "interrupted"
    resume_run(settings, part, done)
    updates = [row[0] for row in left(part)["metrics"]]
    assert len(set(updates)) == len(updates)
    resume_run(settings, part)
    assert left(part) == left(tmp_path / "whole")


def test_folder_in_use_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    settings, path = settings_of(), tmp_path / "run"
    do_run(settings, path)
    before = {file: file.read_bytes() for file in path.iterdir()}
    with RunFolder.existing(path):
        with pytest.raises(RunError, match=r"run: in use by another process"):
            resume_run(settings, path)
        with pytest.raises(RunError, match=r"run: in use"), RunFolder.create(path, force=True):
            pytest.fail("entered")
    assert {file: file.read_bytes() for file in path.iterdir()} == before


def test_run_whose_patience_is_exhausted_in_its_last_epoch_stopped_early(tmp_path: Path) -> None:
    assert do_run(settings_of(patience=1, learning_rate=1e-9), tmp_path / "run", 10).status == "stopped early"


@pytest.mark.usefixtures("unrendered")
def test_metrics_that_are_not_the_checkpoints_are_refused_before_anything_is_changed() -> None:
    train("-q", "--out", "run")
    path = Path("run/metrics.csv")
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = call("train", "--resume", "run", "--epochs", "4", "-q")
    assert result.exit_code == 1
    assert tells(result.stderr, "Error: run/metrics.csv: ")
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.usefixtures("unrendered")
def test_resumed_run_that_diverged_or_stopped_early_says_so() -> None:
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    result = call("train", "--resume", "wild")
    assert result.exit_code == 1
    assert re.search(r"wild: .* after update \d+", result.stderr)
    train("-q", "--out", "early", "--epochs", "50", "--patience", "1", "--learning-rate", "5")
    result = call("train", "--resume", "early")
    assert result.exit_code == 0
    assert "stopped early" in result.stderr


@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_finished_run_with_more_epochs_ends_as_one_that_had_them_from_the_start(
    given: dict[str, Any], tmp_path: Path
) -> None:
    settings, longer = settings_of(**given), settings_of(**given, epochs=11)
    do_run(longer, tmp_path / "whole")
    do_run(settings, tmp_path / "part")
    resume_run(longer, tmp_path / "part")
    assert left(tmp_path / "part") == left(tmp_path / "whole")


class PowerCutError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_run_that_dies_at_any_write_is_resumed(cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fsync is a moment at which the machine may die, with the temporary file left behind."""
    settings, part = settings_of(epochs=3), tmp_path / "part"
    do_run(settings, tmp_path / "whole")
    count = itertools.count(1)
    fsync = os.fsync

    def cut_power(file: int) -> None:
        if next(count) == cut:
            raise PowerCutError
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", cut_power)
        patch.setattr("pathlib.Path.unlink", lambda path, missing_ok=False: None)
        with suppress(PowerCutError):
            do_run(settings, part)
    if (part / "config.toml").exists():
        resume_run(settings, part)
    else:
        do_run(settings, part)
    assert left(part) == left(tmp_path / "whole")


def test_long_epoch_gets_checkpoints_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_INSIDE", -1.0)
    settings = settings_of(epochs=1, batch_size=1)
    data = small_dataset(train=1000)
    seen: list[tuple[int, bool]] = []
    trainer = begin(settings, data)
    trainer.on_checkpoint = lambda state: seen.append((state.update, state.probed))
    list(trainer)
    assert seen == [(400, False), (600, False), (800, False), (1000, True)]  # others are probed anyway


def test_file_is_flushed_before_it_is_moved_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, replace = os.fsync, os.replace
    calls: list[tuple[str, str]] = []

    def record_fsync(file: int) -> None:
        calls.append(("fsync", Path(f"/proc/self/fd/{file}").readlink().name))
        fsync(file)

    def record_replace(source: Any, target: Any) -> None:
        calls.append(("move", Path(target).name))
        replace(source, target)

    settings = settings_of()
    trainer = begin(settings)
    with RunFolder.create(tmp_path / "run") as folder, monkeypatch.context() as patch:
        patch.setattr("os.fsync", record_fsync)
        patch.setattr("os.replace", record_replace)
        run(settings, trainer, folder, draw=False)
    first = calls.index(("fsync", "metrics.csv"))
    calls = calls[first : first + 4]
    assert calls == [
        ("fsync", "metrics.csv"), ("fsync", ".checkpoint.safetensors.part"), ("move", "checkpoint.safetensors"),
        ("fsync", "run"),
    ]  # fmt: skip


def test_metrics_shorter_than_the_checkpoints_rows_are_refused(tmp_path: Path) -> None:
    settings = settings_of()
    do_run(settings, tmp_path / "run", 7)
    path = tmp_path / "run" / "metrics.csv"
    path.write_bytes(path.read_bytes()[:99])
    with pytest.raises(RunError, match=r"metrics\.csv: its first \d+ bytes"):
        resume_run(settings, tmp_path / "run")


def test_checkpoint_of_other_settings_or_data_is_refused(tmp_path: Path) -> None:
    settings, path = settings_of(), tmp_path / "run"
    do_run(settings, path, 7)
    with pytest.raises(RunError, match=r"l2 0\.5; the run has 0\.1$"):
        resume_run(settings_of(l2=0.1), path)
    with pytest.raises(RunError, match=r"data {}; the run has {'a\.npz': '0'}$"):
        resume_run(settings, path, data=replace(small_dataset(), sha256={"a.npz": "0"}))


@pytest.mark.usefixtures("unrendered")
def test_edited_settings_are_noticed_in_complete_and_in_interrupted_runs() -> None:
    train("-q", "--out", "run")
    path = Path("run/config.toml")
    path.write_text(path.read_text().replace("l2 = 0.0", "l2 = 9.0"))
    result = call("train", "--resume", "run")
    assert (result.exit_code, tells(result.stderr, "Error: run/config.toml: SHA256SUMS")) == (1, True)
    Path("run/SHA256SUMS").unlink()
    result = call("train", "--resume", "run")
    assert (result.exit_code, tells(result.stderr, "run/checkpoint.safetensors: l2 0.0; 9.0")) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_train_says_how_to_go_on_and_that_command_does(number: int, code: int) -> None:
    settings = ["--data", "mnist-5k", "--epochs", "60"]
    command = [sys.executable, "-m", "netlearn", "train", *settings, "--out", "my run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        wait_for("epoch 5/60", process.stderr)
        process.send_signal(number)
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == code
    last = rest.splitlines()[-1]
    assert last.startswith("Interrupted after update ")
    assert last.endswith("netlearn train --resume 'my run'")
    assert call("train", "--resume", "my run", "-q").exit_code == 0
    call("train", *settings, "-q", "--out", "whole")
    assert left(Path("my run")) == left(Path("whole"))


@pytest.mark.usefixtures("unrendered")
def test_finished_run_is_told_and_left_alone() -> None:
    train("-q", "--out", "run")
    before = {path: path.stat().st_mtime_ns for path in Path("run").iterdir()}
    result = call("train", "--resume", "run")
    assert (result.exit_code, tells(result.stderr, "run: --epochs beyond 2")) == (0, True)
    assert result.stdout.startswith("test accuracy: ")
    assert {path: path.stat().st_mtime_ns for path in Path("run").iterdir()} == before


REFUSED = [
    (["--learning-rate", "0.25"], "--learning-rate 0.25: the run has 0.5; only epochs may change"),
    (["--hidden", "none"], "--hidden none: must be 30"),
    (["--epochs", "1"], "--epochs 1: the run has 2; allowed are 2 or more"),
    (["--out", "other"], "--out: a run that is resumed stays where it is, in run"),
    (["--force"], "--force: a run that is resumed stays where it is, in run"),
]


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_other_changes_are_refused_with_both_values(arguments: list[str], message: str) -> None:
    train("-q", "--out", "run")
    result = call("train", "--resume", "run", *arguments)
    assert (result.exit_code, tells(result.stderr, message)) == (2, True)


@pytest.mark.usefixtures("unrendered")
def test_same_value_may_be_said_again() -> None:
    train("-q", "--out", "run")
    assert call("train", "--resume", "run", "--learning-rate", "0.5", "--epochs", "3", "-q").exit_code == 0
    assert json.loads(Path("run/summary.json").read_text())["epochs"] == 3


def test_folder_without_a_run_cannot_be_resumed() -> None:
    Path("empty").mkdir()
    for command in ("train", "compare"):
        result = call(command, "--resume", "empty")
        assert result.exit_code == 1
        assert tells(result.stderr, "Error: empty: not the folder of a run")
