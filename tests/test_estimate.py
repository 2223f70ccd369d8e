"""The size of a sweep, said before it starts."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netlearn.cli.sweep import size_of
from netlearn.comparison.estimate import SHORT, Estimate, Measured, estimate, measure
from netlearn.comparison.experiment import Experiment, from_costs
from netlearn.comparison.shard import Shard
from netlearn.comparison.sweep import Sweep
from netlearn.comparison.workers import Workers
from netlearn.settings import Settings, resolve
from tests.commands import compare, one_line


class Knowing(Workers):
    """Workers that measured a short run before, or could not."""

    def __init__(self, short: Measured | None) -> None:
        super().__init__(1, lambda: ThreadPoolExecutor(1))
        self.short = short
        self.asked: list[Settings] = []

    def map(self, function: Callable[..., Any], tasks: Sequence[Any], *_: Any) -> list[Any]:
        assert function is measure
        self.asked = list(tasks)
        return [self.short for _ in tasks]


def experiment(seeds: int = 1, **given: Any) -> Experiment:
    sweep = Sweep({"hidden": tuple((n,) for n in (10, 20, 30)), "learning_rate": (0.1, 1.0)})
    return from_costs(["cross-entropy"], seeds, {"epochs": 2, "data": "mnist-5k"} | given, sweep)


def seconds(short: Measured, **given: Any) -> float:
    return estimate(experiment(**given), Knowing(short)).seconds or 0


def test_size_counts_variants_seeds_and_runs() -> None:
    size = estimate(experiment(seeds=4), Knowing(Measured(1, 0, 0, 784, 10, 3500)))
    assert (size.variants, size.seeds, size.runs, size.seconds) == (6, 4, 24, 24)
    tuned = estimate(replace(experiment(seeds=4), tuning="to do"), Knowing(Measured(1, 0, 0, 784, 10, 3500)))
    assert (tuned.runs, tuned.seconds) == (24 + 6 * 5 * 2, 24 + 6 * 5 * 2)


def test_time_grows_with_epochs_examples_and_size() -> None:
    updates = Measured(0, 1e-9, 0, 784, 10, 3500)
    base = seconds(updates)
    assert seconds(updates, epochs=4) == pytest.approx(2 * base)
    assert seconds(updates, train_size=350) == pytest.approx(base / 10)
    assert base / 10 < seconds(updates, batch_size=3500) < base
    assert seconds(updates, activation="relu") == base
    probes = Measured(0, 0, 1e-9, 784, 10, 3500)
    assert seconds(probes, epochs=11, probe_every=10) < seconds(probes, epochs=11)


def test_one_variant_of_each_kind_is_measured_the_one_of_middle_size() -> None:
    workers = Knowing(Measured(1, 0, 0, 784, 10, 3500))
    sweep = Sweep({"optimizer": ("sgd", "adam"), "hidden": ((10,), (500,), (30,))})
    estimate(from_costs(["quadratic"], 1, {}, sweep), workers)
    assert [(each.optimizer, each.hidden) for each in workers.asked] == [("sgd", (30,)), ("adam", (30,))]


def test_short_run_that_fails_leaves_the_duration_open() -> None:
    size = estimate(experiment(), Knowing(None))
    assert (size.runs, size.seconds) == (6, None)
    assert "6 runs" in size_of(size, 2)


@pytest.mark.parametrize(
    ("seconds", "longest", "jobs", "shown"),
    [(80, 1, 2, "40 s"), (0.1, 0.1, 2, "1 s"), (600, 1, 2, "5 min"), (10, 8, 9, "8 s"), (9e6, 1, 2, "52 days")],
)
def test_duration_is_said_in_its_largest_unit(seconds: float, longest: float, jobs: int, shown: str) -> None:
    size = Estimate(5, 2, 10, seconds, longest)
    assert f"about {shown} of training with {jobs} " in size_of(size, jobs)
    assert f"about {shown} of training for shard 2/{jobs} with 1 " in size_of(size, 1, Shard(2, jobs))


def test_a_short_run_measures_and_leaves_nothing_behind() -> None:
    short = measure(resolve({"data": "mnist-5k", "hidden": (5,), "epochs": 1, "train_size": 100}))
    assert short is not None
    assert (short.inputs, short.outputs, short.examples) == (784, 10, 100)
    assert 0 < short.update * SHORT < 100
    assert short.probe > 0
    assert not list(Path().iterdir())
    assert measure(resolve({"data": "mnist-5k", "batch_size": 9999})) is None


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_dry_run_prints_the_size_of_a_sweep_and_does_nothing() -> None:
    flags = ["--data", "mnist-5k", "--vary", "hidden=3,4", "--vary", "l2=0:1:3", "--seeds", "2", "--dry-run", "-q"]
    shown = compare(*flags)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "24 runs (12 variants from 2 seeds)" in shown.stdout
    size = json.loads(compare(*flags, "--json").stdout)
    assert (size["variants"], size["seeds"], size["runs"]) == (12, 2, 24)
    assert size["seconds"] > 0
    assert not list(Path().iterdir())


@pytest.mark.parametrize("argument", ["run", "--resume=run"])
def test_dry_run_of_what_exists_is_refused(argument: str) -> None:
    Path("run").mkdir()
    assert one_line(compare(argument, "--dry-run"), 2, "--dry-run")
