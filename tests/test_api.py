"""The Python API: what `train`, `compare` and `load` return."""

import gc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import netlearn
from netlearn.api import ComparisonResult, RunResult
from netlearn.errors import RunError
from netlearn.plotting import style
from tests.commands import call, python
from tests.costs import Squared

TINY: dict[str, Any] = {"data": "mnist-5k", "epochs": 1, "train_size": 200, "hidden": 8, "progress": False}


@pytest.fixture(scope="module")
def run() -> RunResult:
    return netlearn.train(cost="cross-entropy", **TINY)


@pytest.fixture(scope="module")
def comparison() -> ComparisonResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "render", lambda figure, kind: b"")  # the curves of its runs
        return netlearn.compare(costs=["quadratic", "cross-entropy"], seeds=2, jobs=1, **TINY)


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, netlearn; print({'numpy', 'click', 'msgspec', 'typing'} & sys.modules.keys())"
    assert python("-S", "-c", code, env={"PYTHONPATH": str(Path(netlearn.__file__).parents[1])}).stdout == "set()\n"
    assert {"train", "compare", "load", "datasets"} <= set(dir(netlearn))
    with pytest.raises(AttributeError, match="tain"):
        netlearn.tain  # noqa: B018


def test_run_is_one_line_and_a_table_in_a_notebook(run: RunResult) -> None:
    accuracy = f"{100 * (run.test_accuracy or 0):.2f} %"
    assert repr(run) == f"<RunResult cross-entropy, 784-8-10, seed 0: test accuracy {accuracy}>"
    assert re.search(f"<th[^>]*>test accuracy</th><td>{accuracy}</td>", run._repr_html_())


def test_run_evaluates_as_its_summary_says_and_gives_its_network(run: RunResult) -> None:
    evaluation = run.evaluate()
    assert run.summary is not None
    assert (evaluation.accuracy, evaluation.cost) == (run.summary.test_accuracy, run.summary.test_cost)
    assert len(repr(evaluation).splitlines()) == 1
    assert f"{100 * evaluation.accuracy:.2f} %" in evaluation._repr_html_()
    data = netlearn.datasets.load("mnist-5k").test
    answers = run.network().feedforward(data.x.T).argmax(axis=0)
    assert (answers == data.labels).mean() == run.test_accuracy


def test_frame_has_every_probe_of_every_run(comparison: ComparisonResult) -> None:
    frame = comparison.frame()
    assert list(frame.columns[:3]) == ["variant", "seed", "update"]
    assert len(frame) == sum(len(run.metrics["update"]) for run in comparison.runs)
    assert set(zip(frame["variant"], frame["seed"], strict=True)) == {
        (cost, seed) for cost in ("quadratic", "cross-entropy") for seed in (0, 1)
    }
    one = frame[(frame["variant"] == "quadratic") & (frame["seed"] == 1)]
    assert (one["train_cost"].to_numpy() == comparison.run("quadratic", 1).metrics["train_cost"]).all()


def test_comparison_shows_table_conclusion_and_pairing(comparison: ComparisonResult) -> None:
    shown = comparison._repr_html_()
    assert len(repr(comparison).splitlines()) == 1
    assert all(text in shown for text in ("<table>", "quadratic", "test accuracy", comparison.pairing))
    assert comparison.pairing.startswith("Paired")
    for sentence in comparison.conclusion.split(". "):
        assert sentence.rstrip(".") in shown


def test_sweep_is_ranked_and_stays_short() -> None:
    result = netlearn.compare(vary={"l2": "0:11:12"}, seeds=1, jobs=1, **TINY | {"hidden": 2, "train_size": 50})
    best = max(result.rows, key=lambda row: row.best_validation_accuracy or 0)
    assert f"12 variants, the best {best.variant} " in repr(result)
    shown = result._repr_html_()
    assert (shown.count("<tr>"), shown.count(">10 of 12 variants; rows has all<")) == (1 + 10, 1)


def test_names_of_variants_are_text_in_html() -> None:
    result = netlearn.compare({"<img src=x>": {"cost": "quadratic"}, "b": {}}, seeds=1, jobs=1, **TINY)
    assert "<img" not in result._repr_html_()


