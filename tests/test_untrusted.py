"""Run folders and data from others: changes are detected, nothing is executed or followed, sizes are bounded."""

import gzip
import hashlib
import os
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from netlearn import datasets
from netlearn.errors import DataError, RunError
from netlearn.numerics import Array
from netlearn.runs import (
    BEST_WEIGHTS,
    CHECKPOINT,
    METRICS,
    RUN_FILES,
    SUMS,
    Sums,
    epochs_recorded,
    read_config,
    read_run,
)
from netlearn.runs.checkpoint import check_identity, read_checkpoint
from netlearn.runs.formats import MetricsWriter
from netlearn.runs.setup import make_trainer
from netlearn.runs.tensors import unpack, weight_shapes
from netlearn.runs.train_run import checkpoint_identity
from netlearn.settings import resolve
from tests.commands import call, one_line, python
from tests.files import refused, small_arrays, small_dataset, write_folder
from tests.messages import has_facts
from tests.runs import do_run, reseal

ROOT = Path(__file__).parents[1]
SETTINGS = resolve({"snapshots": True, "hidden": (5,), "epochs": 3, "data": "small", "patience": 2})
DATA = small_dataset(train=235)
TRAINER = make_trainer(SETTINGS, DATA)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    do_run(SETTINGS, path, data=DATA, draw=True)
    return path


