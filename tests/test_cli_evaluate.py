"""`netlearn evaluate` and `netlearn weights`, as users call them."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import Result

from netlearn.runs import DERIVED, Sums, summary
from tests.commands import call
from tests.messages import tells

QUICK = ["--data", "mnist-5k", "--epochs", "1", "-q"]
OF_A_RUN = ["predictions.csv", "confusion.png", "confusion.svg", "mistakes.png", "mistakes.svg"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    for name, settings in {
        "ce": [],
        "quadratic": ["--cost", "quadratic"],
        "stopped": ["--patience", "1", "--epochs", "2"],
        "plain": ["--hidden", "none"],
    }.items():
        assert call("train", *QUICK, *settings, "--out", str(folder / name)).exit_code == 0
    assert (
        call("train", *QUICK, "--learning-rate", "1e6", "--l2", "1e6", "--out", str(folder / "diverged")).exit_code
        == 1
    )
    neuron = ["--data", "neuron", "--hidden", "none", "--batch-size", "1", "--epochs", "1", "-q"]
    for name, weights in (("neuron", "2,2"), ("perfect", "-2,-2")):
        assert call("train", *neuron, "--initializer", weights, "--out", str(folder / name)).exit_code == 0
    return folder


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    """Stand beside copies of the runs."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def evaluated(*arguments: str) -> dict[str, Any]:
    result = call("evaluate", *arguments, "--json", "-q")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def reseal(folder: Path) -> None:
    """Write SHA256SUMS anew, over the same files."""
    content = Sums.compute(folder, Sums.read(folder).hashes, 10**9).encode()
    (folder / "SHA256SUMS").write_bytes(content)


