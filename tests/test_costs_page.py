"""scripts/costs.py and its page: verdicts on what was published, chosen learning rates, resumption."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from netlearn.comparison import catalogue
from netlearn.comparison.statistics import group
from netlearn.custom_cost import KNOWN
from netlearn.text import decode_toml
from scripts import costs
from scripts.costs_page import CONDITIONS, MEASURES, ORDERINGS, TESTS, Planned, judge
from tests.commands import workers_here
from tests.comparisons import run

NOISE = (0.01, -0.02, 0.0, 0.02, -0.01, 0.01)


@pytest.mark.parametrize("name", ["costs", "label-noise"])
def test_experiments_compare_every_cost_with_cross_entropy(name: str) -> None:
    content = decode_toml(catalogue.files()[name])
    assert {variant["cost"] for variant in content["variants"].values()} == {*KNOWN}
    assert content["variants"].keys() == {*KNOWN}
    assert content["baseline"] == "cross-entropy"


def test_planned_tests_name_conditions_measures_and_costs() -> None:
    assert len(ORDERINGS) == 6
    for test in TESTS:
        assert (test.condition in CONDITIONS, test.measure in MEASURES) == (True, True)
        assert {test.better, test.worse} <= {*KNOWN}


@pytest.mark.parametrize(
    ("measure", "lead", "verdict"),
    [
        ("test_accuracy", 0.2, "reproduced"),
        ("test_accuracy", -0.2, "not reproduced"),
        ("test_accuracy", 0.005, "undecided"),
        ("calibration_error", -0.2, "reproduced"),  # the lower, the better
        ("calibration_error", 0.2, "not reproduced"),
        ("calibration_error", 0.0, "undecided"),
    ],
)
def test_ordering_is_judged_by_the_rule_of_claims(measure: str, lead: float, verdict: str) -> None:
    runs = [run("b", seed, **{measure: 0.5}) for seed in range(6)]
    runs += [run("a", seed, **{measure: 0.5 + lead + NOISE[seed]}) for seed in range(6)]
    pair, found = judge(Planned("scaled", measure, "a", "b"), group(runs), 0.004)
    assert (pair is not None, found) == (True, verdict)


def test_without_shared_seeds_nothing_is_decided() -> None:
    assert judge(Planned("scaled", "test_accuracy", "a", "b"), group([run("a", 0), run("b", 1)]), 0.004) == (
        None, "undecided",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process", "rendered")
def test_page_ranks_every_cost_and_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.costs.Pool", workers_here)
    monkeypatch.setattr("scripts.costs.FACTORS", (1.0,))
    where = ["--quick", "--runs", "runs", "--page", "docs/page.md"]
    result = CliRunner().invoke(costs.main, where)
    assert result.exit_code == 0, result.output
    text = Path("docs/page.md").read_text()
    for name in KNOWN:
        assert text.count(f"\n| {name} | ") == 4  # equations, rates, results, wrong labels
    verdicts = [line for line in text.splitlines() if line.endswith(" |") and "initial weights |" in line]
    assert len(verdicts) >= 6
    for picture in ("theory", "ranking"):
        assert f"(page/{picture}.png)" in text
        assert Path(f"docs/page/{picture}.png").read_bytes().startswith(b"\x89PNG")
    times = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("summary.json")}
    assert CliRunner().invoke(costs.main, where).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("summary.json")} == times
    assert Path("docs/page.md").read_text() == text
