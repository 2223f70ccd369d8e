import json
import os
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tests.commands import SMALL, call, python, train
from tests.messages import has_facts
from tests.runs import reseal


def test_stored_run_is_repeated_to_the_byte() -> None:
    train("-q", "--out", "run", "--patience", "1", "--learning-rate", "3")
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = call("verify", "run")
    updates = json.loads(Path("run/summary.json").read_text())["updates"]
    assert (result.exit_code, result.stdout) == (
        0,
        f"identical: the same weights, metrics and results to the byte after {updates:,} updates\n",
    )
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.slow
def test_resumed_or_diverged_run_is_repeated_to_the_byte() -> None:
    train("-q", "--out", "run")
    call("train", "-q", "--resume", "run", "--epochs", "3")
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    assert call("verify", "run", "-q").exit_code == 0
    assert call("verify", "wild", "-q").exit_code == 0


def test_other_weights_are_reported_with_the_largest_difference_and_the_environment() -> None:
    train("-q", "--out", "run")
    path = Path("run/weights.safetensors")
    tensors = load_file(path)
    tensors["biases.1"][3] += 0.25
    save_file(tensors, path)
    assert "SHA256SUMS" in call("verify", "run", "-q").stderr
    reseal(Path("run"))
    result = call("verify", "run", "-q")
    assert result.exit_code == 1
    assert "weights.safetensors" in result.stdout
    assert "0.25" in result.stdout
    edit(environment=json.loads(Path("run/summary.json").read_text())["environment"] | {"numpy": "1.0"})
    verdict = json.loads(call("verify", "run", "-q", "--json").stdout)
    assert not verdict["identical"]
    assert [(each["name"], each["then"]) for each in verdict["differences"]] == [("numpy", "1.0")]


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("version", ["0.2.0rc1", "0.3.dev1+g1e38801", "99", "nightly", ""])
def test_version_of_any_form_does_not_matter(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    neuron = ["-q", "--data", "neuron", "--hidden", "none", "--batch-size", "1"]
    call("train", *neuron, "--epochs", "2", "--out", "before")
    with monkeypatch.context() as patch:
        patch.setattr("netlearn.runs.train_run.__version__", version)
        call("train", *neuron, "--epochs", "2", "--out", "with")
    assert json.loads(Path("with/summary.json").read_text())["environment"]["netlearn"] == version
    for run in ("before", "with"):
        assert call("verify", "-q", run).exit_code == 0
        assert call("train", "-q", "--resume", run, "--epochs", "4").exit_code == 0


def edit(**changes: object) -> None:
    """Forge the summary of a run."""
    path = Path("run/summary.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    reseal(Path("run"))


def test_forged_results_are_found_though_their_hashes_are_right() -> None:
    train("-q", "--out", "run", "--patience", "1")
    edit(test_accuracy=0.99)
    assert json.loads(call("verify", "run", "-q", "--json").stdout)["differing"] == ["test_accuracy in summary.json"]
    rows = Path("run/metrics.csv").read_text().splitlines()
    rows[2] = rows[2].replace("1,", "2,", 1)
    Path("run/metrics.csv").write_text("\n".join(rows) + "\n")
    Path("run/best.safetensors").write_bytes(Path("run/weights.safetensors").read_bytes()[:-1] + b"\0")
    reseal(Path("run"))
    differing = json.loads(call("verify", "run", "-q", "--json").stdout)["differing"]
    assert {"best.safetensors", "update in metrics.csv", "test_accuracy in summary.json"} <= set(differing)


def test_forged_number_of_epochs_is_found() -> None:
    train("-q", "--out", "run")
    path = Path("run/config.toml")
    path.write_text(path.read_text().replace("epochs = 2", "epochs = 30"))
    reseal(Path("run"))
    assert "status in summary.json" in call("verify", "run", "-q").stdout


@pytest.mark.parametrize("name", ["config.toml", "summary.json", "weights.safetensors"])
def test_folder_without_a_finished_run_is_refused(name: str) -> None:
    train("-q", "--out", "run")
    Path("run", name).unlink()
    result = call("verify", "run", "-q")
    assert result.exit_code == 1
    assert has_facts(result.stderr, "Error: run")
    assert name in result.stderr


@pytest.mark.slow
def test_number_of_blas_threads_changes_no_byte() -> None:
    for threads in ("1", "2"):
        command = ["train", "-q", *SMALL, "--hidden", "100", "--batch-size", "500", "--out", threads]
        assert python("-m", "netlearn", *command, env=os.environ | {"OPENBLAS_NUM_THREADS": threads}).returncode == 0
    assert Path("1/weights.safetensors").read_bytes() == Path("2/weights.safetensors").read_bytes()
    summaries = [json.loads(Path(name, "summary.json").read_text()) for name in ("1", "2")]
    assert [summary["environment"]["blas_threads"] for summary in summaries] == [1, 1]
    assert summaries[0]["train_cost"] == summaries[1]["train_cost"]