def files_of(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


@pytest.mark.usefixtures("runs", "unrendered")
@pytest.mark.parametrize("name", ["ce", "quadratic", "stopped", "plain", "neuron"])
def test_evaluation_is_exactly_that_of_the_summary(name: str) -> None:
    stored = json.loads(Path(name, "summary.json").read_text())
    (found,) = evaluated(name)["evaluations"]
    assert (found["accuracy"], found["cost"]) == (stored["test_accuracy"], stored["test_cost"])
    assert [each["recall"] for each in found["classes"]] == stored["recall"]
    assert found["weights"] == ("best.safetensors" if name == "stopped" else "weights.safetensors")
    (train,) = evaluated(name, "--split", "train")["evaluations"]
    assert (train["accuracy"], train["examples"]) == (stored["train_accuracy"], stored["data"]["train"])


@pytest.mark.usefixtures("runs", "unrendered")
def test_text_has_the_figures_of_the_json() -> None:
    (found,) = evaluated("ce")["evaluations"]
    result = call("evaluate", "ce")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "test set of mnist-5k: 800 examples"
    low, high = (f"{100 * bound:.2f}" for bound in found["accuracy_interval"])
    assert f"accuracy  {100 * found['accuracy']:.2f} %".split() in [line.split() for line in lines]
    assert f"95 % interval {low} to {high} %" in [" ".join(line.split()) for line in lines]
    for each in found["classes"]:
        measures = " ".join(f"{100 * each[name]:.2f} %" for name in ("precision", "recall", "f1"))
        assert f"{each['label']} {each['examples']} {measures}" in [" ".join(line.split()) for line in lines]
    assert lines[-1] == f"ce: {', '.join(OF_A_RUN)}"
    assert result.stderr == ""


@pytest.mark.usefixtures("runs")
def test_files_go_to_the_run_folder_which_stays_complete() -> None:
    before = files_of("ce")
    paths = evaluated("ce")["files"]
    assert paths == [f"ce/{name}" for name in OF_A_RUN]
    assert files_of("ce") == before | set(OF_A_RUN)
    assert Path("ce/confusion.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in Path("ce/mistakes.svg").read_bytes()
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd="ce", check=False)
    assert checked.returncode == 0
    assert call("evaluate", "ce").exit_code == 0
    assert not set(OF_A_RUN) & Sums.read(Path("ce")).hashes.keys()
    accuracy = np.mean([row["label"] == row["answer"] for row in rows_of(Path("ce"))])
    assert accuracy == json.loads(Path("ce/summary.json").read_text())["test_accuracy"]


@pytest.mark.usefixtures("runs", "unrendered")
def test_derived_files_go_when_the_run_changes() -> None:
    Path("ce/notes.txt").write_text("mine")
    for change in (["--resume", "ce", "--epochs", "2", "-q"], [*QUICK, "--out", "ce", "--force"]):
        assert call("evaluate", "ce").exit_code == 0
        assert call("weights", "ce").exit_code == 0
        assert files_of("ce") >= {*OF_A_RUN, "weights.png"}
        assert call("train", *change).exit_code == 0
        assert not files_of("ce") & set(DERIVED)
    assert "notes.txt" in files_of("ce")


@pytest.mark.usefixtures("runs", "unrendered")
def test_picture_of_mistakes_goes_where_there_are_none() -> None:
    for name, drawn in (("neuron", True), ("perfect", False)):
        Path(name, "mistakes.png").write_bytes(b"old")
        evaluated(name)
        assert Path(name, "mistakes.png").exists() == drawn
        assert {"confusion.png", "predictions.csv"} <= files_of(name)


@pytest.mark.usefixtures("runs", "unrendered")
def test_runs_with_the_same_answers_have_no_picture_of_disagreements() -> None:
    shutil.copytree("ce", "twin")
    found = evaluated("ce", "twin", "--out", "out")
    assert files_of("out") == {"ce", "twin"}
    assert (found["pairs"][0]["only_first"], found["pairs"][0]["p"]) == (0, 1)


@pytest.mark.usefixtures("runs", "unrendered")
def test_several_runs_side_by_side() -> None:
    found = evaluated("ce", "quadratic", "plain", "--out", "out")
    assert [each["run"] for each in found["evaluations"]] == ["ce", "quadratic", "plain"]
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [
        ("ce", "quadratic"), ("ce", "plain"), ("quadratic", "plain"),
    ]  # fmt: skip
    assert files_of("out") == {"ce", "quadratic", "plain", "disagreements.png", "disagreements.svg"}
    assert all(files_of(f"out/{name}") == set(OF_A_RUN) for name in ("ce", "quadratic", "plain"))
    assert not files_of("ce") & set(DERIVED)
    rows = [rows_of(Path("out", name)) for name in ("ce", "quadratic")]
    only_first = sum(a["answer"] == a["label"] != b["answer"] for a, b in zip(*rows, strict=True))
    assert found["pairs"][0]["only_first"] == only_first
    text = call("evaluate", "ce", "quadratic").stdout
    assert "precision A" in text
    assert text.count("McNemar's exact test") == 1
    assert {"disagreements.png", *OF_A_RUN} <= files_of("ce")
    assert "disagreements.png" not in files_of("quadratic")


@pytest.mark.usefixtures("runs", "unrendered")
def test_runs_whose_folders_have_the_same_name_get_different_ones() -> None:
    shutil.copytree("quadratic", "other/ce")
    evaluated("ce", "other/ce", "--out", "out")
    assert files_of("out") == {"ce", "ce-2", "disagreements.png", "disagreements.svg"}


@pytest.mark.usefixtures("runs", "unrendered")
def test_best_chooses_the_weights() -> None:
    for flag, name in (("--best", "best.safetensors"), ("--last", "weights.safetensors")):
        (found,) = evaluated("stopped", flag)["evaluations"]
        assert found["weights"] == name


def one_line(result: Result, code: int, facts: str) -> bool:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    *usage, line = result.stderr.strip().splitlines()
    assert not usage
    return tells(line, facts)


WRONG = [
    (["nowhere"], 1, "nowhere: not a run folder: no config.toml"),
    (["diverged"], 1, "diverged: no trained network, learning rate 1e+06"),
    (["ce", "--split", "all"], 2, "split all: must be test, validation, train"),
    (["ce", "--data", "nosuch"], 2, "data 'nosuch'"),
    (["ce", "--data", "small.npz"], 2, "small.npz: 12 inputs: must be 784, ce"),
    (["ce", "--data", "wide.npz"], 2, "wide.npz: 11 classes: must be at most 10, ce"),
    (["ce", "--best"], 1, "ce: no best.safetensors --patience"),
    (["ce", "--cost", "quadratic"], 2, "cost quadratic: must be cross-entropy"),
    (["ce", "ce"], 2, "ce, ce: must be different"),
    (["ce", "neuron"], 2, "--data mnist-5k, neuron"),
    (["own"], 2, "own: cost mine:Cost --cost mine:Cost"),
    (["own", "--cost", "mine:Cost"], 1, "cost 'mine:Cost': ModuleNotFoundError 'mine'"),
    (["ce", "--out", "file"], 1, "file: cannot be written"),
    (["changed"], 1, "changed/weights.safetensors: SHA-256 SHA256SUMS"),
    (["ce", "--out", "comparison"], 1, "comparison/mistakes.png --out"),
]


@pytest.mark.usefixtures("runs", "unrendered")
@pytest.mark.parametrize(("arguments", "code", "facts"), WRONG, ids=lambda value: str(value)[:40])
def test_bad_input_gets_one_line_and_leaves_nothing(arguments: list[str], code: int, facts: str) -> None:
    labels = np.arange(44) % 11
    for name, size in (("small.npz", (4, 3)), ("wide.npz", (28, 28))):
        x = np.zeros((44, *size), np.uint8)
        np.savez(name, x_train=x, y_train=labels % 10 if "small" in name else labels, x_test=x, y_test=labels % 10)
    Path("file").touch()
    shutil.copytree("ce", "changed")
    content = bytearray(Path("changed/weights.safetensors").read_bytes())
    content[-1] ^= 1
    Path("changed/weights.safetensors").write_bytes(content)
    shutil.copytree("ce", "own")
    config = Path("own/config.toml").read_text().replace('"cross-entropy"', '"mine:Cost"')
    Path("own/config.toml").write_text(config)
    reseal(Path("own"))
    Path("comparison").mkdir()
    Path("comparison/mistakes.png").touch()
    Path("comparison/SHA256SUMS").write_bytes(Sums.compute(Path("comparison"), ["mistakes.png"], 1).encode())
    before = sorted(Path().rglob("*"))
    assert one_line(call("evaluate", *arguments), code, facts)
    assert sorted(Path().rglob("*")) == before


def test_folder_in_use_is_refused(runs: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    folder = os.open(runs / "ce", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert one_line(call("evaluate", "ce"), 1, "ce")
    finally:
        os.close(folder)
    assert not files_of("ce") & set(DERIVED)


@pytest.mark.usefixtures("runs", "unrendered")
def test_data_that_has_changed_since_is_noted() -> None:
    stored = msgspec.json.decode(Path("ce/summary.json").read_bytes(), type=summary.Summary)
    data = msgspec.structs.replace(stored.data, sha256={"train-images-idx3-ubyte.gz": "other"})
    Path("ce/summary.json").write_bytes(summary.encode(msgspec.structs.replace(stored, data=data)))
    reseal(Path("ce"))
    assert tells(call("evaluate", "ce").stderr, "ce mnist-5k SHA-256")
    assert call("evaluate", "ce", "-q").stderr == ""
    assert call("evaluate", "ce", "--data", "mnist-5k").stderr == ""


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("name", ["ce", "plain"])
def test_weights_are_drawn_before_and_after_training(name: str) -> None:
    before = files_of(name)
    result = call("weights", name)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [f"{name}/weights.png", f"{name}/weights.svg"]
    assert result.stderr == ""
    assert files_of(name) == before | {"weights.png", "weights.svg"}
    assert "before training" in Path(name, "weights.svg").read_text()
    assert call("weights", name, "--out", "elsewhere", "-q").exit_code == 0
    assert files_of("elsewhere") == {"weights.png", "weights.svg"}


@pytest.mark.usefixtures("runs")
def test_initial_weights_that_the_seed_does_not_give_are_left_out_with_a_note() -> None:
    stored = msgspec.json.decode(Path("ce/summary.json").read_bytes(), type=summary.Summary)
    content = summary.encode(msgspec.structs.replace(stored, initial_weights_sha256="0" * 64))
    Path("ce/summary.json").write_bytes(content)
    reseal(Path("ce"))
    result = call("weights", "ce")
    assert result.exit_code == 0
    assert tells(result.stderr, "ce 0 SHA-256")
    text = Path("ce/weights.svg").read_text()
    assert "after training" in text
    assert "before training" not in text


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (["neuron"], 1, "neuron"),
        (["diverged"], 1, "diverged 1e+06"),
        (["nowhere"], 1, "nowhere config.toml"),
        (["ce", "--best"], 1, "ce best.safetensors --patience"),
        (["ce", "--data", "neuron"], 2, "neuron 1 784 ce"),
    ],
)
def test_weights_that_cannot_be_drawn_get_one_line(arguments: list[str], code: int, facts: str) -> None:
    assert one_line(call("weights", *arguments), code, facts)
