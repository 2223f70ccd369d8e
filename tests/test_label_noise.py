"""Wrong training labels: how many, which, and that nothing else changes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from netlearn.comparison.analysis import read_runs
from netlearn.datasets.dataset import Labels
from netlearn.runs import read_run
from netlearn.runs.setup import training_part
from netlearn.settings import resolve
from tests.commands import call

DATA = datasets.load("mnist-5k")
SMALL = ["--data", "mnist-5k", "--train-size", "300", "--epochs", "1", "--hidden", "none", "-q"]


def labels(noise: float, seed: int = 0, **given: Any) -> Labels:
    settings = resolve({"data": "mnist-5k", "label_noise": noise, "seed": seed, **given})
    return training_part(settings, DATA).train.labels


@pytest.mark.parametrize("noise", [0.2, 0.4, 0.6])
def test_fraction_of_the_training_labels_is_another_class(noise: float) -> None:
    clean, noisy = DATA.train.labels, labels(noise)
    assert (clean != noisy).sum() == round(noise * len(clean))
    assert set(noisy) == set(range(10))
    wrong = noisy[clean != noisy]
    counts = np.bincount((wrong - clean[clean != noisy]) % 10, minlength=10)
    assert counts[0] == 0
    assert (np.abs(counts[1:] - len(wrong) / 9) < 4.5 * np.sqrt(len(wrong) / 9)).all()


def test_what_is_wrong_is_as_wrong_with_more_noise() -> None:
    clean, less, more = labels(0.0), labels(0.2), labels(0.4)
    wrong = less != clean
    np.testing.assert_array_equal(more[wrong], less[wrong])
    np.testing.assert_array_equal(clean, DATA.train.labels)


def test_noise_is_that_of_the_seed_whatever_else_differs() -> None:
    first = labels(0.4, 3)
    np.testing.assert_array_equal(first, labels(0.4, 3, cost="quadratic", hidden=(5,), initializer="large"))
    assert (first != labels(0.4, 4)).any()
    part = training_part(resolve({"data": "mnist-5k", "label_noise": 0.5, "train_size": 100}), DATA)
    assert (part.train.labels != DATA.train.labels[:100]).sum() == 50
    assert part.validation is DATA.validation
    assert part.test is DATA.test


def test_noisy_run_starts_as_the_clean_one_and_is_evaluated_on_what_it_was_trained_on() -> None:
    for name, noise in (("clean", "0"), ("noisy", "0.5")):
        assert call("train", *SMALL, "--label-noise", noise, "--out", name).exit_code == 0
    clean, noisy = (json.loads(Path(name, "summary.json").read_text()) for name in ("clean", "noisy"))
    first = [read_run(Path(name)).metrics["validation_cost"][0] for name in ("clean", "noisy")]
    assert first[0] == first[1]  # the same initial network, the same validation labels
    assert noisy["train_accuracy"] < clean["train_accuracy"]
    result = json.loads(call("evaluate", "noisy", "--split", "train", "--json", "-q").stdout)
    assert result["evaluations"][0]["accuracy"] == noisy["train_accuracy"]
    assert call("verify", "noisy", "-q").exit_code == 0


@pytest.mark.parametrize("noise", ["1", "-0.1", "nan", "x"])
def test_noise_outside_0_and_1_is_refused(noise: str) -> None:
    result = call("train", *SMALL, "--label-noise", noise)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --label-noise {noise}: must be a number")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("one_picture")
def test_pictures_of_a_comparison_say_how_many_labels_are_wrong() -> None:
    result = call("compare", *SMALL, "--seeds", "1", "--jobs", "1", "--vary", "label_noise=0,0.25", "--out", "out")
    assert result.exit_code == 0, result.output
    runs = read_runs([Path("out")])
    assert "up to 25 % of training labels wrong" in runs.caption
