"""The Python API: whatever is wrong is a netlearn error of one line that names it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlearn
from netlearn.api import RunResult
from netlearn.errors import CostError, NetlearnError
from tests.costs import Squared
from tests.test_api import TINY

ZEROS = {"x_train": np.zeros((9, 2)), "y_train": np.zeros(9), "x_test": np.zeros((2, 2)), "y_test": np.zeros(2)}


@pytest.fixture(scope="module")
def run() -> RunResult:
    return netlearn.train(**TINY)


def facts_of(call: Callable[[], object]) -> str:
    with pytest.raises(NetlearnError) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ((np.zeros((4, 2)), np.zeros(4), np.zeros(4)), ["3 arrays", "x_train"]),
        (np.zeros((4, 2)), ["ndarray", "x_train"]),
        ({"x_train": [[1.0]], "labels": [0]}, ["labels", "y_train"]),
        (ZEROS | {"x_val": np.zeros((2, 2))}, ["x_val", "y_val"]),
        (ZEROS | {"y_train": np.zeros(8)}, ["y_train", "(8,)", "(9,)"]),
        (ZEROS | {"y_train": np.full(9, -1)}, ["y_train", "-1", "from 0"]),
        (ZEROS | {"y_test": np.full(2, 7)}, ["y_test", "7", "from 0 to 1"]),
        (ZEROS | {"y_train": np.full(9, 0.5)}, ["y_train", "0.5", "whole number"]),
        (ZEROS | {"x_train": np.array(["a"] * 9)}, ["x_train", "(9,)"]),
        (ZEROS | {"x_train": [[1.0, 2.0], [1.0]]}, ["x_train"]),
        (ZEROS | {"x_train": np.full((9, 2), np.nan)}, ["x_train", "finite"]),
        (ZEROS | {"x_test": np.zeros((2, 3))}, ["x_test", "(3,)", "(2,)"]),
        ("mnist5k", ["mnist5k", "mnist-5k"]),
        (3, ["int", "x_train"]),
    ],
)
def test_data(data: Any, facts: list[str], tmp_path: Path) -> None:
    said = facts_of(lambda: netlearn.train(data=data, out="run", progress=False))
    assert all(fact in said for fact in facts), said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"learning_rat": 0.5}, ["learning_rat", "learning_rate"]),
        ({"epochs": 0}, ["epochs", "0", "at least 1"]),
        ({"hidden": "thirty"}, ["hidden", "thirty"]),
        ({"cost": "cross-entropi"}, ["cross-entropi", "cross-entropy"]),
        ({"cost": 3}, ["cost", "3", "delta"]),
        ({"momentum": 0.5}, ["momentum", "0.5", "sgd"]),
    ],
)
def test_settings(settings: Any, facts: list[str]) -> None:
    for call in (
        lambda: netlearn.train(progress=False, **settings),
        lambda: netlearn.compare({"a": settings, "b": {}}, progress=False),
    ):
        said = facts_of(call)
        assert all(fact in said for fact in facts), said


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ({"what": "nuron"}, ["nuron", "neuron"]),
        ({"costs": ["quadratic"]}, ["quadratic", "two"]),
        ({"costs": "quadratic"}, ["costs", "list"]),
        ({"costs": 3}, ["costs", "3", "list"]),
        ({"what": 3}, ["3", "experiment"]),
        ({"what": {"a": 3}}, ["a", "3"]),
        ({"costs": []}, ["costs", "two"]),
        ({"costs": ["quadratic", "quadratic"]}, ["quadratic", "different"]),
        ({"what": "neuron", "costs": ["quadratic", "cross-entropy"]}, ["costs"]),
        ({"what": {}}, ["variants"]),
        ({"what": []}, ["one or more"]),
        ({"what": ["nowhere"], "seeds": 2}, ["seeds"]),
        ({"vary": {"learning_rat": [1]}}, ["vary", "learning_rate"]),
        ({"vary": ["epochs"]}, ["vary", "epochs", "mapping"]),
        ({"vary": {"epochs": 3}}, ["vary", "epochs", "3", "list"]),
        ({"vary": {"epochs": [2, 0]}}, ["vary", "epochs", "0", "at least 1"]),
        ({"seeds": 0}, ["seeds", "0", "1"]),
        ({"seeds": "3"}, ["seeds", "3"]),
        ({"seeds": 2.5}, ["seeds", "2.5"]),
        ({"seed": 3}, ["seed", "seeds"]),
        ({"jobs": 0}, ["jobs", "0"]),
    ],
)
def test_comparison(arguments: dict[str, Any], facts: list[str], tmp_path: Path) -> None:
    said = facts_of(lambda: netlearn.compare(**arguments, out="out", progress=False))
    assert all(fact in said for fact in facts), said
    assert not list(tmp_path.iterdir())


def test_names_in_a_result(run: RunResult) -> None:
    assert "slowdown" in facts_of(lambda: run.figure("slowdwn"))
    assert "learning_speed" in facts_of(lambda: run.plot("learning_sped"))
    assert "no data for it; must be curves, slowdown, " in facts_of(lambda: run.figure("neuron"))
    assert "test" in facts_of(lambda: run.evaluate(split="tst"))
    result = netlearn.compare({"a": {}, "b": {"cost": "quadratic"}}, seeds=1, jobs=1, **TINY)
    assert "a, b" in facts_of(lambda: result.network("zebra"))
    assert "seed 7: must be 0" in facts_of(lambda: result.network("a", 7))


def test_frame_without_pandas(run: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert "netlearn[notebook]" in facts_of(run.frame)


def test_folder_that_is_gone() -> None:
    made = netlearn.train(out="run", **TINY)
    Path("run").rename("moved")
    calls: list[Callable[[], object]] = [made.network, made.evaluate, made.report, made.figure]
    for call in calls:
        assert "run: is gone" in facts_of(call)
    assert "nowhere: no such folder" in facts_of(lambda: netlearn.load("nowhere"))
    assert "moved" in repr(netlearn.load("moved").folder)


def test_own_costs() -> None:
    class Wrong(Squared):
        def delta(self, z: Any, a: Any, y: Any, out: Any) -> Any:
            return np.subtract(a, y, out)

    class Failing(Squared):
        def value(self, *arrays: Any) -> Any:
            return self.missing  # type: ignore[attr-defined]

    assert "Wrong" in facts_of(lambda: netlearn.train(Wrong, **TINY))
    with pytest.raises(CostError) as raised:
        netlearn.train(Failing, **TINY)
    assert "AttributeError" in str(raised.value)
    shown = raised.value._render_traceback_()
    assert "self.missing" in "\n".join(shown[:-1])
    assert str(raised.value) in shown[-1]


def test_run_that_diverged_is_a_result() -> None:
    result = netlearn.train(**TINY | {"learning_rate": 1e6, "l2": 1e6})
    assert result.test_accuracy is None
    for said in (repr(result), result._repr_html_(), facts_of(result.network)):
        assert "no longer finite" in said
