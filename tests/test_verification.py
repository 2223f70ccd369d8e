import hashlib
import json
import os
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save, save_file

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
        f"identical after {updates:,} updates: weights, checkpoint, measurements, results and data, to the byte\n"
        "not compared: times, pictures, environment\n",
    )
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.slow
def test_resumed_or_diverged_run_is_repeated_to_the_byte() -> None:
    train("-q", "--out", "run")
    call("train", "-q", "--resume", "run", "--epochs", "3")
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    assert call("verify", "run", "-q").exit_code == 0
    assert call("verify", "wild", "-q").exit_code == 0


@pytest.mark.usefixtures("run")
def test_other_weights_are_reported_with_the_largest_difference_and_the_environment() -> None:
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


@pytest.mark.parametrize("version", ["0.2.0rc1", "0.3.dev1+g1e38801", "99", "nightly", ""])
def test_version_of_any_form_does_not_matter(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    neuron = ["-q", "--data", "neuron", "--hidden", "none", "--batch-size", "1"]
    call("train", *neuron, "--epochs", "2", "--out", "before")
    with monkeypatch.context() as patch:
        patch.setattr("netlearn.runs.setup.__version__", version)
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


def differing() -> set[str]:
    return set(json.loads(call("verify", "run", "-q", "--json").stdout)["differing"])


def test_forged_results_are_found_though_their_hashes_are_right() -> None:
    train("-q", "--out", "run", "--patience", "1")
    edit(test_accuracy=0.99)
    assert differing() == {"test_accuracy in summary.json"}
    rows = Path("run/metrics.csv").read_text().splitlines()
    rows[2] = rows[2].replace("1,", "2,", 1)
    Path("run/metrics.csv").write_text("\n".join(rows) + "\n")
    Path("run/best.safetensors").write_bytes(Path("run/weights.safetensors").read_bytes()[:-1] + b"\0")
    reseal(Path("run"))
    assert {"best.safetensors", "update in metrics.csv", "test_accuracy in summary.json"} <= differing()


@pytest.mark.usefixtures("run")
def test_older_run_without_a_calibration_error_is_repeated_and_a_forged_one_is_found() -> None:
    assert 0 < json.loads(Path("run/summary.json").read_text())["calibration_error"] < 0.5
    edit(calibration_error=0.01)
    assert differing() == {"calibration_error in summary.json"}
    edit(calibration_error=None)
    assert differing() == set()


@pytest.mark.usefixtures("run")
def test_forged_checkpoint_is_found_though_all_its_hashes_are_right() -> None:
    path = Path("run/checkpoint.safetensors")
    with safe_open(path, "numpy") as file:
        metadata = json.loads(file.metadata()["state"])
    tensors = load_file(path)
    tensors["parameters"][:] = 0
    metadata["sha256"] = "0" * 64
    content = save(tensors, {"state": json.dumps(metadata)})
    path.write_bytes(content.replace(b"0" * 64, hashlib.sha256(content).hexdigest().encode(), 1))
    reseal(Path("run"))
    assert differing() == {"checkpoint.safetensors"}
    metadata["update"] = 10**9
    path.write_bytes(save(tensors, {"state": json.dumps(metadata)}))
    reseal(Path("run"))
    assert differing() == {"checkpoint.safetensors"}


@pytest.mark.usefixtures("run")
def test_forged_data_epochs_and_kernels_are_found() -> None:
    summary, path = json.loads(Path("run/summary.json").read_text()), Path("run/config.toml")
    for change in ({"train": 9}, {"validation": 9}, {"test": 9}, {"name": "mnist"}, {"sha256": {"a": "b"}}):
        edit(data=summary["data"] | change)
        assert differing() == {f"data.{name} in summary.json" for name in change}
    edit(data=summary["data"], environment=summary["environment"] | {"blas": "Haswell → SkylakeX"}, test_accuracy=0.5)
    assert "blas: Haswell → SkylakeX then, " in call("verify", "run", "-q").stdout
    edit(updates=10**9)
    assert "updates in summary.json" in differing()
    edit(**summary)
    path.write_text(path.read_text().replace("epochs = 2", "epochs = 30"))
    reseal(Path("run"))
    assert "status in summary.json" in call("verify", "run", "-q").stdout


@pytest.mark.parametrize("name", ["config.toml", "summary.json", "weights.safetensors"])
def test_folder_without_a_finished_run_is_refused(name: str, run: Path) -> None:
    (run / name).unlink()
    result = call("verify", "run", "-q")
    assert result.exit_code == 1
    assert has_facts(result.stderr, f"Error: run: {name}")


@pytest.mark.slow
def test_number_of_blas_threads_changes_no_byte() -> None:
    for threads in ("1", "2"):
        command = ["train", "-q", *SMALL, "--hidden", "100", "--batch-size", "500", "--out", threads]
        assert python("-m", "netlearn", *command, env=os.environ | {"OPENBLAS_NUM_THREADS": threads}).returncode == 0
    assert Path("1/weights.safetensors").read_bytes() == Path("2/weights.safetensors").read_bytes()
    summaries = [json.loads(Path(name, "summary.json").read_text()) for name in ("1", "2")]
    assert [summary["environment"]["blas_threads"] for summary in summaries] == [1, 1]
    assert summaries[0]["train_cost"] == summaries[1]["train_cost"]


def test_verify_reads_the_weights_before_it_trains(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.runs.verify.make_trainer", lambda *_, **__: pytest.fail("trained"))
    (run / "weights.safetensors").unlink()
    assert "weights.safetensors" in call("verify", "run", "-q").stderr
    reseal(run)
    assert "weights.safetensors" in call("verify", "run", "-q").stderr
