"""Pictures of trained networks: what they show, and that nothing is cut off with 2, 10, 26 or more classes."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from netlearn import datasets
from netlearn.datasets import sources
from netlearn.inspection.derived import mistakes as mistakes_of
from netlearn.numerics import Array
from netlearn.plotting import networks
from netlearn.plotting.marks import letter
from netlearn.plotting.networks import Image
from netlearn.plotting.single import reliability
from netlearn.plotting.style import render
from netlearn.predictions import Answer
from netlearn.runs import Run, read_run
from netlearn.settings import resolve
from tests.files import write_folder
from tests.runs import do_run

LONG = "runs/a-name-that-is-long-enough-to-be-wrapped-into-the-next-line-in-any-picture-of-this-width: test set"
CLASSES = [1, 2, 10, 26, 40, 60]


def slow(*values: Any) -> Any:
    """Return a case that takes a second to draw."""
    return pytest.param(*values, marks=pytest.mark.slow)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]


def check_nothing_is_cut_off(figure: Figure) -> None:
    """Check that the pixels at the edges are white: a text that is cut off would leave its mark there."""
    pixels = imread(io.BytesIO(render(figure, "png")))[..., :3]
    for edge in (pixels[:10], pixels[-10:], pixels[:, :10], pixels[:, -10:]):
        assert (edge == 1).all()


def answers(count: int, outputs: int, image: Image | None = (6, 9)) -> list[Answer]:
    rng = np.random.default_rng(count)
    last = max(1, outputs - 1)
    x = rng.random((count, int(np.prod(image or (6,)))))
    return [Answer(12_345 + i, x[i], last, last - 1, rng.random(outputs)) for i in range(count)]


@pytest.mark.parametrize("classes", [2, 10, 26, slow(40), 60])
def test_confusion_shows_every_count_at_its_place(classes: int) -> None:
    counts = np.random.default_rng(0).integers(0, 3, (classes, classes)) + 1135 * np.eye(classes, dtype=int)
    figure = networks.confusion(counts, LONG)
    check_nothing_is_cut_off(figure)
    cells = {text.get_position(): text.get_text() for text in figure.axes[1].texts}
    expected = {(column, row): str(count) for (row, column), count in np.ndenumerate(counts) if count}
    assert cells == (expected if classes <= networks.MOST_NUMBERED else {})
    (image,) = figure.axes[1].get_images()
    np.testing.assert_allclose(np.asarray(image.get_array()), counts / counts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("classes", CLASSES[1:5])
def test_counts_fit_into_their_cells(classes: int) -> None:
    figure = networks.confusion(np.full((classes, classes), 1135), "title")
    figure.draw_without_rendering()
    axes = figure.axes[1]
    assert all(text.get_window_extent().width < axes.get_window_extent().width / classes for text in axes.texts)


@pytest.mark.parametrize(
    ("outputs", "image"),
    [*((each, (6, 9)) for each in CLASSES), (10, (28, 28)), (60, (12, 8)), (1, None), (10, None), (60, None)],
)
def test_mistakes_show_label_answer_and_strongest_outputs(outputs: int, image: Image | None) -> None:
    shown = answers(7, outputs, image)
    figure = networks.mistakes(shown, image, LONG)
    check_nothing_is_cut_off(figure)
    for each in shown:
        label = f"label {each.label}, answer {each.answer}"
        (text,) = {text for text in texts(figure) if f"example {each.index:,}" in text}
        assert label in text
        if image is not None:
            first = int(each.outputs.argmax())
            strongest = f"{first}: {each.outputs[first]:.2f}, " if outputs > 1 else f"{each.outputs[0]:.2f}"
            assert strongest in text
    if image is not None:
        drawn = figure.axes[0].get_images()
        np.testing.assert_array_equal(drawn[3].get_array(), shown[3].x.reshape(image))


@pytest.mark.parametrize(("runs", "classes"), [(2, 2), (5, 10), (2, 26), slow(3, 40), (2, 60), slow(30, 10)])
def test_disagreements_name_each_run_and_its_answers(classes: int, runs: int) -> None:
    shown = answers(3, classes)
    given = {f"run {i}": shown for i in range(runs)} | {
        f"run {runs - 1}": [Answer(each.index, each.x, each.label, each.label, each.outputs) for each in shown]
    }
    counts = np.arange(runs * classes).reshape(runs, classes)
    figure = networks.disagreements(given, counts, (6, 9), "title")
    check_nothing_is_cut_off(figure)
    (caption, *_) = [text for text in texts(figure) if text.startswith(f"label {shown[0].label}\n")]
    assert f"A: {shown[0].answer}" in caption
    assert f"{letter(runs - 1)}: {shown[0].label} ✓" in caption
    assert caption.count("✓") == 1
    check_nothing_is_cut_off(networks.disagreements(given, counts, None, LONG))


def test_reliability_marks_the_shares_outside_their_band_and_says_what_is_above_and_below() -> None:
    bins = np.array([(0.1, 0.4, 0.0, 0.2, 50), (0.5, 0.55, 0.4, 0.6, 30), (0.9, 0.6, 0.8, 1.0, 900)])
    figure = reliability({"The largest output": (bins, "calibration error 0.2")}, LONG)
    above, below = figure.axes
    marked = {line.get_marker(): np.array(line.get_xydata()) for line in above.get_lines()}
    np.testing.assert_array_equal(marked["D"], bins[[0, 2], :2])
    np.testing.assert_array_equal(marked["o"], bins[[1], :2])
    assert [bar.get_height() for bar in below.patches if isinstance(bar, Rectangle)] == [50, 30, 900]
    assert {"above: more often than p", "below: less often than p"} <= set(texts(figure))


def test_letters_continue_after_z() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52)] == ["A", "Z", "A1", "Z1", "A2"]


@pytest.mark.parametrize(
    ("neurons", "image"),
    [*((each, (28, 28)) for each in (1, 2, 10, 26)), slow(100, (4, 9)), (1, (4, 9)), (1, (9, 4)), (26, (9, 4))],
)
def test_weights_of_each_neuron_before_and_after(neurons: int, image: Image) -> None:
    rng = np.random.default_rng(0)
    panels: dict[str, Array] = {
        state: rng.normal(size=(neurons, image[0] * image[1])) for state in ("before training", "after training")
    }
    figure = networks.weights(panels, [str(i) for i in range(1, neurons + 1)], image, LONG)
    check_nothing_is_cut_off(figure)
    drawn = figure.axes[0].get_images()
    assert len(drawn) == 2 * neurons
    np.testing.assert_array_equal(drawn[neurons].get_array(), panels["after training"][0].reshape(image))
    low, high = drawn[0].get_clim()
    assert low == -high
    assert {"before training", "after training", str(neurons)} <= set(texts(figure))


@pytest.mark.parametrize("count", [1, 2, 7, 24])
def test_pictures_stand_beside_what_was_seen_of_them(count: int) -> None:
    rng = np.random.default_rng(0)
    pairs = [(rng.random((40, 60)), rng.random((28, 28))) for _ in range(count)]
    captions = [f"a-name-of-a-file-{i}.jpg\nanswer 7 (7: 0.98, 2: 0.10)" for i in range(count)]
    figure = networks.seen(pairs, captions, LONG)
    check_nothing_is_cut_off(figure)
    assert set(captions) <= set(texts(figure))
    drawn = figure.axes[0].get_images()
    assert len(drawn) == 2 * count
    np.testing.assert_array_equal(drawn[-1].get_array(), pairs[-1][1])


def test_weights_that_are_all_zero_can_be_drawn() -> None:
    figure = networks.weights({"after training": np.zeros((2, 6))}, ["1", "2"], (2, 3), "title")
    assert render(figure, "png").startswith(b"\x89PNG")


def test_text_of_users_is_never_parsed_as_mathematics() -> None:
    for figure in (
        networks.confusion(np.eye(2, dtype=int), "runs/$x^$"),
        networks.disagreements({"$a": answers(1, 2), "b^$": answers(1, 2)}, np.eye(2, dtype=int), None, "a $ b"),
        networks.variant_mistakes([("$x^$", answers(2, 2), (6, 9))], "$"),
    ):
        assert render(figure, "png").startswith(b"\x89PNG")


def image_run(tmp_path: Path, name: str, **settings: Any) -> Run:
    folder = write_folder(tmp_path / "images")
    data = datasets.load(str(folder))
    given = {"data": data.name, "hidden": (4,), "epochs": 1, "batch_size": 4, **settings}
    do_run(resolve(given), tmp_path / name, data=data)
    return read_run(tmp_path / name, name)


def test_comparison_shows_a_row_of_mistakes_for_each_variant(tmp_path: Path) -> None:
    groups = {name: [image_run(tmp_path, name, seed=seed)] for seed, name in enumerate(("one", "a" * 90))}
    figure = mistakes_of(groups, "title", costs={})
    assert figure is not None
    check_nothing_is_cut_off(figure)
    assert any(text.startswith("one, seed 0: ") for text in texts(figure))
    assert any(text.startswith("aaa") and ", seed 1: " in text for text in texts(figure))


def test_comparison_leaves_out_what_it_cannot_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = image_run(tmp_path, "run")

    def refuse(*given: object) -> None:
        pytest.fail("nothing must be downloaded for a picture")

    monkeypatch.setattr(sources, "download", refuse)
    moved = [
        Run("absent", run.folder, resolve({"data": "mnist"}), run.summary, {}, None, run.sums),
        Run("auto", run.folder, resolve({"data": "auto"}), run.summary, {}, None, run.sums),
        Run("other", run.folder, resolve({"data": "mnist-5k"}), run.summary, {}, None, run.sums),
        Run("failed", run.folder, run.settings, None, {}, "its worker died"),
        Run("diverged", run.folder, run.settings, run.summary, {}, "it diverged", run.sums),
    ]
    assert mistakes_of({each.variant: [each] for each in moved}, "title", costs={}) is None
    figure = mistakes_of({"moved": moved[:1], "here": [run]}, "title", costs={})
    assert figure is not None
    assert not any("moved" in text for text in texts(figure))


def test_comparison_imports_only_the_costs_of_its_own_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "compared_cost.py").write_text("from netlearn.costs import Quadratic as Mine\n")
    run = image_run(tmp_path, "run", cost="compared_cost:Mine")
    monkeypatch.delitem(sys.modules, "compared_cost")
    assert mistakes_of({"mine": [run]}, "title", costs={}) is None
    assert "compared_cost" not in sys.modules
    assert mistakes_of({"mine": [run]}, "title", costs={"compared_cost:Mine": None}) is not None
