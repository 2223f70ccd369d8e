"""Which runs are the same, which are complete, and what is not to be mixed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netlearn.comparison.analysis import name_variants
from netlearn.comparison.pairing import pairing
from netlearn.comparison.statistics import summarize
from netlearn.runs import read_run
from netlearn.settings import resolve
from tests.commands import call, compare, done, one_line
from tests.comparisons import run as made
from tests.messages import has_facts
from tests.runs import do_run

pytestmark = pytest.mark.usefixtures("in_this_process")

TINY = ["--epochs", "1", "--hidden", "5"]


def write_data(path: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.random((60, 4), np.float32), np.arange(60) % 3
    np.savez(path, x_train=x, y_train=y, x_test=x[:12], y_test=y[:12])


def train(out: str, *arguments: str) -> None:
    done(call("train", *TINY, "-q", "--out", out, *arguments))


def test_moved_data_is_recognized_by_its_hash_and_other_data_refused() -> None:
    write_data("d.npz")
    write_data("other.npz", seed=1)
    train("run", "--data", "d.npz")
    Path("d.npz").rename("moved.npz")
    resume = ["train", "--resume", "run", "--epochs", "2", "-q"]
    assert "d.npz" in call(*resume).stderr
    assert one_line(call(*resume, "--data", "other.npz"), 1, "run/checkpoint.safetensors: data")
    assert call(*resume, "--data", "moved.npz").exit_code == 0
    assert f'data = "{Path("moved.npz").resolve()}"' in Path("run/config.toml").read_text()
    Path("moved.npz").rename("again.npz")
    assert "moved.npz" in call("verify", "run", "-q").stderr
    assert call("verify", "run", "-q", "--data", "again.npz").exit_code == 0
    verdict = json.loads(call("verify", "run", "--json", "-q", "--data", "other.npz").stdout)
    assert "mini_batches_sha256 in summary.json" in verdict["differing"]


def test_overlay_keeps_data_sets_of_one_name_apart_and_does_not_call_them_paired() -> None:
    for seed in (0, 1):
        write_data("d.npz", seed)
        train(f"run-{seed}", "--data", "d.npz")
    result = json.loads(compare("run-0", "run-1", "--json", "-q").stdout)
    assert [(row["seeds"], row["finished"]) for row in result["rows"]] == [(1, 1), (1, 1)]
    assert all("d.npz (SHA-256 " in row["variant"] for row in result["rows"])
    assert result["pairing"].startswith("Half paired")


def test_data_that_was_only_moved_is_one_variant() -> None:
    write_data("d.npz")
    train("run-0", "--data", "d.npz")
    Path("d.npz").rename("moved.npz")
    train("run-1", "--data", "moved.npz", "--seed", "1")
    runs = name_variants([read_run(Path(f"run-{seed}")) for seed in (0, 1)])
    assert {run.variant for run in runs} == {"cross-entropy"}


def test_copies_and_repeated_runs_count_once_and_a_line_says_so() -> None:
    data = ["--data", "mnist-5k"]
    train("s0", *data)
    train("s1", *data, "--seed", "1")
    train("again", *data)
    train("t0", *data, "--cost", "quadratic")
    result = done(compare("s0", "s1", "s0", "again", "t0"))
    notes = [line for line in result.stderr.splitlines() if "not counted" in line]
    assert [line.split(":")[0] for line in notes] == ["s0", "again"]
    assert result.stdout.splitlines()[2].split() == ["seeds", "finished", "2", "of", "2", "1", "of", "1"]


def test_interrupted_run_does_not_count_as_finished(tmp_path: Path) -> None:
    do_run(resolve({"hidden": (5,), "epochs": 30, "data": "small"}), tmp_path / "half", 12)
    half = read_run(tmp_path / "half")
    assert half.interrupted
    assert not half.is_complete()
    row = summarize("a", [half, made(seed=1)])
    assert (row.seeds, row.finished, row.test_accuracy) == (2, 1, 0.9)
    assert [reached.seeds for reached in row.reached] == [1, 1, 1]
    assert len(row.problems) == 1
    assert has_facts(row.problems[0], f"seed 0: 2.4 of 30 epochs netlearn train --resume {tmp_path}/half")
    assert pairing([half, made("b")]).startswith("Not paired")
    assert summarize("a", [half]).finished == 0


def two_costs(*arguments: str) -> list[str]:
    return [*TINY, "--seeds", "1", "--data", "d.npz", "-q", "--out", "out", *arguments]


@pytest.fixture
def compared(in_this_process: None) -> None:
    write_data("d.npz")
    assert compare(*two_costs()).exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("compared")
def test_comparison_is_not_resumed_on_other_data() -> None:
    remove(Path("out/quadratic-0"))
    write_data("d.npz", seed=1)
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    assert one_line(compare("--resume", "out", "-q"), 1, f"{Path('d.npz').resolve()}: SHA-256")
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


@pytest.mark.slow
@pytest.mark.usefixtures("compared")
def test_comparison_is_resumed_on_moved_data() -> None:
    remove(Path("out/quadratic-0"))
    Path("d.npz").rename("moved.npz")
    made_at = Path("out/cross-entropy-0/summary.json").stat().st_mtime_ns
    result = json.loads(compare("--resume", "out", "--json", "-q", "--data", "moved.npz").stdout)
    assert [row["finished"] for row in result["rows"]] == [1, 1]
    assert result["pairing"].startswith("Paired")
    assert Path("out/cross-entropy-0/summary.json").stat().st_mtime_ns == made_at


def remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def extend(folder: Path) -> None:
    assert call("train", "--resume", str(folder), "--epochs", "2", "-q").exit_code == 0


def exchange(folder: Path) -> None:
    remove(folder)
    train(str(folder), "--data", "d.npz", "--cost", "quadratic", "--l2", "3")


@pytest.mark.slow
@pytest.mark.usefixtures("compared")
@pytest.mark.parametrize("change", [extend, exchange])
def test_run_that_is_not_the_one_of_its_task_is_no_result(change: Callable[[Path], None]) -> None:
    change(Path("out/quadratic-0"))
    before = Path("out/quadratic-0/weights.safetensors").read_bytes()
    result = json.loads(compare("--resume", "out", "--json", "-q").stdout)
    assert [row["finished"] for row in result["rows"]] == [0, 1]
    assert has_facts(result["rows"][0]["problems"][0], "seed 0: out/quadratic-0: settings")
    assert Path("out/quadratic-0/weights.safetensors").read_bytes() == before


DAMAGED = ["output_neurons.safetensors", "weights.safetensors"]
UNUSABLE = ["checkpoint.safetensors", "metrics.csv", "snapshots.safetensors"]


@pytest.mark.slow
@pytest.mark.usefixtures("compared")
@pytest.mark.parametrize("name", [*DAMAGED, *UNUSABLE])
def test_resumed_comparison_mends_a_damaged_run_and_notes_that_it_began_anew(name: str) -> None:
    path = Path("out/quadratic-0", name)
    content = path.read_bytes()
    weights = Path("out/quadratic-0/weights.safetensors").read_bytes()
    path.write_bytes(b"x" + content[1:] if content else b"x")
    result = done(compare("--resume", "out"))
    assert Path("out/quadratic-0/weights.safetensors").read_bytes() == weights
    assert "1 of 1" in result.stdout
    noted = [line for line in result.stderr.splitlines() if str(path) in line]
    assert len(noted) == (name in UNUSABLE)


def test_damaged_checkpoint_of_a_run_says_how_to_begin_anew() -> None:
    train("run", "--data", "mnist-5k")
    Path("run/checkpoint.safetensors").write_bytes(b"x" * 3000)
    result = call("train", "--resume", "run", "--epochs", "2", "-q")
    again = "netlearn train --config run/config.toml --out run --force"
    assert one_line(result, 1, f"run/checkpoint.safetensors: {again}")
    assert again in result.stderr
    assert call(*again.split()[1:], "-q").exit_code == 0


@pytest.mark.usefixtures("compared")
def test_run_folder_without_its_settings_is_trained_again() -> None:
    weights = Path("out/quadratic-0/weights.safetensors").read_bytes()
    Path("out/quadratic-0/config.toml").unlink()
    Path("out/quadratic-0/metrics.csv").write_bytes(b"x")
    result = done(compare("--resume", "out"))
    assert "out/quadratic-0: was trained again from the start: it had no config.toml" in result.stderr
    assert Path("out/quadratic-0/weights.safetensors").read_bytes() == weights


@pytest.mark.usefixtures("compared")
def test_force_removes_only_regular_files_of_runs_that_the_comparison_lists_and_names_what_stays() -> None:
    mine = [
        Path("out", name) for name in ("quadratic-0/mistakes.png/thesis.txt", "cross-entropy-0/notes.txt", "x-0/y")
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    shutil.copytree("out/quadratic-0", "out/thesis")
    result = done(compare(*two_costs("--force")))
    assert [path.read_text() for path in mine] == ["mine"] * 3
    assert Path("out/thesis/weights.safetensors").exists()
    stays = [line.partition(":")[0] for line in result.stderr.splitlines() if "other files, which stay" in line]
    assert stays == ["out/quadratic-0", "out/cross-entropy-0"]
    assert read_run(Path("out/quadratic-0")).is_complete()


def test_overwriting_a_run_in_whose_place_of_a_file_is_a_folder_changes_nothing() -> None:
    train("run", "--data", "mnist-5k")
    Path("run/best.safetensors").mkdir()
    Path("run/best.safetensors/thesis.txt").write_text("mine")
    result = call("train", *TINY, "-q", "--out", "run", "--force")
    assert one_line(result, 1, "Error: run/best.safetensors: folder")
    assert Path("run/weights.safetensors").exists()
    assert Path("run/best.safetensors/thesis.txt").read_text() == "mine"


def test_runs_that_tune_share_no_folder_with_others() -> None:
    write_data("d.npz")
    Path("e.toml").write_text(
        'seeds = [1]\n[defaults]\nepochs = 1\nhidden = [5]\ndata = "d.npz"\nlearning_rate = 1\n'
        "[variants.a]\n[variants.tuning-a]\n[variants.tuning]\nl2 = 0.1\n"
    )
    result = json.loads(compare("e.toml", "--tune", "--out", "out", "-q", "--json").stdout)
    assert [(row["finished"], row["problems"]) for row in result["rows"]] == [(1, [])] * 3
