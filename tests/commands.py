"""Calls the command line, in this process or in one of its own."""

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netlearn.cli import main
from netlearn.comparison.outputs import PICTURES
from netlearn.comparison.pool import Workers
from tests.messages import has_facts

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs a terminal, pipes or signals as POSIX has them")
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
PATIENCE = 300  # seconds after which something hangs, however busy the machine is
CURVES_ALONE = (
    "from netlearn.comparison import compare; compare.PICTURES = ('curves',); from netlearn.cli import main; main()"
)
ONE_EPOCH = ["--data", "mnist-5k", "--epochs", "1", "-q"]
SMALL = ["--data", "mnist-5k", "--epochs", "2"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, overridden(arguments))


def done(result: Result) -> Result:
    """Return the result of a command that must have succeeded."""
    assert result.exit_code == 0, result.output
    return result


def overridden(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without the defaults of these tests that a later argument replaces."""
    found = list(arguments)
    for flag in ("--data", "--epochs", "--hidden", "--seeds"):
        while found.count(flag) > 1:
            first = found.index(flag)
            del found[first : first + 2]
    return found


def train(*arguments: str) -> Result:
    return call("train", *SMALL, *arguments)


def python(*arguments: str, **given: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **given)


def curves_alone(*arguments: str, **given: Any) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own, which draws the curves of a comparison alone."""
    return python("-c", CURVES_ALONE, *arguments, **given)


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    if os.name == "nt" or ("/dev/full" in command and not Path("/dev/full").exists()):
        pytest.skip("is a command for a shell and devices that only some systems have")
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


QUICK = ["--data", "mnist-5k", "--epochs", "2", "--hidden", "12", "--seeds", "2"]


def compare(*arguments: str) -> Result:
    return call("compare", *arguments)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def untimed(folder: Path) -> dict[str, Any]:
    """Return what a comparison left, without its times and paths."""
    left: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".safetensors", ".svg", ".png", ".toml"} and path.name != "checkpoint.safetensors"
    }
    for path in folder.glob("*/metrics.csv"):
        left[str(path.relative_to(folder))] = [row[:2] + row[3:] for row in csv.reader(path.read_text().splitlines())]
    left["results"] = [
        {name: value for name, value in row.items() if name not in {"training_seconds", "folder"}}
        for row in rows_of(folder)
    ]
    return left


def assert_same_but_for_pictures(found: Path, whole: Path) -> None:
    """Assert that a comparison is another one to the byte, but for times, paths and pictures that it lacks."""
    ours, theirs = untimed(found), untimed(whole)
    assert "curves.svg" in ours
    assert ours == {name: theirs[name] for name in ours}
    lacking = {f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")}
    assert files_of(found) - lacking == files_of(whole) - lacking


def workers_here(*_: object) -> Workers:
    """Return what does one task at a time in this process, whatever was asked for."""
    return Workers()


def files_of(folder: str | Path) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def one_line(result: Result, code: int, facts: str) -> bool:
    """Return whether a command printed nothing but one line with those facts, and ended with that code."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    *usage, line = result.stderr.strip().splitlines()
    assert not usage
    return has_facts(line, facts)
