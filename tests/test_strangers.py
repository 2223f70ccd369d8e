"""Run folders and settings from strangers: whatever they state is compared with the rest before it is believed."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from netlearn.costs import lies_in
from netlearn.errors import RunError, SettingsError
from netlearn.history import read_run
from netlearn.runs import RunFolder
from netlearn.settings import decode_toml
from netlearn.tensors import MOST_HEADER
from tests.commands import call, compare, python, train
from tests.files import write_folder

EVIL = "from netlearn.costs import Quadratic as Cost\nfrom pathlib import Path\nPath({!r}).touch()\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert train("-q", "--hidden", "5", "--out", str(folder)).exit_code == 0
    return folder


@pytest.fixture
def run(finished: Path) -> Path:
    shutil.copytree(finished, "run")
    return Path("run")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a" + ".a" * 40_000 + " = 1\n", "line 1 has 40,000 dots; allowed are 50"),
        ("epochs = 0x" + "f" * 3600, "holds a whole number of more than 10,000 bits; no setting is as large"),
        ("seeds = [[0x" + "f" * 3600 + "]]", "holds a whole number of more than 10,000 bits; no setting is as large"),
    ],
)
def test_toml_that_would_fill_the_memory_or_cannot_be_told_is_refused(content: str, message: str) -> None:
    Path("x.toml").write_text(content)
    with pytest.raises(SettingsError) as caught:
        decode_toml(Path("x.toml"))
    assert str(caught.value) == f"x.toml: {message}"
    for command in ("train", "compare"):
        arguments = ["--config", "x.toml"] if command == "train" else ["x.toml"]
        assert call(command, *arguments).stderr == f"Error: x.toml: {message}\n"


def test_code_that_comes_with_a_run_is_never_run(run: Path) -> None:
    ran = Path("ran").resolve()
    (run / "evil.py").write_text(EVIL.format(str(ran)))
    settings = (run / "config.toml").read_text()
    for name, folder in (("evil", run), ("run.evil", Path())):
        (run / "config.toml").write_text(settings.replace('"cross-entropy"', f'"{name}:Cost"'))
        for command in (["verify"], ["train", "--resume"]):
            result = python("-m", "netlearn", *command, str(run.resolve()), cwd=folder)
            assert result.returncode == 1
            assert result.stderr == (
                f"Error: {run.resolve()}/config.toml: cost {name}:Cost: its code lies in the folder, "
                "which may hold no code\n"
            )
    (run / "config.toml").write_text('[variants.a]\ncost = "evil:Cost"\n[variants.b]\n')
    result = python("-m", "netlearn", "compare", "--resume", ".", cwd=run)
    assert (
        result.stderr == "Error: config.toml: cost evil:Cost: its code lies in the folder, which may hold no code\n"
    )
    assert not ran.exists()


def test_own_cost_beside_the_run_folder_is_the_users_own(run: Path) -> None:
    Path("costs_of_mine.py").write_text(EVIL.format("ran"))
    assert not lies_in("costs_of_mine:Cost", run)
    assert lies_in("costs_of_mine:Cost", Path())
    assert not lies_in("nowhere:Cost", Path())
    assert not lies_in("json:Cost", Path())
    assert not Path("ran").exists()


CHANGES = {
    "train_accuracy": (2, "57", "no run can have the values of its column train_accuracy"),
    "validation_cost": (1, "1e308", "no run can have the values of its column validation_cost"),
    "train_cost": (3, "nan", "no run can have the values of its column train_cost"),
    "stuck": (3, "-0.5", "no run can have the values of its column stuck"),
    "speed_2": (4, "inf", "no run can have the values of its column speed_2"),
    "epoch": (-1, "1e-320", "no run can have the values of its column epoch"),
    "update": (3, "1", "no run can have the values of its column update"),
}


@pytest.mark.parametrize("column", CHANGES)
def test_metrics_that_no_run_can_have_are_refused(run: Path, column: str) -> None:
    row, value, message = CHANGES[column]
    header, *rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    rows[row][header.index(column)] = value
    (run / "metrics.csv").write_text("".join(",".join(row) + "\n" for row in [header, *rows]))
    with pytest.raises(RunError) as caught:
        read_run(run, "")
    assert str(caught.value) == f"run/metrics.csv: {message}"


def test_metrics_that_end_before_the_run_does_are_refused(run: Path) -> None:
    lines = (run / "metrics.csv").read_text().splitlines()
    (run / "metrics.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(RunError, match=r"metrics\.csv: ends at update 350; the run, by its summary\.json, at 700"):
        read_run(run, "")


def test_metrics_of_more_rows_than_the_run_can_have_are_not_read(run: Path) -> None:
    text = (run / "metrics.csv").read_text()
    (run / "metrics.csv").write_text(text + text.splitlines(keepends=True)[-1] * 200)
    with pytest.raises(RunError, match=r"^run/metrics\.csv: [\d,]+ bytes; allowed are [\d,]+$"):
        read_run(run, "")


def edit_summary(run: Path, **changes: object) -> None:
    path = run / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [784, 6, 10]}, "the summary of another run than that of config.toml"),
        ({"seed": 3}, "the summary of another run than that of config.toml"),
        ({"error": "\x1b[2J"}, "not the summary of a run: a text of it cannot be printed"),
        ({"data": {"train": 0}}, "not the summary of a run: no run can have its values"),
    ],
)
def test_summary_of_another_run_or_for_the_terminal_is_refused(
    run: Path, changes: dict[str, object], message: str
) -> None:
    edit_summary(run, **changes)
    with pytest.raises(RunError) as caught:
        read_run(run, "")
    assert str(caught.value) == f"run/summary.json: {message}"


def test_run_of_a_newer_netlearn_is_not_trained_on(run: Path) -> None:
    edit_summary(run, environment={"netlearn": "99.0"})
    before = {path: path.read_bytes() for path in run.iterdir()}
    for epochs in ("2", "3"):
        result = call("train", "--resume", "run", "--epochs", epochs, "-q")
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: run/summary.json: made by netlearn 99.0; this is ")
    assert {path: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize("content", [None, b"x" * 3000])
def test_weights_that_are_gone_come_back_with_resume(run: Path, content: bytes | None) -> None:
    path = run / "weights.safetensors"
    weights = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    result = call("train", "--resume", "run", "-q")
    assert result.exit_code == 0, result.output
    assert path.read_bytes() == weights
    assert "already" in call("train", "--resume", "run").stderr


def test_verify_looks_at_the_weights_before_it_trains(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.verification.make_trainer", lambda *_: pytest.fail("trained"))
    settings = (run / "config.toml").read_text()
    (run / "config.toml").write_text(settings.replace("    5,\n", "    100000,\n"))
    result = call("verify", "run", "-q")
    assert result.stderr == (
        "Error: run/weights.safetensors: weights.1 is F32 of shape (5, 784); allowed is float32, (100000, 784)\n"
    )


def test_header_of_tensors_is_not_read_where_it_is_too_long(run: Path) -> None:
    header = json.dumps({"__metadata__": {"state": "x" * MOST_HEADER}}).encode()
    content = struct.pack("<Q", len(header)) + header
    (run / "checkpoint.safetensors").write_bytes(content)
    result = call("train", "--resume", "run", "-q")
    message = f"not a safetensors file: states a header of {len(header):,} bytes; allowed are 1,000,000"
    assert result.stderr == f"Error: run/checkpoint.safetensors: {message}\n"
    (run / "output_neurons.safetensors").write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_run(run, "").samples()
    assert str(caught.value) == f"run/output_neurons.safetensors: {message}"


def test_force_removes_no_folder_that_holds_other_things() -> None:
    for name in ("mine", "quadratic-0"):
        Path("out", name).mkdir(parents=True)
        Path("out", name, "config.toml").write_text("x = 1\n")
    Path("out/config.toml").touch()
    Path("out/mine/precious.txt").write_text("mine")
    RunFolder(Path("out"), force=True).remove_runs()
    assert Path("out/mine/precious.txt").read_text() == "mine"
    assert not Path("out/quadratic-0").exists()


def test_images_and_labels_are_paired_before_either_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "data")
    (tmp_path / "data/train-images-idx3-ubyte.gz").unlink()
    with (tmp_path / "data/train-images-idx3-ubyte").open("wb") as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([1_500_000, 28, 28], ">u4").tobytes())
        file.truncate(16 + 1_500_000 * 784)  # a hole, which takes no room on the disk
    monkeypatch.setattr("netlearn.datasets.loading.read_idx", lambda *_: pytest.fail("read"))
    result = call("train", "--data", "data")
    assert result.exit_code == 1
    assert result.stderr.endswith(" must be 1,500,000, one for each image\n")


@pytest.mark.parametrize("flags", [["--hidden", "none"], ["--no-track-test"], ["--seeds", "0"], ["--force"]])
def test_comparison_that_is_resumed_takes_no_other_settings(flags: list[str]) -> None:
    result = compare("--resume", "anywhere", *flags)
    name = "--track-test" if "track" in flags[0] else flags[0]
    message = f"Error: {name}: a comparison that is resumed is done as its folder has it\n"
    assert (result.exit_code, result.stderr) == (2, message)


def test_tensors_that_are_sound_are_still_read(run: Path) -> None:
    save_file({"error.0": np.zeros(1000, np.float32), "gradient.0": np.zeros(1000, np.float32)},
              run / "output_neurons.safetensors")  # fmt: skip
    assert list(read_run(run, "").samples()) == [0]
