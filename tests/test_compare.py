"""`netlearn compare` from end to end; existing runs drawn together; comparisons and runs that replace others."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netlearn.cli import main
from netlearn.comparison.statistics import group
from netlearn.plotting.pictures import DRAWN
from netlearn.runs import read_run
from tests.commands import QUICK, assert_same_but_for_pictures, call, compare, done, rows_of, workers_here
from tests.messages import has_facts

pytestmark = pytest.mark.slow  # most of these start worker processes or draw every picture


DRAWN_HERE = ("curves", "slowdown", "error-vs-gradient", "digits", "mistakes")


def test_comparison_writes_settings_runs_results_and_pictures(compared: Path) -> None:
    runs = [f"{cost}-{seed}" for cost in ("cross-entropy", "quadratic") for seed in (0, 1)]
    pictures = [f"{name}.{kind}" for name in DRAWN_HERE for kind in ("png", "svg")]
    assert sorted(path.name for path in compared.iterdir()) == sorted(
        ["SHA256SUMS", "config.toml", "lab.html", "report.html", "results.csv", "summary.json", *runs, *pictures]
    )
    assert [(row["variant"], row["seed"], row["status"]) for row in rows_of(compared)] == [
        (cost, seed, "finished") for cost in ("quadratic", "cross-entropy") for seed in ("0", "1")
    ]
    summary = json.loads((compared / "summary.json").read_text())
    assert summary["pairing"].startswith("Paired: ")
    assert [row["variant"] for row in summary["rows"]] == ["quadratic", "cross-entropy"]
    assert summary["rows"][1]["learning_speed_0"] == 1
    assert summary["rows"][0]["learning_speed_0"] < 0.25


def test_runs_of_a_comparison_have_curves_only_on_request(copied: Path) -> None:
    assert not list(copied.glob("*/curves.*"))
    result = done(call("curves", str(copied)))
    assert len(result.stdout.split()) == len(list(copied.glob("*/curves.*"))) == 8
    before = {path: path.stat().st_mtime_ns for path in copied.glob("*/summary.json")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.compare.Pool", workers_here)
        patch.setattr("netlearn.comparison.compare.PICTURES", ())
        assert compare("--resume", str(copied), "-q").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_run_of_a_comparison_equals_the_run_of_train(compared: Path) -> None:
    config = compared / "quadratic-1" / "config.toml"
    CliRunner().invoke(main, ["train", "-q", "--config", str(config), "--out", "alone"])
    for name in ("weights.safetensors", "output_neurons.safetensors"):
        assert (compared / "quadratic-1" / name).read_bytes() == Path("alone", name).read_bytes()


@pytest.mark.usefixtures("rendered")
def test_config_of_a_comparison_repeats_it_whatever_the_number_of_jobs(compared: Path) -> None:
    done(compare(str(compared / "config.toml"), "-q", "--jobs", "4", "--out", "again"))
    assert_same_but_for_pictures(Path("again"), compared)


@pytest.mark.usefixtures("in_this_process")
def test_one_cost_shows_how_it_varies_over_the_seeds_asked_for() -> None:
    result = done(compare(*QUICK, "--cost", "quadratic", "-q"))
    assert result.stdout.splitlines()[0].split() == ["quadratic"]
    assert "points" not in result.stdout
    assert "quadratic has a test accuracy of" in result.stdout


@pytest.mark.usefixtures("in_this_process", "every_picture")
def test_command_prints_table_sentence_pairing_and_pictures() -> None:
    result = compare(*QUICK, "--markdown")
    lines = result.stdout.splitlines()
    assert lines[0] == "|  | quadratic | cross-entropy |"
    assert "| learning rate η | 3 | 0.5 |" in lines
    conclusion, _, pairing = " ".join(result.stdout.split()).partition(" Paired: ")
    assert "cross-entropy" in conclusion
    assert "2 seeds" in conclusion
    assert pairing.startswith("runs with the same seed")
    assert lines[-1] == (f"folder: runs/compare (pictures: {', '.join(f'{name}.png' for name in DRAWN_HERE)})")
    notes = result.stderr.splitlines()
    assert notes[0].startswith("data: mnist-5k (3,500 training")
    assert notes[1] == "runs: 4, quadratic, cross-entropy from 2 seeds each"
    assert notes[-2] == "4 of 4 runs complete"
    assert notes[-1].endswith("more seeds can tell: netlearn compare --resume runs/compare --seeds 6")


OWN_COST = """
import numpy as np
from netlearn.activations import Sigmoid

class Quartic:
    output = Sigmoid()
    learning_rate = 5.0
    def value(self, z, a, y):
        return ((a - y) ** 4).sum(axis=0) / 4
    def delta(self, z, a, y, out):
        return np.multiply((a - y) ** 3, a * (1 - a), out=out)
