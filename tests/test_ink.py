"""Drawn digits prepared as MNIST's were: what is taken for ink, and where it goes."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netlearn import datasets
from netlearn.datasets.pictures import read_grey
from netlearn.errors import DataError
from netlearn.inspection.prediction import prepare
from netlearn.numerics import Array

SIDE, BOX = 28, 20
Change = Callable[[Array], Array]


@cache
def digits() -> Array:
    x: Array = datasets.load("mnist-5k").test.x
    return x


def original(index: int) -> Array:
    """Return a test digit of mnist-5k."""
    image: Array = digits()[index].reshape(SIDE, SIDE)
    return image


def digit(index: int = 0, times: int = 6) -> Array:
    """Return a test digit, enlarged, as light ink on 0."""
    image = Image.fromarray(original(index))
    side = times * SIDE
    enlarged: Array = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    return np.clip(enlarged, 0, 1)


def on_paper(ink: Array, height: int = 220, width: int = 260) -> Array:
    """Return ink off the centre of a larger sheet, dark on light."""
    sheet = np.zeros((height, width), np.float32)
    sheet[20 : 20 + ink.shape[0], 70 : 70 + ink.shape[1]] = ink
    return 0.9 - 0.8 * sheet


def cut(ink: Array) -> Array:
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.1)[[0, -1]] for axis in (1, 0))
    return 1 - ink[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]


def lit_from_one_side(paper: Array) -> Array:
    return paper * np.linspace(0.4, 1, paper.shape[1], dtype=np.float32)


def grainy(paper: Array) -> Array:
    return paper + np.random.default_rng(0).normal(scale=0.05, size=paper.shape).astype(np.float32)


def in_a_drawn_frame(paper: Array) -> Array:
    framed = paper.copy()
    framed[6:9, 6:-6] = framed[-9:-6, 6:-6] = framed[6:-6, 6:9] = framed[6:-6, -9:-6] = 0.1
    return framed


def squared(paper: Array) -> Array:
    ruled = paper.copy()
    ruled[5::24] -= 0.2
    ruled[:, 7::24] -= 0.2
    return ruled


def with_specks(paper: Array) -> Array:
    dirty = paper.copy()
    dirty[5:9, 5:9] = dirty[-12:-8, -20:-16] = 0
    return dirty


CHANGES: dict[str, Change] = {
    "light on dark": lambda paper: 1 - paper,
    "uneven light": lit_from_one_side,
    "uneven light on a blackboard": lambda paper: lit_from_one_side(0.9 - 0.8 * paper),
    "pencil": lambda paper: 0.55 + 0.3 * paper,
    "grainy": lambda paper: grainy(lit_from_one_side(paper)),
    "drawn frame": in_a_drawn_frame,
    "black border": lambda paper: np.pad(paper, 5),
    "paper on a dark table": lambda paper: grainy(np.pad(paper, ((40, 60), (30, 80)), constant_values=0.2)),
    "tile on grey": lambda paper: np.pad(paper, ((0, 60), (50, 0)), constant_values=0.5),
    "edge of a table": lambda paper: np.pad(paper, ((0, 0), (50, 0)), constant_values=0.1),
    "squared paper": squared,
    "specks": with_specks,
    "frame on a table": lambda paper: np.pad(in_a_drawn_frame(paper), 40, constant_values=0.2),
}


@pytest.mark.parametrize("index", range(0, 800, 160))
@pytest.mark.parametrize("name", CHANGES)
def test_ink_is_found_whatever_is_around_it(name: str, index: int) -> None:
    paper = on_paper(digit(index))
    found, plain = prepare(CHANGES[name](paper)), prepare(paper)
    assert np.abs(found - plain).mean() < 0.07
    assert np.corrcoef(found.ravel(), plain.ravel())[0, 1] > 0.87


@pytest.mark.parametrize("index", range(0, 800, 80))
def test_images_of_mnist_stay_what_they_are_and_cut_ones_return_to_it(index: int) -> None:
    for picture in (original(index), 1 - original(index), cut(digit(index))):
        found = prepare(picture)
        assert np.corrcoef(found.ravel(), original(index).ravel())[0, 1] > 0.9


def test_ink_fits_its_box_keeps_its_ratio_and_is_centred_by_mass() -> None:
    for height, width in ((100, 30), (30, 100), (90, 90), (7, 5), (200, 4)):
        picture = np.ones((height + 60, width + 90), np.float32)
        triangle = np.arange(width) / width <= (np.arange(height) / height)[:, np.newaxis]
        picture[13 : 13 + height, 70 : 70 + width] -= triangle
        found = prepare(picture)
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        box = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert max(box) == BOX
        assert min(box) == max(1, round(BOX * min(height, width) / max(height, width)))
        assert found.max() == 1
        centre = np.indices(found.shape).reshape(2, -1) @ found.ravel() / found.sum()
        np.testing.assert_allclose(centre, SIDE / 2, atol=0.5)


def test_disconnected_strokes_are_one_digit() -> None:
    paper = np.ones((100, 100), np.float32)
    paper[20:80, 30:36] = paper[20:80, 60:66] = 0
    found = prepare(paper)
    columns = np.flatnonzero(found.any(axis=0))
    assert columns[-1] - columns[0] + 1 == round(BOX * 36 / 60)
    assert not found[:, 13:15].any()


def test_solid_rectangle_and_ring_are_ink_not_frames() -> None:
    paper = np.ones((100, 100), np.float32)
    paper[20:80, 40:60] = 0
    assert prepare(paper).sum() == pytest.approx(BOX * 7, rel=0.1)
    paper[20:80, 30:70] = 0
    paper[26:74, 36:64] = 1
    found = prepare(paper)
    assert found[SIDE // 2, SIDE // 2] == 0
    assert found.any(axis=1).sum() == BOX


@pytest.mark.parametrize(
    "picture",
    [
        np.ones((50, 60)),
        np.zeros((1, 1)),
        np.full((3, 200), 0.5),
        np.clip(0.8 + np.random.default_rng(0).normal(scale=0.03, size=(300, 400)), 0, 1),
        np.linspace(0, 1, 400).reshape(1, -1).repeat(300, axis=0),
        np.linspace(0, 1, 400),
    ],
    ids=["white", "pixel", "strip", "texture", "uneven light", "line"],
)
def test_picture_without_ink_is_refused(picture: Array) -> None:
    with pytest.raises(DataError) as caught:
        prepare(np.atleast_2d(picture))
    assert "no ink" in str(caught.value)


def shaded(paper: Array, softness: float) -> Array:
    """Put the soft shadow of a hand over a sheet."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 (takes 0.1 s to import)

    height, width = paper.shape
    down, right = np.mgrid[:height, :width]
    shadow = gaussian_filter((right + 0.7 * down > 0.54 * (width + 0.7 * height)).astype(np.float32), softness)
    noise = np.random.default_rng(0).normal(scale=0.015, size=paper.shape).astype(np.float32)
    shaded: Array = paper * (1 - 0.4 * shadow) + noise
    return shaded


