import json
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure

from netlearn.comparison.statistics import group
from netlearn.custom_cost import KNOWN
from netlearn.plotting.marks import GREY, SHADES, cost_styles, lightened, readable, variant_styles
from netlearn.plotting.pictures import DRAWN
from netlearn.plotting.style import render
from tests.comparisons import run
from tests.sweeps import picture, sweep


def test_a_variant_has_one_colour_in_all_pictures(drawn: dict[str, Figure]) -> None:
    for name in ("curves", "slowdown", "error-vs-gradient"):
        lines = [line for axes in drawn[name].axes for line in axes.get_lines()]
        assert {line.get_color() for line in lines} - {GREY} == {"#D55E00", "#0072B2"}


def test_every_line_is_labelled_at_its_end_outside_the_axes(drawn: dict[str, Figure]) -> None:
    figure = drawn["slowdown"]
    figure.draw_without_rendering()
    for axes, names in zip(figure.axes, ([2], [2], [4]), strict=True):
        labels = [text for text in axes.texts if text.get_text().lstrip("●■ ").startswith(("quadratic", "cross"))]
        assert len(labels) == names[0]
        boxes = [label.get_window_extent() for label in labels]
        assert all(box.x0 >= axes.get_window_extent().x1 for box in boxes)
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
        assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_costs_differ_in_dashes_and_layers_in_width(drawn: dict[str, Figure]) -> None:
    speed, wrong, layers = (
        [line for line in axes.get_lines() if line.get_color() != GREY] for axes in drawn["slowdown"].axes
    )
    assert [line.get_linestyle() for line in speed] == [line.get_linestyle() for line in wrong] == ["-", "--"]
    assert [line.get_linestyle() for line in layers] == ["-", "-", "--", "--"]
    assert layers[0].get_linewidth() < layers[1].get_linewidth()
    assert {text.get_text() for text in drawn["slowdown"].axes[2].texts} == {
        "quadratic, layer 1", "quadratic, output layer", "cross-entropy, layer 1", "cross-entropy, output layer",
    }  # fmt: skip


def lines_of(figure: Figure, panel: int = 0) -> dict[str, Any]:
    """Return the thick lines of a panel by their colours."""
    return {str(line.get_color()): line for line in figure.axes[panel].get_lines() if line.get_linewidth() > 1.5}


@pytest.mark.parametrize("costs", [["log-likelihood", "quadratic"], ["cross-entropy", "log-likelihood", "quadratic"]])
def test_a_cost_has_its_colour_and_dashes_whatever_it_is_compared_with(costs: list[str]) -> None:
    figure = picture("curves", group(sweep(cost=costs)))
    expected = {
        "quadratic": ("#D55E00", "-"),
        "cross-entropy": ("#0072B2", "--"),
        "log-likelihood": ("#009E73", "-."),
    }
    assert {colour: line.get_linestyle() for colour, line in lines_of(figure).items()} == dict(
        expected[cost] for cost in costs
    )


