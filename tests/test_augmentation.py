"""Deformed images against scipy's own interpolation and filter, and training on them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from netlearn.datasets.augmentation import AUGMENTATIONS, Affine, Elastic, Shift, make_deformer
from netlearn.errors import SettingsError
from netlearn.numerics import Array
from netlearn.runs.setup import make_trainer
from netlearn.settings import resolve
from netlearn.training.augmented import BLOCK, Augmentation, AugmentedImages
from tests.files import small_dataset
from tests.runs import do_run, results_of, resume_run

IMAGE = (12, 9)
PIXELS = IMAGE[0] * IMAGE[1]


def images(n: int, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(0).random((n, PIXELS)).astype(dtype)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_pixels_are_read_at_displaced_places_as_scipy_reads_them(kind: str) -> None:
    x = images(250, np.float64)
    deformed = make_deformer(kind, IMAGE, np.float64).deform(x, np.random.default_rng(1), np.empty_like(x))
    displacement, rng = AUGMENTATIONS[kind](IMAGE), np.random.default_rng(1)
    coefficients = np.concatenate([displacement.draw(200, rng), displacement.draw(50, rng)], axis=1)
    for number in (0, 199, 200, 249):
        places = np.indices(IMAGE).reshape(2, -1) + coefficients[:, number] @ displacement.fields
        padded = np.pad(x[number].reshape(IMAGE), 40)
        expected = map_coordinates(padded, places + 40, order=1)
        np.testing.assert_allclose(deformed[number], expected, atol=1e-5)


def test_elastic_fields_have_the_variance_of_smoothed_noise() -> None:
    rng = np.random.default_rng(2)
    elastic = Elastic((28, 28), elastic_sigma=4.0, elastic_alpha=34.0)
    drawn = (elastic.draw(2000, rng)[0] @ elastic.fields).reshape(-1, 28, 28)
    noise = 34 * gaussian_filter(rng.uniform(-1, 1, (2000, 28, 28)), (0, 4, 4), mode="constant")
    for place in ((14, 14), (0, 0), (3, 20)):
        assert drawn[:, *place].std() == pytest.approx(noise[:, *place].std(), rel=0.08)
    covariances = [(fields[:, 14, 14] * fields[:, 14, 19]).mean() for fields in (drawn, noise)]
    assert covariances[0] == pytest.approx(covariances[1], rel=0.15)


def test_shift_moves_by_one_pixel_in_each_direction_or_not_at_all() -> None:
    x = np.tile(images(1), (300, 1))
    deformed = make_deformer("shift", IMAGE).deform(x, np.random.default_rng(0), np.empty_like(x))
    padded = np.pad(x[0].reshape(IMAGE), 1)
    found = set()
    for row in deformed:
        (step,) = [
            number
            for number, (down, right) in enumerate(Shift.STEPS)
            if np.allclose(row, padded[1 + down :, 1 + right :][: IMAGE[0], : IMAGE[1]].ravel(), atol=1e-4)
        ]
        found.add(step)
    assert found == set(range(5))


def test_affine_keeps_the_centre_and_turns_by_at_most_15_degrees() -> None:
    affine = Affine((3, 3))
    coefficients = affine.draw(500, np.random.default_rng(0))
    assert np.allclose((coefficients @ affine.fields)[:, :, 4], 0)
    angles = np.degrees(np.arctan2(coefficients[1, :, 0], coefficients[0, :, 0] + 1))
    assert 13 < abs(angles).max() <= 15


def test_blocks_do_not_depend_on_who_asks_for_them_in_which_order() -> None:
    x = images(2 * BLOCK + 300)
    order = np.random.default_rng(1).permutation(len(x))
    augmentation = Augmentation("elastic", make_deformer("elastic", IMAGE), 7, (3,))
    whole, parts = np.empty_like(x), np.empty_like(x)
    AugmentedImages(x, augmentation).take(0, order, 0, whole)
    pieces = AugmentedImages(x, augmentation)
    for start in (*range(1500, len(x), 70), *range(0, 1500, 70)):
        pieces.take(0, order, start, parts[start : min(start + 70, len(x))])
    np.testing.assert_array_equal(whole, parts)
    other = np.empty_like(x)
    pieces.take(1, order, 0, other)
    assert not np.array_equal(whole, other)
    assert not np.array_equal(whole, x[order])


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_run_resumed_inside_an_epoch_ends_identically(kind: str, tmp_path: Any) -> None:
    settings = resolve({"hidden": (5,), "epochs": 3, "data": "small", "augment": kind})
    data = replace(small_dataset(), image=(2, 3))
    do_run(settings, tmp_path / "whole", data=data)
    do_run(settings, tmp_path / "part", 7, data=data)
    resume_run(settings, tmp_path / "part", data=data)
    assert results_of(tmp_path / "part") == results_of(tmp_path / "whole")


def test_augmented_mini_batches_are_not_paired_with_others() -> None:
    data = replace(small_dataset(), image=(2, 3))
    hashes = {
        make_trainer(resolve({"data": "small", "augment": kind}), data).batches.sha256
        for kind in ("none", *AUGMENTATIONS)
    }
    assert len(hashes) == 1 + len(AUGMENTATIONS)


def test_data_without_images_and_too_fine_fields_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"^augment elastic: must be none, since small has no images$"):
        make_trainer(resolve({"data": "small", "augment": "elastic"}), replace(small_dataset(), image=None))
    with pytest.raises(SettingsError, match=r"^elastic_sigma 0\.5: must be larger for images of 100 × 100 pixels$"):
        make_deformer("elastic", (100, 100), elastic_sigma=0.5)
    with pytest.raises(SettingsError, match=r"^elastic_alpha 30: applies only to augment elastic, not shift"):
        resolve({"augment": "shift", "elastic_alpha": 30.0})


def test_places_in_large_images_are_exact_in_float32() -> None:
    image, n = (300, 310), 180
    x = np.random.default_rng(0).random((n, image[0] * image[1]), np.float32)
    deformed = make_deformer("shift", image).deform(x, np.random.default_rng(1), np.empty_like(x))
    for number in (0, 170, n - 1):
        padded = np.pad(x[number].reshape(image), 1)
        shifted = [np.roll(padded, step, (0, 1))[1:-1, 1:-1] for step in Shift.STEPS]
        assert any(np.allclose(deformed[number].reshape(image), each, rtol=0, atol=1e-4) for each in shifted)


class Breaking:
    """A deformer that raises the first time."""

    broke = False

    def deform(self, x: Array, rng: np.random.Generator, out: Array) -> Array:
        if not self.broke:
            self.broke = True
            raise KeyboardInterrupt
        np.copyto(out, x)
        return out


def test_images_after_an_interruption_are_the_right_ones() -> None:
    n = 4 * BLOCK
    x = np.arange(n, dtype=np.float32)[:, np.newaxis]
    images = AugmentedImages(x, Augmentation("", Breaking(), 0))  # type: ignore[arg-type]
    out = np.empty((BLOCK, 1), np.float32)
    with pytest.raises(KeyboardInterrupt):
        images.take(0, np.arange(n), 0, out)
    for start in (0, BLOCK // 2, 2 * BLOCK, 5 * BLOCK // 2):
        images.take(0, np.arange(n), start, out)
        np.testing.assert_array_equal(out[:, 0], np.arange(start, start + BLOCK))
