import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from netlearn import datasets
from netlearn.errors import DataError
from netlearn.numerics import Array
from netlearn.plotting.marks import BLUE
from netlearn.plotting.networks import examples
from netlearn.plotting.scales import SUPERSCRIPTS, log_axis, update_axis
from netlearn.plotting.single import run_curves
from netlearn.plotting.style import ascending, label_lines, render
from netlearn.runs.formats import MetricsWriter
from netlearn.slowdown import Record

RECORDS = [
    Record(
        update=update, epoch=update / 5000, seconds=0.0, train_cost=2 / (1 + update), train_accuracy=0.5,
        learning_rate=0.5,
        validation_cost=3 / (1 + update), validation_accuracy=0.4, output_error=0.1, learning_speed=1.0, stuck=0.0,
        speeds=(0.1,),
    )
    for update in (0, 1, 2, 5, 10, 100, 1000, 5000, 10_000, 150_000)
]  # fmt: skip


def columns(records: list[Record]) -> dict[str, Array]:
    with tempfile.TemporaryDirectory() as folder:
        writer = MetricsWriter(Path(folder))
        for record in records:
            writer.write(record)
        return writer.read()


def test_curves_show_what_was_recorded_against_updates() -> None:
    figure = run_curves(columns(RECORDS[:-1]), 5000, "title", 50_000)
    cost, accuracy = figure.axes
    for axes, names in (
        (cost, ("train_cost", "validation_cost")),
        (accuracy, ("train_accuracy", "validation_accuracy")),
    ):
        for line, name in zip(axes.get_lines()[:2], names, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [record.update for record in RECORDS[:-1]])
            exact = [getattr(record, name) for record in RECORDS[:-1]]
            np.testing.assert_allclose(np.asarray(line.get_ydata(), float), exact, rtol=1e-8)
    assert [text.get_text() for text in cost.texts] == ["epoch 1", "2"]
    assert accuracy.get_xlabel() == "updates (mini-batches), log scale"
    assert cost.get_ylabel()
    assert accuracy.get_ylabel()


def test_long_runs_are_drawn_against_epochs_since_overfitting_hides_on_a_log_axis() -> None:
    cost, accuracy = run_curves(columns(RECORDS), 5000, "title", 50_000).axes
    assert (accuracy.get_xlabel(), accuracy.get_xscale()) == ("epochs", "linear")
    np.testing.assert_array_equal(cost.get_lines()[0].get_xdata(), columns(RECORDS)["epoch"])
    assert cost.get_ylim()[1] < RECORDS[0].train_cost  # the first costs are many times those that matter then


@pytest.mark.parametrize(
    ("examples", "name"), [(50_000, "training set (its first 1,000 examples)"), (500, "training set")]
)
def test_training_and_validation_differ_in_colour_dashes_and_name(examples: int, name: str) -> None:
    lines = run_curves(columns(RECORDS), 5000, "title", examples).axes[0].get_lines()[:2]
    assert lines[0].get_color() != lines[1].get_color()
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert [line.get_label() for line in lines] == [name, "validation set"]


def test_axis_of_updates_is_logarithmic_with_room_for_update_0() -> None:
    axes = run_curves(columns(RECORDS[:-1]), 5000, "title", 50_000).axes[1]
    places = [axes.transData.transform((update, 0))[0] for update in (0, 1, 10, 100, 1000)]
    steps = np.diff(places)
    np.testing.assert_allclose(steps[1:], steps[1], rtol=1e-6)
    assert 0 < steps[0] < steps[1]


def test_cost_below_zero_is_in_the_picture() -> None:
    below = [replace(record, train_cost=-1.0, validation_cost=-2.0) for record in RECORDS]
    for records in (below, below[:-1]):
        assert run_curves(columns(records), 5000, "title", 50_000).axes[0].get_ylim()[0] <= -2


def test_text_of_users_is_never_parsed_as_mathematics_also_without_any_update() -> None:
    for title, records in (("x_$.npz", RECORDS), ("$x^$", RECORDS[:1]), ("a $ b", RECORDS), ("digits 手", RECORDS)):
        assert render(run_curves(columns(records), 5000, title, 50_000), "png").startswith(b"\x89PNG")


def test_legend_and_labels_stay_off_the_data() -> None:
    figure = run_curves(columns(RECORDS), 5000, "title", 50_000)
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert not any(axes.get_window_extent().overlaps(legend) for axes in figure.axes)
    assert all(text.get_window_extent().y0 >= figure.axes[0].get_window_extent().y1 for text in figure.axes[0].texts)


def test_same_figure_gives_the_same_bytes() -> None:
    for kind in ("png", "svg"):
        one, other = (render(run_curves(columns(RECORDS), 5000, "title", 50_000), kind) for _ in range(2))
        assert one == other


def test_examples_are_shown_above_their_labels() -> None:
    data = datasets.load("mnist-5k")
    (canvas,) = examples(data).axes
    title, *captions = canvas.texts
    assert "50 of 3,500" in title.get_text()
    assert [caption.get_text() for caption in captions] == [str(label) for label in data.train.labels[:50]]
    np.testing.assert_array_equal(canvas.get_images()[7].get_array(), data.train.x[7].reshape(28, 28))


