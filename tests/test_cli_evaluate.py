"""`netlearn evaluate` on the command line; `runs` are prepared run folders, see conftest."""

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from netlearn.inspection.evaluate import SIGNIFICANT
from netlearn.runs import DERIVED, Summary, Sums, encode_summary
from tests.commands import ONE_EPOCH, call, done, files_of, one_line
from tests.messages import has_facts
from tests.runs import reseal

OF_A_RUN = [
    "predictions.csv",
    *(f"{name}.{kind}" for name in ("reliability", "confusion", "mistakes") for kind in ("png", "svg")),
]


def evaluated(*arguments: str) -> dict[str, Any]:
    result = done(call("evaluate", *arguments, "--json", "-q"))
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("runs")
def test_text_has_the_figures_of_the_json() -> None:
    (found,) = evaluated("ce")["evaluations"]
    result = done(call("evaluate", "ce"))
    lines = result.stdout.splitlines()
    assert lines[0] == "test set of mnist-5k: 800 examples"
    low, high = (f"{100 * bound:.2f}" for bound in found["accuracy_interval"])
    assert f"accuracy  {100 * found['accuracy']:.2f} %".split() in [line.split() for line in lines]
    assert f"95 % interval {low} to {high} %" in [" ".join(line.split()) for line in lines]
    for each in found["classes"]:
        measures = " ".join(f"{100 * each[name]:.2f} %" for name in ("precision", "recall", "f1"))
        assert f"{each['label']} {each['examples']} {measures}" in [" ".join(line.split()) for line in lines]
    for kind in ("answer", "outputs"):
        scores = found[kind]
        low, high, error, ece = (100 * each for each in (*scores["interval"], scores["debiased"], scores["error"]))
        assert f"95 % interval {low:.2f} to {high:.2f} %" in [" ".join(line.split()) for line in lines]
        assert f"calibration error {error:.2f} %" in [" ".join(line.split()) for line in lines]
        assert f"expected (ECE), not debiased {ece:.2f} %" in [" ".join(line.split()) for line in lines]
        assert f"Brier score {found[kind]['brier']:.5f}" in [" ".join(line.split()) for line in lines]
    assert lines[-1] == f"ce: {', '.join(OF_A_RUN)}"
    assert result.stderr == ""


@pytest.mark.usefixtures("runs", "rendered")
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


@pytest.mark.usefixtures("runs")
def test_derived_files_are_removed_when_the_run_changes() -> None:
    Path("ce/notes.txt").write_text("mine")
    for change in (["--resume", "ce", "--epochs", "2", "-q"], [*ONE_EPOCH, "--out", "ce", "--force"]):
        assert call("evaluate", "ce").exit_code == 0
        assert call("weights", "ce").exit_code == 0
        assert files_of("ce") >= {*OF_A_RUN, "weights.png"}
        assert call("train", *change).exit_code == 0
        assert not files_of("ce") & set(DERIVED)
    assert "notes.txt" in files_of("ce")


@pytest.mark.usefixtures("runs")
def test_old_picture_of_mistakes_is_removed_if_there_are_none() -> None:
    for name, drawn in (("neuron", True), ("perfect", False)):
        Path(name, "mistakes.png").write_bytes(b"old")
        evaluated(name)
        assert Path(name, "mistakes.png").exists() == drawn
        assert {"confusion.png", "predictions.csv"} <= files_of(name)


@pytest.mark.usefixtures("runs")
def test_runs_with_the_same_answers_have_no_picture_of_disagreements() -> None:
    shutil.copytree("ce", "twin")
    found = evaluated("ce", "twin", "--out", "out")
    assert files_of("out") == {"ce", "twin"}
    assert (found["pairs"][0]["only_first"], found["pairs"][0]["p"]) == (0, 1)


@pytest.mark.usefixtures("runs")
def test_several_runs_side_by_side() -> None:
    found = evaluated("ce", "quadratic", "plain", "--out", "out")
    assert [each["folder"] for each in found["evaluations"]] == ["ce", "quadratic", "plain"]
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
    assert ("two networks, not two costs" in text) == (found["pairs"][0]["p"] < SIGNIFICANT)
    three = call("evaluate", "ce", "quadratic", "plain", "--out", "again").stdout
    assert three.count("two networks, not two costs") == any(pair["p"] < SIGNIFICANT for pair in found["pairs"]) == 1
    assert {"disagreements.png", *OF_A_RUN} <= files_of("ce")
    assert "disagreements.png" not in files_of("quadratic")


WRONG = [
    (["diverged"], 1, "diverged: no trained network, learning rate 1e+06"),
    (["ce", "--split", "all"], 2, "split all: must be test, validation, train"),
    (["ce", "--data", "nosuch"], 2, "data 'nosuch'"),
    (["ce", "--data", "small.npz"], 2, "small.npz: 12 inputs: must be 784, ce"),
    (["ce", "--data", "wide.npz"], 2, "wide.npz: 11 classes: must be at most 10, ce"),
    (["ce", "--best"], 1, "ce: no best.safetensors --patience"),
    (["ce", "ce"], 2, "ce, ce: must be different"),
    (["ce", "neuron"], 2, "--data mnist-5k, neuron"),
    (["ce", "--cost", "quadratic"], 2, "cost quadratic: must be cross-entropy"),
    (["own"], 2, "own: cost mine:Cost --cost mine:Cost"),
    (["own", "--cost", "mine:Cost"], 1, "cost 'mine:Cost': ModuleNotFoundError 'mine'"),
    (["ce", "--out", "file"], 1, "file: cannot be written"),
    (["changed"], 1, "changed/weights.safetensors: SHA-256 SHA256SUMS"),
    (["ce", "--out", "comparison"], 1, "comparison/mistakes.png --out"),
]


@pytest.mark.usefixtures("runs")
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
    Path("comparison/SHA256SUMS").write_bytes(Sums.compute(Path("comparison"), ["mistakes.png"]).encode())
    before = sorted(Path().rglob("*"))
    assert one_line(call("evaluate", *arguments), code, facts)
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("runs")
def test_data_that_has_changed_since_is_noted() -> None:
    stored = msgspec.json.decode(Path("ce/summary.json").read_bytes(), type=Summary)
    data = msgspec.structs.replace(stored.data, sha256={"train-images-idx3-ubyte.gz": "other"})
    Path("ce/summary.json").write_bytes(encode_summary(msgspec.structs.replace(stored, data=data)))
    reseal(Path("ce"))
    assert has_facts(call("evaluate", "ce").stderr, "ce mnist-5k SHA-256")
    assert call("evaluate", "ce", "-q").stderr == ""
    assert call("evaluate", "ce", "--data", "mnist-5k").stderr == ""


def test_other_data_whose_classes_have_other_numbers_is_refused() -> None:
    rows = [f"{i % 7 / 7},{i % 5 / 5},{('ant', 'bee', 'cat')[i % 3]}" for i in range(90)]
    Path("all.csv").write_text("\n".join(rows))
    Path("some.csv").write_text("\n".join(row for row in rows if "ant" not in row))
    done(call("train", "-q", "--data", "all.csv", "--epochs", "1", "--out", "named"))
    result = call("evaluate", "named", "--data", "some.csv")
    assert one_line(result, 2, "some.csv: 0 = bee, 1 = cat; 0 = ant, 1 = bee, 2 = cat, as in named")
    done(call("evaluate", "named", "--data", "all.csv"))
