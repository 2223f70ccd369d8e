from dataclasses import replace

import msgspec
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from netlearn.comparison.statistics import group
from netlearn.numerics import Array
from netlearn.plotting.pictures import DRAWN
from netlearn.plotting.single import theory_curves
from netlearn.runs import Run
from netlearn.settings import resolve
from tests.comparisons import run
from tests.sweeps import picture


def tracked(variant: str, test_cost: list[float], seed: int = 0) -> Run:
    one = run(variant, seed)
    columns = {"test_cost": np.array(test_cost), "test_accuracy": np.linspace(0.5, 0.93, 6)}
    return replace(one, metrics=one.metrics | columns | {"train_accuracy": np.linspace(0.5, 1, 6)})


def deep(variant: str, layers: int) -> Run:
    one = run(variant)
    return replace(
        one, metrics=one.metrics | {f"speed_{layer}": np.ones(6) / layer for layer in range(1, layers + 1)}
    )


def points(line: Line2D) -> Array:
    return np.array(line.get_xydata(), np.float64)


def test_overfitting_shows_both_sets_and_marks_the_lowest_mean_cost_on_the_test_set() -> None:
    runs = [
        tracked("a", [3, 2, 1, 2, 2.5, 3]),
        tracked("a", [3, 2, 2, 1.5, 2.5, 3], 1),
        tracked("b", [3, 2, 1, 1, 1, 0]),
    ]
    figure = picture("overfitting", group(runs))
    cost, accuracy = figure.axes
    a_test, mark_of_a, a_train, b_test, mark_of_b, _ = cost.get_lines()
    np.testing.assert_allclose(points(a_test)[:, 1], [3, 2, 1.5, 1.75, 2.5, 3])
    np.testing.assert_allclose(points(a_train)[:, 1], np.linspace(2, 1, 6))
    np.testing.assert_allclose(points(mark_of_a), [[10 / 500, 1.5]])
    np.testing.assert_allclose(points(mark_of_b), [[2, 0]])
    labels = {text.get_text() for text in accuracy.texts}
    assert labels == {"● a, test", "● a, training", "■ b, test", "■ b, training"}
    assert [line.get_marker() for line in accuracy.get_lines()] == ["o", "None", "s", "None"]
    assert a_test.get_linewidth() == b_test.get_linewidth() > a_train.get_linewidth()
    assert accuracy.get_ylim()[0] <= 0.93


def test_lowest_cost_is_named_beside_its_line_and_marks_are_explained_below_the_panels() -> None:
    figure = picture("overfitting", group([tracked("a", [3, 2, 1, 2, 2.5, 3]), tracked("b" * 60, [1] * 6)]))
    figure.draw_without_rendering()
    labels = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert {"● a, test (★ epoch 0)", f"■ {'b' * 35}…, test (★ epoch 0)"} < set(labels)
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["test set", "first 1,000 training examples", "lowest mean cost on the test set"]
    box = legend.get_window_extent()
    assert not any(axes.get_window_extent().overlaps(box) for axes in figure.axes)
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_costs_with_different_penalties_are_compared_by_what_no_penalty_changes() -> None:
    free, penalised = tracked("free", [3, 2, 1, 2, 2.5, 3]), tracked("penalised", [9, 8, 7, 7, 7, 7])
    penalised = replace(penalised, settings=msgspec.structs.replace(penalised.settings, l2=0.1))
    cost, gap, accuracy = picture("overfitting", group([free, penalised])).axes
    assert {text.get_text() for text in cost.texts} == {"● free, test (★ epoch 0)", "● free, training"}
    assert "without a penalty" in cost.get_ylabel()
    for line, one in zip(gap.get_lines(), (free, penalised), strict=True):
        np.testing.assert_allclose(points(line)[:, 1], one.metrics["test_cost"] - one.metrics["train_cost"])
    assert "test cost − training cost" in gap.get_ylabel()
    assert len(accuracy.get_lines()) == 4
    free = replace(free, settings=msgspec.structs.replace(free.settings, l2=0.2))
    gap, accuracy = picture("overfitting", group([free, penalised])).axes
    assert len(gap.get_lines()) == 2
    cost, accuracy = picture("overfitting", group([penalised, replace(penalised, variant="other")])).axes
    assert cost.get_ylabel() == "cost, with the penalty on weights"


def test_overfitting_needs_a_tracked_test_set() -> None:
    assert DRAWN["overfitting"](group([run("a"), run("b")]), "title") is None


def test_many_layers_get_a_panel_for_each_variant_instead_of_one_for_all() -> None:
    groups = group([deep("flat", 2), deep("deep", 3), deep("deeper", 4)])
    figure, slowdown = DRAWN["layers"](groups, "title"), DRAWN["slowdown"](groups, "title")
    assert figure is not None
    assert slowdown is not None
    assert len(slowdown.axes) == 2
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["flat", "deep", "deeper"]
    names = [{text.get_text() for text in axes.texts if "layer" in text.get_text()} for axes in panels]
    assert names == [{"output layer", *(f"layer {layer}" for layer in range(1, count))} for count in (2, 3, 4)]
    assert DRAWN["layers"](group([deep("flat", 2), deep("deep", 3)]), "title") is None


