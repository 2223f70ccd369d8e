"""scripts/reproduce.py and its page: counts, verdicts, failed runs, interruption."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from netlearn.runs import Run
from scripts import book, reproduce
from scripts.book import CLAIMS, Claim
from scripts.page import Finding, compared, page, tally
from tests.commands import PATIENCE, workers_here
from tests.comparisons import run
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
        (0.85, False, "below our range by 3.00 %"),
        (0.98, False, "above our range by 6.00 %"),
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


@pytest.mark.usefixtures("reproduced", "in_this_process", "one_picture", "rendered")
def test_reproduction_keeps_finished_runs_and_its_page_says_what_is_missing() -> None:
    files = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*")}
    text = Path("docs/page.md").read_text()
    assert "`netlearn compare depth`: not run yet." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| scaled, minus large |")]
    assert row.split(" | ")[1] == "validation accuracy, epoch 1"
    assert "at least 5.00 %" in row
    assert not any(note in text for note in book.NOTES.values())
    assert Path("docs/page/initial-weights.png").read_bytes().startswith(b"\x89PNG")
    second = call(*QUICK)
    assert "initial-weights: done" in second.stderr.splitlines()
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*")} == files
    assert Path("docs/page.md").read_text() == text


@pytest.mark.slow
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


def test_unknown_name_lists_the_books_experiments_with_the_nearest_first() -> None:
    result = call("--only", "overfiting")
    assert result.exit_code == 2
    text = " ".join(result.stderr.split())
    assert "overfiting: no experiment of the book: must be overfitting, overfitting-all, " in text
    assert sorted(text.partition("must be ")[2].split(", ")) == sorted(reproduce.EXPERIMENTS)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_seconds_spent_are_kept_when_interrupted(number: int, code: int) -> None:
    command = [sys.executable, "-m", "scripts.reproduce", "--quick", "--only", "slowdown", "--runs", "runs"]
    root = os.pathsep.join([str(Path(reproduce.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | {"PYTHONPATH": root}
    ) as process:
        assert process.stderr is not None
        assert any("of 4 runs complete" in line for line in process.stderr)
        os.killpg(process.pid, number)
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == code
    assert rest.splitlines()[-1] == "Interrupted; the same command resumes"
    assert float(Path("runs/slowdown/seconds.txt").read_text()) > 0
