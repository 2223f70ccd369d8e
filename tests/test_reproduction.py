"""scripts/reproduce.py and its page: counts, verdicts, failed runs, interruption; and parts of `make replay`."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from netlearn.book import mnist_loader
from netlearn.runs import Run
from scripts import book, recorded, reproduce
from scripts.book import CLAIMS, Claim
from scripts.page import Finding, compared, page, tally, with_replay
from scripts.recorded import Data, Outcome
from scripts.replay import section
from tests.commands import PATIENCE, workers_here
from tests.comparisons import run
from tests.pages import blocks
from tests.runs import reseal

QUICK = ["--quick", "--only", "initial-weights", "--runs", "runs", "--page", "docs/page.md"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(reproduce.main, arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("scripts.reproduce.Pool", workers_here)
        patch.setattr("netlearn.comparison.compare.PICTURES", ("curves",))
        result = call(*QUICK)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def reproduced(finished: Path, tmp_path: Path) -> None:
    """Stand beside the folder of the runs and the page of a reproduction."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)


def finding(claim: Claim, *, in_range: bool | None, seeds: int = 5, holds: bool | None = None) -> Finding:
    return Finding(claim, seeds, in_range, holds, ())


def tracked(*test_cost: float) -> Run:
    one = run("λ = 0")
    one.metrics["test_cost"] = np.array(test_cost)
    return one


def test_book_has_41_figures_of_mnist_ten_with_two_readings_and_52_of_the_neuron() -> None:
    figures = [claim.figure for claim in CLAIMS if claim.book is not None]
    of_neuron = [figure for figure in figures if figure[0] == "neuron"]
    assert (len(figures), len(set(figures)), len(of_neuron), len(set(of_neuron))) == (103, 93, 52, 52)


def test_a_figure_with_two_readings_is_counted_once_and_in_range_if_one_of_them_is() -> None:
    best, last = (Claim("softmax", "100 hidden", f"test accuracy, {when} epoch", 0.978) for when in ("best", "last"))
    other = Claim("depth", "1 hidden layer", "validation accuracy, last epoch", 0.9648)
    neuron = Claim("neuron", "quadratic, bad start", "output after 300 epochs", 0.2028)
    bound = Claim("tie", "quadratic", "test accuracy, last epoch", low=0.9)
    text = " ".join(
        tally(
            [
                finding(best, in_range=False),
                finding(last, in_range=True),
                finding(other, in_range=False, seeds=2),
                finding(neuron, in_range=True, seeds=1),
                finding(bound, in_range=None, holds=False),
            ]
        ).split()
    )
    assert text.startswith("Of 2 figures of the book, 1 lie in the range of our seeds.")
    assert "1 have two readings" in text
    assert "1 or more would be expected" in text  # 4/6 and 1/3
    assert "1 of its 1 figures are the same. Of 1 bounds on our means, 0 hold." in text


@pytest.mark.parametrize(("last", "holds"), [(1.5, True), (1.0, False)])
def test_bound_on_the_rise_of_the_test_cost_fails_where_it_does_not_rise(last: float, holds: bool) -> None:
    (claim,) = [claim for claim in CLAIMS if claim.measure == "test cost at the end / lowest"]
    found = compared(claim, [tracked(3, 2, 1, 1, 1, last)])
    assert found is not None
    assert found.holds == holds


@pytest.mark.parametrize(
    ("book", "in_range", "verdict"),
    [
        (0.9, True, "in our range"),
        (0.85, False, "the book's is 3.00 points below our range"),
        (0.98, False, "the book's is 6.00 points above our range"),
    ],
)
def test_verdict_says_where_the_book_lies(book: float, in_range: bool, verdict: str) -> None:
    claim = Claim("tie", "a", "test accuracy, last epoch", book)
    found = compared(claim, [run(test_accuracy=0.88), run(seed=1, test_accuracy=0.92), run("b", test_accuracy=0.5)])
    assert found is not None
    assert (found.in_range, found.cells[-1]) == (in_range, verdict)


def test_notes_about_the_default_seeds_are_shown_on_request_only() -> None:
    plans = {"overfitting": reproduce.plan("overfitting", None, quick=True)}
    with workers_here() as workers:
        assert reproduce.reproduce("overfitting", plans["overfitting"], Path("runs/overfitting"), workers) == []
    with_notes, without = (
        page(plans, Path("runs"), Path("docs/page"), "make reproduce", {}, notes=notes) for notes in (True, False)
    )
    assert with_notes.replace(f"\n{book.NOTES['overfitting']}\n", "") == without
    assert with_notes != without


@pytest.mark.usefixtures("reproduced", "in_this_process", "rendered")
def test_reproduction_keeps_finished_runs_and_its_page_says_what_is_missing() -> None:
    files = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*")}
    text = Path("docs/page.md").read_text()
    assert "`netlearn compare depth`: not run yet." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| scaled, minus large |")]
    assert row.split(" | ")[1] == "validation accuracy, epoch 1"
    assert "at least 5.00 points" in row
    assert not any(note in text for note in book.NOTES.values())
    assert Path("docs/page/initial-weights.png").read_bytes().startswith(b"\x89PNG")
    second = call(*QUICK)
    assert "initial-weights: done" in second.stderr.splitlines()
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*")} == files
    assert Path("docs/page.md").read_text() == text


@pytest.mark.slow
def test_unknown_name_lists_the_books_experiments_with_the_nearest_first() -> None:
    result = call("--only", "overfiting")
    assert result.exit_code == 2
    assert "overfiting: must be overfitting, overfitting-all, " in " ".join(result.stderr.split())


