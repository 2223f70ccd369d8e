"""The command on a page that makes a lab: one that runs, or none."""

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

from netlearn.comparison.analysis import analyse
from netlearn.comparison.outputs import render_page
from tests.reports import compare, data_of, text_of
from tests.sweeps import sweep


def lab_command(folder: Path, **varied: Any) -> list[str]:
    """Return the words of the lab's command on the page of a sweep, or none."""
    (folder / "config.toml").write_text("")
    page = folder / "report.html"
    page.write_bytes(render_page(analyse("A sweep", sweep(**varied)), folder, {}))
    lines = [line for line in text_of(page).splitlines() if line.startswith("netlearn lab")]
    return shlex.split(lines[0]) if lines else []


def named(command: list[str]) -> list[str]:
    """Return the variants that a command names."""
    return [word for before, word in pairwise(command) if before == "--variant"]


def test_lab_is_of_both_variants_and_of_more_those_that_the_command_names(tmp_path: Path) -> None:
    assert lab_command(tmp_path, learning_rate=[0.5, 1.0]) == ["netlearn", "lab", str(tmp_path), "--open"]
    rates = [0.05, 0.5, 5.0]  # the closer to 0.5 the better
    best = ["quadratic learning_rate=0.5", "cross-entropy learning_rate=0.5"]
    assert named(lab_command(tmp_path, cost=["quadratic", "cross-entropy"], learning_rate=rates)) == best
    assert named(lab_command(tmp_path, cost=["focal", "quadratic", "cross-entropy"], learning_rate=rates)) == best


def test_lab_of_one_cost_is_of_its_best_and_its_worst_variant(tmp_path: Path) -> None:
    assert named(lab_command(tmp_path, learning_rate=[0.05, 0.5, 5.0, 50.0])) == [
        "learning_rate=0.5",
        "learning_rate=50",
    ]


def test_lab_beside_the_page_has_the_variants_of_the_command(tmp_path: Path) -> None:
    rates = ["--vary", "learning_rate=0.001,1", "--vary", "cost=quadratic,cross-entropy"]
    sizes = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "--seeds", "1"]
    page = compare(tmp_path / "four", *sizes, *rates)
    assert "learning_rate=1,1" in page.read_text("utf-8").partition('class="lab-link"')[2].partition("</a>")[0]
    assert data_of(page.with_name("lab.html"))["settings"]["cost"] == ["quadratic", "cross-entropy"]


def test_no_lab_is_offered_for_one_variant_or_a_cost_that_it_cannot_run(tmp_path: Path) -> None:
    assert lab_command(tmp_path, cost=["quadratic"]) == []
    assert lab_command(tmp_path, cost=["focal", "quadratic"]) == []
