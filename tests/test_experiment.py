from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison.experiment import (
    MOST_NAME,
    Experiment,
    folder_name,
    from_costs,
    read_experiment,
    write_experiment,
)
from netlearn.errors import NetlearnError, SettingsError
from netlearn.settings import resolve
from tests.messages import has_facts

FILE = """
title = "Two rates"
seeds = [3, 5]

[defaults]
hidden = [20]
epochs = 7

[variants.slow]
learning_rate = 0.1

[variants."fast one"]
cost = "quadratic"
epochs = 2
"""


def write(text: str) -> Path:
    path = Path("experiment.toml")
    path.write_text(text)
    return path


def test_flags_take_precedence_over_defaults() -> None:
    experiment = read_experiment(write(FILE), {"batch_size": 50}, None)
    assert (experiment.title, experiment.seeds) == ("Two rates", (3, 5))
    slow, fast = experiment.variants["slow"], experiment.variants["fast one"]
    assert (slow.cost, slow.learning_rate, slow.epochs, slow.hidden, slow.batch_size) == (
        "cross-entropy", 0.1, 7, (20,), 50,
    )  # fmt: skip
    assert (fast.cost, fast.learning_rate, fast.epochs) == ("quadratic", 3.0, 2)


def test_seeds_of_the_command_line_take_precedence_over_the_file() -> None:
    assert read_experiment(write(FILE), {}, 4).seeds == (0, 1, 2, 3)


def test_seeds_may_be_given_as_a_number() -> None:
    assert read_experiment(write(FILE.replace("[3, 5]", "2")), {}, None).seeds == (0, 1)


@pytest.mark.parametrize("title", ["Two rates", "cost against " * 200])
def test_experiment_is_written_so_that_it_is_read_back(title: str) -> None:
    experiment = read_experiment(write(FILE.replace("Two rates", title)), {}, None)
    assert experiment.title == title
    Path("again.toml").write_bytes(write_experiment(experiment))
    assert read_experiment(Path("again.toml"), {}, None) == experiment


def test_costs_make_variants_of_the_built_in_network() -> None:
    experiment = from_costs(["quadratic", "log-likelihood"], 2, {"initializer": "scaled"})
    assert list(experiment.variants) == ["quadratic", "log-likelihood"]
    for settings, learning_rate in zip(experiment.variants.values(), (3.0, 0.1), strict=True):
        assert (settings.hidden, settings.initializer, settings.epochs) == ((100,), "scaled", 5)
        assert settings.learning_rate == learning_rate


def test_names_of_run_folders_are_plain() -> None:
    assert folder_name("mycosts:Huber, η = 0.5 / two") == "mycosts-Huber-η-=-0.5-two"
    long = [folder_name("η" * 300 + end) for end in ("a", "b")]
    assert long[0] != long[1]
    assert max(len(name.encode()) for name in long) <= MOST_NAME


def test_settings_of_one_run_are_an_experiment_of_one_variant() -> None:
    experiment = read_experiment(write('cost = "quadratic"\nepochs = 2\nseed = 7\n'), {}, 2)
    assert (experiment.title, experiment.seeds) == ("experiment", (0, 1))
    assert experiment.variants == {"quadratic": resolve({"cost": "quadratic", "epochs": 2, "snapshots": True})}


BAD = [
    (FILE.replace("title =", "titel ="), "unknown key experiment.toml: titel: did you mean title?"),
    (FILE.replace('"Two rates"', "3"), "experiment.toml: title: int"),
    (FILE.replace("epochs = 7", "epoch = 7"), "unknown key experiment.toml: defaults.epoch: did you mean epochs?"),
    (FILE.replace("epochs = 2", "epochs = 0"),
     "experiment.toml: variants.fast one.epochs 0: must be a whole number, at least 1"),
    (FILE.replace("epochs = 2", "seed = 1"),
     "experiment.toml: variants.fast one.seed 1: an experiment has `seeds` instead"),
    (FILE.replace("[3, 5]", "0"),
     "experiment.toml: seeds 0: must be a number from 1 to 1000 or a list of different ones"),
    (FILE.replace("[3, 5]", "[1, 1]"),
     "experiment.toml: seeds [1, 1]: must be a number from 1 to 1000 or a list of different ones"),
    (FILE.replace("[3, 5]", "true"),
     "experiment.toml: seeds True: must be a number from 1 to 1000 or a list of different ones"),
    (FILE.replace("[3, 5]", "[-1]"), "experiment.toml: seeds -1: must be a whole number, at least 0"),
    ('title = "empty"', "experiment.toml: variants: must be one or more"),
    ("epochs = 3\nhiden = 4", "unknown key experiment.toml: hiden: did you mean hidden?"),
    ('seeds = 3\ncost = "quadratic"', "experiment.toml: seeds [defaults]"),
    ("epochs = 3\n" + FILE, "experiment.toml: epochs [defaults]"),
    ("variants = 3", "experiment.toml: variants: a table, int"),
    ("[variants]\na = 1\nb = 2", "experiment.toml: variants[...]: a table, int"),
    (FILE.replace('"fast one"', '"slow:"'),
     "experiment.toml: variant 'slow': names must differ in letters or digits"),
    (FILE + "[variants.slow]\n", "experiment.toml: not a TOML file: Cannot declare ('variants', 'slow') twice "
     "(at line 15, column 15)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_invalid_experiment_is_refused(text: str, message: str) -> None:
    with pytest.raises(NetlearnError) as caught:
        read_experiment(write(text), {}, None)
    assert has_facts(str(caught.value), message)


def test_variant_without_a_letter_is_refused() -> None:
    variants: dict[str, Any] = {"!": resolve(), "b": resolve()}
    with pytest.raises(SettingsError, match="variant '!': must have a name with letters or digits"):
        Experiment("", (0,), variants)
