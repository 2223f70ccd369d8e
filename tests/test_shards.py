"""Shards of a comparison, trained in folders of their own and brought together."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from netlearn.comparison.shard import Shard, parse_shard
from netlearn.datasets import BUNDLED
from tests.commands import call, compare, done, one_line, rows_of, untimed
from tests.messages import has_facts

SMALL = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "-q"]
pytestmark = pytest.mark.usefixtures("in_this_process")


def do_shards(*arguments: str, of: int = 3) -> list[Path]:
    """Train each shard in its own folder, and return the folders."""
    folders = [Path(f"shard-{number}") for number in range(1, of + 1)]
    for number, folder in enumerate(folders, 1):
        result = done(compare(*SMALL, *arguments, "--shard", f"{number}/{of}", "--out", str(folder), "--force"))
        assert has_facts(result.stdout.splitlines()[0], f"{number}/{of} 1 of 1")
    return folders


def bring_together(folders: Sequence[Path]) -> Path:
    """Copy the folders into one, as rsync -a and cp -r do: later files replace earlier ones."""
    for folder in folders:
        shutil.copytree(folder, "all", dirs_exist_ok=True)
    return Path("all")


def test_shards_hold_every_nth_run_between_them() -> None:
    runs = list(range(10))
    parts = [Shard(number, 4).of(runs) for number in range(1, 5)]
    assert parts[2] == [2, 6]
    assert sorted(run for part in parts for run in part) == runs


@pytest.mark.slow
@pytest.mark.usefixtures("rendered")
def test_shards_brought_together_are_the_unsharded_comparison_to_the_byte() -> None:
    title = ["--cost", "quadratic", "--cost", "cross-entropy", "--cost", "log-likelihood", "--seeds", "1"]
    folders = do_shards(*title)
    assert [sorted(path.name for path in folder.glob("*/")) for folder in folders] == [
        ["quadratic-0"], ["cross-entropy-0"], ["log-likelihood-0"],
    ]  # fmt: skip
    together = bring_together(folders[::-1])
    trained = {path: path.stat().st_mtime_ns for path in together.rglob("weights.safetensors")}
    done(compare("--resume", str(together), "-q"))
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    assert len(trained) == 3
    assert compare(*SMALL, *title, "--out", "whole").exit_code == 0
    assert untimed(together) == untimed(Path("whole"))
    assert {path.name for path in together.iterdir()} == {path.name for path in Path("whole").iterdir()}
    names = ("title", "conclusion", "pairing", "pictures")
    one, other = (json.loads((folder / "summary.json").read_text()) for folder in (together, Path("whole")))
    assert [one[name] for name in names] == [other[name] for name in names]


@pytest.mark.slow
def test_shards_that_are_missing_are_trained_by_resuming() -> None:
    together = bring_together(do_shards("--seeds", "1", of=2)[:1])
    assert compare("--resume", str(together), "--shard", "1/2", "--json", "-q").exit_code == 0
    assert [path.name for path in together.glob("*/")] == ["quadratic-0"]
    done(compare("--resume", str(together), "-q"))
    assert [row["variant"] for row in rows_of(together)] == ["quadratic", "cross-entropy"]


@pytest.mark.slow
def test_shards_of_different_experiments_are_refused_in_either_order() -> None:
    one = do_shards("--seeds", "1", of=2)[0].rename("one")
    other = do_shards("--seeds", "1", "--l2", "5", of=2)[1]
    for folders in ((one, other), (other, one)):
        together = bring_together(folders)
        before = sorted(together.rglob("*"))
        for shard in ([], ["--shard", "1/2"]):
            assert one_line(compare("--resume", str(together), "-q", *shard), 1, "all/shard- config.toml")
        assert sorted(together.rglob("*")) == before
        shutil.rmtree(together)


@pytest.mark.slow
def test_same_data_elsewhere_is_no_other_experiment() -> None:
    folders = []
    for number in (1, 2):
        shutil.copytree(BUNDLED, f"data-{number}")
        out = Path(f"part-{number}")
        flags = ["--data", f"data-{number}", "--seeds", "1", "--shard", f"{number}/2", "--out", str(out)]
        assert compare(*SMALL[2:], *flags).exit_code == 0
        folders.append(out)
    shutil.rmtree("data-2")
    together = bring_together(folders)
    done(compare("--resume", str(together), "--data", "data-1", "-q"))
    assert [row["status"] for row in rows_of(together)] == ["finished"] * 2


@pytest.mark.slow
def test_forced_comparison_forgets_the_shards_before_it() -> None:
    assert compare(*SMALL, "--seeds", "1", "--shard", "1/2", "--out", "out").exit_code == 0
    done(compare(*SMALL, "--seeds", "1", "--l2", "1", "--out", "out", "--force"))
    assert not list(Path("out").glob("shard-*"))


def test_shard_without_a_run_is_done_at_once() -> None:
    result = done(compare(*SMALL, "--seeds", "1", "--shard", "3/3", "--json"))
    assert json.loads(result.stdout) == {
        "shard": "3/3", "runs": 0, "finished": 0, "problems": [], "folder": "runs/compare",
    }  # fmt: skip


def test_shard_whose_runs_all_fail_is_an_error_with_each_problem() -> None:
    result = compare(*SMALL, "--learning-rate", "1e6", "--l2", "1e6", "--seeds", "1", "--shard", "2/2")
    assert result.exit_code == 1
    assert "cross-entropy, seed 0: " in result.stdout
    assert "2/2: 0 of 1" in result.stdout


@pytest.mark.parametrize("text", ["9/8", "0/8", "3", "3/0", "a/b", "-1/2", "1/2/3", "1/²", "", "/"])
def test_shards_that_do_not_exist_are_refused(text: str) -> None:
    assert one_line(compare("--shard", text), 2, f"--shard {text}: K/N" if text.strip("/") else "--shard K/N")


def test_tuning_and_existing_runs_have_no_shards() -> None:
    assert one_line(compare(*SMALL, "--tune", "--shard", "1/2"), 2, "--shard 1/2: --tune")
    assert call("train", *SMALL, "--out", "run").exit_code == 0
    assert one_line(compare("run", "--shard", "1/2"), 2, "--shard: must be left out")


def test_shard_is_written_as_it_is_read() -> None:
    assert str(parse_shard("03/8")) == "3/8"
