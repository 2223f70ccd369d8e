"""Augmented training images: deformed anew in every epoch, each pixel read at a displaced place of the old image.

The displacements of all pixels are sums of a few fields with coefficients drawn at random for each image: one product
of matrices, coefficients (n, k) times fields (k, pixels), for each direction. Images are rows, (n, height · width).
A kind of deformation has `fields`; `draw` returns the coefficients for n images, down and to the right, (2, n, k).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from copy import deepcopy
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netlearn.datasets.dataset import gather
from netlearn.errors import SettingsError
from netlearn.numerics import Array, numerics, zeros

Image: TypeAlias = tuple[int, int]  # height and width in pixels
CHUNK = 200  # images deformed at once, so that the arrays stay in the processor's cache
EXACT = 2**24  # whole numbers up to here are exact in float32
MOST_NUMBERS = 50_000_000  # in the fields
BORDER = 1  # pixels around an image, which are 0 as everything outside
BLOCK = 1000  # images deformed from one random stream
TOGETHER = 2  # blocks deformed at once, by a thread each
AUGMENTATION_KEY = 3  # of these streams; those of a run's others are in `runs.setup`


class Shift:
    """A shift by one pixel up, down, left or right, or none: the book's expanded training data (chapter 3)."""

    settings: ClassVar[Mapping[str, float]] = {}
    STEPS = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])

    def __init__(self, image: Image) -> None:
        self.fields = np.ones((1, image[0] * image[1]))

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return a step for each image."""
        return self.STEPS[rng.integers(len(self.STEPS), size=n)].T[:, :, np.newaxis].astype(np.float64)


class Affine:
    """A rotation by up to 15° about the centre and a skew by up to 0.2, uniformly distributed."""

    settings: ClassVar[Mapping[str, float]] = {}
    ROTATION, SKEW = np.radians(15), 0.2

    def __init__(self, image: Image) -> None:
        down, right = np.indices(image, np.float64).reshape(2, -1)
        self.fields = np.stack([down - down.mean(), right - right.mean()])

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return A − 1 for each image, A its rotation times its skew."""
        angle, skew = rng.uniform(-self.ROTATION, self.ROTATION, n), rng.uniform(-self.SKEW, self.SKEW, n)
        cos, sin = np.cos(angle), np.sin(angle)
        return np.stack([
            np.stack([cos - 1, skew * cos - sin], axis=1),
            np.stack([sin, skew * sin + cos - 1], axis=1),
        ])  # fmt: skip


class Elastic:
    """A random field, smoothed by a Gaussian and multiplied by α (Simard, Steinkraus and Platt, 2003).

    The noise is uniform from −1 to 1, each pixel's its own. Smoothed, it is very nearly a Gaussian field, which is
    drawn from its principal components: those with 99.9 % of its variance, 35 of 784 for σ = 4.

    Args:
        image: height and width.
        elastic_sigma: σ of the Gaussian, in pixels.
        elastic_alpha: α.
    """

    settings: ClassVar[Mapping[str, float]] = {"elastic_sigma": 4.0, "elastic_alpha": 34.0}
    KEPT = 0.999

    def __init__(self, image: Image, elastic_sigma: float = 4.0, elastic_alpha: float = 34.0) -> None:
        from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 (its import takes 0.1 s)

        filters = [gaussian_filter1d(np.eye(side), elastic_sigma, axis=0, mode="constant") for side in image]
        (u_down, s_down, _), (u_right, s_right, _) = map(np.linalg.svd, filters)
        sizes = np.outer(s_down, s_right)
        order = np.argsort(-sizes, axis=None)
        kept = int(np.searchsorted(np.cumsum(sizes.ravel()[order] ** 2) / (sizes**2).sum(), self.KEPT)) + 1
        if kept * sizes.size > MOST_NUMBERS:
            raise SettingsError(
                f"elastic_sigma {elastic_sigma:g}: must be larger for images of {image[0]} × {image[1]} pixels"
            )
        down, right = np.unravel_index(order[:kept], sizes.shape)
        components = np.einsum("k,ik,jk->kij", sizes[down, right], u_down[:, down], u_right[:, right])
        self.fields = elastic_alpha / np.sqrt(3) * components.reshape(kept, -1)  # 1/√3: the noise's deviation

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return independent standard normal coefficients."""
        return rng.standard_normal((2, n, len(self.fields)), np.float32)


AUGMENTATIONS: dict[str, type[Any]] = {"shift": Shift, "affine": Affine, "elastic": Elastic}


class Deformer:
    """Deforms images; its buffers are for one thread at a time.

    Args:
        displacement: an entry of `AUGMENTATIONS`, made for the size of the images.
        image: height and width.
        dtype: of the images.
    """

    def __init__(self, displacement: Shift | Affine | Elastic, image: Image, dtype: Any = np.float32) -> None:
        self._displacement = displacement
        self._fields = displacement.fields.astype(dtype)
        self._image = image
        self._row = image[1] + 2 * BORDER + 1  # one column more, so that a pixel's neighbours exist at the last place
        height = image[0] + 2 * BORDER + 1
        chunk = self._chunk = max(1, min(CHUNK, EXACT // (height * self._row)))
        self._places = np.indices(image, dtype).reshape(2, 1, -1) + BORDER
        self._last = [np.nextafter(np.asarray(side + BORDER, dtype), 0) for side in image]
        self._padded = np.zeros((chunk, height, self._row), dtype)
        self._starts = np.arange(chunk, dtype=dtype)[:, np.newaxis] * (height * self._row)
        pixels = image[0] * image[1]
        self._at, self._cell = (np.empty((2, chunk, pixels), dtype) for _ in range(2))
        self._corners = np.empty((3, chunk, pixels), dtype)
        self._index = np.empty((chunk, pixels), np.int64)

    def deform(self, x: Array, rng: np.random.Generator, out: Array) -> Array:
        """Write a random deformation of each image of x, (n, pixels), to `out` and return it."""
        for start in range(0, len(x), self._chunk):
            part = slice(start, min(start + self._chunk, len(x)))
            self._deform_chunk(x[part], self._displacement.draw(part.stop - part.start, rng), out[part])
        return out

    def _deform_chunk(self, x: Array, coefficients: Array, out: Array) -> None:
        n, (height, width) = len(x), self._image
        at, cell, index = self._at[:, :n], self._cell[:, :n], self._index[:n]
        for direction in range(2):
            np.matmul(coefficients[direction].astype(x.dtype, copy=False), self._fields, out=at[direction])
            np.add(at[direction], self._places[direction], out=at[direction])
            np.clip(at[direction], 0, self._last[direction], out=at[direction])
        np.floor(at, cell)
        np.subtract(at, cell, at)  # the place between four pixels, from 0 to 1
        np.multiply(cell[0], self._row, cell[0])
        np.add(cell[0], cell[1], cell[0])
        np.copyto(index, np.add(cell[0], self._starts[:n], cell[0]), casting="unsafe")
        self._padded[:n, BORDER : BORDER + height, BORDER : BORDER + width] = x.reshape(n, height, width)
        flat = self._padded.reshape(-1)
        right, below, diagonal = self._corners[:, :n]
        for distance, corner in ((0, out), (1, right), (self._row, below), (self._row + 1, diagonal)):
            flat[distance:].take(index, out=corner, mode="wrap")  # without a buffer, faster than "clip"; all exist
        for first, second, where in ((out, right, at[1]), (below, diagonal, at[1]), (out, below, at[0])):
            np.subtract(second, first, second)
            np.multiply(second, where, second)
            np.add(first, second, first)


def make_deformer(kind: str, image: Image, dtype: Any = np.float32, **own: float) -> Deformer:
    """Return the deformer of a kind in `AUGMENTATIONS` for images of a size.

    Args:
        kind: its name.
        image: height and width.
        dtype: of the images.
        own: its own settings; those not given have their defaults.

    Raises:
        SettingsError: the fields for images of that size do not fit in memory.
    """
    with numerics():  # one BLAS thread, so that the fields do not depend on the machine
        return Deformer(AUGMENTATIONS[kind](image, **own), image, np.dtype(dtype))


class Augmentation(NamedTuple):
    """How the training images of a run are deformed; `name` is of the kind of deformation and its settings."""

    name: str
    deformer: Deformer
    seed: int

    def stream(self, epoch: int, block: int) -> np.random.Generator:
        """Return the random stream of a block; it does not depend on what was drawn before."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(AUGMENTATION_KEY, epoch, block)))


