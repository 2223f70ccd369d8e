"""Pictures of variants that differ in their settings: in one number, or in their optimizers."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from matplotlib.lines import Line2D

from netlearn.comparison.statistics import group
from netlearn.numerics import Array
from netlearn.plotting.marks import SETTING_NAMES
from netlearn.plotting.pictures import DRAWN
from netlearn.runs import Run
from tests.comparisons import run
from tests.sweeps import picture


def varied(accuracy: float, seed: int = 0, **given: Any) -> Run:
    """Return a run whose last validation accuracy is given, of the variant with these settings."""
    one = run(str(given), seed)
    one.metrics["validation_accuracy"][-1] = accuracy
    return replace(one, settings=msgspec.structs.replace(one.settings, **given))


def points(line: Line2D) -> Array:
    return np.array(line.get_xydata(), np.float64)


def test_training_size_is_drawn_with_the_mean_of_the_last_accuracies_on_a_log_axis() -> None:
    sizes = [(1000, 0.8, 0), (1000, 0.9, 1), (100, 0.7, 0), (10_000, 0.95, 0)]
    runs = [varied(accuracy, seed, train_size=size, l2=size / 10_000) for size, accuracy, seed in sizes]
    figure = picture("against", group(runs))
    axes = figure.axes[-1]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "training examples, log scale")
    np.testing.assert_allclose(points(axes.get_lines()[0]), [[100, 0.7], [1000, 0.85], [10_000, 0.95]])


def test_setting_that_no_picture_knows_is_an_axis_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SETTING_NAMES, "batch_size")
    figure = picture("against", group([varied(0.9, batch_size=size) for size in (1, 2, 3)]))
    assert figure.axes[-1].get_xlabel() == "batch size"


def test_two_costs_are_two_lines_after_epoch_1_and_at_the_end() -> None:
    costs = {"quadratic": (0.5, 0.6, 0.7), "cross-entropy": (0.7, 0.8, 0.9)}
    runs = [
        varied(accuracy, cost=cost, learning_rate=rate)
        for cost, accuracies in costs.items()
        for rate, accuracy in zip((0.1, 1.0, 2.0), accuracies, strict=True)
    ]
    figure = picture("against", group(runs))
    first, last = figure.axes
    assert [axes.get_title() for axes in (first, last)] == ["after epoch 1", "after the last epoch"]
    assert [line.get_label() for line in last.get_lines()] == list(costs)
    for line, accuracies in zip(last.get_lines(), costs.values(), strict=True):
        np.testing.assert_allclose(points(line), np.transpose([(0.1, 1.0, 2.0), accuracies]))
    at_epoch_1 = float(runs[0].metrics["validation_accuracy"][list(runs[0].metrics["epoch"]).index(1.0)])
    np.testing.assert_allclose([points(line)[:, 1] for line in first.get_lines()], np.full((2, 3), at_epoch_1))


def test_small_range_gets_a_linear_axis_and_diverged_runs_are_left_out() -> None:
    runs = [varied(0.9, dropout=rate) for rate in (0.0, 0.2, 0.5)]
    runs.append(replace(varied(0.1, 1, dropout=0.5), problem="diverged"))
    figure = picture("against", group(runs))
    axes = figure.axes[-1]
    assert axes.get_xscale() == "linear"
    np.testing.assert_allclose(points(axes.get_lines()[0]), [[0, 0.9], [0.2, 0.9], [0.5, 0.9]])


@pytest.mark.parametrize(
    "settings",
    [
        [{"train_size": size} for size in (100, 1000)],
        [{"train_size": size} for size in (100, 1000, "all")],
        [{"train_size": size, "patience": size} for size in (100, 100, 1000)],
        [
            {"learning_rate": rate, "optimizer": name}
            for rate, name in ((1.0, "sgd"), (2.0, "momentum"), (3.0, "adam"))
        ],
        [{"hidden": sizes} for sizes in ((10,), (20,), (30, 10))],
    ],
    ids=str,
)
def test_other_variants_are_not_drawn_against_a_setting(settings: list[dict[str, Any]]) -> None:
    runs = [replace(varied(0.9, **given), variant=str(number)) for number, given in enumerate(settings)]
    assert DRAWN["against"](group(runs), "title") is None


def test_cures_show_the_updates_to_each_level_and_who_never_got_there() -> None:
    fast, slow = varied(0.96, optimizer="adam"), varied(0.5, optimizer="sgd")
    slow.metrics["validation_accuracy"][:] = 0.5
    figure = picture("cures", group([fast, slow]))
    stuck, accuracy, updates = figure.axes
    for axes, column in ((stuck, "stuck"), (accuracy, "validation_accuracy")):
        for line, one in zip(axes.get_lines()[-2:], (fast, slow), strict=True):
            log = axes.get_yscale() == "log"  # which has no 0
            expected = np.where(one.metrics[column] > 0, one.metrics[column], np.nan) if log else one.metrics[column]
            np.testing.assert_allclose(points(line)[:, 1], expected)
    bars = [tuple(np.asarray(line.get_xdata()).tolist()) for line in updates.get_lines() if line.get_linewidth() > 2]
    assert bars == [fast.bracket(level) for level in (0.8, 0.9, 0.95)]
    names = [text.get_text().strip() for text in updates.texts if text.get_text()]
    levels = ["80 %", "90 %", "95 %"]
    assert names == [f"● {fast.variant}", *levels, f"■ {slow.variant}", *(f"{level}: never" for level in levels)]


@pytest.mark.parametrize(("reached", "said"), [(1, "80 %: only in 1 of 3 seeds"), (2, "80 % in 2 of 3 seeds")])
def test_cures_say_how_many_seeds_reached_a_level_if_not_all_did(reached: int, said: str) -> None:
    runs = [varied(0.96, seed, optimizer="adam") for seed in range(3)] + [varied(0.5, optimizer="sgd")]
    for each in runs[reached:]:
        each.metrics["validation_accuracy"][:] = 0.5
    figure = picture("cures", group(runs))
    assert said in [text.get_text() for text in figure.axes[2].texts]


def test_cures_have_a_row_for_a_variant_whose_runs_all_failed() -> None:
    failed = replace(varied(0.5, optimizer="rmsprop"), metrics={}, summary=None, problem="failed")
    figure = picture("cures", group([varied(0.9, optimizer="adam"), varied(0.5, optimizer="sgd"), failed]))
    assert f"▲ {failed.variant}" in [text.get_text() for text in figure.axes[2].texts]


def test_cures_leave_out_a_level_that_no_run_reached() -> None:
    for highest, panels in ((0.85, 3), (0.5, 2)):
        runs = [varied(highest, optimizer="adam"), varied(highest, optimizer="sgd")]
        for each in runs:
            each.metrics["validation_accuracy"][:] = highest
        figure = picture("cures", group(runs))
        assert len(figure.axes) == panels
        texts = "".join(text.get_text() for axes in figure.axes for text in axes.texts)
        assert ("80 %" in texts, "90 %" in texts) == (panels == 3, False)


def test_cures_need_different_optimizers() -> None:
    assert DRAWN["cures"](group([varied(0.9, cost="quadratic"), varied(0.9, cost="cross-entropy")]), "title") is None
