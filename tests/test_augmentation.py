"""What training changes in its data: images deformed as scipy's own interpolation does, and wrong labels."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from netlearn import datasets
from netlearn.comparison.analysis import read_runs
from netlearn.datasets.augmentation import (
    AUGMENTATIONS,
    BLOCK,
    Affine,
    Augmentation,
    AugmentedImages,
    Elastic,
    Shift,
    make_deformer,
)
from netlearn.datasets.dataset import Labels
from netlearn.errors import SettingsError
from netlearn.numerics import Array
from netlearn.runs import read_run
from netlearn.runs.setup import make_trainer, training_part
from netlearn.settings import resolve
from tests.commands import call
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
    augmentation = Augmentation("elastic", make_deformer("elastic", IMAGE), 7)
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


DATA = datasets.load("mnist-5k")
SMALL = ["--data", "mnist-5k", "--train-size", "300", "--epochs", "1", "--hidden", "none", "-q"]


def labels(noise: float, seed: int = 0, **given: Any) -> Labels:
    settings = resolve({"data": "mnist-5k", "label_noise": noise, "seed": seed, **given})
    return training_part(settings, DATA).train.labels


@pytest.mark.parametrize("noise", [0.2, 0.4, 0.6])
def test_fraction_of_the_training_labels_is_another_class(noise: float) -> None:
    clean, noisy = DATA.train.labels, labels(noise)
    assert (clean != noisy).sum() == round(noise * len(clean))
    assert set(noisy) == set(range(10))
    wrong = noisy[clean != noisy]
    counts = np.bincount((wrong - clean[clean != noisy]) % 10, minlength=10)
    assert counts[0] == 0
    assert (np.abs(counts[1:] - len(wrong) / 9) < 4.5 * np.sqrt(len(wrong) / 9)).all()


def test_what_is_wrong_is_as_wrong_with_more_noise() -> None:
    clean, less, more = labels(0.0), labels(0.2), labels(0.4)
    wrong = less != clean
    np.testing.assert_array_equal(more[wrong], less[wrong])
    np.testing.assert_array_equal(clean, DATA.train.labels)


def test_noise_is_that_of_the_seed_whatever_else_differs() -> None:
    first = labels(0.4, 3)
    np.testing.assert_array_equal(first, labels(0.4, 3, cost="quadratic", hidden=(5,), initializer="large"))
    assert (first != labels(0.4, 4)).any()
    part = training_part(resolve({"data": "mnist-5k", "label_noise": 0.5, "train_size": 100}), DATA)
    assert (part.train.labels != DATA.train.labels[:100]).sum() == 50
    assert part.validation is DATA.validation
    assert part.test is DATA.test


def test_noisy_run_starts_as_the_clean_one_and_is_evaluated_on_what_it_was_trained_on() -> None:
    for name, noise in (("clean", "0"), ("noisy", "0.5")):
        assert call("train", *SMALL, "--label-noise", noise, "--out", name).exit_code == 0
    clean, noisy = (json.loads(Path(name, "summary.json").read_text()) for name in ("clean", "noisy"))
    first = [read_run(Path(name)).metrics["validation_cost"][0] for name in ("clean", "noisy")]
    assert first[0] == first[1]  # the same initial network, the same validation labels
    assert noisy["train_accuracy"] < clean["train_accuracy"]
    result = json.loads(call("evaluate", "noisy", "--split", "train", "--json", "-q").stdout)
    assert result["evaluations"][0]["accuracy"] == noisy["train_accuracy"]
    assert call("verify", "noisy", "-q").exit_code == 0


@pytest.mark.usefixtures("in_this_process")
def test_pictures_of_a_comparison_say_how_many_labels_are_wrong() -> None:
    result = call("compare", *SMALL, "--seeds", "1", "--vary", "label_noise=0,0.25", "--out", "out")
    assert result.exit_code == 0, result.output
    runs = read_runs([Path("out")])
    assert "up to 25 % of training labels wrong" in runs.caption
