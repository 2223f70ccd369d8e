"""Comparisons whose costs, files or workers fail: one line each, and the other runs are done."""

import sys
from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison import compare as comparison
from tests.commands import compare, rows_of, shell
from tests.messages import has_facts

COSTS = """
import sys
from netlearn.costs import Quadratic

class Failing(Quadratic):
    calls = 0

    def delta(self, z, a, y, out):
        type(self).calls += 1
        if self.calls > 900:
            self.fail()
        return super().delta(z, a, y, out)

class Raises(Failing):
    def fail(self):
        raise ValueError("no more")

class Exits(Failing):
    def fail(self):
        sys.exit(0)

class Interrupts(Failing):
    def fail(self):
        raise KeyboardInterrupt
"""
QUICK = ["--data", "mnist-5k", "--epochs", "4", "--hidden", "5", "--seeds", "1", "-q", "--out", "out"]


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("failing_costs.py").write_text(COSTS)
    monkeypatch.delitem(sys.modules, "failing_costs", raising=False)


def named(*costs: str) -> list[str]:
    return [part for cost in costs for part in ("--cost", cost)]


@pytest.mark.slow  # an interrupt in this process would be the user's
@pytest.mark.usefixtures("costs")
def test_cost_that_fails_in_training_is_a_row_with_its_problem_and_the_others_are_done() -> None:
    names = ("Raises", "Exits", "Interrupts")
    result = compare(*QUICK, *named("quadratic", *(f"failing_costs:{name}" for name in names)))
    assert result.exit_code == 1, result.output
    assert "3 runs failed" in result.stderr
    assert "netlearn compare --resume out" in result.stderr
    assert [row["status"] for row in rows_of(Path("out"))] == ["finished", "failed", "failed", "failed"]
    for name, error in zip(names, ("ValueError: no more", "SystemExit: 0", "KeyboardInterrupt"), strict=True):
        (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"{name}, seed 0: ")]
        assert error in line


@pytest.mark.usefixtures("costs", "in_this_process")
def test_interrupt_in_this_process_is_the_users_and_ends_the_comparison() -> None:
    assert compare(*QUICK, *named("failing_costs:Interrupts", "quadratic")).exit_code == 130
    assert not (Path("out") / "quadratic-0").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("costs", "in_this_process")
def test_failed_run_is_reported_before_the_next_one_is_done() -> None:
    Path("rates.toml").write_text(
        "[variants.wild]\nlearning_rate = 1000\nl2 = 500\n"
        '[variants.failing]\ncost = "failing_costs:Raises"\n[variants.good]\n'
    )
    loud = [argument for argument in QUICK if argument != "-q"]
    result = compare("rates.toml", *loud)
    assert result.exit_code == 1, result.output
    lines = result.stderr.splitlines()
    done, wild, failing = (
        [number for number, line in enumerate(lines) if line.startswith(start)]
        for start in ("3 of 3", "wild, seed 0: ", "failing, seed 0: ")
    )
    assert wild < failing < done
    assert "ValueError: no more" in lines[failing[0]]


@pytest.mark.usefixtures("costs", "in_this_process")
def test_comparison_without_a_finished_run_fails_and_draws_nothing() -> None:
    result = compare(*QUICK, *named("failing_costs:Raises", "failing_costs:Exits"))
    assert result.exit_code == 1
    assert "SystemExit: 0" in result.stdout
    assert not list(Path("out").glob("*.png"))


@pytest.mark.usefixtures("in_this_process")
def test_overlay_that_failed_can_be_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compare(*QUICK[:-1], "runs").exit_code == 0

    def fail(*arguments: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(comparison, "write_output", fail)
        assert compare("runs", "-q", "--out", "over").exit_code == 1
    assert compare("runs", "-q", "--out", "over", "--force").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "fact"),
    [("-n 12", "--jobs 1"), ("-n 16", "--jobs 1"), ("-v 200000", "500000"), ("-v 700000", "800000")],
)
def test_too_few_files_or_too_little_memory_for_workers_are_one_line(limit: str, fact: str) -> None:
    command = [sys.executable, "-m", "netlearn", "compare", *QUICK, "--jobs", "2"]
    result = shell(f"ulimit {limit}; {' '.join(command)}")
    assert (result.returncode, result.stdout) == (1, "")
    assert has_facts(result.stderr, f"Error: {fact}")
    assert not Path("out").exists() or not list(Path("out").glob("*-0"))
