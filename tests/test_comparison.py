import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netlearn import datasets
from netlearn.comparison.analysis import caption, name_variants
from netlearn.comparison.compare import FACTORS, TUNING_SEEDS, tune_rates
from netlearn.comparison.experiment import read_experiment
from netlearn.comparison.pool import Workers
from netlearn.comparison.tasks import Outcome, Task, perform, tasks_of
from netlearn.runs import data_identity
from netlearn.settings import Settings, resolve
from tests.commands import compare, one_line
from tests.comparisons import row, run


def test_variants_are_named_by_what_differs() -> None:
    def named(*settings: dict[str, Any]) -> list[str]:
        return [
            each.variant for each in name_variants([replace(run(), settings=resolve(given)) for given in settings])
        ]

    assert named({"cost": "quadratic"}, {"cost": "cross-entropy", "seed": 3}) == ["quadratic", "cross-entropy"]
    assert named({"l2": 5.0}, {"l2": 0.1, "seed": 1}) == ["l2=5", "l2=0.1"]
    assert named({"learning_rate": 1.0}, {"learning_rate": 2.0}, {"cost": "quadratic"}) == [
        "cross-entropy learning_rate=1", "cross-entropy learning_rate=2", "quadratic learning_rate=3",
    ]  # fmt: skip


def task(settings: Settings, folder: str) -> Task:
    data = datasets.load(settings.data)
    return Task("a", settings, data_identity(data.name, data.sha256), Path(folder))


def test_task_is_a_pure_function_of_its_settings() -> None:
    settings = resolve({"data": "mnist-5k", "epochs": 1, "hidden": (5,)})
    for name in ("one", "two"):
        assert perform(task(settings, name)) == Outcome()
    assert Path("one/weights.safetensors").read_bytes() == Path("two/weights.safetensors").read_bytes()


def test_failed_task_gives_its_reason() -> None:
    settings = resolve({"data": "mnist-5k", "train_size": 9999})
    assert "train_size 9999: must be from 1 to 3500" in (perform(task(settings, "one")).problem or "")


def test_tuning_keeps_a_rate_that_no_trial_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("two.toml").write_text("[variants.a]\n[variants.b]\nl2 = 1\n")
    experiment = read_experiment(Path("two.toml"), {}, 1)
    monkeypatch.setattr("netlearn.comparison.compare.perform_all", lambda *_, **given: [])
    assert tune_rates(experiment, Path(), Workers(), lambda note: None) == replace(experiment, tuning="done")
    assert [task.folder.name for task in tasks_of(experiment, Path())] == ["a-0", "b-0"]


def test_caption_names_the_learning_rate_if_there_is_one() -> None:
    def of(*rows: tuple[str, float], tuned: bool = False) -> str:
        return caption("Title", [row(name, 0.9, 0.1, learning_rate=rate) for name, rate in rows], tuned=tuned)

    assert of(("a", 0.5), ("b", 3)) == "Title (small, 3 seeds)"
    assert of(("a", 0.5), ("b", 3), tuned=True) == "Title (small, 3 seeds, tuned η)"
    assert of(("a", 0.5), ("b", 0.5)) == "Title (small, 3 seeds, η = 0.5)"


def test_caption_of_a_single_neuron_has_no_seeds() -> None:
    rows = [
        row(name, None, None, data="neuron", seeds=1, learning_rate=rate) for name, rate in (("a", 0.5), ("b", 3))
    ]
    assert caption("Title", rows) == "Title"
    assert caption("Title", rows[:1]) == "Title (η = 0.5)"


def test_tuning_takes_the_mean_over_two_seeds_and_no_rate_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("two.toml").write_text("seeds = 3\n[variants.a]\nlearning_rate = 1\n[variants.b]\nl2 = 1\n")
    experiment = read_experiment(Path("two.toml"), {})
    accuracy = {(0.1, 0): 0.9, (0.1, 1): 0.1, (0.3, 0): 0.6, (0.3, 1): 0.6, (1.0, 0): 0.5, (1.0, 1): 0.5,
                (3.0, 0): 0.99, (3.0, 1): None, (10.0, 0): None, (10.0, 1): None}  # fmt: skip
    runs = [
        replace(
            run("a", best_validation_accuracy=found, error="diverged" if found is None else None),
            settings=resolve({"learning_rate": rate, "seed": seed}),
        )
        for (rate, seed), found in accuracy.items()
    ]
    monkeypatch.setattr("netlearn.comparison.compare.perform_all", lambda *_, **given: runs)
    notes: list[str] = []
    tuned = tune_rates(experiment, Path(), Workers(), notes.append)
    assert [settings.learning_rate for settings in tuned.variants.values()] == [0.3, 0.5]
    assert "5 learning rates, from 2 seeds" in notes[0]
    assert notes[1:] == [
        "tuning a: of η = 0.1 (50.0 %), 0.3 (60.0 %), 1 (50.0 %), 3 (failed), 10 (failed) in validation accuracy, "
        "0.3 is chosen"
    ]


def test_dry_run_prints_the_size_of_a_sweep_and_does_nothing() -> None:
    flags = ["--data", "mnist-5k", "--vary", "hidden=3,4", "--vary", "l2=0:1:3", "--seeds", "2", "--dry-run", "-q"]
    shown = compare(*flags)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout == "24 runs (12 variants from 2 seeds)\n"
    size = json.loads(compare(*flags, "--tune", "--json").stdout)
    assert size == {"variants": 12, "seeds": 2, "runs": 24 + 12 * len(FACTORS) * TUNING_SEEDS}
    assert not list(Path().iterdir())


@pytest.mark.parametrize("argument", ["run", "--resume=run"])
def test_dry_run_of_what_exists_is_refused(argument: str) -> None:
    Path("run").mkdir()
    assert one_line(compare(argument, "--dry-run"), 2, "--dry-run")