def brightness(colour: str) -> float:
    """Return how bright a colour is in grey, from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_dark_lines_keep_their_hue_on_a_dark_page() -> None:
    for dark, middle, _ in SHADES[:2]:  # of the quadratic cost and of cross-entropy
        light = lightened(dark, "#14161b")
        assert brightness(light) > brightness(dark) + 0.1
        hues = [rgb_to_hsv(to_rgb(colour)) for colour in (dark, light)]
        assert abs(hues[0][0] - hues[1][0]) < 0.02
        assert hues[1][1] > 0.5  # not greyish
        assert lightened(middle, "#000000") == middle.lower()


def test_labels_of_light_lines_are_dark_enough_to_be_read() -> None:
    assert readable("#767676", contrast=4.5) == "#767676"  # WCAG's example: 4.54 on white
    assert readable("#777777", contrast=4.5) != "#777777"  # 4.48
    figure = picture("curves", group(sweep(cost=["quadratic"], learning_rate=[0.1, 0.2, 0.5, 1.0])))
    colours = {str(text.get_color()) for text in figure.axes[0].texts if "quadratic" in text.get_text()}
    assert len(colours) == 4
    assert colours == set(map(readable, colours)) != set(lines_of(figure))


def test_every_known_cost_has_a_style_of_its_own_and_equal_dashes_differ_in_grey() -> None:
    alone = {cost: cost_styles([cost])[cost] for cost in KNOWN}
    assert cost_styles([*reversed(list(KNOWN)), "mine:Cost"]) == alone | cost_styles(["mine:Cost"])
    assert cost_styles(["mine:Cost"])["mine:Cost"].colour not in {style.colour for style in alone.values()}
    assert len({style.colour for style in alone.values()}) == len(KNOWN)
    for one, other in combinations(alone.values(), 2):
        assert one.dashes != other.dashes or abs(brightness(one.colour) - brightness(other.colour)) > 0.1


def test_costs_that_differ_in_parameters_alone_have_shades_of_one_colour() -> None:
    styles = cost_styles(["focal(gamma=1)", "quadratic", "focal", "focal(gamma=5)"])
    focal = [styles["focal"], styles["focal(gamma=1)"], styles["focal(gamma=5)"]]
    assert focal[0].colour == cost_styles(["focal"])["focal"].colour
    assert len({style.colour for style in focal}) == 3
    assert {style.dashes for style in focal} == {focal[0].dashes} != {styles["quadratic"].dashes}


def test_variants_with_one_cost_have_its_dashes_different_shades_and_markers() -> None:
    groups = group(sweep(cost=["quadratic", "cross-entropy"], learning_rate=[0.1, 0.2, 0.4]))
    styles = variant_styles(groups)
    assert len({style.colour for style in styles.values()}) == 6
    assert [style.dashes for style in styles.values()] == ["-"] * 3 + ["--"] * 3
    assert len({style.marker for style in styles.values()} - {""}) == 3
    named = variant_styles(
        {"quadratic": groups["quadratic learning_rate=0.1"], "other": groups["quadratic learning_rate=0.2"]}
    )
    assert named["quadratic"].colour == "#D55E00" != named["other"].colour


def test_variants_with_one_cost_alone_differ_in_dashes_and_in_grey() -> None:
    styles = list(variant_styles(group(sweep(cost=["quadratic"], learning_rate=[0.1, 0.2, 0.4]))).values())
    assert len({style.dashes for style in styles}) == 3
    shades = [brightness(style.colour) for style in styles]
    assert min(other - one for one, other in pairwise(shades)) > 0.15


def test_more_than_three_variants_with_one_cost_of_several_differ_in_dashes_too() -> None:
    rates = sweep(cost=["quadratic"], learning_rate=[0.1, 0.2, 0.4, 0.8])
    styles = list(variant_styles(group(rates + sweep(cost=["cross-entropy"]))).values())
    assert len({style.dashes for style in styles[:4]}) == 4
    assert styles[0].dashes == cost_styles(["quadratic"])["quadratic"].dashes
    assert styles[4] == cost_styles(["cross-entropy"])["cross-entropy"]


def test_axis_of_the_training_cost_says_whose_it_is_and_of_which_examples() -> None:
    for values, said in (({"cost": ["quadratic", "cross-entropy"]}, "each variant has its own cost"),
                         ({"l2": [0.1, 0.2]}, "each variant has its own penalty"),
                         ({"learning_rate": [0.1, 0.2]}, "first 1,000 training examples")):  # fmt: skip
        assert said in picture("curves", group(sweep(**values))).axes[1].get_ylabel()


def test_long_runs_are_drawn_against_epochs_from_the_first_one_on() -> None:
    runs = [run("a"), run("b")]
    for each in runs:
        each.metrics["epoch"] = each.metrics["update"] / 100
        each.metrics["validation_accuracy"][-3:] = 0.5, 0.6, 0.7
    accuracy, cost = picture("curves", group(runs)).axes
    assert (cost.get_xlabel(), cost.get_xscale(), cost.get_xlim()) == ("epochs", "linear", (0, 10))
    np.testing.assert_array_equal(accuracy.get_lines()[0].get_xdata(), runs[0].metrics["epoch"])
    assert accuracy.get_ylim()[0] == 0.5
    assert cost.get_ylim()[1] < runs[0].metrics["train_cost"][0]
    runs[1].metrics["epoch"] = runs[1].metrics["update"] / 50
    assert "updates" in picture("curves", group(runs)).axes[1].get_xlabel()


def test_seeds_are_bands_for_few_variants_and_bars_for_many() -> None:
    for rates, bands in (([0.1, 0.2], True), ([0.1, 0.2, 0.3, 0.4, 0.5], False)):
        figure = picture("curves", group(sweep(2, learning_rate=rates)))
        filled = [each for each in figure.axes[0].collections if isinstance(each, PolyCollection)]
        assert len(filled) == (len(rates) if bands else 0)
        assert len(figure.axes[0].containers) == (0 if bands else len(rates))
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert f"{'band' if bands else 'bar'}: lowest to highest seed" in texts


def test_learning_rates_that_differ_stand_in_the_legend_and_titles_have_two_lines() -> None:
    runs = [replace(each, variant=each.settings.cost) for each in sweep(cost=["quadratic", "cross-entropy"])]
    figure = DRAWN["curves"](group(runs), "a long title " * 30)
    assert figure is not None
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["quadratic: η = 3", "cross-entropy: η = 0.5"]
    assert figure.get_suptitle().count("\n") == 1


def test_accuracies_that_end_high_and_close_together_are_apart_in_the_picture() -> None:
    runs = [run("a"), run("b"), run("c")]
    for each, accuracy in zip(runs, (0.986, 0.992, 0.5), strict=True):
        each.metrics["validation_accuracy"][-1] = accuracy
    for some, least in ((runs[:2], 0.08), (runs, 0.0)):
        figure = picture("curves", group(some))
        figure.draw_without_rendering()
        axes = figure.axes[0]
        low, high = (axes.transAxes.inverted().transform(axes.transData.transform((0, y)))[1] for y in (0.986, 0.992))
        assert (high - low > 0.05) == bool(least)
        assert ("widens" in axes.get_ylabel()) == bool(least)
        assert 0 <= low < high <= 1


def test_perfect_accuracies_stay_inside_the_axes() -> None:
    runs = [run("a"), run("b")]
    for each in runs:
        each.metrics["validation_accuracy"][-1] = 1.0
    figure = picture("curves", group(runs))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert axes.transAxes.inverted().transform(axes.transData.transform((0, 1.0)))[1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", DRAWN)
def test_runs_that_failed_or_measured_nothing_do_not_stop_a_picture(name: str) -> None:
    failed = replace(run("failed"), metrics={}, summary=None, problem="failed")
    nowhere = run("nowhere")
    for column in ("train_cost", "validation_accuracy"):
        nowhere.metrics[column][:] = np.nan
    assert DRAWN[name](group([failed]), "title") is None
    figure = DRAWN[name](group([failed, nowhere, run("c")]), "title")
    if figure is not None:
        assert render(figure, "png").startswith(b"\x89PNG")


def test_gradients_of_single_neurons_lie_on_the_lines_of_the_theory(drawn: dict[str, Figure]) -> None:
    quadratic, its_theory, entropy, its_line = (
        [np.array(data) for data in line.get_data()] for line in drawn["error-vs-gradient"].axes[0].get_lines()
    )
    for error, gradient in (quadratic, its_theory):
        np.testing.assert_allclose(gradient, error**2 * (1 - error), atol=1e-6)
    for error, gradient in (entropy, its_line):
        np.testing.assert_allclose(gradient, error, atol=1e-6)
    assert max(quadratic[0]) > 0.9
    assert max(quadratic[1]) < 0.15


def test_digits_show_the_recall_of_every_run(drawn: dict[str, Figure], compared: Path) -> None:
    axes = drawn["digits"].axes[0]
    image = np.array(axes.get_images()[0].get_array())
    summary = json.loads((compared / "cross-entropy-0" / "summary.json").read_text())
    np.testing.assert_allclose(image[2], summary["recall"])
    assert [label.get_text() for label in axes.get_yticklabels()][2] == "cross-entropy, seed 0"


def test_epochs_of_different_length_are_not_marked_and_long_names_are_wrapped() -> None:
    short, long = run("a" * 30 + " " + "c" * 30), run("b")
    long.metrics["epoch"] = long.metrics["epoch"] * 2
    figure = picture("curves", group([short, long]))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(texts, reverse=True) == ["● " + "a" * 30 + "\n" + "c" * 30, "■ b"]
    same = picture("curves", group([run("a"), run("b")]))
    assert "epoch 1" in [text.get_text() for text in same.axes[0].texts]


def test_a_cost_that_grows_without_bound_does_not_flatten_the_others() -> None:
    one, other = run("a"), run("b")
    other.metrics["train_cost"][-2:] = 1e20, 1e30
    figure = picture("curves", group([one, other]))
    assert figure.axes[1].get_ylim()[1] == 10 * one.metrics["train_cost"][0]
    texts = [text for text in figure.axes[1].texts if text.get_text() in {"● a", "■ b"}]
    assert len(texts) == 2
