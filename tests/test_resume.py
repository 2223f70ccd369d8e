"""A run that is broken off anywhere and resumed ends as if it had never stopped, to the byte."""

import csv
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import launch, training
from netlearn.checkpoints import identify
from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.plotting import style
from netlearn.runs import RunFolder
from netlearn.settings import Settings, resolve
from netlearn.state import State
from netlearn.training import Trainer
from tests.commands import call, train
from tests.files import small_dataset, wait_for

SETTINGS = {"hidden": (5,), "epochs": 7, "batch_size": 10, "l2": 0.5, "learning_rate": 0.5, "data": "small"}
VARIANTS: list[dict[str, Any]] = [
    {}, {"patience": 2, "learning_rate": 3.0}, {"probe_every": 3}, {"probe_every": 4, "patience": 4},
    {"track_test": True, "batch_size": 47},
]  # fmt: skip


def settings_of(**given: Any) -> Settings:
    return resolve(SETTINGS | given)


def begin(settings: Settings, data: Dataset | None = None) -> Trainer:
    return launch.make_trainer(settings, data or small_dataset())


def left(folder: Path) -> dict[str, Any]:
    """Return what a run left, but for its times."""
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


def broken_off(settings: Settings, folder: Path, update: int, start: Callable[..., object] = launch.run) -> None:
    """Do a run up to an update, and stop as Ctrl-C does."""
    trainer = begin(settings)
    trainer.on_update = lambda: trainer.stop() if trainer.update == update else None
    start(settings, trainer, RunFolder.existing(folder) if start is launch.resume else RunFolder(folder))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the pictures, for tests that do hundreds of runs."""
    monkeypatch.setattr(launch, "_write_curves", lambda *_: None)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_run_broken_off_after_any_update_ends_as_if_it_had_not_been(given: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(**given)
    launch.run(settings, begin(settings), RunFolder(tmp_path / "whole"))
    whole = left(tmp_path / "whole")
    for update in range(1, whole["summary"]["updates"]):
        folder = tmp_path / str(update)
        broken_off(settings, folder, update)
        launch.resume(settings, begin(settings), RunFolder.existing(folder))
        assert left(folder) == whole, update


def test_run_broken_off_many_times_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    settings = settings_of()
    launch.run(settings, begin(settings), RunFolder(tmp_path / "whole"))
    broken_off(settings, tmp_path / "part", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "render", lambda figure, kind: b"drawn again at the end")
        for update in range(3, 35, 2):
            broken_off(settings, tmp_path / "part", update, launch.resume)
    launch.resume(settings, begin(settings), RunFolder.existing(tmp_path / "part"))
    assert left(tmp_path / "part") == left(tmp_path / "whole")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("given", [*VARIANTS, {"batch_size": 47, "probe_every": 7}], ids=str)
def test_run_goes_on_from_each_checkpoint_that_is_ever_written(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", -1.0)
    monkeypatch.setattr(training, "UNPROBED_CHECKPOINT_EVERY", -1.0)
    settings = settings_of(**given)
    folder = RunFolder(tmp_path / "run")
    checkpoints: list[dict[Path, bytes]] = []
    files = [folder.path / name for name in ("checkpoint.safetensors", "metrics.csv")]
    write = folder.write_checkpoint

    def keep(state: State, run: dict[str, Any]) -> None:
        write(state, run)
        checkpoints.append({file: file.read_bytes() for file in files})

    monkeypatch.setattr(folder, "write_checkpoint", keep)
    launch.run(settings, begin(settings), folder)
    whole = left(tmp_path / "run")
    assert len(checkpoints) >= 7
    for checkpoint in checkpoints:
        for file, content in checkpoint.items():
            file.write_bytes(content)
        launch.resume(settings, begin(settings), RunFolder.existing(tmp_path / "run"))
        assert left(tmp_path / "run") == whole


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("done", [0, 5, 10])
def test_stop_before_the_next_update_changes_nothing_and_records_nothing_twice(done: int, tmp_path: Path) -> None:
    settings = settings_of()
    launch.run(settings, begin(settings), RunFolder(tmp_path / "whole"))
    part = tmp_path / "part"
    trainer = begin(settings)
    launch.run(settings, trainer, RunFolder(part), lambda record: trainer.stop() if record.update == done else None)
    assert left(part)["summary"]["status"] == "interrupted"
    again = begin(settings)
    again.stop()
    launch.resume(settings, again, RunFolder.existing(part))
    updates = [row[0] for row in left(part)["metrics"]]
    assert len(set(updates)) == len(updates)
    launch.resume(settings, begin(settings), RunFolder.existing(part))
    assert left(part) == left(tmp_path / "whole")


def test_run_that_another_process_is_at_is_left_alone(tmp_path: Path) -> None:
    settings = settings_of()
    folder = RunFolder(tmp_path / "run")
    with folder.alone(), pytest.raises(RunError, match=r"run: another process is at this run; wait until it ends"):
        launch.run(settings, begin(settings), folder)


@pytest.mark.usefixtures("unrendered")
def test_stop_in_the_epoch_that_exhausts_the_patience_is_an_early_stop(tmp_path: Path) -> None:
    settings = settings_of(patience=1, learning_rate=1e-9)
    trainer = begin(settings)
    folder = RunFolder(tmp_path / "run")
    summary = launch.run(settings, trainer, folder, lambda record: trainer.stop() if record.epoch == 2 else None)
    assert summary.status == "stopped early"


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("content", [b"x" * 5000, b"update,epoch,seconds,a\n" + b"1,2,3\n" * 800])
def test_metrics_that_are_not_the_checkpoints_are_refused_before_anything_is_changed(content: bytes) -> None:
    train("-q", "--out", "run")
    size = Path("run/metrics.csv").stat().st_size
    Path("run/metrics.csv").write_bytes(content[: size - 1] + b"\n")
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = call("train", "--resume", "run", "--epochs", "4", "-q")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: run/metrics\.csv: its first [\d,]+ bytes are not the rows up to update 700 of the checkpoint\n",
        result.stderr,
    )
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.usefixtures("unrendered")
def test_resumed_run_that_diverged_or_stopped_early_says_so() -> None:
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    result = call("train", "--resume", "wild")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: wild: the cost is no longer finite after update ")
    train("-q", "--out", "early", "--epochs", "50", "--patience", "1", "--learning-rate", "5")
    result = call("train", "--resume", "early")
    assert (result.exit_code, result.stderr) == (0, "early: stopped early already\n")


@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_finished_run_with_more_epochs_ends_as_one_that_had_them_from_the_start(
    given: dict[str, Any], tmp_path: Path
) -> None:
    settings, longer = settings_of(**given), settings_of(**given, epochs=11)
    launch.run(longer, begin(longer), RunFolder(tmp_path / "whole"))
    launch.run(settings, begin(settings), RunFolder(tmp_path / "part"))
    launch.resume(longer, begin(longer), RunFolder.existing(tmp_path / "part"))
    assert left(tmp_path / "part") == left(tmp_path / "whole")


class PowerCutError(Exception):
    pass


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_run_that_dies_at_any_write_is_resumed(cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fsync is a moment at which the machine may die, with the temporary file left behind."""
    settings = settings_of(epochs=3)
    launch.run(settings, begin(settings), RunFolder(tmp_path / "whole"))
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
            launch.run(settings, begin(settings), RunFolder(tmp_path / "part"))
    part = tmp_path / "part"
    if (part / "config.toml").exists():
        launch.resume(settings, begin(settings), RunFolder.existing(part))
    else:
        launch.run(settings, begin(settings), RunFolder(part))
    assert left(part) == left(tmp_path / "whole")


