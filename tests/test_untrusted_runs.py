"""Run folders and settings from others: nothing in them is executed, and every size is bounded."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from netlearn.comparison.compare import remove_runs
from netlearn.custom_cost import lies_in
from netlearn.errors import SettingsError
from netlearn.runs.tensors import MOST_HEADER
from netlearn.toml import decode_toml
from tests.commands import call, compare, one_line, python
from tests.files import write_folder
from tests.messages import has_facts
from tests.runs import reseal

EVIL = "from netlearn.costs import Quadratic as Cost\nfrom pathlib import Path\nPath({!r}).touch()\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a" + ".a" * 40_000 + " = 1\n", "line 1 has 40,000 dots: must be at most 50"),
        ("epochs = 0x" + "f" * 3600, "10,000 bits"),
        ("seeds = [[0x" + "f" * 3600 + "]]", "10,000 bits"),
    ],
)
def test_toml_that_would_fill_memory_or_cannot_be_printed_is_refused(content: str, message: str) -> None:
    Path("x.toml").write_text(content)
    with pytest.raises(SettingsError) as caught:
        decode_toml(Path("x.toml"))
    assert has_facts(str(caught.value), f"x.toml: {message}")
    for command in ("train", "compare"):
        arguments = ["--config", "x.toml"] if command == "train" else ["x.toml"]
        assert has_facts(call(command, *arguments).stderr, f"Error: x.toml: {message}")


@pytest.mark.slow
def test_code_in_a_run_folder_is_never_executed(run: Path) -> None:
    ran = Path("ran").resolve()
    (run / "evil.py").write_text(EVIL.format(str(ran)))
    settings = (run / "config.toml").read_text()
    for name, folder in (("evil", run), ("run.evil", Path())):
        (run / "config.toml").write_text(settings.replace('"cross-entropy"', f'"{name}:Cost"'))
        reseal(run)
        for command in (["verify"], ["train", "--resume"]):
            result = python("-m", "netlearn", *command, str(run.resolve()), cwd=folder)
            assert result.returncode == 1
            assert has_facts(result.stderr, f"Error: {run.resolve()}/config.toml: cost {name}:Cost")
    (run / "config.toml").write_text('format = 2\n[variants.a]\ncost = "evil:Cost"\n[variants.b]\n')
    (run / "SHA256SUMS").unlink()
    result = python("-m", "netlearn", "compare", "--resume", ".", cwd=run)
    assert has_facts(result.stderr, "Error: config.toml: cost evil:Cost")
    assert not ran.exists()


def test_cost_beside_the_run_folder_is_imported(run: Path) -> None:
    Path("costs_of_mine.py").write_text(EVIL.format("ran"))
    assert not lies_in("costs_of_mine:Cost", run)
    assert lies_in("costs_of_mine:Cost", Path())
    assert not lies_in("nowhere:Cost", Path())
    assert not lies_in("json:Cost", Path())
    assert not Path("ran").exists()


@pytest.mark.parametrize("content", [None, b"x" * 3000])
def test_missing_weights_are_restored_by_resuming(run: Path, content: bytes | None) -> None:
    path = run / "weights.safetensors"
    weights = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    result = call("train", "--resume", "run", "-q")
    assert result.exit_code == 0, result.output
    assert path.read_bytes() == weights
    assert "already" in call("train", "--resume", "run").stderr


def test_verify_reads_the_weights_before_it_trains(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.runs.verify.make_trainer", lambda *_, **__: pytest.fail("trained"))
    (run / "weights.safetensors").unlink()
    assert "weights.safetensors" in call("verify", "run", "-q").stderr
    reseal(run)
    assert "weights.safetensors" in call("verify", "run", "-q").stderr


def test_safetensors_with_too_long_a_header_are_refused(run: Path) -> None:
    header = json.dumps({"__metadata__": {"state": "x" * MOST_HEADER}}).encode()
    (run / "checkpoint.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    result = call("train", "--resume", "run", "-q", "--epochs", "3")
    assert has_facts(result.stderr, f"run/checkpoint.safetensors: {len(header):,} bytes: must be at most 1,000,000")


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_force_removes_only_the_runs_that_the_comparison_lists_and_none_with_other_files() -> None:
    quick = ["-q", "--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "--seeds", "1", "--out", "out"]
    assert compare(*quick).exit_code == 0
    shutil.copytree("out/quadratic-0", "out/my-thesis")
    Path("out/cross-entropy-0/precious.txt").write_text("mine")
    remove_runs(Path("out"))
    assert Path("out/my-thesis/weights.safetensors").exists()
    assert Path("out/cross-entropy-0/precious.txt").read_text() == "mine"
    assert not Path("out/quadratic-0").exists()


def test_numbers_of_images_and_labels_are_compared_before_either_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "data")
    (tmp_path / "data/train-images-idx3-ubyte.gz").unlink()
    with (tmp_path / "data/train-images-idx3-ubyte").open("wb") as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([1_500_000, 28, 28], ">u4").tobytes())
        file.truncate(16 + 1_500_000 * 784)  # a hole, which takes no room on the disk
    monkeypatch.setattr("netlearn.datasets.loading.read_idx", lambda *_, **__: pytest.fail("read"))
    result = call("train", "--data", "data")
    assert result.exit_code == 1
    assert result.stderr.endswith(" must be 1,500,000, one for each image\n")


@pytest.mark.parametrize("flags", [["--hidden", "none"], ["--no-track-test"], ["--baseline", "a"], ["--force"]])
def test_resumed_comparison_takes_no_other_settings(flags: list[str]) -> None:
    result = compare("--resume", "anywhere", *flags)
    name = "--track-test" if "track" in flags[0] else flags[0]
    assert (result.exit_code, has_facts(result.stderr, f"Error: {name}: ")) == (2, True)


@pytest.mark.parametrize("command", [["compare", "--resume"], ["report"]])
def test_changed_settings_of_a_complete_comparison_are_noticed(command: list[str], compared: Path) -> None:
    shutil.copytree(compared, "out")
    path = Path("out/config.toml")
    path.write_text(path.read_text().replace("quadratic", "quadrat1c", 1))
    assert one_line(call(*command, "out"), 1, "out/config.toml: SHA-256")
