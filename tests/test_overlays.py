"""Existing runs drawn together; comparisons and runs that replace others."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netlearn.cli import main
from tests.commands import QUICK, call, compare, rows_of
from tests.messages import has_facts

pytestmark = pytest.mark.slow  # most of these start worker processes or draw every picture


@pytest.mark.usefixtures("in_this_process", "rendered")
def test_existing_runs_are_overlaid_without_training(compared: Path) -> None:
    paths = [str(path) for path in sorted(compared.glob("*-[01]"))]
    result = compare(*paths, "-q", "--out", "over")
    assert result.exit_code == 0, result.output
    assert not list(Path("over").glob("*/"))
    one, other = rows_of(compared), rows_of(Path("over"))
    key = ("variant", "seed")
    assert sorted(one, key=lambda row: [row[k] for k in key]) == sorted(other, key=lambda row: [row[k] for k in key])
    for name in ("curves", "slowdown", "error-vs-gradient", "digits"):
        assert Path("over", f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("in_this_process")
def test_folder_of_a_comparison_stands_for_its_runs(compared: Path) -> None:
    assert json.loads(compare(str(compared), "--json", "-q").stdout)["rows"][0]["seeds"] == 2


@pytest.mark.usefixtures("in_this_process")
def test_overlay_can_be_overwritten_without_losing_a_run(compared: Path) -> None:
    for _ in range(2):
        assert compare(str(compared), "-q", "--out", "over", "--force").exit_code == 0
    assert compare(str(compared), "-q", "--out", "over").exit_code == 1


@pytest.mark.usefixtures("in_this_process")
def test_forced_comparison_removes_the_runs_of_the_previous_one() -> None:
    compare(*QUICK, "-q", "--out", "here")
    assert call("evaluate", "here/quadratic-1").exit_code == 0  # its files go with the run
    compare(*QUICK, "-q", "--out", "here", "--force", "--seeds", "1")
    assert sorted(path.name for path in Path("here").glob("*/")) == ["cross-entropy-0", "quadratic-0"]


def test_runs_of_one_variant_cannot_be_compared(compared: Path) -> None:
    result = compare(str(compared / "quadratic-0"), str(compared / "quadratic-1"), "-q")
    assert (result.exit_code, has_facts(result.stderr, "variants quadratic: ")) == (2, True)


def test_run_and_comparison_are_not_confused(compared: Path) -> None:
    run = compared / "quadratic-0"
    before = {path: path.read_bytes() for path in run.iterdir()}
    result = compare("--resume", str(run))
    message = f"Error: {run}: is a run, not a comparison; resume it with netlearn train --resume\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
    assert {path: path.read_bytes() for path in run.iterdir()} == before
    for arguments in (["train", "--resume", str(compared)], ["verify", str(compared)]):
        result = CliRunner().invoke(main, arguments)
        message = f"Error: {compared}: is a comparison, not a run; resume it with netlearn compare --resume\n"
        assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