"""


@pytest.mark.usefixtures("in_this_process")
def test_own_cost_is_in_the_table_and_in_every_picture() -> None:
    Path("mine.py").write_text(OWN_COST)
    costs = [part for cost in ("quadratic", "cross-entropy", "mine:Quartic") for part in ("--cost", cost)]
    result = done(compare(*QUICK, *costs, "-q"))
    assert result.stdout.splitlines()[0].split() == ["quadratic", "cross-entropy", "Quartic"]
    for name in ("curves", "slowdown", "error-vs-gradient", "digits"):
        assert "Quartic" in texts_of(Path("runs/compare"), name)


def texts_of(folder: Path, name: str) -> str:
    """Return all that a picture of a comparison says."""
    runs = [read_run(path, path.name.rsplit("-", 1)[0]) for path in sorted(folder.glob("*-[01]"))]
    figure = DRAWN[name](group(runs), "title")
    assert figure is not None
    return "\n".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("in_this_process")
def test_tuning_chooses_learning_rates_from_a_grid_and_the_table_shows_them() -> None:
    result = done(compare(*QUICK, "--tune", "--json"))
    rates = {row["variant"]: row["learning_rate"] for row in json.loads(result.stdout)["rows"]}
    assert rates["quadratic"] in {0.3, 0.9, 3.0, 9.0, 30.0}
    assert rates["cross-entropy"] in {0.05, 0.15, 0.5, 1.5, 5.0}
    assert f"quadratic: η = {rates['quadratic']:g}, cross-entropy: η = {rates['cross-entropy']:g}" in result.stderr
    tried = [read_run(path, path.name) for path in Path("runs/compare/tuning").glob("quadratic-*")]
    accuracy: dict[float, list[float]] = {}
    for trial in tried:
        assert trial.summary is not None
        accuracy.setdefault(trial.settings.learning_rate, []).append(trial.summary.best_validation_accuracy or 0.0)
    assert [len(seeds) for seeds in accuracy.values()] == [2] * 5
    assert sum(accuracy[rates["quadratic"]]) == max(map(sum, accuracy.values()))
    (note,) = [line for line in result.stderr.splitlines() if line.startswith("tuning quadratic: ")]
    for rate, seeds in accuracy.items():
        assert f"{rate:g} ({50 * sum(seeds):.1f} %)" in note
    assert note.endswith(f"{rates['quadratic']:g} is chosen")


@pytest.mark.usefixtures("in_this_process")
def test_divergence_is_a_line_below_the_table() -> None:
    Path("rates.toml").write_text(
        'seeds = 1\n[defaults]\ndata = "mnist-5k"\nepochs = 1\nhidden = [5]\n'
        "[variants.good]\n[variants.wild]\nlearning_rate = 1000\nl2 = 500\n"
    )
    result = done(compare("rates.toml", "-q"))
    lines = result.stdout.splitlines()
    assert any(line.startswith("wild, seed 0: the cost is no longer finite after update ") for line in lines)
    assert lines[2].split() == ["seeds", "finished", "1", "of", "1", "0", "of", "1"]
    assert [row["status"] for row in rows_of(Path("runs/compare"))] == ["finished", "diverged"]


@pytest.mark.usefixtures("in_this_process")
def test_different_data_is_shown_in_the_table() -> None:
    Path("sizes.toml").write_text(
        'seeds = 1\n[defaults]\nepochs = 1\n[variants.digits]\ndata = "mnist-5k"\n'
        '[variants.neuron]\ndata = "neuron"\nbatch_size = 1\nhidden = []\n'
    )
    result = done(compare("sizes.toml", "-q"))
    assert result.stdout.splitlines()[1].split() == ["data", "(not", "the", "same)", "mnist-5k", "neuron"]


@pytest.mark.usefixtures("in_this_process", "every_picture", "rendered")
def test_existing_runs_are_overlaid_without_training(compared: Path) -> None:
    paths = [str(path) for path in sorted(compared.glob("*-[01]"))]
    done(compare(*paths, "-q", "--out", "over"))
    assert not list(Path("over").glob("*/"))
    one, other = rows_of(compared), rows_of(Path("over"))
    key = ("variant", "seed")
    assert sorted(one, key=lambda row: [row[k] for k in key]) == sorted(other, key=lambda row: [row[k] for k in key])
    for name in ("curves", "slowdown", "error-vs-gradient", "digits"):
        assert Path("over", f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("in_this_process")
def test_folder_of_a_comparison_stands_for_its_runs(compared: Path) -> None:
    assert json.loads(compare(str(compared), "--json", "-q").stdout)["rows"][0]["seeds"] == 2


@pytest.mark.usefixtures("in_this_process")
def test_overlay_can_be_overwritten_without_losing_a_run(compared: Path) -> None:
    for _ in range(2):
        assert compare(str(compared), "-q", "--out", "over", "--force").exit_code == 0
    assert compare(str(compared), "-q", "--out", "over").exit_code == 1


@pytest.mark.usefixtures("in_this_process")
def test_forced_comparison_removes_the_runs_of_the_previous_one() -> None:
    compare(*QUICK, "-q", "--out", "here")
    assert call("evaluate", "here/quadratic-1").exit_code == 0  # its files go with the run
    compare(*QUICK, "-q", "--out", "here", "--force", "--seeds", "1")
    assert sorted(path.name for path in Path("here").glob("*/")) == ["cross-entropy-0", "quadratic-0"]
    Path("here/config.toml").write_text("variants = [")
    result = compare(*QUICK, "-q", "--out", "here", "--force", "--seeds", "1")
    assert (result.exit_code, has_facts(result.stderr, "here/config.toml remove the folder")) == (1, True)
    assert Path("here/quadratic-0/weights.safetensors").exists()


def test_runs_of_one_variant_cannot_be_compared(compared: Path) -> None:
    result = compare(str(compared / "quadratic-0"), str(compared / "quadratic-1"), "-q")
    assert (result.exit_code, has_facts(result.stderr, "variants quadratic: ")) == (2, True)


def test_run_and_comparison_are_not_confused(compared: Path) -> None:
    run = compared / "quadratic-0"
    before = {path: path.read_bytes() for path in run.iterdir()}
    result = compare("--resume", str(run))
    message = f"Error: {run}: is a run, not a comparison; resume it with netlearn train --resume\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
    assert {path: path.read_bytes() for path in run.iterdir()} == before
    for arguments in (["train", "--resume", str(compared)], ["verify", str(compared)]):
        result = CliRunner().invoke(main, arguments)
        message = f"Error: {compared}: is a comparison, not a run; resume it with netlearn compare --resume\n"
        assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
