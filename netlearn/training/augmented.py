"""Augmented training images: deformed anew in every epoch, two blocks ahead of the training."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.augmentation import Deformer
from netlearn.numerics import Array, zeros

BLOCK = 1000  # images deformed from one random stream
AHEAD = 2  # blocks, each prepared by a thread of its own: deforming takes longer than learning


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

    Threads prepare the next blocks while the network learns from the current one. A block is the same whoever
    prepares it and when, so a run that is resumed inside an epoch sees the same images.

    Args:
        x: the images as rows, (n, pixels).
        augmentation: how they are deformed.
    """

    def __init__(self, x: Array, augmentation: Augmentation) -> None:
        self._x = x
        self._augmentation = augmentation
        self._buffers = [zeros((2, min(BLOCK, len(x)), x.shape[1]), x.dtype) for _ in range(AHEAD + 1)]
        self._deformers = [deepcopy(augmentation.deformer) for _ in self._buffers]
        self._threads = ThreadPoolExecutor(AHEAD, "augmentation")
        self._blocks: dict[tuple[int, int], Future[Array]] = {}

    def take(self, epoch: int, order: NDArray[np.int64], start: int, out: Array) -> None:
        """Write deformations of the images order[start], order[start + 1], … of an epoch to the rows of `out`."""
        done = 0
        while done < len(out):
            block, inside = divmod(start + done, BLOCK)
            rows = self._block(epoch, block, order)[inside : inside + len(out) - done]
            out[done : done + len(rows)] = rows
            done += len(rows)

    def _block(self, epoch: int, block: int, order: NDArray[np.int64]) -> Array:
        """Return a block, and have the next ones of the epoch prepared."""
        last = min(block + AHEAD, (len(order) - 1) // BLOCK)
        wanted = [(epoch, number) for number in range(block, last + 1)]
        for key in self._blocks.keys() - wanted:
            self._blocks.pop(key).result()  # its buffers are free then
        for key in wanted:
            if key not in self._blocks:
                self._blocks[key] = self._threads.submit(self._prepare, *key, order)
        return self._blocks[epoch, block].result()

    def _prepare(self, epoch: int, block: int, order: NDArray[np.int64]) -> Array:
        rows = order[block * BLOCK : (block + 1) * BLOCK]
        place = block % len(self._buffers)
        images, deformed = (buffer[: len(rows)] for buffer in self._buffers[place])
        self._x.take(rows, 0, images, "clip")
        return self._deformers[place].deform(images, self._augmentation.stream(epoch, block), deformed)
