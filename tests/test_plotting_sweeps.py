"""Pictures of sweeps: accuracy against one setting, over two, and which settings make the lines and the panels."""

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from netlearn.comparison.statistics import group
from netlearn.numerics import Array
from netlearn.plotting.marks import in_words
from netlearn.plotting.pictures import DRAWN
from netlearn.plotting.sweep import MOST_PANELS, factors
from netlearn.runs import Run, selection
from tests.comparisons import summary
from tests.sweeps import picture, sweep

RATES = [0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0]
L2 = [0.0, 0.1, 1.0, 5.0]
COSTS = ["quadratic", "cross-entropy"]


def drawn(name: str, runs: list[Run]) -> Figure:
    figure = picture(name, group(runs))
    figure.draw_without_rendering()
    return figure


def panels_of(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible() and axes.get_label() != "<colorbar>"]


def shades_of(axes: Axes) -> Array:
    """Return the errors that a heat map shows, NaN where there is none."""
    (image,) = axes.get_images()
    return np.ma.filled(np.ma.asarray(image.get_array()), np.nan)


def check_texts(figure: Figure) -> None:
    """Check that no texts outside the panels overlap, and that all lie within the figure."""
    outside: list[Text] = []
    for axes in (each for each in figure.axes if each.get_visible()):
        outside += [axes.title, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            outside += [label for tick in ticks for label in (tick.label1, tick.label2)]
    boxes = [
        (text.get_text(), text.get_window_extent()) for text in outside if text.get_text() and text.get_visible()
    ]
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
    assert not [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]


@pytest.mark.parametrize(
    ("values", "axes", "others"),
    [
        ({"learning_rate": RATES}, ["learning_rate"], []),
        ({"learning_rate": RATES, "cost": COSTS}, ["learning_rate"], ["cost"]),
        ({"l2": L2, "learning_rate": RATES}, ["learning_rate", "l2"], []),
        ({"l2": [0.0, 1.0], "learning_rate": RATES}, ["learning_rate"], ["l2"]),
        ({"hidden": [(5,), (10,), (30,)]}, ["hidden"], []),
        ({"hidden": [(5,), (10,), (30, 5)]}, [], ["hidden"]),
        ({"max_norm": ["off", 1.0, 2.0, 3.0], "learning_rate": RATES}, ["learning_rate"], ["max_norm"]),
    ],
    ids=str,
)
def test_axes_are_settings_with_three_numbers(values: dict[str, Any], axes: list[str], others: list[str]) -> None:
    found = factors(group(sweep(**values)))
    assert (found[0], set(found[1])) == (axes, set(others))


def test_setting_that_was_adjusted_to_another_is_no_axis_of_its_own() -> None:
    runs = [*sweep(train_size=[10], l2=[0.1]), *sweep(train_size=[20], l2=[0.2]), *sweep(train_size=[50], l2=[0.5])]
    assert factors(group(runs)) == (["train_size"], [])
    apart = [*runs, *sweep(train_size=[50], l2=[0.1])]
    assert factors(group(apart)) == (["train_size", "l2"], [])


@pytest.mark.parametrize(
    ("values", "panels", "lines"),
    [
        ({"cost": COSTS}, 2, 2),
        ({"cost": COSTS, "hidden": [(10, 10), (30, 10), (30,)]}, 2, 6),
        ({"cost": COSTS, "hidden": [(10, 10), (30, 10), (30,)], "activation": ["sigmoid", "tanh"]}, 6, 2),
    ],
    ids=str,
)
def test_a_line_for_each_value_of_the_others_and_panels_where_these_are_many(
    values: dict[str, Any], panels: int, lines: int
) -> None:
    figure = drawn("against", sweep(2, learning_rate=RATES, **values))
    found = panels_of(figure)
    assert len(found) == panels
    assert all(len([line for line in axes.get_lines() if line.get_label()]) == lines for axes in found)
    check_texts(figure)


def test_sixty_values_are_one_line_with_few_ticks() -> None:
    figure = drawn("against", sweep(3, learning_rate=np.geomspace(0.01, 10, 60).round(4).tolist()))
    assert len(panels_of(figure)[0].get_lines()[0].get_xydata()) == 60  # type: ignore[arg-type]
    check_texts(figure)


def test_zero_has_its_place_beside_a_log_axis() -> None:
    axes = panels_of(drawn("against", sweep(l2=[0.0, 0.01, 0.1, 1.0, 10.0])))[0]
    assert "log" in axes.get_xlabel()
    places = axes.transData.transform([(each, 0.5) for each in (0.0, 0.01, 0.1, 1.0, 10.0)])[:, 0]
    assert min(np.diff(places)) > 0.1 * (places[-1] - places[0])


@pytest.mark.parametrize("name", ["heat-map", "settings"])
def test_title_and_key_of_a_sweep_have_words_for_settings(name: str) -> None:
    groups = group(sweep(learning_rate=RATES, l2=L2))
    figure = DRAWN[name](groups, "learning_rate × l2 (small)")
    assert figure is not None
    assert figure.get_suptitle() == "learning rate η × λ of L2 regularization (small)"
    best = figure.legends[0].get_texts()[0].get_text()
    assert re.search(r": learning rate η = [\d.]+, λ of L2 regularization = [\d.]+$", best)


@pytest.mark.parametrize("text", ["What hidden layers do", "mine eta=3", "quadratic, η = 3", "learning_rate"])
def test_names_of_ones_own_stay_as_they_are(text: str) -> None:
    assert in_words(text) == text


def test_heat_map_shows_the_accuracy_of_each_pair_and_outlines_the_best() -> None:
    runs = sweep(2, learning_rate=RATES, l2=L2)
    figure = drawn("heat-map", runs)
    (axes,) = panels_of(figure)
    shown = shades_of(axes)
    assert shown.shape == (len(L2), len(RATES))
    groups = group(runs)
    for row, l2 in enumerate(L2):
        for column, rate in enumerate(RATES):
            variant = groups[next(n for n, (run, *_) in groups.items()
                                  if (run.settings.l2, run.settings.learning_rate) == (l2, rate))]  # fmt: skip
            assert 1 - shown[row, column] == pytest.approx(selection.validation_accuracy(variant))
    (outline,) = (patch for patch in axes.patches if isinstance(patch, Rectangle))
    assert shown[round(outline.get_y() + 0.5), round(outline.get_x() + 0.5)] == shown.min()
    assert in_words(next(iter(selection.ranked(groups)))) in figure.legends[0].get_texts()[0].get_text()
    assert [text.get_text() for text in axes.texts] == [f"{100 * (1 - error):.1f}" for error in shown.ravel()]
    check_texts(figure)


@pytest.mark.parametrize(
    ("values", "panels"),
    [
        ({"cost": COSTS}, 2),
        ({"cost": COSTS, "batch_size": [5, 10, 20]}, 6),
        ({"cost": COSTS, "batch_size": [5, 10, 20], "activation": ["sigmoid", "tanh", "relu"]}, None),
    ],
    ids=str,
)
def test_other_settings_are_panels_of_which_at_most_twelve_are_shown(
    values: dict[str, Any], panels: int | None
) -> None:
    runs = sweep(learning_rate=RATES, l2=L2, **values)
    figure = drawn("heat-map", runs)
    found = panels_of(figure)
    if panels is None:
        assert 1 <= len(found) <= 3 < MOST_PANELS
        assert f"{18 - len(found)} of 18 panels" in figure.get_suptitle()
    else:
        assert len(found) == panels
    check_texts(figure)


def test_best_variants_that_are_tied_are_counted_and_outlined() -> None:
    runs = sweep(learning_rate=RATES, l2=L2)
    for i in (1, 5, 6):
        runs[i] = replace(runs[i], summary=summary(best_validation_accuracy=0.99, epochs=5.0))
    figure = drawn("heat-map", runs)
    (text,) = figure.legends[0].get_texts()
    assert text.get_text() == f"the best, 99.00 %: {in_words(runs[1].variant)} and 2 more, tied"
    assert len([patch for patch in panels_of(figure)[0].patches if isinstance(patch, Rectangle)]) == 3


def test_cells_without_a_finished_run_are_empty() -> None:
    runs = sweep(learning_rate=RATES, l2=L2)
    runs[3] = replace(runs[3], summary=None, problem="diverged")
    figure = drawn("heat-map", runs[:-2])
    shown = shades_of(panels_of(figure)[0])
    assert np.isnan(shown).sum() == 3
    assert np.isnan(shown[3, 0])


def test_five_hundred_cells_are_not_numbered() -> None:
    figure = drawn("heat-map", sweep(learning_rate=np.geomspace(0.01, 10, 50).round(4).tolist(), l2=list(range(10))))
    assert not panels_of(figure)[0].texts
    check_texts(figure)


def test_no_heat_map_of_one_setting_or_of_scattered_values() -> None:
    assert DRAWN["heat-map"](group(sweep(learning_rate=RATES, cost=COSTS)), "title") is None
    scattered = [each for i in range(1, 9) for each in sweep(learning_rate=[0.1 * i], l2=[0.1 * (i * 3 % 8)])]
    assert DRAWN["heat-map"](group(scattered), "title") is None


def test_each_setting_of_many_variants_has_a_panel_the_one_that_matters_most_first() -> None:
    runs = sweep(cost=COSTS, learning_rate=RATES, hidden=[(10, 10), (100, 30)])
    figure = drawn("settings", runs)
    panels = panels_of(figure)
    assert [axes.get_xlabel() for axes in panels] == ["learning rate η, log scale", "hidden neurons", "cost"]
    assert [label.get_text() for label in panels[1].get_xticklabels()] == ["10+10", "100+30"]
    (best, accuracy), *_ = selection.ranked(group(runs)).items()
    for axes in panels:
        lines = axes.get_lines()
        *points, star = [line for line in lines if line.get_marker() != "None"]
        assert [(line.get_marker(), line.get_color()) for line in points] == [("o", "#D55E00"), ("o", "#0072B2")]
        for cost, line in zip(COSTS, points, strict=True):
            expected = [found for name, found in selection.ranked(group(runs)).items() if name.startswith(cost)]
            assert sorted(np.asarray(line.get_ydata()).tolist()) == pytest.approx(sorted(expected))
        assert float(np.asarray(star.get_ydata())[0]) == pytest.approx(accuracy)
    medians = [line for line in panels[0].get_lines() if line.get_marker() == "None"]
    assert [len(np.asarray(line.get_xdata())) for line in medians] == [len(RATES)] * 2
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert in_words(best) in texts[0]
    assert texts[1:3] == COSTS
    check_texts(figure)


def test_settings_drawn_at_random_have_points_and_no_medians_of_single_ones() -> None:
    runs = [each for i in range(60) for each in sweep(learning_rate=[0.01 * (i + 1)], l2=[0.1 * (i * 7 % 60)])]
    runs[5] = replace(runs[5], summary=None, problem="diverged")
    figure = drawn("settings", runs)
    for axes in panels_of(figure):
        assert {line.get_marker() for line in axes.get_lines()} == {"o", "*"}
        assert max(len(np.asarray(line.get_xdata())) for line in axes.get_lines()) == 59
    check_texts(figure)


def test_names_of_values_have_room() -> None:
    optimizers = ["sgd", "momentum", "nesterov", "rmsprop", "adam"]
    hidden = [(30,) * layers for layers in range(1, 40)]
    figure = drawn("settings", sweep(optimizer=optimizers, hidden=hidden))
    assert len(panels_of(figure)) == 2
    check_texts(figure)


def test_settings_of_few_variants_or_a_single_one_have_no_panels() -> None:
    assert DRAWN["settings"](group(sweep(learning_rate=RATES[:4], cost=COSTS)), "title") is None
    assert DRAWN["settings"](group(sweep(learning_rate=[0.1 * i for i in range(1, 20)])), "title") is None
