import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from netlearn.comparison.statistics import group
from netlearn.plotting.marks import GREY
from netlearn.plotting.pictures import DRAWN
from tests.comparisons import run


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


def test_variants_differ_in_dashes_or_markers_and_layers_in_dashes(drawn: dict[str, Figure]) -> None:
    speed, stuck, layers = (
        [(str(line.get_marker()), line.get_linestyle()) for line in axes.get_lines() if line.get_color() != GREY]
        for axes in drawn["slowdown"].axes
    )
    assert speed == stuck == [("None", "-"), ("None", "--")]
    assert layers == [("o", "--"), ("o", "-"), ("s", "--"), ("s", "-")]
    assert {text.get_text() for text in drawn["slowdown"].axes[2].texts} == {
        "● quadratic, layer 1", "● quadratic, layer 2", "■ cross-entropy, layer 1", "■ cross-entropy, layer 2",
    }  # fmt: skip


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


def test_epochs_of_different_length_are_not_marked_and_long_names_are_cut() -> None:
    short, long = run("a" * 50), run("b")
    long.metrics["epoch"] = long.metrics["epoch"] * 2
    figure = DRAWN["curves"](group([short, long]), "title")
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["a" * 35 + "…", "b"]
    same = DRAWN["curves"](group([run("a"), run("b")]), "title")
    assert same is not None
    assert "epoch 1" in [text.get_text() for text in same.axes[0].texts]


def test_a_cost_that_grows_without_bound_does_not_flatten_the_others() -> None:
    one, other = run("a"), run("b")
    other.metrics["train_cost"][-2:] = 1e20, 1e30
    figure = DRAWN["curves"](group([one, other]), "title")
    assert figure is not None
    assert figure.axes[1].get_ylim()[1] == 10 * one.metrics["train_cost"][0]
    texts = [text for text in figure.axes[1].texts if text.get_text() in "ab"]
    assert len(texts) == 2
