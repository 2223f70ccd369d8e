"""What `make bench` stands on; the times themselves are no test."""

import json
from pathlib import Path

import numpy as np
import pytest

from netlearn import datasets
from scripts import benchmark, beside, contenders, growth
from tests.files import small_dataset


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(benchmark, "EXAMPLES", 600)
    path = tmp_path / "problem.npz"
    benchmark.write_problem(datasets.load("mnist-5k"), 5, 10, 2, path)
    return path


def test_contenders_that_are_here_do_the_same_updates(problem: Path) -> None:
    given = dict(np.load(problem, allow_pickle=False))
    _, ours = contenders.netlearn(given)
    same = [name for name in contenders.CONTENDERS if name not in {"netlearn", "scikit-learn"}]
    here = [name for name in same if contenders.CONTENDERS[name][1]()]
    assert "per-example loop" in here
    for name in here:
        for one, other in zip(ours, contenders.CONTENDERS[name][0](given)[1], strict=True):
            np.testing.assert_allclose(one, np.reshape(other, one.shape), rtol=1e-3, atol=1e-5)


def test_contender_in_a_process_of_its_own_tells_seconds_and_accuracy(problem: Path) -> None:
    result = benchmark.run("netlearn", problem, 1)
    assert result["seconds"] > 0
    assert 0.1 < result["accuracy"] <= 1


def test_parts_of_a_run_are_all_timed(tmp_path: Path) -> None:
    command = [*beside.PARTS_COMMAND, "mnist-5k", str(tmp_path)]
    parts = json.loads(beside.wait(command)[1].splitlines()[-1])
    assert set(parts) == set(beside.PARTS)
    assert all(seconds > 0 for seconds in parts.values())


def test_first_update_is_told_by_the_clock(tmp_path: Path) -> None:
    output = beside.wait([*beside.PARTS_COMMAND, "mnist-5k", str(tmp_path), "--first"])[1]
    assert float(output) > 1e9


def test_growth_is_measured_told_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "UPDATES", 1)
    measured = growth.measure(small_dataset(train=2000), 1)
    assert [point[2] for point, *_ in measured["training examples"]] == [1000]
    text = growth.section(measured)
    assert all(f"| {question} |" in text for question in measured)
    assert len(growth.picture(measured).axes) == len(measured)
