"""A power cut at any moment leaves a folder from which the run can be resumed."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from netlearn.runs import SUMS, RunFolder, read_config
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import train_run
from netlearn.settings import Settings, resolve
from tests.commands import LINUX
from tests.files import small_dataset
from tests.runs import do_run, results_of, resume_run


def small_settings(epochs: int) -> Settings:
    return resolve({"hidden": (5,), "epochs": epochs, "data": "small"})


class PowerCutError(Exception):
    pass


@contextmanager
def power_cut(at: int) -> Iterator[None]:
    """Let the machine die at that flush to disk and stay dead, with the temporary file left behind."""
    count, fsync, unlink = itertools.count(1), os.fsync, Path.unlink

    def cut(file: int) -> None:
        if next(count) >= at:
            raise PowerCutError
        fsync(file)

    def unlink_others(path: Path, missing_ok: bool = False) -> None:
        if path.suffix != ".part":
            unlink(path, missing_ok)

    with pytest.MonkeyPatch.context() as patch, suppress(PowerCutError):
        patch.setattr("os.fsync", cut)
        patch.setattr("pathlib.Path.unlink", unlink_others)
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("begun", "flush"), [*((0, at) for at in range(1, 22)), *((3, at) for at in range(1, 19))])
def test_run_killed_at_any_write_is_resumed(begun: int, flush: int, tmp_path: Path) -> None:
    """Also one that had ended, and is trained further."""
    settings, part = small_settings(begun + 2 if begun else 3), tmp_path / "part"
    do_run(settings, tmp_path / "whole")
    if begun:
        do_run(small_settings(begun), part)
    with power_cut(flush):
        (resume_run if begun else do_run)(settings, part)
    if begun or (part / "config.toml").exists():
        read_config(part)
        resume_run(settings, part)
    else:
        do_run(settings, part)
    assert results_of(part) == results_of(tmp_path / "whole")


def test_resuming_removes_the_sums_on_disk_before_it_changes_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    do_run(small_settings(3), path, 7)
    steps: list[tuple[str, bool]] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(file: int) -> None:
        steps.append(("flush", (path / SUMS).exists()))
        fsync(file)

    def record_replace(source: Any, target: Any) -> None:
        steps.append((Path(target).name, (path / SUMS).exists()))
        replace(source, target)

    monkeypatch.setattr("os.fsync", record_fsync)
    monkeypatch.setattr("os.replace", record_replace)
    resume_run(small_settings(3), path)
    assert steps[:3] == [("flush", False), ("flush", False), ("metrics.csv", False)]


@LINUX
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

    settings = small_settings(3)
    trainer = make_trainer(settings, small_dataset())
    with RunFolder.create(tmp_path / "run") as folder, monkeypatch.context() as patch:
        patch.setattr("os.fsync", record_fsync)
        patch.setattr("os.replace", record_replace)
        train_run(settings, trainer, folder)
    first = calls.index(("fsync", "metrics.csv"))
    calls = calls[first : first + 4]
    assert calls == [
        ("fsync", "metrics.csv"), ("fsync", ".checkpoint.safetensors.part"), ("move", "checkpoint.safetensors"),
        ("fsync", "run"),
    ]  # fmt: skip
