"""A power cut at any moment leaves a folder from which the run can be resumed."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from netlearn.runs import SUMS, RunFolder, Sums, read_config, read_run
from netlearn.settings import Settings, resolve
from tests.commands import LINUX
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


@pytest.mark.parametrize("before", [(), ("curves.png", "curves.svg")])
def test_power_cut_while_curves_are_drawn_leaves_a_complete_run(before: tuple[str, ...], tmp_path: Path) -> None:
    do_run(small_settings(1), tmp_path)
    RunFolder(tmp_path).add(dict.fromkeys(before, b"other"))
    for flush in itertools.count(1):
        with power_cut(flush):
            RunFolder(tmp_path).add({"curves.png": b"png", "curves.svg": b"svg"})
            break
        Sums.read(tmp_path).check_all()
        assert read_run(tmp_path).is_complete()
        for leftover in tmp_path.glob(".*.part"):
            leftover.unlink()
    assert {"curves.png", "curves.svg"} <= Sums.read(tmp_path).hashes.keys()


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


@contextmanager
def recorded(folder: Path) -> Iterator[list[tuple[str, str, bool]]]:
    """Record what is flushed to disk and moved into place, and whether the folder had SHA256SUMS then."""
    fsync, replace, steps = os.fsync, os.replace, list[tuple[str, str, bool]]()

    def record_fsync(file: int) -> None:
        steps.append(("flush", Path(f"/proc/self/fd/{file}").readlink().name, (folder / SUMS).exists()))
        fsync(file)

    def record_replace(source: Any, target: Any) -> None:
        steps.append(("move", Path(target).name, (folder / SUMS).exists()))
        replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", record_fsync)
        patch.setattr("os.replace", record_replace)
        yield steps


@LINUX
def test_resuming_removes_the_sums_on_disk_before_it_changes_other_files(tmp_path: Path) -> None:
    path = tmp_path / "run"
    do_run(small_settings(3), path, 7)
    with recorded(path) as steps:
        resume_run(small_settings(3), path)
    assert [(kind, sums) for kind, _, sums in steps[:3]] == [("flush", False), ("flush", False), ("move", False)]
    assert steps[2][1] == "metrics.csv"


@LINUX
def test_file_is_flushed_before_it_is_moved_and_the_folder_after(tmp_path: Path) -> None:
    with recorded(tmp_path / "run") as steps:
        do_run(small_settings(3), tmp_path / "run")
    calls = [(kind, name) for kind, name, _ in steps]
    first = calls.index(("flush", "metrics.csv"))
    assert calls[first : first + 4] == [
        ("flush", "metrics.csv"), ("flush", ".checkpoint.safetensors.part"), ("move", "checkpoint.safetensors"),
        ("flush", "run"),
    ]  # fmt: skip