@pytest.fixture
def own(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def check_all(path: Path) -> None:
    """Check all files as `netlearn verify` does."""
    Sums.read(path).check_all()


def resume(path: Path) -> None:
    """Read a checkpoint as `netlearn train --resume` does after a kill: without SHA256SUMS."""
    check_identity(path / CHECKPOINT, checkpoint_identity(SETTINGS, TRAINER))
    TRAINER.restore(read_checkpoint(path / CHECKPOINT, TRAINER)[0])


PIPES = [os.mkfifo] if hasattr(os, "mkfifo") else []
READERS: dict[str, Callable[[Path], object]] = {
    "config.toml": read_run,
    "metrics.csv": read_run,
    "summary.json": read_run,
    "SHA256SUMS": read_run,
    "weights.safetensors": lambda path: read_run(path).weights(),
    "best.safetensors": lambda path: read_run(path).weights(BEST_WEIGHTS),
    "output_neurons.safetensors": lambda path: read_run(path).samples(),
    "snapshots.safetensors": lambda path: read_run(path).snapshots(),
    "checkpoint.safetensors": resume,
    "curves.png": check_all,
    "curves.svg": check_all,
}


def refuse(reader: Callable[[Path], object], folder: Path, name: str) -> None:
    """Check that a reader refuses a file in one line that begins with its path."""
    with pytest.raises(RunError) as caught:
        reader(folder)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith(str(folder / name)), str(caught.value)


def test_sums_are_those_that_sha256sum_checks_and_every_file_has_a_reader(whole: Path) -> None:
    lines = (whole / SUMS).read_text().splitlines()
    assert lines[-1].startswith("# ")
    for line in lines[:-1]:
        sha256, _, name = line.partition("  ")
        assert hashlib.sha256((whole / name).read_bytes()).hexdigest() == sha256
    assert {line.partition("  ")[2] for line in lines[:-1]} == {*RUN_FILES} == READERS.keys() - {SUMS}
    for reader in READERS.values():
        reader(whole)


@pytest.mark.parametrize("name", READERS)
def test_any_changed_byte_is_detected_in_one_line(own: Path, name: str) -> None:
    path, rng = own / name, np.random.default_rng(0)
    content = path.read_bytes()
    for at, change in zip(rng.integers(len(content), size=50), rng.integers(1, 256, size=50), strict=True):
        changed = bytearray(content)
        changed[at] ^= change
        path.write_bytes(changed)
        for reader in (READERS[name], check_all):
            refuse(reader, own, name)


def test_any_changed_byte_of_the_checkpoints_rows_is_detected(own: Path) -> None:
    path = own / METRICS
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(RunError, match=r"metrics\.csv: its first"):
            MetricsWriter(own).restore(len(content), sha256)
    path.write_bytes(content)
    for more in (1, 2**70):  # as a forged checkpoint states
        with pytest.raises(RunError, match=r"metrics\.csv: its first [\d,]+ bytes"):
            MetricsWriter(own).restore(len(content) + more, sha256)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("put", [*PIPES, lambda path: Path(path).symlink_to(Path(path).parent / "elsewhere")])
def test_link_or_pipe_in_a_run_folder_is_not_followed(own: Path, name: str, put: Callable[[Path], None]) -> None:
    (own / name).rename(own / "elsewhere")
    put(own / name)
    with pytest.raises(RunError, match=rf"{name}: must be a regular file"):
        READERS[name](own)
    assert epochs_recorded(own) == (0 if name == "metrics.csv" else 3)


@pytest.mark.parametrize("name", ["config.toml", "metrics.csv", "checkpoint.safetensors"])
def test_resuming_follows_no_link_and_changes_nothing_behind_it(run: Path, name: str) -> None:
    (run / name).rename("elsewhere")
    (run / name).symlink_to(Path("elsewhere").resolve())
    (run / SUMS).unlink()  # as if it was killed
    before = Path("elsewhere").read_bytes()
    result = call("train", "--resume", "run", "--epochs", "3", "-q")
    message = f"Error: run/{name}: must be a regular file; the files of a run must be in its folder\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
    assert Path("elsewhere").read_bytes() == before


def test_writing_follows_no_link(run: Path) -> None:
    (run / SUMS).unlink()
    Path("elsewhere").write_text("mine")
    for name in (".weights.safetensors.part", ".checkpoint.safetensors.part", ".config.toml.part"):
        (run / name).symlink_to(Path("elsewhere").resolve())
    assert call("train", "--resume", "run", "--epochs", "3", "-q").exit_code == 0
    assert Path("elsewhere").read_text() == "mine"
    assert not list(run.glob(".*"))


@pytest.mark.parametrize("put", PIPES)
def test_pipe_in_the_place_of_metrics_is_not_waited_for(run: Path, put: Callable[[Path], None]) -> None:
    (run / "metrics.csv").unlink()
    put(run / "metrics.csv")
    result = call("train", "--data", "mnist-5k", "--hidden", "none", "--out", "run", "--force", "-q")
    assert one_line(result, 1, "Error: run/metrics.csv: File exists")


def test_large_files_are_not_read_into_memory(own: Path) -> None:
    """What is hashed or refused by its size may be larger than the memory."""
    for name, reader in READERS.items():
        size = (own / name).stat().st_size
        os.truncate(own / name, 200_000_000)  # a hole, which takes no room on the disk
        tracemalloc.start()
        with pytest.raises(RunError, match=name):
            reader(own)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()
        os.truncate(own / name, size)


FORMATS = [("", r"format 1: must be 2 .*netlearn 0\.1 "), ("format = 3\n", r"format 3: must be 2 .*later netlearn")]


@pytest.mark.parametrize(("line", "message"), FORMATS)
def test_folder_of_another_format_is_refused_with_the_version_that_reads_it(
    own: Path, line: str, message: str
) -> None:
    path = own / "config.toml"
    path.write_text(path.read_text().replace("format = 2\n", line))
    reseal(own)
    with pytest.raises(RunError, match=message):
        read_run(own)
    (own / SUMS).unlink()
    with pytest.raises(RunError, match=message):
        read_run(own)


@pytest.mark.parametrize("name", ["a\0b", "..", "a/b", "x" * 300, "\x1b[2J"])
def test_unknown_names_in_sums_are_refused(own: Path, name: str) -> None:
    lines = (own / SUMS).read_bytes().rpartition(b"# ")[0] + f"{'0' * 64}  {name}\n".encode()
    (own / SUMS).write_bytes(lines + f"# {hashlib.sha256(lines).hexdigest()}\n".encode())
    with pytest.raises(RunError, match=r"run/SHA256SUMS: was changed"):
        check_all(own)


@pytest.mark.parametrize("name", [name for name in READERS if not name.endswith((".safetensors", ".png"))])
def test_lines_that_end_with_crlf_are_named_in_every_text_file(own: Path, name: str) -> None:
    path = own / name
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for reader in (READERS[name], check_all):
        with pytest.raises(RunError, match=rf"{name}: its lines end with CR LF .* git .* -text"):
            reader(own)


def test_lines_that_end_with_crlf_are_named_without_sums_too(own: Path, copied: Path) -> None:
    content = (own / METRICS).read_bytes()
    for path in (own / METRICS, copied / "config.toml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(RunError, match=r"metrics.csv: its lines end with CR LF"):
        MetricsWriter(own).restore(len(content), hashlib.sha256(content).hexdigest())
    (copied / SUMS).unlink()
    assert one_line(call("compare", "--resume", "copy"), 1, "copy/config.toml: CR LF, -text")


@pytest.mark.parametrize("line", [f"{'a.' * 20_000}a = 1", f"[{'1.' * 20_000}1]", f"seed = 0x{'f' * 5000}"])
def test_absurd_line_of_settings_is_refused_at_once(own: Path, line: str) -> None:
    (own / "config.toml").write_text(f"format = 2\n{line}\n")
    reseal(own)
    tracemalloc.start()
    for reader in (read_run, read_config):
        refuse(reader, own, "config.toml: ")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("weights.1", np.zeros((4, 3), np.float32), "float32 (4, 3) float32, (3, 4)"),
        ("weights.1", np.zeros((3, 4)), "float64 (3, 4) float32"),
        ("extra", np.zeros(1, np.float32), ""),
        ("biases.1", np.full((3, 1), np.nan, np.float32), ""),
    ],
)
def test_unexpected_tensors_are_refused(name: str, change: Array, message: str) -> None:
    shapes = weight_shapes((4, 3, 2))
    tensors = {each: np.ones(shape, np.float32) for each, shape in shapes.items()} | {name: change}
    with pytest.raises(RunError) as caught:
        unpack(Path("weights.safetensors"), save(tensors), shapes, "float32")
    assert has_facts(str(caught.value), f"weights.safetensors: {name} {message}")