@pytest.mark.parametrize("softness", [25, 50])
def test_soft_shadow_is_divided_out(softness: float) -> None:
    near = 0
    for index in range(0, 800, 80):
        paper = on_paper(digit(index, 9), 420, 520)
        found, plain = prepare(shaded(paper, softness)), prepare(paper)
        near += np.corrcoef(found.ravel(), plain.ravel())[0, 1] > 0.9
    assert near >= 9


def faint(paper: Array) -> Array:
    """Return a pencil's drawing with half of the contrast of ink."""
    return 0.8 + 0.5 * (paper - 0.9)


@pytest.mark.parametrize("softness", [25, 50])
def test_faint_strokes_in_a_deep_shadow_are_not_refused_as_a_shadow(softness: float) -> None:
    for index in range(0, 800, 160):
        assert prepare(shaded(faint(on_paper(digit(index, 9), 420, 520)), softness)).any()


BLANK = np.full((420, 520), 0.85, np.float32)


def dome(softness: float) -> Array:
    """Return a soft round spot, 0.4 bright, the size of a sheet."""
    down, right = np.mgrid[-200:220, -260:260]
    spot: Array = (0.4 * np.exp(-(down**2 + right**2) / 2 / softness**2)).astype(np.float32)
    return spot


def side_by_side(*indices: int) -> Array:
    return np.hstack(
        [np.full((200, 30), 0.9, np.float32), *(on_paper(digit(i), 200, 260)[:, 50:240] for i in indices)]
    )


def with_text(paper: Array) -> Array:
    """Return a sheet with a line of small marks, such as letters, every 20 pixels."""
    written = paper.copy()
    for row in range(10, paper.shape[0] - 10, 20):
        for column in range(10, paper.shape[1] - 10, 12):
            written[row : row + 8, column : column + 3] = 0.1
    return written


def charted(paper: Array) -> Array:
    """Return a sheet with two curves, an axis on two sides, and ticks with their labels."""
    drawn = with_text(paper)
    drawn[20:180, 30:240] = 0.9
    drawn[20:180, 30:32] = drawn[178:180, 30:240] = 0.1
    for start, slope in ((40, 0.5), (150, -0.4)):
        for column in range(34, 240):
            row = int(start + slope * (column - 34))
            drawn[row : row + 3, column] = 0.3
    return drawn


NO_DIGIT: dict[str, tuple[Array, str]] = {
    **{
        f"shadow on blank paper, {softness} pixels soft": (shaded(BLANK, softness), "no strokes, but a soft shadow")
        for softness in (20, 50, 80)
    },
    "round shadow on blank paper": (BLANK - dome(80), "no strokes, but a soft shadow"),
    "soft light on a blackboard": (0.1 + dome(100), "no strokes, but a soft shadow"),
    "squared paper": (squared(np.full((300, 400), 0.9, np.float32)), "no strokes, but lines"),
    "a blot": (1 - (np.hypot(*np.mgrid[-60:60, -60:60]) < 40) * 0.8, "no strokes, but one broad area"),
    "314": (side_by_side(240, 80, 320), "several digits, 3 groups"),
    "a page of text": (with_text(BLANK), "must be one digit"),
    "a chart": (charted(np.full((220, 260), 0.9, np.float32)), r"has \d+ marks, as a chart"),
    "42": (side_by_side(320, 160), "several digits, 2 groups"),
}


@pytest.mark.parametrize("name", NO_DIGIT)
def test_what_is_not_one_digit_is_said(name: str) -> None:
    picture, fact = NO_DIGIT[name]
    with pytest.raises(DataError, match=fact):
        prepare(picture)


def test_small_text_beside_a_digit_is_left_out() -> None:
    for index in range(0, 800, 80):
        paper = on_paper(digit(index), 260)
        beside = paper.copy()
        beside[210:250] = with_text(paper[210:250])
        np.testing.assert_allclose(prepare(beside), prepare(paper), atol=0.05)


CHARTS = ("curves", "slowdown", "reproduction/tie", "cures/best")


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_no_digits(name: str) -> None:
    path = Path(__file__).parents[1] / "docs" / f"{name}.png"
    with pytest.raises(DataError, match="must be one digit"):
        prepare(read_grey(path.read_bytes(), clearest=True))
