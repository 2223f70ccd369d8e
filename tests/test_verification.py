import json
import os
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tests.commands import SMALL, call, python, train


def test_stored_run_comes_out_again_to_the_byte() -> None:
    train("-q", "--out", "run", "--patience", "1", "--learning-rate", "3")
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = call("verify", "run")
    updates = json.loads(Path("run/summary.json").read_text())["updates"]
    assert (result.exit_code, result.stdout) == (
        0,
        f"identical: the same weights to the byte after {updates:,} updates\n",
    )
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


def test_run_that_was_resumed_or_diverged_comes_out_again_too() -> None:
    train("-q", "--out", "run")
    call("train", "-q", "--resume", "run", "--epochs", "3")
    train("-q", "--out", "wild", "--learning-rate", "1000", "--l2", "500")
    assert call("verify", "run", "-q").exit_code == 0
    assert call("verify", "wild", "-q").exit_code == 0


def test_other_weights_are_told_with_the_largest_difference_and_what_differs_of_the_environment() -> None:
    train("-q", "--out", "run")
    path = Path("run/weights.safetensors")
    tensors = load_file(path)
    tensors["biases.1"][3] += 0.25
    save_file(tensors, path)
    result = call("verify", "run", "-q")
    assert (result.exit_code, result.stdout) == (
        1,
        "different: a weight or bias differs by 0.25 after 700 updates\n"
        "nothing that is recorded of the environment or the data differs\n",
    )
    summary = json.loads(Path("run/summary.json").read_text())
    summary["environment"]["numpy"] = "1.0"
    Path("run/summary.json").write_text(json.dumps(summary))
    verdict = json.loads(call("verify", "run", "-q", "--json").stdout)
    assert not verdict["identical"]
    assert [(each["name"], each["then"]) for each in verdict["differences"]] == [("numpy", "1.0")]


@pytest.mark.parametrize("name", ["config.toml", "summary.json", "weights.safetensors"])
def test_folder_that_is_no_ended_run_is_refused(name: str) -> None:
    train("-q", "--out", "run")
    Path("run", name).unlink()
    result = call("verify", "run", "-q")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: run")
    assert name in result.stderr


def test_number_of_blas_threads_changes_no_byte() -> None:
    for threads in ("1", "2"):
        command = [
            "-m",
            "netlearn",
            "train",
            "-q",
            *SMALL,
            "--hidden",
            "100",
            "--batch-size",
            "500",
            "--out",
            threads,
        ]
        assert python(*command, env=os.environ | {"OPENBLAS_NUM_THREADS": threads}).returncode == 0
    assert Path("1/weights.safetensors").read_bytes() == Path("2/weights.safetensors").read_bytes()
    summaries = [json.loads(Path(name, "summary.json").read_text()) for name in ("1", "2")]
    assert [summary["environment"]["blas_threads"] for summary in summaries] == [1, 1]
    assert summaries[0]["train_cost"] == summaries[1]["train_cost"]