@pytest.mark.usefixtures("rendered")
def test_figures_and_axes_show_themselves(comparison: ComparisonResult, run: RunResult) -> None:
    axes = comparison.plot("validation_accuracy")
    for shown in (comparison.figure("slowdown"), run.figure(), axes):
        assert shown._repr_png_().startswith(b"\x89PNG")  # type: ignore[union-attr]


def test_plot_draws_in_given_axes(comparison: ComparisonResult) -> None:
    given = mpl.figure.Figure().subplots()
    assert comparison.plot("stuck", ax=given) is given
    drawn = {tuple(np.asarray(line.get_ydata())) for line in given.get_lines()}
    means = [
        np.mean([run.metrics["stuck"] for run in (comparison.run(cost, 0), comparison.run(cost, 1))], axis=0)
        for cost in ("quadratic", "cross-entropy")
    ]
    assert {tuple(mean) for mean in means} <= drawn


def test_page_is_the_report_and_names_no_temporary_folder(comparison: ComparisonResult, run: RunResult) -> None:
    for result in (comparison, run):
        page = result.report()
        assert page.html.startswith("<!doctype html>")
        assert str(result.folder.parent) not in page.html
        assert "<iframe" in page._repr_html_()
        assert page.save("page.html").read_text() == page.html
        assert len(repr(page)) < 80


def test_network_of_a_variant_and_seed(comparison: ComparisonResult) -> None:
    run = comparison.run("quadratic", 1)
    assert (run.settings.cost, run.settings.seed) == ("quadratic", 1)
    assert (comparison.network("quadratic", 1).parameters.vector == run.network().parameters.vector).all()
    assert comparison.evaluate("quadratic", 1).accuracy == run.test_accuracy


def test_equals_the_command_line_to_the_byte(run: RunResult) -> None:
    flags = ["--data", "mnist-5k", "--epochs", "1", "--train-size", "200", "--hidden", "8", "-q", "--out", "there"]
    assert call("train", *flags).exit_code == 0
    assert Path("there/weights.safetensors").read_bytes() == (run.folder / "weights.safetensors").read_bytes()


def test_nothing_is_left_on_disk_without_out(tmp_path: Path) -> None:
    run = netlearn.compare(costs=["quadratic", "cross-entropy"], seeds=1, jobs=1, **TINY).run("quadratic")
    gc.collect()
    folder = run.folder
    assert run.network().sizes == (784, 8, 10)  # the run keeps the folder of its comparison
    del run
    gc.collect()
    assert not folder.parents[1].exists()
    assert not list(tmp_path.iterdir())


def test_out_is_a_run_folder_that_can_be_loaded() -> None:
    made = netlearn.train(out="run", **TINY)
    loaded = netlearn.load("run")
    assert isinstance(loaded, RunResult)
    assert loaded.test_accuracy == made.test_accuracy
    with pytest.raises(RunError, match="holds a run already"):
        netlearn.train(out="run", **TINY)
    assert netlearn.train(out="run", force=True, **TINY | {"seed": 1}).settings.seed == 1


def test_comparison_can_be_loaded(comparison: ComparisonResult) -> None:
    loaded = netlearn.load(comparison.folder)
    assert isinstance(loaded, ComparisonResult)
    assert (loaded.conclusion, loaded.rows) == (comparison.conclusion, comparison.rows)
    assert [run.test_accuracy for run in loaded.runs] == [run.test_accuracy for run in comparison.runs]


def test_runs_are_compared_as_they_are(run: RunResult, comparison: ComparisonResult) -> None:
    result = netlearn.compare([run, comparison.run("quadratic"), comparison.run("quadratic", 1).folder])
    (one, one_seed), (other, seeds) = ((row.variant, row.seeds) for row in result.rows)
    assert ("scaled" in one, one_seed, "large" in other, seeds) == (True, 1, True, 2)
    assert (result.network(other, 1).parameters.vector == comparison.network("quadratic", 1).parameters.vector).all()


def test_experiment_of_a_single_neuron_has_a_picture_of_its_own_and_no_accuracy() -> None:
    result = netlearn.compare("neuron", epochs=3, seeds=[4], jobs=1, progress=False)
    assert "%" not in repr(result) + result._repr_html_()
    assert "output at epoch 3" in result._repr_html_()
    assert "quadratic, mild start; quadratic, bad start; " in repr(result)
    assert len(result.figure().axes) >= 1
    assert [row.variant for row in result.rows][:2] == ["quadratic, mild start", "quadratic, bad start"]
    assert {(run.settings.epochs, run.settings.seed) for run in result.runs} == {(3, 4)}