def test_reproduction_repeats_only_the_missing_run() -> None:
    experiment = reproduce.plan("initial-weights", 2, quick=True)
    with workers_here() as workers:
        reproduce.reproduce("initial-weights", experiment, Path("out"), workers)
        before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*/summary.json")}
        Path("out/large-1/summary.json").unlink()
        reproduce.reproduce("initial-weights", experiment, Path("out"), workers)
    after = {path: path.stat().st_mtime_ns for path in Path("out").glob("*/summary.json")}
    assert {path.parent.name for path in after if after[path] != before[path]} == {"large-1"}


@pytest.mark.slow
@pytest.mark.usefixtures("reproduced", "in_this_process")
def test_failed_run_is_named_on_the_page_and_on_stderr_with_exit_code_1() -> None:
    config = Path("runs/initial-weights/large-1/config.toml")
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 3"))
    reseal(config.parent)
    result = call(*QUICK)
    problem = "large, seed 1: runs/initial-weights/large-1: holds a run with other settings; it was left unchanged: "
    problem += "move runs/initial-weights/large-1 away and resume"
    assert (result.exit_code, result.stdout) == (1, "page: docs/page.md\n")
    assert result.stderr.splitlines()[-1] == f"initial-weights: {problem}"
    section = f"`netlearn compare initial-weights`: 3 of 4 runs are done.\n\n- {problem}\n"
    assert section in Path("docs/page.md").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("reproduced", "in_this_process")
def test_page_names_runs_that_were_not_requested_and_folders_of_others() -> None:
    Path("runs/initial-weights/scaled-0/summary.json").unlink()
    Path("runs/depth").mkdir()
    Path("runs/depth/mine").touch()
    result = call(*QUICK, "--only", "depth")
    assert result.exit_code == 1
    assert "- runs/depth: must be an empty folder" in Path("docs/page.md").read_text()
    Path("runs/initial-weights/scaled-0/summary.json").unlink()
    result = call("--quick", "--only", "depth", "--runs", "runs", "--page", "docs/page.md")
    text = Path("docs/page.md").read_text()
    assert "- scaled, seed 0: runs/initial-weights/scaled-0/summary.json: " in text


@pytest.mark.slow
def test_seconds_spent_are_kept_when_interrupted() -> None:
    command = [sys.executable, "-m", "scripts.reproduce", "--quick", "--only", "slowdown", "--runs", "runs"]
    root = os.pathsep.join([str(Path(reproduce.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | {"PYTHONPATH": root}
    ) as process:
        assert process.stderr is not None
        assert any("of 4 runs complete" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "Interrupted; the same command resumes"
    assert float(Path("runs/slowdown/seconds.txt").read_text()) > 0


@cache
def examples_of(folder: Path) -> Data:
    """Return full MNIST, which NETLEARN_DATA names, as the book loads it."""
    return mnist_loader.load_data_wrapper()


@pytest.fixture
def mnist(full_mnist: Path) -> Data:
    """Return lists of the examples, which training shuffles."""
    training, validation, test = examples_of(full_mnist)
    return training[:], validation[:], test[:]


@pytest.mark.parametrize("record", [pytest.param("overfitting", marks=pytest.mark.long), "regularized"])
def test_first_ten_epochs_of_the_books_curves_come_out_number_by_number(mnist: Data, record: str) -> None:
    (outcome,) = recorded.overfitting(mnist, record, 10)
    assert outcome.same == (20, 20)
    assert outcome.difference is not None
    assert outcome.difference < 1e-12


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.usefixtures("full_mnist")
def test_page_shows_the_figures_of_the_first_epoch_that_full_mnist_gives() -> None:
    names: dict[str, Any] = {}
    checked = 0
    for block in (block for block in blocks("docs/book.md") if block.kind == "python"):
        with redirect_stdout(StringIO()) as stdout:
            exec(compile(block.content, "docs/book.md", "exec"), names)  # noqa: S102 (the page's own code)
        shown = block.output.partition("\nEpoch 1")[0].splitlines()  # later, rounding differs by processor
        printed = stdout.getvalue().splitlines()
        assert [line for line in shown if line not in {*printed, "..."}] == []
        checked += len(shown)
    assert checked > 12


def test_figure_that_is_not_the_books_is_counted(mnist: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = recorded.load("overfitting")
    changed[1][1] += 1
    changed[2][0] *= 1.01
    monkeypatch.setattr(recorded, "load", lambda record: changed)
    (outcome,) = recorded.overfitting(mnist, "overfitting", 2)
    assert outcome.same == (3, 4)
    assert outcome.difference == pytest.approx(0.01, rel=0.02)


def test_section_takes_the_place_of_an_older_one_and_a_new_page_keeps_it(tmp_path: Path) -> None:
    outcomes = [Outcome("more_data", "accuracy", (9, 9)), Outcome("overfitting", "cost", (800, 800), 2e-14, "all")]
    text = section(outcomes, "MNIST", 90)
    assert "| `more_data` | accuracy | 9 of 9 |  |  |" in text
    assert "| `overfitting` | cost | 800 of 800 | 2e-14 | all |" in text
    stored = tmp_path / "replay.md"
    page = "# Page\n\nAn experiment.\n\n"
    assert with_replay(page, stored) == page
    stored.write_text(text)
    once = with_replay(page, stored)
    assert once == page + text
    stored.write_text(section(outcomes[:1], "MNIST", 90))
    twice = with_replay(once, stored)
    assert twice.startswith(page)
    assert "more_data" in twice
    assert "overfitting" not in twice


@pytest.mark.parametrize("record", recorded.REPLAYS)
def test_every_record_is_there_and_holds_numbers(record: str) -> None:
    held = recorded.load(record)
    lists = list(held.values()) if isinstance(held, dict) else held
    assert lists
    while isinstance(lists[0], list):
        lists = list(itertools.chain(*lists))
    assert all(isinstance(number, int | float) for number in lists)