class AugmentedImages:
    """The training images in the order of an epoch, deformed.

    When the network has learned from all deformed blocks, it waits for the next ones. Deforming those while it learns
    takes 1.2 to 1.4 times as long: between calls of numpy, Python runs one thread at a time, and both would wait for
    each other. A block is the same whenever it is deformed, so a run resumed inside an epoch sees the same images.

    Args:
        x: the images as rows, (n, pixels), which `gather` scales before they are deformed.
        augmentation: how they are deformed.
        dtype: of the deformed images.
    """

    def __init__(self, x: NDArray[Any], augmentation: Augmentation, dtype: DTypeLike = np.float32) -> None:
        self._x = x
        self._augmentation = augmentation
        self._buffers = [zeros((2, min(BLOCK, len(x)), x.shape[1]), dtype) for _ in range(TOGETHER)]
        self._deformers = [deepcopy(augmentation.deformer) for _ in self._buffers]
        self._threads = ThreadPoolExecutor(TOGETHER, "augmentation")
        self._blocks: dict[tuple[int, int], Array] = {}

    def take(self, epoch: int, order: NDArray[np.int64], start: int, out: Array) -> None:
        """Write deformations of the images order[start], order[start + 1], … of an epoch to the rows of `out`."""
        done = 0
        while done < len(out):
            block, inside = divmod(start + done, BLOCK)
            rows = self._block(epoch, block, order)[inside : inside + len(out) - done]
            out[done : done + len(rows)] = rows
            done += len(rows)

    def _block(self, epoch: int, block: int, order: NDArray[np.int64]) -> Array:
        """Return a block; if necessary, deform it and the next one of the epoch."""
        if (epoch, block) not in self._blocks:
            last = min(block + TOGETHER, -(-len(order) // BLOCK))
            keys = [(epoch, number) for number in range(block, last)]
            tasks = [
                self._threads.submit(self._deform, order, key, buffers, deformer)
                for key, buffers, deformer in zip(keys, self._buffers, self._deformers, strict=False)
            ]
            self._blocks = {}  # they are overwritten, even if this is interrupted
            try:
                wait(tasks)
            finally:
                wait(tasks)  # also when interrupted: the threads use the buffers
            self._blocks = {key: task.result() for key, task in zip(keys, tasks, strict=True)}
        return self._blocks[epoch, block]

    def _deform(self, order: NDArray[np.int64], key: tuple[int, int], buffers: Array, deformer: Deformer) -> Array:
        rows = order[key[1] * BLOCK : (key[1] + 1) * BLOCK]
        images, deformed = (buffer[: len(rows)] for buffer in buffers)
        gather(self._x, rows, images)
        return deformer.deform(images, self._augmentation.stream(*key), deformed)
