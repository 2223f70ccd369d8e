"""Lets two commands meet at one folder at random times, and checks that no file is lost and no result is wrong.

`make interleave` runs all ordered pairs of commands in turn, 200 in all. Each command must either succeed, with the
results that it has alone, or refuse in one line, behind the usage if the folder is not there. Afterwards the folder
holds what the successful commands wrote and can be resumed, its runs verify, and files that belong to neither command
are still there.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice, product
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from netlearn.runs import holds_comparison

NETLEARN = [sys.executable, "-m", "netlearn"]
PRINTED = ["-q", "--json"]
SMALL = ["--data", "mnist-5k", "--epochs", "40", "--hidden", "5", *PRINTED]  # long enough to be met while training
LONGER = ["--epochs", "60", *PRINTED]
SEED, INNER = "--seed=1", "out/quadratic-0"
RUN = ["train", *SMALL, "--out", "out"]
COMPARISON = ["compare", *SMALL, "--seeds", "1", "--jobs", "1", "--out", "out"]
AT_A_RUN = (
    RUN,
    [*RUN, SEED, "--force"],
    ["train", "--resume", "out", *LONGER],
    ["verify", "out", *PRINTED],
    [*COMPARISON, "--force"],
)
AT_A_COMPARISON = (
    COMPARISON,
    [*COMPARISON, "--force"],
    ["compare", "--resume", "out", "--jobs", "1", *PRINTED],
    ["train", "--resume", INNER, *LONGER],
    ["train", *SMALL, SEED, "--cost", "quadratic", "--out", INNER, "--force"],
    ["verify", INNER, *PRINTED],
)
FRESH = 0.2  # fraction of the rounds that begin without a folder
HANGS = 300  # seconds after which a command hangs, however busy the machine is


class Meetings:
    """A run and a comparison, made alone, of which each round starts with a copy, and the results that are right."""

    def __init__(self, folder: Path) -> None:
        self.made, self.here = folder / "made", folder / "here"
        self.right: dict[str, set[float]] = {}
        run, comparison, further = (self.made / name for name in ("run", "comparison", "further"))
        for each in (run, comparison, further):
            each.mkdir(parents=True)
        begun = perf_counter()
        self._learn(_call(run, RUN))
        self.latest = perf_counter() - begun
        self.rows = {row["variant"]: row["test_accuracy"] for row in _call(comparison, COMPARISON)["rows"]}
        for path in comparison.glob("out/*/summary.json"):
            self._learn(json.loads(path.read_text()))
        shutil.copytree(run / "out", further / "run")
        shutil.copytree(comparison / INNER, further / "inner")
        for name, options in (("seeded", [SEED]), ("quadratic", [SEED, "--cost", "quadratic"])):
            self._learn(_call(further, ["train", *SMALL, *options, "--out", name]))
        for path in further.iterdir():
            self._learn(_call(further, ["train", "--resume", path.name, *LONGER]))

    def _learn(self, summary: dict[str, Any]) -> None:
        self.right.setdefault(_key(summary), set()).add(summary["test_accuracy"])

    def meet(self, kind: str, commands: Sequence[Sequence[str]], delay: float, *, fresh: bool) -> list[str]:
        """Start two commands, the second one later, and return what went wrong."""
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.made / kind, self.here)
        out = self.here / "out"
        others = () if fresh else (out / "precious.txt", out / "thesis" / "config.toml")
        if fresh:
            shutil.rmtree(out)
        for path in others:
            path.parent.mkdir(exist_ok=True)
            path.write_text("mine")
        first = _start(self.here, commands[0])
        sleep(delay)
        processes = (first, _start(self.here, commands[1]))
        wrong, complete = [], set()
        for command, process in zip(commands, processes, strict=True):
            wrong += self._check(process)
            if process.returncode == 0:
                complete.add(INNER if INNER in command else "out")
        needed = [*(Path(name, "SHA256SUMS") for name in complete), *(() if fresh else (Path("out", "config.toml"),))]
        wrong += [f"{path} was lost" for path in needed if not (self.here / path).exists()]
        wrong += self._check_end(INNER in (word for command in commands for word in command))
        return wrong + [f"{path.relative_to(self.here)} was lost" for path in others if not path.exists()]

    def _check(self, process: "subprocess.Popen[str]") -> list[str]:
        """Wait for a command, and check that it refused in one line or has the results that it has alone."""
        try:
            out, err = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            return [f"hangs: {process.args!r}"]
        if process.returncode and not out:
            *usage, line = err.splitlines() or [""]
            is_usage = process.returncode == 2 and usage[:1] and usage[0].startswith("Usage: ")
            refused = process.returncode in {1, 2} and line.startswith("Error: ") and (not usage or is_usage)
            return [] if refused else [f"exit code {process.returncode}: {err[-1000:]}"]
        result = json.loads(out)
        if "identical" in result:
            return [] if result["identical"] else [f"verify: {result['differing']}"]
        if "rows" in result:
            done = [row for row in result["rows"] if not row["problems"]]
            return [f"row {row}" for row in done if row["test_accuracy"] != self.rows[row["variant"]]]
        return [] if result["test_accuracy"] in self.right.get(_key(result), ()) else [f"result {result}"]

    def _check_end(self, replaced: bool) -> list[str]:
        """Check that what is left can be resumed and verified.

        Where a command may have replaced a run of the comparison, the run that has other settings is a failed row.
        """
        out = self.here / "out"
        if not (out / "config.toml").exists():
            return []
        comparison = holds_comparison(out)
        resumed = _start(self.here, ["compare" if comparison else "train", "--resume", "out", *PRINTED])
        wrong = self._check(resumed)
        if resumed.returncode and not (comparison and replaced):
            wrong.append("cannot be resumed")
        for path in sorted(out.glob("*/SHA256SUMS" if comparison else "SHA256SUMS")):
            wrong += self._check(_start(self.here, ["verify", str(path.parent), *PRINTED]))
        return wrong


def _key(summary: dict[str, Any]) -> str:
    return f"{summary['initial_weights_sha256']} {summary['mini_batches_sha256']}"


def _start(folder: Path, command: Sequence[str]) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([*NETLEARN, *command], cwd=folder, stdout=pipe, stderr=pipe, text=True)  # noqa: S603


def _call(folder: Path, command: Sequence[str]) -> Any:
    return json.loads(_start(folder, command).communicate()[0])


def interleave(rounds: int, folder: Path, seed: int = 0) -> Iterator[list[str]]:
    """Let commands meet that many times, all ordered pairs in turn; yield what went wrong in each round."""
    rng = np.random.default_rng(seed)
    meetings = Meetings(folder)
    kinds = (("run", AT_A_RUN), ("comparison", AT_A_COMPARISON))
    pairs = [(kind, pair) for kind, commands in kinds for pair in product(commands, repeat=2)]
    for number in islice(cycle(rng.permutation(len(pairs))), rounds):
        kind, pair = pairs[number]
        delay, fresh = rng.uniform(0, meetings.latest), bool(rng.random() < FRESH)
        problems = meetings.meet(kind, pair, delay, fresh=fresh)
        yield [f"{' / '.join(map(' '.join, pair))} after {delay:.2f} s: {problem}" for problem in problems]


@click.command()
@click.option("--rounds", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True, help="of the order of the pairs and the delays.")
def main(rounds: int, seed: int) -> None:
    """Let two commands meet at one folder that many times, and report."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for problems in tqdm(interleave(rounds, Path(folder), seed), total=rounds, unit=" rounds", disable=None):
            count += len(problems)
            for problem in problems:
                tqdm.write(problem)
    click.echo(f"{rounds} rounds of two commands at one folder: {count} problems")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
