"""Images and labels: the types and shapes that are accepted, and how they are scaled."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netlearn import datasets
from netlearn.datasets import Dataset

PIXELS = np.linspace(0, 1, 64)  # of an image of 8 x 8
LABELS = np.arange(60) % 3


def loaded(images: NDArray[Any], labels: NDArray[Any] = LABELS, test: NDArray[Any] | None = None) -> Dataset:
    """Return the data set of an .npz file with 60 training images, by default the same ones for testing."""
    np.savez("own.npz", x_train=images, y_train=labels, x_test=images if test is None else test, y_test=labels)
    return datasets.load("own.npz")


def images_up_to(largest: float, dtype: str) -> NDArray[Any]:
    return np.tile(np.round(PIXELS * largest).astype(dtype).reshape(8, 8), (60, 1, 1))


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [
        ("u1", 255), ("u2", 65535), (">u2", 65535), ("u4", 255), ("u8", 2**64 - 2**11), ("i2", 255), ("i4", 65535),
        ("i8", 255), ("i8", 1), ("i8", 40_000), ("i8", 2**32 - 1),
    ],
)  # fmt: skip
def test_integers_are_divided_by_the_range_of_their_type_or_of_their_values(dtype: str, largest: int) -> None:
    images = images_up_to(largest, dtype)
    data = loaded(images)
    divisor = 65535 if largest == 40_000 else largest
    np.testing.assert_allclose(data.test.x, images.reshape(60, 64) / divisor, rtol=1e-6)
    assert data.test.x.dtype == np.float32
    assert (data.image, data.note) == ((8, 8), "")


def test_booleans_become_0_and_1() -> None:
    images = images_up_to(1, "?")
    np.testing.assert_array_equal(loaded(images).test.x, images.reshape(60, 64))


def test_training_and_test_images_are_divided_by_the_same_number() -> None:
    data = loaded(images_up_to(1, "i8"), test=images_up_to(255, "u1"))
    assert (data.train.x.max(), data.test.x.max()) == (np.float32(1 / 255), 1)
    assert "brightest training pixel is 1 " in data.note


@pytest.mark.parametrize(("dtype", "divisor"), [("i8", "255"), ("u1", "255"), ("u2", "65,535")])
def test_integers_far_below_their_range_get_a_note(dtype: str, divisor: str) -> None:
    data = loaded(images_up_to(16, dtype))
    assert f"16 and was divided by {divisor}" in data.note
    assert "divide by 16" in data.note


@pytest.mark.parametrize(
    ("times", "plus", "facts"),
    [
        (16, 0, ["0 to 16", "divide them by 16"]), (255, 0, ["0 to 255", "divide them by 255"]),
        (4, -2, ["−2 to 2", "rescale", "docs/data.md"]), (1.000001, 0, []),
    ],
)  # fmt: skip
def test_floats_outside_0_to_1_get_a_note_that_says_what_to_do(times: float, plus: float, facts: list[str]) -> None:
    data = loaded(PIXELS * np.full((60, 1), times) + plus)
    assert data.test.x.max() == np.float32(times + plus)
    assert all(fact in data.note for fact in facts)
    assert bool(data.note) == bool(facts)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "g"])
def test_floats_of_every_size_are_accepted(dtype: str) -> None:
    data = loaded((PIXELS * np.ones((60, 1))).astype(dtype))
    np.testing.assert_allclose(data.test.x[0], PIXELS, atol=1e-3)


@pytest.mark.parametrize("shape", [(60, 8, 8, 1), (60, 1, 8, 8), (60, 8, 8)])
def test_grayscale_channel_axis_is_dropped(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).random((60, 8, 8))
    data = loaded(images.reshape(shape))
    np.testing.assert_allclose(data.test.x, images.reshape(60, 64), rtol=1e-6)
    assert data.image == (8, 8)


@pytest.mark.parametrize(
    "labels", [LABELS.astype(float), LABELS[:, np.newaxis], LABELS[:, np.newaxis].astype("f4"), LABELS.astype("u8")]
)
def test_whole_numbers_of_any_type_are_labels(labels: NDArray[Any]) -> None:
    data = loaded(images_up_to(255, "u1"), labels)
    assert data.outputs == 3
    np.testing.assert_array_equal(data.test.labels, LABELS)
    assert data.test.labels.dtype == np.int64


def test_booleans_are_labels() -> None:
    data = loaded(images_up_to(255, "u1"), LABELS == 1)
    assert (data.outputs, data.test.labels.sum()) == (2, 20)
