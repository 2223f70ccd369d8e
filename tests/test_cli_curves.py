"""`netlearn curves` and `netlearn weights`; `runs` are prepared run folders, see conftest."""

from pathlib import Path

import msgspec
import pytest

from netlearn.runs import Summary, Sums, encode_summary, lock, read_run
from tests.commands import ONE_EPOCH, call, done, files_of, one_line
from tests.messages import has_facts
from tests.runs import reseal

CURVES = {"curves.png", "curves.svg"}


@pytest.mark.slow
@pytest.mark.usefixtures("run", "rendered")
def test_curves_are_those_that_train_draws() -> None:
    neuron = ["--data", "neuron", "--hidden", "none", "--batch-size", "1", "--initializer", "2,2"]
    for name, settings in (("stopped", ["--patience", "1", "--epochs", "2"]), ("neuron", neuron)):
        assert call("train", *ONE_EPOCH, *settings, "--out", name).exit_code == 0
    names = ["run", "stopped", "neuron"]
    before = {name: {file: Path(name, file).read_bytes() for file in [*CURVES, "SHA256SUMS"]} for name in names}
    for file in CURVES:
        Path("run", file).unlink()
    reseal(Path("run"))
    result = done(call("curves", *names))
    assert result.stdout.split() == [f"{name}/curves.{kind}" for name in names for kind in ("png", "svg")]
    for name, files in before.items():
        assert {file: Path(name, file).read_bytes() for file in files} == files
        assert read_run(Path(name)).is_complete()


@pytest.mark.usefixtures("runs")
def test_diverged_run_has_curves_and_the_single_neuron_too() -> None:
    assert call("curves", "diverged", "neuron").exit_code == 0
    assert files_of("diverged") >= CURVES


@pytest.mark.usefixtures("runs")
def test_changed_file_stays_detected_after_curves_are_drawn() -> None:
    Path("ce/weights.safetensors").write_bytes(b"changed")
    assert call("curves", "ce").exit_code == 0
    assert not read_run(Path("ce")).is_complete()


@pytest.mark.usefixtures("runs")
def test_curves_of_changed_measurements_are_refused() -> None:
    with Path("ce/metrics.csv").open("a") as file:
        file.write("1\n")
    assert one_line(call("curves", "ce"), 1, "ce/metrics.csv SHA-256")


@pytest.mark.usefixtures("runs")
def test_curves_are_not_drawn_into_a_run_that_is_in_use() -> None:
    with lock(Path("ce")):
        assert one_line(call("curves", "ce"), 1, "ce: in use")


@pytest.mark.usefixtures("runs")
def test_folders_without_a_complete_run_are_refused() -> None:
    Path("ce/SHA256SUMS").unlink()
    Path("empty").mkdir()
    for folder in ("ce", "empty"):
        assert one_line(call("curves", folder), 1, f"{folder}: no run")


@pytest.mark.usefixtures("runs")
def test_resumed_run_of_a_comparison_keeps_no_curves_of_its_past() -> None:
    for file in CURVES:
        Path("ce", file).write_bytes(b"old")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.train.curves_or_warning", lambda *_: {})
        assert call("train", "--resume", "ce", "--epochs", "2", "-q").exit_code == 0
    assert not files_of("ce") & CURVES
    assert not Sums.read(Path("ce")).hashes.keys() & CURVES


@pytest.mark.usefixtures("runs", "rendered")
@pytest.mark.parametrize("name", ["ce", "plain"])
def test_weights_are_drawn_before_and_after_training(name: str) -> None:
    before = files_of(name)
    result = done(call("weights", name))
    assert result.stdout.split() == [f"{name}/weights.png", f"{name}/weights.svg"]
    assert result.stderr == ""
    assert files_of(name) == before | {"weights.png", "weights.svg"}
    text = Path(name, "weights.svg").read_text()
    assert all(panel in text for panel in ("before training", "after training", "learned: after − before"))
    assert call("weights", name, "--out", "elsewhere", "-q").exit_code == 0
    assert files_of("elsewhere") == {"weights.png", "weights.svg"}


@pytest.mark.usefixtures("runs", "rendered")
def test_initial_weights_that_do_not_match_the_seed_are_left_out_with_a_note() -> None:
    stored = msgspec.json.decode(Path("ce/summary.json").read_bytes(), type=Summary)
    content = encode_summary(msgspec.structs.replace(stored, initial_weights_sha256="0" * 64))
    Path("ce/summary.json").write_bytes(content)
    reseal(Path("ce"))
    result = done(call("weights", "ce"))
    assert has_facts(result.stderr, "ce 0 SHA-256")
    text = Path("ce/weights.svg").read_text()
    assert "after training" in text
    assert "before training" not in text


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (["neuron"], 1, "data neuron: images"),
        (["diverged"], 1, "diverged 1e+06"),
        (["ce", "--best"], 1, "ce best.safetensors --patience"),
        (["ce", "--data", "neuron"], 2, "neuron 1 784 ce"),
    ],
)
def test_weights_that_cannot_be_drawn_give_one_line(arguments: list[str], code: int, facts: str) -> None:
    assert one_line(call("weights", *arguments), code, facts)
