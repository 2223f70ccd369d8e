"""Of many variants the best, the median and the worst are shown by name, the others as thin lines or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from netlearn.comparison.statistics import group
from netlearn.plotting.marks import in_words
from netlearn.plotting.pictures import DRAWN, MOST_ROWS
from netlearn.runs import Run, selection
from netlearn.settings import resolve
from tests.comparisons import run
from tests.sweeps import sweep


def reached(accuracy: float, seed: int = 0, variant: str = "") -> Run:
    return run(variant or f"v{accuracy}", seed, best_validation_accuracy=accuracy)


def drawn(name: str, runs: list[Run]) -> Figure:
    figure = DRAWN[name](group(runs), "title")
    assert figure is not None
    figure.draw_without_rendering()
    return figure


def test_few_variants_are_all_shown() -> None:
    groups = group([reached(0.1 * i) for i in range(selection.MOST_SHOWN)])
    assert selection.select(groups) is groups
    assert selection.titled("title", groups) == "title"


def test_best_median_and_worst_go_by_the_mean_over_finished_seeds() -> None:
    accuracies = [0.5, 0.9, 0.3, 0.7, 0.8, 0.4, 0.6, 0.2, 0.1]
    runs = [
        reached(accuracy + step, seed, f"v{accuracy}")
        for accuracy in accuracies
        for seed, step in ((0, 0), (1, 0.05))
    ]
    runs.append(reached(0.99, 2, "v0.1"))
    failed = replace(reached(0.99, variant="failed"), summary=None, metrics={}, problem="failed")
    assert selection.chosen(group([*runs, failed])) == {"best": "v0.9", "median": "v0.5", "worst": "v0.2"}
    assert "7 of 10 variants are grey" in selection.titled("title", group([*runs, failed]), "grey")
    lucky = replace(failed, variant="v0.9")
    assert selection.chosen(group([*runs, replace(lucky, settings=resolve({"seed": 9}))]))["best"] == "v0.8"
    texts = [text.get_text() for text in drawn("curves", [*runs, failed]).legends[0].get_texts()]
    assert "best, 92.50 %: v0.9" in texts


@pytest.mark.parametrize(
    ("finished", "words"), [(1, ["best"]), (2, ["best", "worst"]), (3, ["best", "median", "worst"])]
)
def test_one_variant_is_never_shown_twice(finished: int, words: list[str]) -> None:
    runs = [reached(0.1 * i) for i in range(1, 10)]
    runs[finished:] = [replace(each, summary=None, problem="failed") for each in runs[finished:]]
    found = selection.chosen(group(runs))
    assert list(found) == words
    assert len(set(found.values())) == finished


def test_where_no_run_finished_the_first_measured_ones_are_shown() -> None:
    runs = [replace(reached(0.1 * i), summary=None, problem="diverged") for i in range(12)]
    runs[0] = replace(runs[0], metrics={})
    assert list(selection.select(group(runs))) == [each.variant for each in runs[1:9]]
    assert "4 of 12 variants" in selection.titled("title", group(runs))


@pytest.mark.parametrize("count", [9, 60, 500])
def test_many_curves_are_thin_but_three(count: int) -> None:
    runs = sweep(learning_rate=[0.01 * i for i in range(1, count + 1)])
    figure = drawn("curves", runs)
    for axes, column in zip(figure.axes, ("validation_accuracy", "train_cost"), strict=True):
        (thin,) = (each for each in axes.collections if isinstance(each, LineCollection))
        assert len(thin.get_segments()) == count
        names = selection.chosen(group(runs))
        shown = [next(each for each in runs if each.variant == name) for name in names.values()]
        named = [line for line in axes.get_lines() if len(np.atleast_1d(line.get_xdata())) > 2]
        for line, one in zip(named, shown, strict=True):
            np.testing.assert_allclose(np.asarray(line.get_ydata(), float), one.metrics[column])
        labels = [text for text in axes.texts if text.get_text().split()[-1] in names]
        boxes = [label.get_window_extent() for label in labels]
        assert len(boxes) == 3
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
        assert all(axes.get_window_extent().x1 <= box.x0 < box.x1 <= figure.bbox.x1 for box in boxes)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text.partition(": ")[2] for text in texts[:3]] == [in_words(name) for name in names.values()]
    assert texts[3:] == ["the others, cross-entropy"]


def test_long_names_leave_the_panels_their_height() -> None:
    names = [f"{letter * 40} {letter * 80}" for letter in "abcdefghi"]
    heights = [
        [axes.get_window_extent().height for axes in drawn("slowdown", [run(name) for name in some]).axes]
        for some in (names, "abcdefghi")
    ]
    assert heights[0] == pytest.approx(heights[1], rel=0.1)


def test_number_of_thin_lines_is_bounded() -> None:
    most = selection.MOST_GREY
    figure = drawn("curves", [run(f"{i}", best_validation_accuracy=1 / (1 + i)) for i in range(3 * most)])
    (thin,) = (each for each in figure.axes[0].collections if isinstance(each, LineCollection))
    assert len(thin.get_segments()) == most
    assert "left out" in figure.get_suptitle()


def test_pictures_with_a_panel_or_a_row_for_each_variant_show_three_of_many() -> None:
    deep = sweep(2, hidden=[(30, 20, 10)], learning_rate=[0.01 * i for i in range(1, 61)])
    assert len([axes for axes in drawn("layers", deep).axes if axes.get_visible()]) == 3
    assert len(drawn("digits", deep).axes[0].get_yticklabels()) == 6
    tracked = [
        replace(each, metrics=each.metrics | {"test_cost": each.metrics["train_cost"], "test_accuracy": np.ones(14),
                                              "train_accuracy": np.ones(14)})
        for each in deep
    ]  # fmt: skip
    texts = [text.get_text() for text in drawn("overfitting", tracked).legends[0].get_texts()]
    assert len([text for text in texts if text.startswith(("best", "median", "worst"))]) == 3
    assert not any("the others" in text for text in texts)
    cures = sweep(2, optimizer=["sgd", "adam"], learning_rate=[0.01 * i for i in range(1, 31)])
    words = [text.get_text().split()[-1] for text in drawn("cures", cures).axes[2].texts if text.get_text()]
    assert [word for word in words if word in {"best", "median", "worst"}] == ["best", "median", "worst"]


def test_rows_of_very_many_seeds_are_bounded() -> None:
    axes = drawn("digits", sweep(50, learning_rate=[0.1, 0.5])).axes[0]
    assert len(axes.get_yticklabels()) == MOST_ROWS
    assert f"first {MOST_ROWS // 2}" in axes.get_xlabel()
