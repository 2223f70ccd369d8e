"""What is said about many variants: settings that vary, a ranking, and sentences that stay short."""

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
from netlearn.comparison.statistics import Row, run_table, summarize_all
from netlearn.comparison.sweep import Sweep
from netlearn.comparison.table import MOST_TEXTS, shortened, table
from netlearn.errors import SettingsError
from netlearn.runs import Run, holds_comparison, name_of, varied
from netlearn.settings import Settings, resolve
from netlearn.text import MOST_TOML
from tests.comparisons import row, run
from tests.messages import has_facts


def ran(seed: int = 0, **settings: Any) -> Run:
    return replace(run(name_of(settings), seed), settings=resolve(settings | {"seed": seed}))


def rows(count: int, **given: Any) -> list[Row]:
    """Return rows of which the one in the middle is the best and the last has not finished."""
    found = [
        row(
            f"hidden={i}",
            0.9 - abs(i - count // 2) / 1000,
            0.001,
            (500 + i,) * 3,
            settings={"hidden": str(i)},
            **given,
        )
        for i in range(count)
    ]
    found[-1] = row(f"hidden={count - 1}", None, None, settings={"hidden": str(count - 1)}, finished=0, **given)
    return found


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
    groups = {each.variant: [each] for each in runs[:4]}
    assert [each.settings for each in summarize_all(groups)] == [
        {"hidden": hidden, "l2": l2} for hidden in ("3", "3+4") for l2 in ("0", "0.5")
    ]


def test_many_variants_are_ranked_by_validation_accuracy_with_a_column_for_each_setting() -> None:
    many = rows(21)
    many[3] = row("hidden=3", 0.99, 0.001, settings={"hidden": "3"}, best_validation_accuracy=0.5)
    head, *lines, _, left = table(many, width=200).splitlines()
    assert head.split()[:2] == ["hidden", "best"]
    assert [line.split()[:2] for line in lines] == [
        [str(place), hidden]
        for place, hidden in enumerate(["10", "9", "11", "8", "12", "7", "13", "6", "14", "5"], 1)
    ]
    assert "10 of 21" in left
    assert [line.split()[1] for line in table(many, top=99).splitlines()[-2:]] == ["3", "20"]


def test_top_ranks_few_variants_too_also_in_markdown() -> None:
    few = [row("a", 0.5, 0.1), row("b | c", 0.6, 0.1)]
    ranked = table(few, top=2, markdown=True).splitlines()
    assert len(ranked) == 4
    assert r"b \| c" in ranked[2]
    assert "60.00 %" in ranked[2]
    assert "--top" in table(few, top=1)


def test_conclusion_on_many_variants_names_the_best_and_the_fastest_and_no_more() -> None:
    text = " ".join(conclude(rows(500), Family(), ()))
    assert "hidden=250 " in text
    assert "90 % validation accuracy was reached by hidden=0 after" in text
    assert len(text) < 600
    (none,) = conclude([row(f"{i}", None, None, finished=0) for i in range(9)], Family(), ())
    assert none == "No run of 0, 1, 2 and 6 others finished."


def test_caption_of_many_variants_does_not_list_their_learning_rates() -> None:
    many = [row(f"a{i}", 0.5, 0.1, learning_rate=i + 1) for i in range(20)]
    assert len(caption("Title", many).splitlines()) == 1


def test_of_many_problems_some_are_shown_and_the_others_counted() -> None:
    assert shortened(["x"] * MOST_TEXTS, "there") == ["x"] * MOST_TEXTS
    *shown, last = shortened(["x"] * 400, "there")
    assert shown == ["x"] * MOST_TEXTS
    assert str(400 - MOST_TEXTS) in last


def test_thousands_of_variants_are_written_so_that_they_are_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, rates = tuple((n,) for n in range(1, 61)), tuple(n / 100 for n in range(1, 51))
    many = from_costs(["quadratic"], 1, {}, Sweep({"hidden": sizes, "learning_rate": rates}))
    content = write_experiment(many)
    assert len(content) > MOST_TOML
    Path("again.toml").write_bytes(content)
    assert read_experiment(Path("again.toml"), {}, None) == many
    assert holds_comparison_at("again.toml")
    monkeypatch.setattr(experiment, "MOST_EXPERIMENT", len(content) - 1)
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
