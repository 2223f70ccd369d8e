"""Sweeps: the product of values of settings, from the command line and from files."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import pytest

from netlearn.cli.compare_options import vary
from netlearn.cli.options import parse
from netlearn.comparison.experiment import Experiment, from_costs, read_experiment, write_experiment
from netlearn.comparison.sweep import MOST_RUNS, NO_SWEEP, Sweep
from netlearn.errors import SettingsError
from netlearn.settings import FIELDS, resolve
from tests.commands import compare, done, one_line, rows_of
from tests.messages import has_facts

FILE = """
seeds = 2
[defaults]
hidden = 20
[vary]
cost = ["quadratic", "cross-entropy"]
hidden = [10, [10, 5], []]
learning_rate = "0.01:1:log3"
"""


def values(text: str) -> tuple[Any, ...]:
    """Return the values of one `--vary`."""
    return vary(text)[1]


def read(text: str, sweep: Sweep = NO_SWEEP, flags: Mapping[str, Any] = MappingProxyType({})) -> Experiment:
    Path("e.toml").write_text(text)
    return read_experiment(Path("e.toml"), flags, None, sweep)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=0.03,0.1,1", (0.03, 0.1, 1)),
        ("learning-rate=1", (1,)),
        ("hidden=30,100+30,none", ((30,), (100, 30), ())),
        ("initializer=large,2+-2,1e+3+0.5", ("large", (2, -2), (1000, 0.5))),
        ("track_test=true,false", (True, False)),
        ("max_norm=off,1:4:4", ("off", 1, 2, 3, 4)),
        ("train_size=100:10000:log3,all", (100, 1000, 10000, "all")),
        ("learning_rate=0.01:10:log7", (0.01, 0.0316, 0.1, 0.316, 1, 3.16, 10)),
        ("dropout=0:0.9:4", (0, 0.3, 0.6, 0.9)),
        ("l2=0:1:4", (0, 0.333333, 0.666667, 1)),
        ("hidden=10:30:3", ((10,), (20,), (30,))),
        ("epochs=1:8:log4", (1, 2, 4, 8)),
    ],
)
def test_values_are_those_listed_or_spaced_evenly(text: str, expected: tuple[Any, ...]) -> None:
    assert values(text) == expected


def test_values_on_a_log_scale_have_as_many_digits_as_keep_them_apart() -> None:
    found = values("learning_rate=1:1.1:log400")
    assert len(found) == 400
    ratios = [after / before for before, after in itertools.pairwise(found)]
    assert ratios == pytest.approx([1.1 ** (1 / 399)] * 399, rel=1e-4)


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - {"seed", "data", "track_test", "snapshots"}))
def test_every_setting_can_be_varied(name: str) -> None:
    text = {"learning_rate": "0.1", "hidden": "30", "cost": "quadratic"}.get(name, str(FIELDS[name].default))
    assert len(values(f"{name}={text}")) == 1
    assert parse(name, text) is not None


BAD = [
    ("lerning_rate=1", "lerning_rate learning_rate"),
    ("learning_rate", "--vary learning_rate"),
    ("learning_rate=", "--vary learning_rate"),
    ("learning_rate=0.1,,1", "--vary learning_rate ''"),
    ("learning_rate=0.1,-3", "--vary learning_rate -3 0.01:10:log7"),
    ("learning_rate=0.1,0.10", "--vary learning_rate 0.1"),
    ("learning_rate=0.1:1", "0.1:1 0.01:10:log7"),
    ("learning_rate=1:0.1:3", "1:0.1:3"),
    ("learning_rate=1:1:3", "1:1:3"),
    ("learning_rate=0.1:1:log0", "0.1:1:log0 2 100,000"),
    ("learning_rate=0.1:1:999999999", "0.1:1:999999999 2 100,000"),
    ("learning_rate=0:1:log3", "0:1:log3"),
    ("learning_rate=a:b:3", "a:b:3"),
    ("learning_rate=0:inf:3", "0:inf:3"),
    ("learning_rate=-1:1:3", "--vary learning_rate -1:1:3"),
    ("epochs=1:3:7", "--vary epochs 1"),
    ("hidden=30x30", "--vary hidden 30x30 100+30"),
    ("cost=quadratc", "--vary cost quadratc quadratic"),
    ("track_test=maybe", "--vary track_test maybe"),
    ("seed=1,2", "--vary seed"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[text for text, _ in BAD])
def test_values_that_cannot_be_varied_are_refused(text: str, message: str) -> None:
    with pytest.raises((SettingsError, click.UsageError)) as caught:
        values(text)
    assert has_facts(str(caught.value), message)


def test_a_sweep_is_the_product_of_its_values_named_by_what_varies() -> None:
    sweep = Sweep({"learning_rate": (0.1, 1.0), "cost": ("quadratic", "cross-entropy"), "hidden": ((30,), (30, 30))})
    variants = from_costs([], 2, {"epochs": 3}, sweep).variants
    assert list(variants)[:3] == [
        "quadratic learning_rate=0.1 hidden=30",
        "quadratic learning_rate=0.1 hidden=30+30",
        "cross-entropy learning_rate=0.1 hidden=30",
    ]
    found = [(each.learning_rate, each.cost, each.hidden) for each in variants.values()]
    assert found == list(itertools.product(*sweep.values.values()))
    assert {each.epochs for each in variants.values()} == {3}


def test_each_variant_has_the_defaults_of_its_own_cost() -> None:
    variants = from_costs(["quadratic", "cross-entropy"], 1, {}, Sweep({"hidden": ((10,), (20,))})).variants
    assert {name: each.learning_rate for name, each in variants.items()} == {
        f"{cost} hidden={size}": resolve({"cost": cost}).learning_rate
        for cost in ("quadratic", "cross-entropy")
        for size in (10, 20)
    }


def test_a_file_varies_settings_alone_and_on_top_of_its_variants() -> None:
    assert len(read(FILE).variants) == 2 * 3 * 3
    variants = read(FILE + '[variants."one step"]\nepochs = 1\n[variants.two]\nepochs = 2\n').variants
    assert len(variants) == 2 * 18
    assert variants["two quadratic hidden=none learning_rate=0.1"] == resolve(
        {"epochs": 2, "cost": "quadratic", "hidden": (), "learning_rate": 0.1, "snapshots": True}
    )


def test_a_file_of_one_run_can_be_varied() -> None:
    variants = read('cost = "quadratic"\nepochs = 2\n', Sweep({"hidden": ((10,), (20,))})).variants
    assert [(each.cost, each.epochs, each.hidden) for each in variants.values()] == [
        ("quadratic", 2, (10,)),
        ("quadratic", 2, (20,)),
    ]


def test_vary_on_the_command_line_replaces_the_values_of_the_file() -> None:
    variants = read(FILE, Sweep({"hidden": ((7,),), "epochs": (1, 2)})).variants
    assert len(variants) == 2 * 3 * 2
    assert {each.hidden for each in variants.values()} == {(7,)}


def test_a_sweep_is_written_so_that_it_is_read_back() -> None:
    drawn = read(FILE, Sweep(random=5))
    Path("again.toml").write_bytes(write_experiment(drawn))
    assert read_experiment(Path("again.toml"), {}, None) == drawn


def test_random_combinations_are_different_in_order_and_the_same_each_time() -> None:
    every, *draws = (list(read(FILE, Sweep({}, n, seed)).variants) for n, seed in [(99, 0), (7, 0), (7, 0), (7, 1)])
    assert len(every) == 18
    assert draws[0] == draws[1] != draws[2]
    for draw in draws:
        assert len(set(draw)) == 7
        assert draw == [name for name in every if name in draw]


def test_a_product_without_end_can_be_drawn_from() -> None:
    rates = values("learning_rate=1e-5:1:log10000")
    sweep = Sweep({"learning_rate": rates, "l2": rates, "l1": rates, "dropout": rates[:-1]}, 20)
    assert len(from_costs([], 1, {}, sweep).variants) == 20


@pytest.mark.parametrize(
    ("sweep", "flags", "message"),
    [
        (Sweep({"learning_rate": tuple(range(1, 9000))}), {}, f"e.toml 107,988 53,994 2 {MOST_RUNS:,} --random"),
        (Sweep({"momentum": (0.5,)}), {}, "e.toml momentum 0.5 optimizer sgd"),
        (Sweep(), {"hidden": (3,)}, "--hidden e.toml"),
    ],
)
def test_sweeps_that_cannot_be_run_are_refused(sweep: Sweep, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(FILE, sweep, flags)
    assert has_facts(str(caught.value), message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILE.replace("hidden = [10, [10, 5], []]", "hiden = [1]"), "e.toml vary.hiden hidden"),
        (FILE.replace("hidden = [10, [10, 5], []]", "hidden = 30"), "e.toml vary.hidden 30 0.01:10:log7"),
        (FILE.replace("hidden = [10, [10, 5], []]", "hidden = []"), "e.toml vary.hidden"),
        (FILE.replace("hidden = [10, [10, 5], []]", "hidden = [0]"), "e.toml vary.hidden 0 [100, 30]"),
        (FILE.replace("0.01:1:log3", "1:0:3"), "e.toml vary.learning_rate 1:0:3"),
        (FILE + "[variants.one]\nhidden = 10\n", "e.toml hidden one"),
        ("[defaults]\nepochs = 1\nvary = 3\n", "e.toml defaults.vary"),
        ("epochs = 1\nvary = 3\n", "e.toml vary: int"),
    ],
)
def test_files_whose_vary_is_not_valid_are_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert has_facts(str(caught.value), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vary", "hidden=3", "--vary", "hidden=4"], "--vary hidden --vary hidden="),
        (["--vary", "hidden=3", "--hidden", "4"], "--hidden --vary hidden"),
        (["--vary", "hidden=3", "--hidden", "none"], "--hidden --vary hidden"),
        (["--vary", "l2=1,2", "--l2", "0"], "--l2 --vary l2"),
        (["--vary", "cost=quadratic", "--cost", "quadratic"], "--cost --vary cost"),
        (["--random", "3"], "--random 3 --vary"),
        (["--vary", "l2=1,2", "--random-seed", "3"], "--random-seed 3 --random"),
        (["--vary", "learning_rate=0.1,1", "--tune"], "tune learning_rate=0.1 learning_rate=1"),
        (["--vary", "hidden=3", "--resume", "x"], "--vary --resume"),
    ],
)
def test_flags_that_contradict_a_sweep_are_refused(arguments: list[str], message: str) -> None:
    Path("x").mkdir()
    assert one_line(compare(*arguments), 2, message)


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_a_sweep_is_trained_from_the_command_line() -> None:
    flags = ["--data", "mnist-5k", "--epochs", "1", "--seeds", "1", "-q", "--out", "out"]
    done(compare("--vary", "learning_rate=0.1,1", "--vary", "hidden=5,5+5", "--cost", "cross-entropy", *flags))
    assert [row["variant"] for row in rows_of(Path("out"))] == [
        f"cross-entropy learning_rate={rate} hidden={hidden}" for rate in ("0.1", "1") for hidden in ("5", "5+5")
    ]


def test_error_names_the_first_of_very_many_variants() -> None:
    flags = ["--vary", "l2=1:100:100", "--cost", "quadratic", "--baseline", "none of them"]
    result = compare(*flags)
    assert one_line(result, 2, "baseline 'none of them' l2=1 l2=2 (100 in all)")
    assert len(result.stderr) < 1000
