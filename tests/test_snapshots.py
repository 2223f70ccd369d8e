from pathlib import Path

import numpy as np
import pytest

from netlearn.errors import DivergenceError, RunError
from netlearn.runs import SNAPSHOTS, read_run
from netlearn.runs.setup import make_trainer
from netlearn.runs.tensors import snapshot_updates
from netlearn.settings import resolve
from tests.commands import compare, train
from tests.files import small_dataset
from tests.runs import do_run, reseal, results_of, resume_run

SETTINGS = resolve({"hidden": (5,), "epochs": 3, "data": "small", "batch_size": 1, "snapshots": True})


def due() -> tuple[int, ...]:
    return snapshot_updates(100, len(small_dataset().train))


def test_snapshots_are_the_weights_at_updates_of_the_first_epoch(tmp_path: Path) -> None:
    do_run(SETTINGS, tmp_path / "run")
    found = read_run(tmp_path / "run").snapshots()
    assert tuple(found) == due()
    assert {0, 10} < set(found)
    trainer = make_trainer(SETTINGS, small_dataset())
    for record in trainer:
        if record.update in found:
            weights = trainer.network.parameters.vector.astype(np.float16)
            np.testing.assert_array_equal(found.pop(record.update), weights)
    assert not found


@pytest.mark.usefixtures("in_this_process")
def test_runs_store_none_unless_asked_to_but_comparisons_do(tmp_path: Path) -> None:
    assert train("--out", "alone", "--epochs", "1", "-q").exit_code == 0
    assert not Path("alone", SNAPSHOTS).exists()
    assert compare("--data", "neuron", "--hidden", "none", "--batch-size", "1", "--epochs", "1", "--seeds", "1",
                   "--initializer", "2,2", "--out", "two", "-q").exit_code == 0  # fmt: skip
    assert sorted(read_run(Path("two/quadratic-0")).snapshots()) == [0, 1]


@pytest.mark.parametrize(
    ("parameters", "updates"),
    [(79_510, (0, 10, 100, 1000, 5000)), (125_000, (0, 10, 100, 1000)), (238_510, (0, 100)), (500_001, ())],
)
def test_large_networks_have_fewer_snapshots_below_1_mb(parameters: int, updates: tuple[int, ...]) -> None:
    assert snapshot_updates(parameters, 5000) == updates
    assert 2 * parameters * len(updates) <= 1_000_000


@pytest.mark.parametrize("last", [0, 1, 7, 10, 11, 60])
def test_resumed_run_has_the_same_snapshots(last: int, tmp_path: Path) -> None:
    do_run(SETTINGS, tmp_path / "whole")
    do_run(SETTINGS, tmp_path / "part", last)
    resume_run(SETTINGS, tmp_path / "part")
    assert results_of(tmp_path / "part") == results_of(tmp_path / "whole")


def test_changed_or_missing_snapshots_are_refused_on_resume_and_when_read(tmp_path: Path) -> None:
    do_run(SETTINGS, tmp_path, 20)
    path = tmp_path / SNAPSHOTS
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(RunError, match=r"snapshots.*changed or damaged"):
        read_run(tmp_path).snapshots()
    reseal(tmp_path)
    for read in (read_run(tmp_path).snapshots, lambda: resume_run(SETTINGS, tmp_path)):
        with pytest.raises(RunError, match=r"snapshots.*changed or damaged"):
            read()
    path.unlink()
    with pytest.raises(RunError, match=r"snapshots.*cannot be read"):
        resume_run(SETTINGS, tmp_path)


def test_diverged_run_keeps_its_snapshots(tmp_path: Path) -> None:
    steep = resolve({"hidden": (5,), "epochs": 9, "data": "small", "batch_size": 1, "snapshots": True, "l2": 1e6,
                     "learning_rate": 1e6})  # fmt: skip
    with pytest.raises(DivergenceError):
        do_run(steep, tmp_path)
    assert 0 in read_run(tmp_path).snapshots()
