"""Complete run folders: any change is detected, links are not followed, and sizes are bounded before reading."""

import hashlib
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netlearn.errors import RunError
from netlearn.runs import BEST_WEIGHTS, CHECKPOINT, METRICS, RUN_FILES, Sums, epochs_recorded, read_run
from netlearn.runs.checkpoint import check_identity, read_checkpoint
from netlearn.runs.formats import MetricsWriter
from netlearn.runs.reader import determining_settings
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import checkpoint_identity
from netlearn.settings import resolve
from tests.commands import call
from tests.files import small_dataset
from tests.messages import has_facts
from tests.runs import do_run, reseal

SETTINGS = resolve({"snapshots": True, "hidden": (5,), "epochs": 3, "data": "small", "patience": 2})
DATA = small_dataset(train=235)
TRAINER = make_trainer(SETTINGS, DATA)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "run"
    do_run(SETTINGS, path, data=DATA, draw=True)
    return path


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def check_all(path: Path) -> None:
    """Check all files as `netlearn verify` does."""
    Sums.read(path).check_all()


def resume_from(path: Path) -> None:
    """Read a checkpoint as `netlearn train --resume` does after a kill: without SHA256SUMS."""
    check_identity(path / CHECKPOINT, checkpoint_identity(SETTINGS, TRAINER))
    read_checkpoint(path / CHECKPOINT, TRAINER)


READERS: dict[str, Callable[[Path], object]] = {
    "config.toml": read_run,
    "metrics.csv": read_run,
    "summary.json": read_run,
    "SHA256SUMS": read_run,
    "weights.safetensors": lambda path: read_run(path).weights(),
    "best.safetensors": lambda path: read_run(path).weights(BEST_WEIGHTS),
    "output_neurons.safetensors": lambda path: read_run(path).samples(),
    "snapshots.safetensors": lambda path: read_run(path).snapshots(),
    "checkpoint.safetensors": resume_from,
    "curves.png": check_all,
    "curves.svg": check_all,
}


def test_sums_are_those_that_sha256sum_checks(finished: Path) -> None:
    lines = (finished / "SHA256SUMS").read_text().splitlines()
    assert lines[-1].startswith("# ")
    for line in lines[:-1]:
        sha256, _, name = line.partition("  ")
        assert hashlib.sha256((finished / name).read_bytes()).hexdigest() == sha256
    assert {line.partition("  ")[2] for line in lines[:-1]} == {*RUN_FILES}
    for reader in READERS.values():
        reader(finished)


def test_every_file_has_a_reader() -> None:
    assert READERS.keys() == {*RUN_FILES, "SHA256SUMS"}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_any_changed_byte_is_detected_in_one_line(copied: Path, name: str) -> None:
    path = copied / name
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for at, change in zip(rng.integers(len(content), size=1000), rng.integers(1, 256, size=1000), strict=True):
        changed = bytearray(content)
        changed[at] ^= change
        path.write_bytes(changed)
        for reader in (READERS[name], check_all):
            with pytest.raises(RunError) as caught:
                reader(copied)
            assert len(str(caught.value).splitlines()) == 1
            assert str(caught.value).startswith(str(path)), str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_verify_reports_a_changed_file_in_one_line(copied: Path, name: str) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[:-1])
    result = call("verify", str(copied))
    assert (result.exit_code, result.stdout) == (1, "")
    assert has_facts(result.stderr, f"Error: {copied / name}: ")


@pytest.mark.slow
def test_any_changed_byte_of_the_checkpoints_rows_is_detected(copied: Path) -> None:
    path = copied / METRICS
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(RunError, match=r"metrics\.csv: its first"):
            MetricsWriter(copied).restore(len(content), sha256)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("put", [os.mkfifo, lambda path: Path(path).symlink_to(Path(path).parent / "elsewhere")])
def test_link_or_pipe_in_a_run_folder_is_not_followed(copied: Path, name: str, put: Callable[[Path], None]) -> None:
    (copied / name).rename(copied / "elsewhere")
    put(copied / name)
    with pytest.raises(RunError, match=rf"{name}: must be a regular file"):
        READERS[name](copied)
    assert epochs_recorded(copied) == (0 if name == "metrics.csv" else 3)


FORMATS = [("", r"format 1: must be 2 .*netlearn 0\.1 "), ("format = 3\n", r"format 3: must be 2 .*later netlearn")]


@pytest.mark.parametrize(("line", "message"), FORMATS)
def test_folder_of_another_format_is_refused_with_the_version_that_reads_it(
    copied: Path, line: str, message: str
) -> None:
    path = copied / "config.toml"
    path.write_text(path.read_text().replace("format = 2\n", line))
    reseal(copied)
    with pytest.raises(RunError, match=message):
        read_run(copied)
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(RunError, match=message):
        read_run(copied)


def test_folder_without_sums_is_not_complete(copied: Path) -> None:
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(RunError, match=r"run: .* SHA256SUMS"):
        read_run(copied)


def test_large_files_are_not_read_into_memory(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hashed or refused by its size may be larger than the memory."""
    for name, reader in READERS.items():
        size = (copied / name).stat().st_size
        os.truncate(copied / name, 200_000_000)  # a hole, which takes no room on the disk
        tracemalloc.start()
        with pytest.raises(RunError, match=name):
            reader(copied)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()
        os.truncate(copied / name, size)


def test_settings_of_a_checkpoint_are_read_from_its_header(copied: Path) -> None:
    os.truncate(copied / CHECKPOINT, 200_000_000)
    tracemalloc.start()
    check_identity(copied / CHECKPOINT, determining_settings(SETTINGS))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("more", [1, 2**70])
def test_checkpoint_with_more_rows_than_the_metrics_is_refused(copied: Path, more: int) -> None:
    """A forged checkpoint states their hash and a larger size."""
    content = (copied / METRICS).read_bytes()
    with pytest.raises(RunError, match=r"metrics\.csv: its first [\d,]+ bytes"):
        MetricsWriter(copied).restore(len(content) + more, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("name", ["a\0b", "..", "a/b", "x" * 300, "\x1b[2J"])
def test_unknown_names_in_sums_are_refused(copied: Path, name: str) -> None:
    lines = (copied / "SHA256SUMS").read_bytes().rpartition(b"# ")[0] + f"{'0' * 64}  {name}\n".encode()
    (copied / "SHA256SUMS").write_bytes(lines + f"# {hashlib.sha256(lines).hexdigest()}\n".encode())
    with pytest.raises(RunError, match=r"run/SHA256SUMS: was changed"):
        check_all(copied)
