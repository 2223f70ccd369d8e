"""Test images of six kinds of data, saved as pictures, get the answers that the network gives them as examples."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from netlearn import datasets
from netlearn.inspection.trained import load_network, read_trained
from netlearn.numerics import Array
from tests.commands import call
from tests.files import idx_bytes

COUNT = 100


def digits() -> tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]:
    """Return the bundled digits, (n, 28, 28) from 0 to 1."""
    data = datasets.load("mnist-5k")
    x_train = np.concatenate([data.train.x, data.validation.x]).reshape(-1, 28, 28)
    labels = np.concatenate([data.train.labels, data.validation.labels])
    return x_train, labels, data.test.x.reshape(-1, 28, 28), data.test.labels


def resized(images: Array, side: int) -> Array:
    scaled: Array = np.stack(
        [np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.BOX)) for each in images]
    )
    return scaled


def small(images: Array) -> Array:
    """Return digits in 8 × 8 pixels, which they fill, as scikit-learn's do."""
    return resized(images[:, 4:24, 4:24], 8)


def filling(images: Array) -> Array:
    """Return digits in shades on a pattern of stripes, which fill the frame: photographs of signs look like that."""
    stripes = 0.35 + 0.25 * np.sin(np.arange(28) / 3)[:, np.newaxis] * np.cos(np.arange(28) / 4)
    return np.clip(stripes + 0.6 * resized(images[:, 3:25, 3:25], 28), 0, 1).astype(np.float32)


def garments(images: Array) -> Array:
    """Return thick shapes in grey, made as Fashion-MNIST was: the longer side is 28, the middle in the middle."""
    from scipy.ndimage import grey_dilation  # noqa: PLC0415 (takes 0.1 s to import)

    made = np.zeros_like(images)
    for thick, image in zip(grey_dilation(images, (1, 5, 5)), made, strict=True):
        rows, columns = (np.flatnonzero((thick > 0.1).any(axis=axis)) for axis in (1, 0))
        cut = Image.fromarray(thick[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        width, height = (max(1, round(28 * side / max(cut.size))) for side in cut.size)
        top, left = (28 - height) // 2, (28 - width) // 2
        image[top : top + height, left : left + width] = cut.resize((width, height))
    shades: Array = np.linspace(0.5, 0.9, 28, dtype=np.float32)[:, np.newaxis]
    shaded: Array = made * shades
    return shaded


def as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.rint(255 * images).astype(np.uint8)
    return pixels


def write_npz(change: Callable[[Array], NDArray[Any]]) -> str:
    x_train, y_train, x_test, y_test = digits()
    np.savez("data.npz", x_train=change(x_train), y_train=y_train, x_test=change(x_test), y_test=y_test)
    return "data.npz"


def write_emnist() -> str:
    x_train, y_train, x_test, y_test = digits()
    arrays = {"train-images-idx3": x_train, "train-labels-idx1": y_train, "test-images-idx3": x_test,
              "test-labels-idx1": y_test}  # fmt: skip
    Path("gzip").mkdir()
    for name, values in arrays.items():
        items = as_bytes(values).swapaxes(1, 2) if values.ndim == 3 else values.astype(np.uint8)
        content = idx_bytes(np.ascontiguousarray(items))
        Path("gzip", f"emnist-digits-{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))
    return "gzip"


KINDS: dict[str, Callable[[], str]] = {
    "mnist": lambda: "mnist-5k",
    "dark on white": lambda: write_npz(lambda x: 255 - as_bytes(x)),
    "8 x 8": lambda: write_npz(lambda x: np.rint(16 * small(x))),
    "scenes": lambda: write_npz(lambda x: as_bytes(filling(x))),
    "garments": lambda: write_npz(lambda x: as_bytes(garments(x))),
    "0 to 255": lambda: write_npz(lambda x: as_bytes(x).astype(np.float32)),
    "emnist": write_emnist,
}
RATES = {"8 x 8": 0.02, "0 to 255": 0.002, "dark on white": 0.05, "scenes": 0.2, "garments": 0.2}
FOUND = {"8 x 8": "strokes", "scenes": "scenes", "garments": "objects"}  # others are strokes


def save(kind: str, examples: Array, folder: Path) -> None:
    """Save examples as pictures: as they are, and enlarged four times with a margin."""
    folder.mkdir()
    side = 8 if kind == "8 x 8" else 28
    images = examples.reshape(-1, side, side)
    pixels = as_bytes(images / images.max())
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:03}.png")
        enlarged = Image.fromarray(image).resize((4 * side, 4 * side), Image.Resampling.BICUBIC)
        margin = 255 if kind == "dark on white" else 0
        sheet = Image.new("L", (4 * side + 40, 4 * side + 24), margin)
        sheet.paste(enlarged, (22, 9))
        sheet.save(folder / f"{i:03}.jpg", quality=90)


def answers_to(folder: Path) -> NDArray[np.int64]:
    """Return the answers to the pictures as they are, and to the enlarged ones, (2, COUNT)."""
    files = [str(path) for suffix in ("png", "jpg") for path in sorted(folder.glob(f"*.{suffix}"))]
    result = call("predict", "run", *files, "--json", "-q")
    assert result.exit_code == 0, result.output
    return np.array([each["answer"] for each in json.loads(result.stdout)["predictions"]]).reshape(2, COUNT)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_test_images_saved_as_pictures_get_their_answers(kind: str, tmp_path: Path) -> None:
    data = KINDS[kind]()
    rate = ["--learning-rate", str(RATES.get(kind, 0.5)), "--batch-size", "20"]
    assert call("train", "--data", data, "--epochs", "10", "--out", "run", "-q", *rate).exit_code == 0
    (run,) = read_trained([Path("run")])
    assert run.summary is not None
    assert run.summary.data.appearance is not None
    assert run.summary.data.appearance.kind == FOUND.get(kind, "strokes")
    examples = datasets.load(data).test
    chosen = np.random.default_rng(0).permutation(len(examples))[:COUNT]
    expected = load_network(run).feedforward(examples.x[chosen].T).argmax(axis=0)
    assert (expected == examples.labels[chosen]).mean() > 0.75
    save(kind, examples.x[chosen], tmp_path / "pictures")
    plain, enlarged = answers_to(tmp_path / "pictures")
    assert (plain == expected).mean() >= 0.97
    assert (enlarged == expected).mean() >= 0.9
