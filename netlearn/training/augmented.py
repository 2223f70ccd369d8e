"""Augmented training images: deformed anew in every epoch, two blocks at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from netlearn.datasets import gather
from netlearn.datasets.augmentation import Deformer
from netlearn.numerics import Array, zeros

BLOCK = 1000  # images deformed from one random stream
TOGETHER = 2  # blocks deformed at once, by a thread each


@dataclass(frozen=True)
class Augmentation:
    """How training images are deformed.

    Attributes:
        name: of the kind of deformation and its settings.
        deformer: deforms them.
        entropy: of the random streams, one for each block of each epoch.
        spawn_key: distinguishes these streams from the run's others.
    """

    name: str
    deformer: Deformer
    entropy: int
    spawn_key: Sequence[int] = ()

    def stream(self, epoch: int, block: int) -> np.random.Generator:
        """Return the random stream of a block; it does not depend on what was drawn before."""
        return np.random.default_rng(np.random.SeedSequence(self.entropy, spawn_key=(*self.spawn_key, epoch, block)))


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
