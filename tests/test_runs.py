import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load

from netlearn.errors import RunError
from netlearn.network import Network
from netlearn.runs import FILES, RunFolder, Sums, checkpoint, config, metrics, read_run, summary, weights
from netlearn.runs.files import free_path
from netlearn.settings import resolve, write_toml
from netlearn.slowdown import Record
from tests.files import small_dataset
from tests.messages import tells
from tests.runs import do_run

ROOT = Path(__file__).parents[1]
RECORD = Record(
    update=5, epoch=0.5, seconds=0.25, train_cost=1 / 3, train_accuracy=0.5, validation_cost=2.0,
    validation_accuracy=0.25, output_error=0.1, learning_speed=float("nan"), stuck=0.0, speeds=(0.5, 1e-12),
)  # fmt: skip


def test_metrics_grow_by_a_row_below_one_header(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    writer = metrics.MetricsWriter(tmp_path / "run")
    writer.write(RECORD)
    writer.write(RECORD)
    content = (tmp_path / "run" / "metrics.csv").read_bytes()
    assert (writer.size, writer.sha256) == (len(content), hashlib.sha256(content).hexdigest())
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


def test_weights_are_safetensors_named_by_layer() -> None:
    network = Network([4, 3, 2], rng=np.random.default_rng(0))
    tensors = load(weights.encode(network))
    assert {name: tensor.shape for name, tensor in tensors.items()} == weights.shapes_of((4, 3, 2))
    assert weights.shapes_of((4, 3, 2)) == {
        "weights.1": (3, 4), "biases.1": (3, 1), "weights.2": (2, 3), "biases.2": (2, 1),
    }  # fmt: skip
    np.testing.assert_array_equal(tensors["weights.1"], network.weights[0])


def test_settings_are_stored_so_that_the_run_can_be_repeated(tmp_path: Path) -> None:
    settings = resolve({"hidden": (), "initializer": (0.6, 0.9)})
    (tmp_path / "config.toml").write_bytes(write_toml(settings))
    assert config.read(tmp_path) == settings


def test_summary_is_json_without_nan() -> None:
    class Small(msgspec.Struct):
        cost: float

    assert json.loads(summary.encode(Small(float("nan")))) == {"cost": None}


def test_taken_names_are_numbered(tmp_path: Path) -> None:
    for name in ("run", "run-2", "run-3"):
        with RunFolder.create_numbered(tmp_path / "runs", "run") as folder:
            assert folder.path.name == name
    (tmp_path / "digits.png").touch()
    assert free_path(tmp_path, "digits", ".png") == tmp_path / "digits-2.png"


def test_two_runs_that_start_at_once_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        for name in FILES:
            first.write(name, b"old")
        first.finish()
    (path / "notes.txt").write_text("mine")
    assert tells(refusal(path), f"{path}: --force --out")
    assert (path / "summary.json").read_bytes() == b"old"
    with RunFolder.create(path, force=True):
        assert [file.name for file in path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_folder_with_other_things_is_never_touched(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert tells(refusal(tmp_path, force=force), f"{tmp_path}: ")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_file_in_the_way_and_folder_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert tells(refusal(tmp_path / "file"), f"{tmp_path / 'file'}: ")
    assert "Not a directory" in refusal(tmp_path / "file" / "run")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "run"
    settings = resolve({"hidden": (5,), "epochs": 3, "data": "small", "patience": 2})
    do_run(settings, path, data=small_dataset(train=235), draw=True)
    return path


def read_everything(path: Path) -> None:
    """Read a run folder as the commands do that read each of its files."""
    run = read_run(path)
    run.samples()
    run.weights()
    run.weights(weights.BEST)
    checkpoint.check_settings(path / checkpoint.NAME, run.settings)
    Sums.read(path).check_all(10**9)


def test_sums_are_those_that_sha256sum_checks(finished: Path) -> None:
    lines = (finished / "SHA256SUMS").read_text().splitlines()
    assert lines[-1].startswith("# ")
    for line in lines[:-1]:
        sha256, _, name = line.partition("  ")
        assert hashlib.sha256((finished / name).read_bytes()).hexdigest() == sha256
    assert {line.partition("  ")[2] for line in lines[:-1]} == {*FILES}
    read_everything(finished)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FILES, "SHA256SUMS"])
def test_any_changed_byte_is_detected_in_one_line(finished: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    content = (path / name).read_bytes()
    rng = np.random.default_rng(len(content))
    for at, change in zip(rng.integers(len(content), size=1000), rng.integers(1, 256, size=1000), strict=True):
        changed = bytearray(content)
        changed[at] ^= change
        (path / name).write_bytes(changed)
        with pytest.raises(RunError) as caught:
            read_everything(path)
        assert len(str(caught.value).splitlines()) == 1
        assert str(path) in str(caught.value)


def test_changed_checkpoint_is_detected_without_the_other_hashes(finished: Path, tmp_path: Path) -> None:
    content = (finished / checkpoint.NAME).read_bytes()
    path = tmp_path / checkpoint.NAME
    rng = np.random.default_rng(0)
    settings = read_run(finished).settings
    for at in rng.integers(len(content), size=200):
        changed = bytearray(content)
        changed[at] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        with pytest.raises(RunError):
            checkpoint.check_settings(path, settings)


@pytest.mark.parametrize("name", ["config.toml", "metrics.csv", "summary.json", "weights.safetensors"])
def test_link_in_a_run_folder_is_not_followed(finished: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="not a plain file"):
        read_everything(path)


def test_folder_of_version_0_1_is_refused_with_the_version_that_reads_it(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    (path / "SHA256SUMS").unlink()
    text = (path / "config.toml").read_text()
    (path / "config.toml").write_text(text.replace("format = 2\n", ""))
    with pytest.raises(RunError, match=r"format 1.* netlearn 0\.1 "):
        read_run(path)


def test_failed_write_leaves_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.json", b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError) as caught:
        folder.write("summary.json", b"after")
    assert tells(str(caught.value), f"{tmp_path / 'summary.json'}: cannot be written: No space left on device")
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
        "from pathlib import Path\nfrom netlearn.errors import RunError\n"
        "from netlearn.runs.metrics import MetricsWriter\n"
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
