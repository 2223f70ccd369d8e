"""Forged files, decompression bombs and links: refused in one line, in little memory."""

import gzip
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from netlearn.errors import RunError
from netlearn.runs.formats import parse_metrics
from netlearn.runs.tensors import unpack, weight_shapes
from tests.commands import call, python
from tests.files import write_folder
from tests.messages import has_facts

ROOT = Path(__file__).parents[1]
MEASURE = """
import resource, sys
import netlearn.cli.train
from netlearn import datasets
from netlearn.errors import NetlearnError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    datasets.load(sys.argv[1])
except NetlearnError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def idx_bomb(folder: Path) -> Path:
    write_folder(folder)
    count = 400_000
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([count, 28, 28], ">u4").tobytes())
        for _ in range(count // 10_000):
            file.write(bytes(10_000 * 784))
    return folder


def npz_bomb(path: Path) -> Path:
    small, labels = np.zeros((5, 784), np.uint8), np.zeros(400_000, np.uint8)
    np.savez_compressed(path, y_train=labels, x_test=small, y_test=labels[:5])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x_train.npy", "w", force_zip64=True) as member,
    ):
        header = {"descr": "|u1", "fortran_order": False, "shape": (400_000, 784)}
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(40):
            member.write(bytes(10_000 * 784))
    return path


@pytest.mark.parametrize("make", [idx_bomb, npz_bomb])
def test_decompression_bomb_is_refused_in_little_memory(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path / "bomb.npz")
    message, megabytes = python("-c", MEASURE, str(path)).stdout.splitlines()
    assert re.search(r"[\d,]+ bytes unpack to [\d,]+; must be at most 200 times more$", message)
    assert float(megabytes) < 200


@pytest.mark.parametrize("name", ["config.toml", "metrics.csv", "checkpoint.safetensors"])
def test_resuming_follows_no_link_and_changes_nothing_behind_it(run: Path, name: str) -> None:
    (run / name).rename("elsewhere")
    (run / name).symlink_to(Path("elsewhere").resolve())
    (run / "SHA256SUMS").unlink()  # as if it was killed
    before = Path("elsewhere").read_bytes()
    result = call("train", "--resume", "run", "--epochs", "3", "-q")
    message = f"Error: run/{name}: must be a regular file; the files of a run must be in its folder\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
    assert Path("elsewhere").read_bytes() == before


def test_writing_follows_no_link(run: Path) -> None:
    Path("elsewhere").write_text("mine")
    for name in (".weights.safetensors.part", ".checkpoint.safetensors.part", ".config.toml.part"):
        (run / name).symlink_to(Path("elsewhere").resolve())
    assert call("train", "--resume", "run", "--epochs", "3", "-q").exit_code == 0
    assert Path("elsewhere").read_text() == "mine"
    assert not list(run.glob(".*"))


def test_verify_does_not_follow_a_link_to_weights(run: Path) -> None:
    (run / "weights.safetensors").rename("elsewhere")
    (run / "weights.safetensors").symlink_to(Path("elsewhere").resolve())
    result = call("verify", "run", "-q")
    assert "must be a regular file" in result.stderr


TENSORS = [
    ({"weights.1": np.zeros((4, 3), np.float32)}, "weights.1: float32 of shape (4, 3): must be float32, (3, 4)"),
    ({"weights.1": np.zeros((3, 4))}, "weights.1: float64 of shape (3, 4): must be float32, (3, 4)"),
    ({"extra": np.zeros(1, np.float32)}, "extra"),
    ({"biases.2": None}, "biases.2"),
    ({"biases.1": np.full((3, 1), np.nan, np.float32)}, "biases.1"),
]


@pytest.mark.parametrize(("change", "message"), TENSORS, ids=range(len(TENSORS)))
def test_unexpected_tensors_are_refused(change: dict[str, object], message: str) -> None:
    shapes = weight_shapes((4, 3, 2))
    tensors = {name: np.ones(shape, np.float32) for name, shape in shapes.items()} | change
    content = save({name: tensor for name, tensor in tensors.items() if isinstance(tensor, np.ndarray)})
    with pytest.raises(RunError) as caught:
        unpack(Path("weights.safetensors"), content, shapes, "float32")
    assert has_facts(str(caught.value), f"weights.safetensors: {message}")


def test_message_about_many_arrays_is_short() -> None:
    shapes = weight_shapes((1,) * 10_000)
    with pytest.raises(RunError) as caught:
        unpack(Path("weights.safetensors"), save({"extra": np.zeros(1)}), shapes, "float32")
    assert len(str(caught.value)) < 1000


def test_invalid_config_of_a_run_is_refused(run: Path) -> None:
    (run / "config.toml").write_text((run / "config.toml").read_text() + "momentum = 0.9\n")
    result = call("train", "--resume", "run")
    assert has_facts(result.stderr, "Error: unknown key run/config.toml: momentum: ")


def test_too_large_settings_file_is_refused() -> None:
    Path("large.toml").write_text("#" * 250_001)
    result = call("train", "--config", "large.toml")
    assert has_facts(result.stderr, "Error: large.toml: more than 250,000 bytes; no settings need that many\n")


def test_checkpoint_without_its_text_is_refused(run: Path) -> None:
    path = run / "checkpoint.safetensors"
    save_file(load_file(path), path)
    result = call("train", "--resume", "run", "--epochs", "3", "-q")
    assert has_facts(result.stderr, "Error: run/checkpoint.safetensors: not a checkpoint: ")


def test_no_module_loads_pickles_from_a_file() -> None:
    memory = {ROOT / "netlearn/datasets/shared.py"}  # of this user's processes, as multiprocessing itself does
    for path in {*(ROOT / "netlearn").rglob("*.py")} - memory:
        text = path.read_text()
        loads = r"np\.load\((?!.*allow_pickle=False)"
        assert not re.search(rf"import pickle|allow_pickle=True|{loads}|\bmarshal\b|\beval\(|\bexec\(", text), path


@pytest.mark.slow
def test_full_disk_leaves_the_last_good_checkpoint(run: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from netlearn.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n"
        "main(['train', '-q', '--data', 'mnist-5k', '--epochs', '40', '--hidden', '5', '--out', 'full'])\n"
    )
    size = (run / "checkpoint.safetensors").stat().st_size + 1000  # metrics.csv outgrows it on the way
    result = python("-c", code, str(size))
    assert result.returncode == 1
    assert re.fullmatch(r"Error: full/(metrics\.csv|curves\.png): cannot be written: File too large\n", result.stderr)
    again = call("train", "--resume", "full", "-q", "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["epochs"] == 40
    assert call("verify", "full", "-q").exit_code == 0


HEADER = (
    b"update,epoch,seconds,train_cost,train_accuracy,validation_cost,validation_accuracy,output_error,learning_speed"
)


@pytest.mark.parametrize(
    "content", [b"1," * 1000, b"x\n" + b"1\n" * 1000, HEADER + b",stuck,speed_1\n" + b"1," * 1000, HEADER + b"\n"]
)
def test_files_that_are_not_metrics_are_refused_by_their_first_lines(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numpy.loadtxt", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(RunError, match=r"metrics\.csv: not the metrics of a run"):
        parse_metrics(Path("metrics.csv"), content)


def test_checkpoint_with_deeply_nested_text_is_refused(run: Path) -> None:
    path = run / "checkpoint.safetensors"
    save_file(load_file(path), path, {"state": '{"a":' * 50_000})
    result = call("train", "--resume", "run", "--epochs", "3", "-q")
    assert has_facts(result.stderr, "Error: run/checkpoint.safetensors: not a checkpoint: ")
