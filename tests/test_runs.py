"""Run folders as they are written: each file whole or absent, by one process at a time."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load

from netlearn.errors import RunError
from netlearn.network import Network
from netlearn.runs import RUN_FILES, RunFolder, encode_summary, free_path
from netlearn.runs.files import lock_by_file
from netlearn.runs.formats import MetricsWriter
from netlearn.runs.tensors import encode_weights, weight_shapes
from netlearn.slowdown import Record
from tests.commands import QUICK, call, compare, train
from tests.messages import has_facts

ROOT = Path(__file__).parents[1]
RECORD = Record(
    update=5, epoch=0.5, seconds=0.25, learning_rate=0.5, train_cost=1 / 3, train_accuracy=0.5, validation_cost=2.0,
    validation_accuracy=0.25, output_error=0.1, learning_speed=float("nan"), stuck=0.0, speeds=(0.5, 1e-12),
)  # fmt: skip


def test_metrics_grow_by_a_row_below_one_header(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    writer = MetricsWriter(tmp_path / "run")
    writer.write(RECORD)
    writer.write(RECORD)
    content = (tmp_path / "run" / "metrics.csv").read_bytes()
    assert (writer.size, writer.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "update", "epoch", "seconds", "learning_rate", "train_cost", "train_accuracy", "validation_cost",
        "validation_accuracy", "output_error", "learning_speed", "stuck", "speed_1", "speed_2",
    ]  # fmt: skip
    assert rows[0] == rows[1]
    assert list(rows[0].values()) == [
        "5", "0.5", "0.25", "0.5", "0.333333333", "0.5", "2", "0.25", "0.1", "nan", "0", "0.5", "1e-12",
    ]  # fmt: skip


def test_weights_are_safetensors_named_by_layer() -> None:
    network = Network([4, 3, 2], rng=np.random.default_rng(0))
    tensors = load(encode_weights(network))
    assert {name: tensor.shape for name, tensor in tensors.items()} == weight_shapes((4, 3, 2))
    assert weight_shapes((4, 3, 2)) == {
        "weights.1": (3, 4), "biases.1": (3, 1), "weights.2": (2, 3), "biases.2": (2, 1),
    }  # fmt: skip
    np.testing.assert_array_equal(tensors["weights.1"], network.weights[0])


def test_summary_is_json_without_nan() -> None:
    class Small(msgspec.Struct):
        cost: float

    assert json.loads(encode_summary(Small(float("nan")))) == {"cost": None}


def test_taken_names_are_numbered(tmp_path: Path) -> None:
    for name in ("run", "run-2", "run-3"):
        with RunFolder.create_numbered(tmp_path / "runs", "run") as folder:
            assert folder.path.name == name
    (tmp_path / "digits.png").touch()
    assert free_path(tmp_path, "digits", ".png") == tmp_path / "digits-2.png"


def test_runs_started_at_once_get_different_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([tmp_path / "run", tmp_path / "run-2"])
    (tmp_path / "run").mkdir()  # by the other run, after this one looked
    monkeypatch.setattr("netlearn.runs.folder.free_path", lambda parent, name: next(found))
    with RunFolder.create_numbered(tmp_path, "run") as folder:
        assert folder.path == tmp_path / "run-2"


def refusal(path: Path, **given: Any) -> str:
    with pytest.raises(RunError) as caught, RunFolder.create(path, **given):
        pytest.fail("entered")
    return str(caught.value)


def test_folder_with_a_run_is_refused_and_overwritten_by_force(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with RunFolder.create(path) as first:
        for name in RUN_FILES:
            first.write(name, b"old")
        first.finish()
    (path / "notes.txt").write_text("mine")
    assert has_facts(refusal(path), f"{path}: --force")
    assert (path / "summary.json").read_bytes() == b"old"
    with RunFolder.create(path, force=True):
        assert [file.name for file in path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_folder_with_other_files_is_never_changed(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert has_facts(refusal(tmp_path, force=force), f"{tmp_path}: ")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_obstructing_file_and_unwritable_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert has_facts(refusal(tmp_path / "file"), f"{tmp_path / 'file'}: ")
    assert "Not a directory" in refusal(tmp_path / "file" / "run")


HOLD = """
import sys
from functools import partial
from pathlib import Path
from netlearn.runs import RunFolder
with RunFolder.existing(Path("run")):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_two_processes_cannot_enter_a_folder() -> None:
    """Whatever the second one wants to do, it is refused, and nothing is deleted or changed."""
    assert train("-q", "--out", "run").exit_code == 0
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    command = [sys.executable, "-c", HOLD]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        for arguments in (["--out", "run", "--force"], ["--resume", "run", "--epochs", "3"]):
            result = (train if "--out" in arguments else partial(call, "train"))(*arguments, "-q")
            assert (result.exit_code, has_facts(result.stderr, "Error: run: in use by another process")) == (1, True)
        refused = compare(*QUICK, "-q", "--out", "run", "--force")
        assert (refused.exit_code, has_facts(refused.stderr, "Error: run: in use by another process")) == (1, True)
        assert {path: path.read_bytes() for path in Path("run").iterdir()} == before
        process.communicate()
    assert train("--out", "run", "--force", "-q").exit_code == 0


LOCK_BY_FILE = """
import sys, time
from pathlib import Path
from netlearn.runs.files import lock_by_file
with lock_by_file(Path("run")):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_lock_of_windows_is_held_by_one_process_and_released_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("filelock")
    Path("run").mkdir()
    monkeypatch.setenv("TMPDIR", str(Path().resolve()))
    monkeypatch.setattr("tempfile.tempdir", None)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LOCK_BY_FILE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(RunError, match=r"run: in use by another process"), lock_by_file(Path("run")):
            pytest.fail("entered")
        process.kill()
    with lock_by_file(Path("run")):
        assert list(Path("run").iterdir()) == []


def test_failed_write_leaves_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.json", b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError) as caught:
        folder.write("summary.json", b"after")
    assert has_facts(str(caught.value), f"{tmp_path / 'summary.json'}: cannot be written: No space left on device")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("summary.json", b"before")]


def test_full_disk_leaves_no_partial_row(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\nfrom netlearn.errors import RunError\n"
        "from netlearn.runs.formats import MetricsWriter\n"
        "from tests.test_runs import RECORD\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "Path('run').mkdir()\nwriter = MetricsWriter(Path('run'))\nwriter.write(RECORD)\n"
        "size = Path('run/metrics.csv').stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))\n"
        "try:\n    writer.write(RECORD)\nexcept RunError as error:\n    print(error)\n"
        "print(Path('run/metrics.csv').stat().st_size == size)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)},
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.stdout == "run/metrics.csv: cannot be written: File too large\nTrue\n", result.stderr
