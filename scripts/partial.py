"""Makes random partial states of a comparison, resumes each, and compares its end with an undisturbed comparison.

`make partial` makes 200. A comparison that is complete, or that died at a random flush to disk, gets one to three
damages: a file missing, cut short or exchanged with another, a folder renamed or exchanged. Some are then resumed on
a disk that is full from a random flush on, or die once more. In the end `--resume` must give the undisturbed result
to the byte, or a line that says what to do, and doing that must give it. Pictures are not drawn.
"""

import csv
import itertools
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
from click.testing import CliRunner
from tqdm import tqdm

from netlearn.cli import main as netlearn
from netlearn.comparison.compare import compare
from netlearn.comparison.pool import Workers

SETTINGS = ["--epochs", "3", "--hidden", "5", "--seeds", "2", "--patience", "2", "--batch-size", "5"]
RUNS = ("quadratic-0", "quadratic-1", "cross-entropy-0", "cross-entropy-1")
FLUSHES = 150  # of an undisturbed comparison, about
TRIES = 4


class DiedError(BaseException):
    """The process was killed, or the machine lost power."""


@contextmanager
def dying(at: int) -> Iterator[None]:
    """Let the process die at that flush to disk: nothing is written or removed after that."""
    count, fsync, unlink = itertools.count(1), os.fsync, Path.unlink

    def die_or_flush(file: int) -> None:
        if next(count) >= at:
            raise DiedError
        fsync(file)

    def unlink_others(path: Path, missing_ok: bool = False) -> None:
        if path.suffix != ".part":
            unlink(path, missing_ok)

    with patch("os.fsync", die_or_flush), patch("pathlib.Path.unlink", unlink_others):
        yield


@contextmanager
def full_disk(at: int) -> Iterator[None]:
    """Let the disk be full from that flush on."""
    count, fsync = itertools.count(1), os.fsync

    def flush_or_fail(file: int) -> None:
        if next(count) >= at:
            raise OSError(28, "No space left on device")
        fsync(file)

    with patch("os.fsync", flush_or_fail):
        yield


def call(*arguments: str) -> tuple[int, str]:
    """Call netlearn; return its exit code and what it printed."""
    undrawn, here = partial(compare, pictures=False), lambda *_, **given: Workers()
    with patch("netlearn.cli.compare.compare", undrawn), patch("netlearn.cli.compare._workers", here):
        result = CliRunner().invoke(netlearn, ["compare", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def results_of(out: Path) -> dict[str, Any]:
    """Return what determines a comparison's result, without times."""
    found: dict[str, Any] = {}
    for run in RUNS:
        for path in (out / run).glob("*.safetensors"):
            if path.name != "checkpoint.safetensors":
                found[f"{run}/{path.name}"] = path.read_bytes()
        found[f"{run}/config.toml"] = (out / run / "config.toml").read_bytes()
        with (out / run / "metrics.csv").open(newline="") as file:
            found[f"{run}/metrics.csv"] = [row[:2] + row[3:] for row in csv.reader(file)]
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found["results.csv"] = [
        {name: value for name, value in row.items() if name not in {"training_seconds", "folder"}} for row in rows
    ]
    return found


def damage(out: Path, rng: np.random.Generator) -> str:
    """Damage a random file or folder of a comparison, and return what was done."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    folders = sorted(path for path in out.iterdir() if path.is_dir())
    kind = ("remove", "cut", "exchange", "exchange alike", "rename folder", "exchange folders")[rng.integers(6)]
    some = [files[number] for number in rng.permutation(len(files))]
    if len(some) < 2:
        return "none"
    if kind == "remove":
        some[0].unlink()
    elif kind == "cut":
        os.truncate(some[0], int(rng.integers(some[0].stat().st_size + 1)))
    elif kind in {"exchange", "exchange alike"}:
        alike = [path for path in some[1:] if path.name == some[0].name]
        exchange(some[0], (alike or some[1:])[0] if kind == "exchange alike" else some[1])
    elif folders:
        first, *rest = (folders[number] for number in rng.permutation(len(folders)))
        if kind == "rename folder" or not rest:
            first.rename(out / f"renamed-{rng.integers(10**9)}")
        else:
            exchange(first, rest[0])
    return f"{kind} {some[0].relative_to(out)}"


def exchange(first: Path, second: Path) -> None:
    """Let two files or folders change their names."""
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def finish(begin: list[str], right: dict[str, Any]) -> tuple[str, str | None]:
    """Resume until the comparison is done, as the program says; return what it took, and what is wrong."""
    took = "resumed"
    for _ in range(TRIES):
        code, output = call("--resume", "out", "-q")
        if moved := re.findall(r"move (\S+) away and resume", output):
            took = "moved a run away"
            for path in dict.fromkeys(moved):
                shutil.rmtree(path)
        elif "repeat the command that began it" in output:
            took = "begun again"
            code, output = call(*begin, "--out", "again")
            return took, None if results_of(Path("again")) == right else f"begun again: {output}"
        elif code == 0:
            return took, None if results_of(Path("out")) == right else f"another result: {output}"
        else:
            return took, f"exit code {code}: {output}"
    return took, f"not done after {TRIES} times: {output}"


def make_states(count: int, folder: Path, seed: int = 0) -> Iterator[tuple[str, str | None]]:
    """Make partial states in a folder and resume each; yield what that took, and what went wrong."""
    rng = np.random.default_rng(seed)
    x, y = rng.random((120, 4), np.float32), np.arange(120) % 3
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=x[:12], y_test=y[:12])
    begin = [*SETTINGS, "--data", str(folder / "data.npz"), "-q"]
    os.chdir(folder)
    call(*begin, "--out", "whole")
    right = results_of(Path("whole"))
    for number in range(count):
        for name in ("out", "again"):
            shutil.rmtree(name, ignore_errors=True)
        if rng.random() < 0.5:
            shutil.copytree("whole", "out")
        else:
            with dying(int(rng.integers(4, FLUSHES))), suppress(DiedError):
                call(*begin, "--out", "out")
        done = [damage(Path("out"), rng) for _ in range(rng.integers(1, 4))]
        if rng.random() < 0.4:
            trouble = (dying, full_disk)[rng.integers(2)]
            done.append(trouble.__name__)
            with trouble(int(rng.integers(1, FLUSHES))), suppress(DiedError):
                call("--resume", "out", "-q")
        took, wrong = finish(begin, right)
        yield took, wrong and f"state {number} ({', '.join(done)}): {wrong}"


@click.command()
@click.option("--count", default=200, show_default=True, help="partial states.")
@click.option("--seed", default=0, show_default=True)
def main(count: int, seed: int) -> None:
    """Make that many partial states of a comparison, resume each, and report."""
    took: Counter[str] = Counter()
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for how, wrong in tqdm(make_states(count, Path(folder), seed), total=count, unit=" states", disable=None):
            took[how] += 1
            problems += [wrong] if wrong else []
    click.echo(f"{count} partial states: {', '.join(f'{how} {times}' for how, times in took.items())}")
    click.echo("\n".join([*problems, f"{len(problems)} do not end as an undisturbed comparison does"]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
