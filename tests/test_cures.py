"""scripts/cures.py and scripts/costs.py and their pages: verdicts, results that are stored, rates, resumption."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from netlearn.comparison import catalogue
from netlearn.comparison.compare import Comparison
from netlearn.comparison.statistics import group
from netlearn.custom_cost import KNOWN
from netlearn.settings import resolve
from netlearn.text import decode_toml
from scripts import answers, costs, cures
from scripts.answers import Figures, Results
from scripts.captions import SHOWN
from scripts.costs_page import CONDITIONS, MEASURES, ORDERINGS, TESTS, Planned, judge
from scripts.cures_page import BESIDE, PICTURES
from scripts.recorded import load
from tests.commands import workers_here
from tests.comparisons import row, run


def found(figures: Figures, settings: dict[str, dict[str, Any]] | None = None) -> Results:
    """Return results with the same figures early, at the end and on the test set."""
    comparison = Comparison(
        title="t", conclusion="c.", pairing="p", rows=tuple(row(name, 0.9, 0.01) for name in figures),
        pictures=(), folder="f", environment={"cores": 2, "cpu": "a processor"},
    )  # fmt: skip
    return Results(
        variants=settings or {name: {} for name in figures}, seeds=(0, 1), comparison=comparison,
        early=figures, last=figures, test=figures,
    )  # fmt: skip


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cures.main, arguments)


def test_every_experiment_of_the_page_is_in_the_catalogue() -> None:
    assert set(PICTURES) <= set(catalogue.files())
    assert set(BESIDE) == set(PICTURES)
    for _, _, _, name, variant in answers.PUBLISHED:
        assert not name or f"[variants.{variant}]" in catalogue.files()[name].read_text()


def test_remedies_are_in_the_order_of_their_means_and_judged_in_every_seed() -> None:
    figures = {
        "quadratic": {0: 0.5, 1: 0.7}, "sooner": {0: 0.6, 1: 0.8}, "later": {0: 0.4, 1: 0.6},
        "either": {0: 0.4, 1: 0.9}, "one seed diverged": {1: 0.9},
    }  # fmt: skip
    early, last = answers.cures(found(figures))
    order = (
        "one seed diverged 90.00 %, sooner 70.00 ± 14.14 %, either 65.00 ± 35.36 %, quadratic 60.00 ± 14.14 %, later"
    )
    verdict = "better in every seed: sooner, one seed diverged; worse in every seed: later; neither: either."
    for said in (early, last):
        assert order in said
        assert said.endswith(verdict)
    assert "500 updates" in early


def test_rates_of_one_cost_are_compared_with_the_best_of_the_other() -> None:
    accuracy = {"a": {0.1: 0.5, 1.0: 0.8, 10.0: 0.1}, "b": {0.1: 0.9, 1.0: 0.85, 10.0: 0.8}}
    settings = {
        f"{cost}, η = {rate:g}": {"cost": cost, "learning_rate": rate} for cost in accuracy for rate in accuracy[cost]
    }
    figures = {
        name: {0: accuracy[str(given["cost"])][float(str(given["learning_rate"]))]}
        for name, given in settings.items()
    }
    (said,) = answers.rates(found(figures, settings))
    assert "best η of the a cost is 1, with 80.00 %" in said
    assert "best η of the b cost is 0.1, with 90.00 %" in said
    assert "the a cost is ahead of the b cost at its best: none." in said
    assert "the b cost is ahead of the a cost at its best: 0.1, 1." in said


def test_norms_of_the_book_in_the_range_of_our_seeds_are_counted() -> None:
    book = np.array(load("norms_during_training_2_layers"))
    settings = resolve({"hidden": (30, 30), "epochs": 500, "data": "small"})
    runs = [
        replace(run("2 hidden layers", seed), settings=msgspec.structs.replace(settings, seed=seed))
        for seed in (0, 1)
    ]
    for one, factor in zip(runs, (0.9, 1.1), strict=True):
        one.metrics.update({f"speed_{layer}": factor * book[:, layer - 1] for layer in (1, 2)})
    runs[1].metrics["speed_2"][100:] = 0
    slower, table, said = answers.beside_the_book(runs)
    rows = [line.split(" | ")[-1] for line in table.splitlines()[2:]]
    assert rows == ["500 of 500 |", "100 of 500 |"]
    assert "1,000 norms" in said
    assert " 600 lie" in said
    at_start, at_end = book[0, 1] / book[0, 0], 0.45 * book[-1, 1] / book[-1, 0]
    assert f"of 2 hidden layers {at_start:.2g} times at update 0, {at_end:.2g} times at update 499." in slower


@pytest.mark.parametrize(
    ("seed_1", "expected"),
    [
        (
            0.8,
            "- In each of 2 seeds a is ahead of the others in test accuracy and in validation accuracy at the end; "
            "where nothing differs, one variant is in 1 of 3 comparisons.",
        ),
        (0.7, ""),  # a tie
    ],
)
def test_what_is_ahead_in_each_seed_is_said_with_how_often_chance_does_that(seed_1: float, expected: str) -> None:
    figures = {"a": {0: 0.9, 1: seed_1}, "b": {0: 0.8, 1: 0.7}, "c": {0: 0.7, 1: 0.7}}
    assert answers.conclusion(found(figures)) == [expected]


def test_errors_are_those_of_the_test_set_over_the_seeds() -> None:
    text = answers.published({"best": found({"dropout": {0: 0.986, 1: 0.988}, "elastic": {0: 0.992}})})
    assert "| about 1.10 % | 1.30 ± 0.14 % | 1.20 to 1.40 % | `best`, dropout |" in text
    assert "| 0.80 % | 0.80 to 0.80 % | `best`, elastic |" in text
    assert "| 0.7 % | not run yet |  | `simard`, cross-entropy |" in text


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process", "rendered")
def test_page_has_what_was_run_and_keeps_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.cures.Pool", workers_here)
    where = ["--quick", "--runs", "runs", "--page", "docs/page.md"]
    result = call(*where, "--only", "simard")
    assert result.exit_code == 0, result.output
    text = Path("docs/page.md").read_text()
    assert "`netlearn compare cures`: not all of its runs are done; `make reproduce` does them." in text
    assert "`netlearn compare best`: not all of its runs are done; `make reproduce-long` does them." in text
    assert f"![{SHOWN['curves']}. Simard's network](page/simard.png)" in text
    assert "Network: 784-800-10, sigmoid hidden neurons; initial weights: N(0, 1/n_in); epochs: at most 2." in text
    Path("runs").rename("elsewhere")
    result = call(*where, "--only", "layer-speeds")
    again = Path("docs/page.md").read_text()
    section = text.partition("## Simard")[2]
    assert section in again
    assert "norms that the book recorded" in again
    kept = Path("docs/page/simard.json")
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"seeds": [7]}))
    call(*where, "--only", "layer-speeds")
    assert "`netlearn compare simard`: not all of its runs are done" in Path("docs/page.md").read_text()


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
    monkeypatch.setattr("scripts.costs.QUICK_SEEDS", 1)
    where = ["--quick", "--runs", "runs", "--page", "docs/page.md"]
    result = CliRunner().invoke(costs.main, where)
    assert result.exit_code == 0, result.output
    text = Path("docs/page.md").read_text()
    for name in KNOWN:
        assert text.count(f"\n| {name} | ") == 5  # equations, rates, results, wrong labels twice
    verdicts = [line for line in text.splitlines() if line.endswith(" |") and "initial weights |" in line]
    assert len(verdicts) >= 6
    for picture in ("theory", "ranking"):
        assert f"(page/{picture}.png)" in text
        assert Path(f"docs/page/{picture}.png").read_bytes().startswith(b"\x89PNG")
    times = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("summary.json")}
    assert CliRunner().invoke(costs.main, where).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("summary.json")} == times
    assert Path("docs/page.md").read_text() == text
