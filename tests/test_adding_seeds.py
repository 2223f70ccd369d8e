"""Seeds that are added to a comparison, seeds that are listed, and the variant that others are compared with."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn.comparison.analysis import analyse, read_comparison
from netlearn.comparison.experiment import read_experiment, write_experiment
from netlearn.comparison.sweep import Sweep
from netlearn.errors import SettingsError
from tests.commands import compare, done, rows_of
from tests.comparisons import neuron
from tests.messages import has_facts

QUICK = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "-q", "--out", "out"]
pytestmark = pytest.mark.usefixtures("in_this_process")


def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("out/summary.json").read_text())
    return found


def test_seeds_are_added_and_each_look_is_recorded() -> None:
    assert compare(*QUICK, "--seeds", "2").exit_code == 0
    first = {path.name: path.read_bytes() for path in Path("out/quadratic-0").iterdir()}
    assert summary()["family"]["look"] == 1
    assert compare("--resume", "out", "-q").exit_code == 0
    assert summary()["family"]["look"] == 1  # the same seeds again are no other look
    result = done(compare("--resume", "out", "--seeds", "3", "-q"))
    assert (summary()["family"]["look"], summary()["family"]["alpha"]) == (2, 0.005)
    assert [row["seed"] for row in rows_of(Path("out")) if row["variant"] == "quadratic"] == ["0", "1", "2"]
    assert {path.name: path.read_bytes() for path in Path("out/quadratic-0").iterdir()} == first
    assert "Seeds were added once" in " ".join(result.stdout.split())
    assert compare("--resume", "out", "--seeds", "0,1,2,7", "-q").exit_code == 0
    assert {row["seed"] for row in rows_of(Path("out"))} == {"0", "1", "2", "7"}
    assert read_experiment(Path("out/config.toml"), {}).looks == (2, 3, 4)
    analysis = read_comparison(Path("out"))
    assert (analysis.family.look, analysis.family.alpha) == (3, 0.0025)
    assert list(analysis.sentences) == summary()["sentences"]


def test_seeds_of_a_comparison_cannot_be_taken_away() -> None:
    assert compare(*QUICK, "--seeds", "2").exit_code == 0
    result = compare("--resume", "out", "--seeds", "1")
    assert (result.exit_code, has_facts(result.stderr, "--seeds must keep 1")) == (2, True)


@pytest.mark.parametrize("seeds", ["one", "1,,2", "-1", "1,1", "0", "1.5"])
def test_other_seeds_are_refused(seeds: str) -> None:
    result = compare(*QUICK, f"--seeds={seeds}")
    assert result.exit_code != 0
    assert has_facts(result.stderr, "--seeds")
    assert not Path("out").exists()


def test_baseline_of_a_file_or_a_flag_is_what_the_others_are_compared_with() -> None:
    Path("three.toml").write_text(
        'seeds = 1\nbaseline = "b"\n[defaults]\ndata = "mnist-5k"\nepochs = 1\nhidden = [5]\n'
        "[variants.a]\n[variants.b]\nl2 = 1\n[variants.c]\nl2 = 2\n"
    )
    assert compare("three.toml", "-q", "--out", "out").exit_code == 0
    assert all("b" in {pair["leader"], pair["other"]} for pair in summary()["pairs"])
    assert len(summary()["pairs"]) == 2 * 3  # in both measures that decide, and in the calibration error
    assert summary()["family"]["baseline"] == "b"
    assert read_experiment(Path("out/config.toml"), {}).baseline == "b"
    assert compare("three.toml", "-q", "--out", "out", "--force", "--baseline", "a").exit_code == 0
    assert summary()["family"]["baseline"] == "a"
    result = compare("three.toml", "--baseline", "aa")
    assert (result.exit_code, has_facts(result.stderr, "baseline 'aa' a")) == (2, True)


def test_sweep_of_a_file_renames_its_baseline_away() -> None:
    Path("two.toml").write_text('baseline = "a"\n[variants.a]\n[variants.b]\ncost = "quadratic"\n')
    swept = read_experiment(Path("two.toml"), {}, 2, Sweep({"hidden": ((3,), (4,))}))
    assert (len(swept.variants), swept.baseline) == (4, None)
    named = read_experiment(Path("two.toml"), {}, 2, Sweep({"hidden": ((3,), (4,))}), "a hidden=3")
    assert named.baseline == "a hidden=3"
    with pytest.raises(SettingsError, match=r"baseline 'a': .*a hidden=3"):
        read_experiment(Path("two.toml"), {}, 2, Sweep({"hidden": ((3,), (4,))}), "a")
    Path("again.toml").write_bytes(write_experiment(named.looked_at()))
    assert read_experiment(Path("again.toml"), {}).looks == (2,)
    Path("bad.toml").write_text('baseline = 3\n[variants.a]\n[variants.b]\ncost = "quadratic"\n')
    with pytest.raises(SettingsError) as caught:
        read_experiment(Path("bad.toml"), {})
    assert has_facts(str(caught.value), "bad.toml: baseline: int")


def test_neurons_are_told_by_epoch_without_accuracies_or_steps() -> None:
    result = done(compare("neuron", "-q", "--out", "out"))
    assert summary()["pictures"] == ["neuron"]
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["output,", "by", "epoch", "0", "60", "120", "180", "240", "300"]
    named = "cross-entropy, bad start, η = 0.005 0.982 0.968 0.945 0.907 0.852 0.780"
    assert " ".join(lines[6].split()) == named  # in one line
    assert "accuracy" not in result.stdout
    assert "seed" not in result.stdout
    assert max(map(len, lines[: lines.index("page: out/report.html (open it in a browser)")])) <= 80
    text = " ".join(result.stdout.split())
    assert "The output of cross-entropy, mild start fell below ½ first, after 8 epochs." in text
    assert "The output of cross-entropy, bad start, η = 0.005 stayed above ½ for 300 epochs." in text
    assert summary()["claims"] == []


def test_neuron_is_told_by_its_output_and_has_no_accuracy() -> None:
    runs = [neuron("slow", [0.9, 0.8, 0.7, 0.49]), neuron("fast", [0.9, 0.4, 0.2, 0.1]), neuron("stuck", [0.9] * 4)]
    analysis = analyse("", runs)
    assert analysis.sentences == (
        "The output of fast fell below ½ first, after 1 epoch.",
        "Then came slow after 3.",
        "The output of stuck stayed above ½ for 3 epochs.",
    )
    assert (analysis.pairs, analysis.races, analysis.claims) == ((), (), ())
    slow = analysis.neurons[0]
    assert (slow.epochs, slow.outputs, slow.below_half) == ((0, 1, 2, 3), (0.9, 0.8, 0.7, 0.49), 3)


def test_variant_without_a_run_that_can_be_read_stays_in_the_family_of_tests() -> None:
    flags = ["--vary", "l2=0,1,2", "--cost", "quadratic", "--seeds", "2", "--baseline", "quadratic l2=1"]
    assert compare(*QUICK, *flags).exit_code == 0
    whole = read_comparison(Path("out"))
    for seed in (0, 1):
        shutil.rmtree(Path("out", f"quadratic-l2=1-{seed}"))
    analysis = read_comparison(Path("out"))
    assert (analysis.family.baseline, analysis.family.tests) == (whole.family.baseline, whole.family.tests)
    assert [row.failed for row in analysis.rows] == [0, 2, 0]
    assert [run.settings for run in analysis.runs] == [run.settings for run in whole.runs]
    assert analysis.claims == ()


def test_experiment_of_a_folder_can_be_trained_on_other_data() -> None:
    assert compare(*QUICK, "--seeds", "1").exit_code == 0
    x = np.random.default_rng(0).random((40, 4))
    np.savez("other.npz", x_train=x, y_train=np.arange(40) % 2, x_test=x, y_test=np.arange(40) % 2)
    done(compare("out/config.toml", "--data", "other.npz", "-q", "--out", "again"))
    assert {Path(row["data"]).name for row in json.loads(Path("again/summary.json").read_text())["rows"]} == {
        "other.npz"
    }
    resumed = compare("--resume", "out", "--data", "other.npz", "-q")
    assert (resumed.exit_code, has_facts(resumed.stderr, "other.npz SHA-256")) == (1, True)