def test_layers_differ_in_shade_and_dashes_and_every_panel_has_its_ticks() -> None:
    figure = picture("layers", group([deep("flat", 3), deep("deep", 6)]))
    figure.draw_without_rendering()
    for axes, count in zip(figure.axes, (3, 6), strict=True):
        layers = axes.get_lines()[:count]
        brightness = [sum(to_rgb(line.get_color())) for line in layers]
        assert brightness == sorted(set(brightness))
        assert [line.get_linestyle() == "-" for line in layers] == [False] * (count - 1) + [True]
        assert len([text for text in axes.texts if "layer" in text.get_text()]) == count
        assert [tick.get_text() for tick in axes.get_yticklabels() if tick.get_visible()]


@pytest.mark.parametrize(("costs", "shown"), [(["quadratic"], 0), (["quadratic", "cross-entropy", "shift:My"], 3)])
def test_scatter_of_many_variants_shows_one_of_each_cost(costs: list[str], shown: int) -> None:
    settings = [msgspec.structs.replace(run().settings, cost=cost) for cost in costs]
    groups = group([replace(run(f"{each.cost} {i}"), settings=each) for each in settings for i in range(5)])
    samples = {0: (np.array([0.5]), np.array([0.5]))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "samples", lambda self: samples)
        figure = DRAWN["error-vs-gradient"](groups, "title")
    texts = [text.get_text() for text in figure.legends[0].get_texts()] if figure else []
    named = ["quadratic, seed 0; theory: e²(1 − e)", "cross-entropy, seed 0; theory: e", "My, seed 0"]
    assert texts == named[:shown]


def scatter(samples: dict[str, tuple[list[float], list[float]]]) -> Figure:
    """Return the picture of variants whose output neurons have these errors and gradients, named by their costs."""
    runs = [
        replace(run(cost), settings=resolve({"cost": cost, "seed": seed, "data": "small"}))
        for seed, cost in enumerate(samples)
    ]
    found = {each.settings.seed: {0: tuple(map(np.array, samples[each.settings.cost]))} for each in runs}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "samples", lambda self: found[self.settings.seed])
        return picture("error-vs-gradient", group(runs))


WITHIN = ([0.1, 0.9], [0.2, 0.3])


def test_variant_far_above_the_others_does_not_stretch_the_axes_and_its_points_outside_are_counted() -> None:
    figure = scatter({"quadratic": WITHIN, "squentropy": ([0.1, 0.5, 1], [0.5, 7, 9]), "square-loss": ([30], [30])})
    above, below = figure.axes
    assert above.get_ylim()[1] < 2
    assert below.get_xlim()[1] < 1.1
    assert above.get_title().splitlines()[1:] == ["squentropy: 2 points outside", "square-loss: 1 point outside"]
    rounded = ([0.1, 1.0000001], [0.1, 1])
    assert scatter({"quadratic": WITHIN, "log-likelihood": rounded}).axes[0].get_title() == "update 0"


def test_axes_of_variants_that_are_all_far_up_hold_all_points() -> None:
    far = ([0.0, 30.0], [0.0, 31.0])
    above, below = scatter({"square-loss": far}).axes
    assert above.get_ylim()[1] > 31
    assert below.get_xlim()[1] > 30
    assert above.get_title() == "update 0"


def test_scatter_of_many_costs_has_a_panel_for_each() -> None:
    costs = ("quadratic", "cross-entropy", "log-likelihood", "focal", "square-loss")
    figure = scatter(dict.fromkeys(costs[:-1], WITHIN) | {"square-loss": ([0.5, 3, 4], [0.5, 3, 4])})
    shown = [axes for axes in figure.axes if axes.get_visible() and axes.get_title()]
    assert [axes.get_title().splitlines()[0] for axes in shown] == list(costs)
    assert "2 of 3" in shown[-1].get_title()
    for axes in shown:
        own, *_ = [line for line in axes.get_lines() if line.get_markersize() > 2]
        assert len(points(own)) == (3 if axes is shown[-1] else 2)


def test_scatter_of_one_of_several_seeds_says_so(drawn: dict[str, Figure]) -> None:
    assert drawn["error-vs-gradient"].get_suptitle().endswith("neurons of seed 0 alone")


def test_costs_with_the_same_curve_share_a_panel() -> None:
    errors = np.linspace(0, 1, 5)
    curves = {f"cost {power}": errors**power for power in range(1, 6)} | {"same": errors}
    panels = [axes for axes in theory_curves(errors, curves, "title").axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["cost 1, same", *(f"cost {i}" for i in range(2, 6))]
    for place, axes in enumerate(panels, 1):
        np.testing.assert_array_equal(points(axes.get_lines()[-1])[:, 1], errors**place)
