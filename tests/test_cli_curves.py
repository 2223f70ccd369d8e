"""`netlearn curves` on the command line; `runs` are prepared run folders, see conftest."""

from pathlib import Path

import pytest

from netlearn.runs import Sums, lock, read_run
from tests.commands import call, files_of, one_line
from tests.runs import reseal

CURVES = {"curves.png", "curves.svg"}


@pytest.mark.slow
@pytest.mark.usefixtures("runs", "rendered")
def test_curves_are_those_that_train_draws() -> None:
    names = ["ce", "stopped", "plain", "neuron"]
    before = {name: {file: Path(name, file).read_bytes() for file in [*CURVES, "SHA256SUMS"]} for name in names}
    for file in CURVES:
        Path("ce", file).unlink()
    reseal(Path("ce"))
    result = call("curves", *names)
    assert result.exit_code == 0, result.output
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
    assert one_line(call("curves", "nowhere"), 2, "nowhere: no")


@pytest.mark.usefixtures("runs")
def test_resumed_run_of_a_comparison_keeps_no_curves_of_its_past() -> None:
    for file in CURVES:
        Path("ce", file).write_bytes(b"old")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.train.curves_or_warning", lambda *_: {})
        assert call("train", "--resume", "ce", "--epochs", "2", "-q").exit_code == 0
    assert not files_of("ce") & CURVES
    assert not Sums.read(Path("ce")).hashes.keys() & CURVES
