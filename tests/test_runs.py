import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load_file

from netlearn.errors import RunError
from netlearn.files import free_path
from netlearn.runs import FILES, RunFolder
from netlearn.settings import read_toml, resolve
from netlearn.slowdown import Record

ROOT = Path(__file__).parents[1]
RECORD = Record(
    update=5, epoch=0.5, seconds=0.25, train_cost=1 / 3, train_accuracy=0.5, validation_cost=2.0,
    validation_accuracy=0.25, output_error=0.1, learning_speed=float("nan"), stuck=0.0, speeds=(0.5, 1e-12),
)  # fmt: skip


def test_metrics_grow_by_a_row_below_one_header(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_record(RECORD)
    folder.write_record(RECORD)
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "update", "epoch", "seconds", "train_cost", "train_accuracy", "validation_cost", "validation_accuracy",
        "output_error", "learning_speed", "stuck", "speed_1", "speed_2",
    ]  # fmt: skip
    assert rows[0] == rows[1]
    assert list(rows[0].values()) == [
        "5", "0.5", "0.25", "0.333333333", "0.5", "2", "0.25", "0.1", "nan", "0", "0.5", "1e-12",
    ]  # fmt: skip


def test_weights_are_safetensors_named_by_layer(tmp_path: Path) -> None:
    weights = [np.ones((3, 4), np.float32), np.zeros((2, 3), np.float32)]
    biases = [np.ones((3, 1), np.float32), np.zeros((2, 1), np.float32)]
    RunFolder(tmp_path).write_weights("weights.safetensors", weights, biases)
    tensors = load_file(tmp_path / "weights.safetensors")
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "weights.1": (3, 4), "weights.2": (2, 3), "biases.1": (3, 1), "biases.2": (2, 1),
    }  # fmt: skip
    np.testing.assert_array_equal(tensors["weights.1"], weights[0])


def test_settings_are_stored_so_that_the_run_can_be_repeated(tmp_path: Path) -> None:
    settings = resolve({"hidden": (), "initializer": (0.6, 0.9)})
    RunFolder(tmp_path).write_settings(settings)
    assert resolve(read_toml(tmp_path / "config.toml")) == settings


def test_summary_is_json_without_nan(tmp_path: Path) -> None:
    class Small(msgspec.Struct):
        cost: float

    RunFolder(tmp_path).write_summary(Small(float("nan")))
    assert json.loads((tmp_path / "summary.json").read_text()) == {"cost": None}


def test_taken_names_are_numbered(tmp_path: Path) -> None:
    names = [RunFolder.numbered(tmp_path / "runs", "run").path.name for _ in range(3)]
    assert names == ["run", "run-2", "run-3"]
    (tmp_path / "digits.png").touch()
    assert free_path(tmp_path, "digits", ".png") == tmp_path / "digits-2.png"


def test_two_runs_that_start_at_once_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([tmp_path / "run", tmp_path / "run-2"])
    (tmp_path / "run").mkdir()  # by the other one, after this one looked
    monkeypatch.setattr("netlearn.runs.free_path", lambda parent, name: next(found))
    assert RunFolder.numbered(tmp_path, "run").path == tmp_path / "run-2"


def test_folder_with_a_run_is_refused_and_overwritten_by_force(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first = RunFolder(path)
    for name in FILES:
        first.write(name, b"old")
    (path / "notes.txt").write_text("mine")
    with pytest.raises(RunError) as caught:
        RunFolder(path)
    assert str(caught.value) == f"{path}: holds a run already; --force overwrites it, --out names another folder"
    assert (path / "summary.json").read_bytes() == b"old"
    RunFolder(path, force=True)
    assert [file.name for file in path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_folder_with_other_things_is_never_touched(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError) as caught:
        RunFolder(tmp_path, force=force)
    assert str(caught.value) == f"{tmp_path}: holds other things than a run; a run needs a folder of its own"
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError) as caught:
        RunFolder(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path / 'file'}: is a file; a run needs a folder of its own"


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "run"
    with pytest.raises(RunError) as caught:
        RunFolder(path)
    assert str(caught.value) == f"{path}: cannot be written: Not a directory"


def test_failed_write_leaves_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.json", b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError) as caught:
        folder.write("summary.json", b"after")
    assert str(caught.value) == f"{tmp_path / 'summary.json'}: cannot be written: No space left on device"
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("summary.json", b"before")]


def test_file_is_moved_into_its_place_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.json", b"before")
    seen: list[bytes] = []
    monkeypatch.setattr("os.fsync", lambda _: seen.append((tmp_path / "summary.json").read_bytes()))
    folder.write("summary.json", b"after")
    assert seen == [b"before", b"after"]  # the file before it is moved, then the folder's entry
    assert (tmp_path / "summary.json").read_bytes() == b"after"


def test_full_disk_leaves_no_half_row(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\nfrom netlearn.errors import RunError\nfrom netlearn.runs import RunFolder\n"
        "from tests.test_runs import RECORD\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "folder = RunFolder(Path('run'))\nfolder.write_record(RECORD)\n"
        "size = Path('run/metrics.csv').stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))\n"
        "try:\n    folder.write_record(RECORD)\nexcept RunError as error:\n    print(error)\n"
        "print(Path('run/metrics.csv').stat().st_size == size)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)},
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.stdout == "run/metrics.csv: cannot be written: File too large\nTrue\n", result.stderr