def test_long_epoch_gets_checkpoints_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", -1.0)
    settings = settings_of(epochs=1)
    seen: list[tuple[int, bool]] = []
    trainer = begin(settings)
    trainer.on_checkpoint = lambda state: seen.append((state.update, state.probed))
    list(trainer)
    assert seen == [(3, False), (4, False), (5, True)]  # 1 and 2 are probed anyway
    folder = RunFolder(tmp_path / "run")
    first = begin(settings)
    first.on_checkpoint = lambda state: folder.write_checkpoint(state, {}) if state.update == 3 else None
    list(first)
    again = begin(settings)
    folder.go_back_to_checkpoint(again, {})
    assert again.update == 3
    list(again)
    for one, other in zip(first.network.weights, again.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)


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
    folder = RunFolder(tmp_path / "run")
    folder.write_record(next(iter(trainer)))
    monkeypatch.setattr("os.fsync", record_fsync)
    monkeypatch.setattr("os.replace", record_replace)
    folder.write_checkpoint(trainer.state(), identify(settings, trainer.data))
    assert calls == [
        ("fsync", "metrics.csv"), ("fsync", ".checkpoint.safetensors.part"), ("move", "checkpoint.safetensors"),
        ("fsync", "run"),
    ]  # fmt: skip


@pytest.mark.usefixtures("unrendered")
def test_metrics_shorter_than_the_checkpoint_says_are_refused(tmp_path: Path) -> None:
    settings = settings_of()
    broken_off(settings, tmp_path / "run", 7)
    path = tmp_path / "run" / "metrics.csv"
    path.write_bytes(path.read_bytes()[:99])
    with pytest.raises(RunError, match=r"metrics\.csv: 99 bytes; the checkpoint goes on after \d+"):
        launch.resume(settings, begin(settings), RunFolder.existing(tmp_path / "run"))