EXTREMES = [b"1e-320", b"1e999", b"-1", b"18446744073709551616", b"1e308", b"nan", b"0", b"9" * 5000, b"[[1]]"]


def forge(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file in which a number, some bytes or the end are others, with the hash that a checkpoint states."""
    numbers = list(re.finditer(rb"(?<![\w.])-?\d[\d.e+-]*", content[:20_000]))
    at, kind = int(rng.integers(len(content))), rng.integers(4)
    if kind < 2 and numbers:
        number = numbers[rng.integers(len(numbers))]
        content = content[: number.start()] + EXTREMES[rng.integers(len(EXTREMES))] + content[number.end() :]
    elif kind == 2:
        content = content[:at] + rng.bytes(int(rng.integers(1, 9))) + content[at + 4 :]
    else:
        content = content[:at] + content[:at] * int(rng.integers(2))
    if (stated := re.search(rb'sha256\\":\\"([0-9a-f]{64})', content)) is None:
        return content
    blank = content.replace(stated[1], b"0" * 64, 1)
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


@pytest.mark.parametrize("name", [name for name in READERS if "curves" not in name])
def test_forged_file_is_accepted_or_refused_in_one_line_that_names_a_file(own: Path, name: str) -> None:
    rng, content = np.random.default_rng(0), (own / name).read_bytes()
    sums, refused = (own / SUMS).read_bytes(), 0
    for _ in range(150):
        (own / SUMS).write_bytes(sums)
        (own / name).write_bytes(forge(content, rng))
        if name != SUMS:
            reseal(own)
        for reader in (READERS[name], read_run):
            if message := problem(reader, own):
                refused += 1
                assert re.match(rf"{re.escape(str(own))}[/:]", message), message
                assert len(message) < 1500
    assert refused > 30


def problem(reader: Callable[[Path], object], folder: Path) -> str | None:
    """Return why a reader refuses a folder, or None; any other error fails the test."""
    try:
        reader(folder)
    except RunError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("name", "old", "new", "command"),
    [
        ("metrics.csv", r"\n\d+,[\d.]+,(?=[^\n]+\n$)", "\n700,1e-320,", ["report", "run"]),
        ("metrics.csv", r"\n\d+,[\d.]+,(?=[^\n]+\n$)", "\n700,1e-320,", ["compare", "run", "-q", "--out", "over"]),
        ("summary.json", r'"sizes": \[[^]]*\]', f'"sizes": [784, {2**64}, 10]', ["evaluate", "run", "-q"]),
        ("summary.json", r'"sizes": \[[^]]*\]', f'"sizes": [784, {2**64}, 10]', ["verify", "run", "-q"]),
    ],
)
def test_absurd_value_is_refused_in_one_line_that_names_the_file(
    run: Path, name: str, old: str, new: str, command: list[str]
) -> None:
    text = (run / name).read_text()
    (run / name).write_text(re.sub(old, new, text))
    assert (run / name).read_text() != text
    reseal(run)
    assert one_line(call(*command), 1, "Error: run/")


EVIL = "from netlearn.costs import Quadratic as Cost\nfrom pathlib import Path\nPath({!r}).touch()\n"


@pytest.mark.slow
def test_code_in_a_run_folder_is_never_executed(run: Path) -> None:
    ran = Path("ran").resolve()
    (run / "evil.py").write_text(EVIL.format(str(ran)))
    settings = (run / "config.toml").read_text()
    for name, folder, command in (("evil", run, ["verify"]), ("run.evil", Path(), ["train", "--resume"])):
        (run / "config.toml").write_text(settings.replace('"cross-entropy"', f'"{name}:Cost"'))
        reseal(run)
        result = python("-m", "netlearn", *command, str(run.resolve()), cwd=folder)
        assert result.returncode in {1, 2}
        assert has_facts(result.stderr, f"Error: {run.resolve()} cost {name}:Cost")
    (run / "config.toml").write_text('format = 2\n[variants.a]\ncost = "evil:Cost"\n[variants.b]\n')
    (run / SUMS).unlink()
    result = python("-m", "netlearn", "compare", "--resume", ".", cwd=run)
    assert has_facts(result.stderr, "Error: cost evil:Cost")
    assert not ran.exists()


def test_no_module_loads_pickles_from_a_file() -> None:
    exchange = {ROOT / f"netlearn/comparison/{name}.py" for name in ("process", "cluster", "orders")}
    for path in {*(ROOT / "netlearn").rglob("*.py")} - exchange:
        text = path.read_text()
        loads = r"np\.load\((?!.*allow_pickle=False)"
        assert not re.search(rf"import pickle|allow_pickle=True|{loads}|\bmarshal\b|\beval\(|\bexec\(", text), path
    assert not any(re.search(r"pickle\.load\(|from pickle", path.read_text()) for path in exchange)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "data.npz"])
def test_corrupted_data_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    rng, arrays = np.random.default_rng(0), small_arrays()
    folder = write_folder(tmp_path / "data", arrays, packed=name.endswith(".gz"))
    path = folder / name
    np.savez_compressed(folder / "data.npz", x_train=arrays[0], y_train=arrays[1], x_test=arrays[2], y_test=arrays[3])
    whole, refusals = path.read_bytes(), list[str]()
    for _ in range(150):
        content = bytearray(whole)
        for at in rng.integers(len(whole), size=rng.integers(1, 4)):
            content[at] = rng.integers(256)
        path.write_bytes(content[: rng.integers(len(whole))] if rng.random() < 0.3 else content)
        try:
            assert datasets.load(str(path)).outputs <= datasets.MAX_CLASSES
        except DataError as error:
            refusals.append(str(error))
    assert len(refusals) > 30
    assert all(len(message.splitlines()) == 1 for message in refusals)


def csv_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b"label,a\n" + b"1,2\n" * 75_000_000, compresslevel=1))


def npz_bomb(path: Path) -> None:
    x, y = np.zeros((5, 4)), np.zeros(5)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")  # the first entry of the list of members: its sizes are 20 bytes further on
    content[at + 20 : at + 28] = (4_000_000_000).to_bytes(4, "little") * 2
    path.write_bytes(content)


@pytest.mark.parametrize(("make", "name"), [(csv_bomb, "a.csv.gz"), (npz_bomb, "a.npz")])
def test_decompression_bomb_is_refused_in_little_memory(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    tracemalloc.start()
    message = refused(str(tmp_path / name))
    assert re.search(r"[\d,]+ bytes unpack to [\d,]+; must be at most 200 times more$", message)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("command", [["compare", "--resume"], ["report"]])
def test_changed_settings_of_a_complete_comparison_are_noticed(command: list[str], compared: Path) -> None:
    shutil.copytree(compared, "out")
    path = Path("out/config.toml")
    path.write_text(path.read_text().replace("quadratic", "quadrat1c", 1))
    assert one_line(call(*command, "out"), 1, "out/config.toml: SHA-256")
