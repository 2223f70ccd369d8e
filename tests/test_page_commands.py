"""The command on a page that makes a lab: one that runs, or none."""

import shlex
from pathlib import Path
from typing import Any

from netlearn.comparison.analysis import analyse
from netlearn.comparison.outputs import render_page
from tests.reports import text_of
from tests.sweeps import sweep


def lab_command(folder: Path, **varied: Any) -> list[str]:
    """Return the words of the lab's command on the page of a sweep, or none."""
    (folder / "config.toml").write_text("")
    page = folder / "report.html"
    page.write_bytes(render_page(analyse("A sweep", sweep(**varied)), folder, {}))
    lines = [line for line in text_of(page).splitlines() if line.startswith("netlearn lab")]
    return shlex.split(lines[0]) if lines else []


def test_lab_is_of_the_first_two_variants_which_are_named_if_there_are_more(tmp_path: Path) -> None:
    rates = [0.5, 1.0]
    assert lab_command(tmp_path, learning_rate=rates) == ["netlearn", "lab", str(tmp_path), "--open"]
    first, second = "quadratic learning_rate=0.5", "quadratic learning_rate=1"
    assert lab_command(tmp_path, cost=["quadratic", "cross-entropy"], learning_rate=rates) == [
        "netlearn", "lab", str(tmp_path), "--variant", first, "--variant", second, "--open"
    ]  # fmt: skip


def test_no_lab_is_offered_for_one_variant_or_a_cost_that_it_cannot_run(tmp_path: Path) -> None:
    assert lab_command(tmp_path, cost=["quadratic"]) == []
    assert lab_command(tmp_path, cost=["focal", "quadratic"]) == []