@pytest.mark.usefixtures("unrendered")
def test_checkpoint_of_other_settings_or_data_is_refused(tmp_path: Path) -> None:
    settings = settings_of()
    broken_off(settings, tmp_path / "run", 7)
    other, data = settings_of(l2=0.1), replace(small_dataset(), sha256={"a.npz": "0"})
    with pytest.raises(RunError, match=r"was written with l2 0\.5; the run has 0\.1$"):
        launch.resume(other, begin(other), RunFolder.existing(tmp_path / "run"))
    with pytest.raises(RunError, match=r"was written with data {}; the run has {'a\.npz': '0'}$"):
        launch.resume(settings, begin(settings, data), RunFolder.existing(tmp_path / "run"))


@pytest.mark.usefixtures("unrendered")
def test_settings_of_a_finished_run_that_were_edited_are_noticed() -> None:
    train("-q", "--out", "run")
    path = Path("run/config.toml")
    path.write_text(path.read_text().replace("l2 = 0.0", "l2 = 9.0"))
    result = call("train", "--resume", "run")
    message = "Error: run/checkpoint.safetensors: was written with l2 0.0; the run has 9.0\n"
    assert (result.exit_code, result.stderr) == (1, message)


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
    assert last.endswith("; this goes on: netlearn train --resume 'my run'")
    assert call("train", "--resume", "my run", "-q").exit_code == 0
    call("train", *settings, "-q", "--out", "whole")
    assert left(Path("my run")) == left(Path("whole"))


@pytest.mark.usefixtures("unrendered")
def test_finished_run_is_told_and_left_alone() -> None:
    train("-q", "--out", "run")
    before = {path: path.stat().st_mtime_ns for path in Path("run").iterdir()}
    result = call("train", "--resume", "run")
    assert (result.exit_code, result.stderr) == (0, "run: finished already; --epochs beyond 2 trains on\n")
    assert result.stdout.startswith("test accuracy: ")
    assert {path: path.stat().st_mtime_ns for path in Path("run").iterdir()} == before


REFUSED = [
    (["--learning-rate", "0.25"], "--learning-rate 0.25: the run has 0.5; only epochs may change"),
    (["--hidden", "none"], "--hidden none: the run has 30; only epochs may change"),
    (["--epochs", "1"], "--epochs 1: the run has 2; allowed are 2 or more"),
    (["--out", "other"], "--out: a run that is resumed stays where it is, in run"),
    (["--force"], "--force: a run that is resumed stays where it is, in run"),
]


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_other_changes_are_refused_with_both_values(arguments: list[str], message: str) -> None:
    train("-q", "--out", "run")
    result = call("train", "--resume", "run", *arguments)
    assert (result.exit_code, result.stderr) == (2, f"Error: {message}\n")


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
        assert result.stderr.startswith("Error: empty: not the folder of a run")