def test_examples_that_are_not_images_cannot_be_shown() -> None:
    with pytest.raises(DataError, match=r"neuron: .*must be images"):
        examples(datasets.load("neuron"))


def test_no_pyplot_is_imported() -> None:
    code = "import sys, netlearn.plotting.pictures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def ending(**heights: float) -> list[tuple[Line2D, str]]:
    """Return lines that end at these heights, each with its name."""
    return [(Line2D([0, 1], [0.5, height], color=BLUE), name) for name, height in heights.items()]


def test_labels_that_would_touch_are_spread_and_stay_inside_the_axes() -> None:
    axes = Figure(figsize=(4, 4)).subplots()
    label_lines(axes, ending(a=0.99, b=1.0, c=0.98, d=0.2))
    heights = {text.get_text(): text.xyann[1] for text in axes.texts if isinstance(text, Annotation)}
    assert list(heights) == ["d", "c", "a", "b"]
    assert heights["d"] == pytest.approx(0.2)
    assert 0.9 < heights["c"] < heights["a"] < heights["b"] <= 1.02


def test_labels_that_would_touch_are_as_near_to_their_lines_as_they_fit_and_joined_to_them() -> None:
    np.testing.assert_allclose(ascending(np.array([1.0, 3.0, 2.0, 2.5, 9.0])), [1, 2.5, 2.5, 2.5, 9])
    axes = Figure(figsize=(4, 4)).subplots()
    label_lines(axes, ending(a=0.5, b=0.5, c=0.5))
    texts = [text for text in axes.texts if isinstance(text, Annotation)]
    heights = [text.xyann[1] for text in texts]
    assert heights[1] == pytest.approx(0.5)
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    assert [(text.xy, text.arrow_patch is not None) for text in texts] == [((1.0, 0.5), True)] * 3


def test_label_of_a_line_that_ends_at_zero_stays_beside_a_log_axis() -> None:
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot([1, 2], [1, 1])
    axes.set_yscale("log")
    label_lines(axes, ending(a=0.0, b=0.0, c=1.0))
    render(figure, "png")  # matplotlib warns where no layout fits
    heights = [text.xyann[1] for text in axes.texts if isinstance(text, Annotation)]
    assert heights[0] == 0
    assert 0 < heights[1] < heights[2] <= 1.02


@pytest.mark.parametrize(("apart", "inside"), [(0.4, True), (0.01, False)])
def test_labels_inside_stand_above_their_lines_where_these_are_furthest_apart(apart: float, inside: bool) -> None:
    figure = Figure(figsize=(4, 4))
    axes = figure.subplots()
    upper = np.array([0.1, 0.1 + apart, 0.1 + apart, 0.1 + apart, 0.1, 0.1])
    lines = [axes.plot(range(6), height, color=BLUE)[0] for height in (np.full(6, 0.1), upper)]
    axes.set_ylim(0, 1)
    label_lines(axes, zip(lines, ("lower", "upper"), strict=True), inside=True)
    figure.draw_without_rendering()
    right = axes.get_window_extent().x1
    for text, height in zip(axes.texts, (0.1, 0.1 + apart), strict=True):
        box = text.get_window_extent()
        assert (box.x1 < right) == inside
        if inside:
            middle, line = axes.transData.transform((2, height))
            assert box.x0 < middle < box.x1
            assert line < box.y0 < line + 10


def test_updates_that_are_epochs_are_marked_once() -> None:
    axes = Figure().subplots()
    update_axis([axes], 1, 500)
    assert axes.get_xlabel() == "full-batch updates, log scale"
    assert not axes.texts


@pytest.mark.usefixtures("rendered")
def test_figure_shows_itself_in_a_notebook_without_a_magic_line() -> None:
    figure = run_curves(columns(RECORDS), 5000, "title", 50_000)
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "limits", [(0.22, 0.6), (0.011, 0.019), (0.42, 0.49), (0.15, 0.9), (0.3, 1.4), (1e-7, 1), (0.05, 2), (20, 3000)]
)
def test_labels_of_log_axes_are_the_values_of_their_ticks(limits: tuple[float, float]) -> None:
    figure = Figure()
    axes = figure.subplots()
    log_axis(axes, "label")
    axes.set_ylim(limits)
    figure.draw_without_rendering()
    ticks = axes.yaxis.get_major_ticks() + axes.yaxis.get_minor_ticks()
    shown = [tick for tick in ticks if limits[0] <= tick.get_loc() <= limits[1] and tick.label1.get_text()]
    back = {character: chr(plain) for plain, character in SUPERSCRIPTS.items()}
    for tick in shown:
        factor, times, power = tick.label1.get_text().rpartition("×")
        if ord(power[-1]) in back:
            exponent = int("".join(back[ord(character)] for character in power.removeprefix("10")))
            assert float(factor or 1) * 10.0**exponent == pytest.approx(tick.get_loc(), rel=0.006)
        else:
            assert float(tick.label1.get_text().replace(",", "")) == pytest.approx(tick.get_loc(), rel=0.006)
            assert not times
    assert len(shown) >= 2