def test_settings_are_varied() -> None:
    vary: Any = {"learning_rate": np.array([0.1, 1.0]), "cost": ["quadratic", Squared]}
    result = netlearn.compare(vary=vary, seeds=1, jobs=1, **TINY)
    assert [(run.settings.learning_rate, run.settings.cost) for run in result.runs] == [
        (rate, cost) for rate in (0.1, 1.0) for cost in ("quadratic", "tests.costs:Squared")
    ]


def test_lists_may_hold_the_numbers_and_paths_of_numpy_and_pathlib(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x_train=rng.random((40, 4)), y_train=np.arange(40) % 2,
             x_test=rng.random((10, 4)), y_test=np.arange(10) % 2)  # fmt: skip
    vary: Any = {
        "learning_rate": list(np.geomspace(0.1, 1, 2)), "hidden": [(np.int64(3), np.int64(2)), np.arange(2, 4)],
        "track_test": [np.bool_(True)], "data": [tmp_path / "own.npz"],
    }  # fmt: skip
    seeds: Any = list(np.arange(1, 3))
    result = netlearn.compare(costs=["quadratic", Squared(np.float64(2))], vary=vary, seeds=seeds, jobs=1,
                              initializer=(np.float64(0.5), 0), epochs=1, progress=False)  # fmt: skip
    assert {run.settings.hidden for run in result.runs} == {(3, 2), (2, 3)}
    assert {run.settings.learning_rate for run in result.runs} == {0.1, 1.0}
    assert {run.settings.seed for run in result.runs} == {1, 2}
    assert "Squared(factor=2.0)" in result.rows[-1].variant


@pytest.mark.parametrize("as_mapping", [True, False])
def test_arrays_are_a_data_set(*, as_mapping: bool) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120)
    x = (np.eye(3)[y] + rng.normal(0, 0.1, (120, 3))).clip(0, 1)
    arrays = (x[:90], y[:90].tolist(), x[90:], y[90:])
    data: Any = dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)) if as_mapping else arrays
    result = netlearn.train(data=data, epochs=60, hidden=(), progress=False)
    assert result.test_accuracy == 1.0
    assert result.network().sizes == (3, 3)
    assert result.evaluate(data).accuracy == 1.0


def test_own_cost_is_a_class_or_an_instance() -> None:
    class Local(Squared):
        pass

    costs: list[Any] = ["quadratic", Squared, Squared(2.0), Local]
    result = netlearn.compare(costs=costs, seeds=1, jobs=1, **TINY)
    assert [row.variant for row in result.rows] == ["quadratic", "Squared", "Squared(factor=2.0)", "Local"]
    quadratic, *same, _ = (run.metrics["train_cost"] for run in result.runs)
    for cost, factor in zip(same, (1, 2), strict=True):
        assert cost[0] == pytest.approx(factor * quadratic[0], rel=1e-5)
    assert same[0] == pytest.approx(quadratic, rel=1e-5)
    for run in result.runs:
        assert run.summary is not None
        assert run.evaluate().cost == run.summary.test_cost
    assert result.figure("mistakes") is not None


def test_own_cost_of_a_folder_must_be_named() -> None:
    made = netlearn.train(cost=Squared(3.0), out="run", **TINY)
    loaded = netlearn.load("run")
    assert isinstance(loaded, RunResult)
    with pytest.raises(netlearn.NetlearnError, match=r"Squared\(factor=3.0\)"):
        loaded.network()
    named = netlearn.load("run", cost=Squared(3.0))
    assert isinstance(named, RunResult)
    assert (named.network().parameters.vector == made.network().parameters.vector).all()
    with pytest.raises(netlearn.NetlearnError, match=r"Squared\(factor=4.0\).*Squared\(factor=3.0\)"):
        netlearn.load("run", cost=Squared(4.0))


@pytest.mark.slow
def test_script_without_a_guard_compares_in_workers_and_does_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import netlearn\nprint(repr(netlearn.compare('neuron', epochs=2, seeds=1, jobs=2)))\n")
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""
