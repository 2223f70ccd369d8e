"""What is said about many variants: settings that vary, a ranking, and sentences that stay short."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netlearn import datasets
from netlearn.comparison import data, experiment
from netlearn.comparison.analysis import caption
from netlearn.comparison.claims import Family
from netlearn.comparison.conclusion import conclude
from netlearn.comparison.experiment import from_costs, read_experiment, write_experiment
from netlearn.comparison.pool import Workers
from netlearn.comparison.statistics import run_table, summarize_all
from netlearn.comparison.sweep import Sweep
from netlearn.errors import SettingsError
from netlearn.runs import Run, holds_comparison, name_of, varied
from netlearn.settings import Settings, resolve
from tests.comparisons import many_rows, row, run
from tests.messages import has_facts


def ran(seed: int = 0, **settings: Any) -> Run:
    return replace(run(name_of(settings), seed), settings=resolve(settings | {"seed": seed}))


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ([{"cost": "quadratic"}, {"cost": "cross-entropy"}], {"cost": ("quadratic", "cross-entropy")}),
        (
            [{"cost": cost, "learning_rate": rate} for cost in ("quadratic", "cross-entropy") for rate in (0.1, 0.5)],
            {"cost": ("quadratic", "cross-entropy"), "learning_rate": (0.1, 0.5)},
        ),
        ([{"optimizer": "sgd"}, {"optimizer": "adam"}], {"optimizer": ("sgd", "adam")}),
        (
            [{"optimizer": "sgd"}, {"optimizer": "momentum"}, {"optimizer": "momentum", "momentum": 0.5}],
            {"optimizer": ("sgd", "momentum"), "momentum": ("off", 0.9, 0.5)},
        ),
        ([{"hidden": (3,), "learning_rate": 1.0}, {"hidden": (4,), "learning_rate": 2.0}],
         {"hidden": ((3,), (4,)), "learning_rate": (1.0, 2.0)}),
        ([{"seed": 1}, {"seed": 2, "snapshots": True}], {}),
    ],
)  # fmt: skip
def test_settings_that_vary_are_those_that_were_chosen(
    variants: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    assert varied(map(resolve, variants)) == expected


def test_results_have_a_column_for_each_setting_that_varies() -> None:
    runs = [ran(seed, hidden=hidden, l2=l2) for seed in (0, 1) for hidden in ((3,), (3, 4)) for l2 in (0.0, 0.5)]
    found = run_table(runs)
    assert [(each["seed"], each["hidden"], each["l2"]) for each in found] == [
        (seed, hidden, l2) for seed in (0, 1) for hidden in ("3", "3+4") for l2 in ("0", "0.5")
    ]
    assert "momentum" not in found[0]
    assert (found[0]["updates_to_80"], found[0]["updates_to_95"], found[0]["test_accuracy"]) == (100, None, 0.9)
    assert json.dumps(found)
    groups = {each.variant: [each] for each in runs[:4]}
    assert [each.settings for each in summarize_all(groups)] == [
        {"hidden": hidden, "l2": l2} for hidden in ("3", "3+4") for l2 in ("0", "0.5")
    ]


def test_conclusion_on_many_variants_names_the_best_and_the_fastest_and_no_more() -> None:
    text = " ".join(conclude(many_rows(500), Family(), ()))
    assert "hidden=250 " in text
    assert "90 % validation accuracy was reached first by hidden=0 after" in text
    assert len(text) < 600
    (none,) = conclude([row(f"{i}", None, None, finished=0) for i in range(9)], Family(), ())
    assert none == "No run of 0, 1, 2 and 6 others finished."


def test_caption_of_many_variants_does_not_list_their_learning_rates() -> None:
    many = [row(f"a{i}", 0.5, 0.1, learning_rate=i + 1) for i in range(20)]
    assert len(caption("Title", many).splitlines()) == 1


def test_thousands_of_variants_are_written_so_that_they_are_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, rates = tuple((n,) for n in range(1, 61)), tuple(n / 100 for n in range(1, 51))
    many = from_costs(["quadratic"], 1, {}, Sweep({"hidden": sizes, "learning_rate": rates}))
    content = write_experiment(many)
    Path("again.toml").write_bytes(content)
    assert read_experiment(Path("again.toml"), {}, None) == many
    assert holds_comparison_at("again.toml")
    monkeypatch.setattr(experiment, "MOST_CONFIG", len(content) - 1)
    with pytest.raises(SettingsError) as caught:
        write_experiment(many)
    assert has_facts(str(caught.value), f"variants: 3,000 {len(content) - 1:,}")


def holds_comparison_at(file: str) -> bool:
    Path("out").mkdir()
    Path(file).rename("out/config.toml")
    return holds_comparison(Path("out"))


def test_the_gradient_of_a_cost_is_checked_once_for_all_variants_with_its_mini_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[Settings] = []
    monkeypatch.setattr(data, "checked_cost", lambda settings, *_: checked.append(settings))
    sweep = Sweep({"batch_size": (5, 10), "hidden": ((3,), (4,), (5,))})
    data.load_data(from_costs(["quadratic"], 1, {"data": "mnist-5k"}, sweep), datasets.load, Workers())
    assert [each.batch_size for each in checked] == [5, 10]
