"""Mini-batches: the rows of the training set, shuffled anew for each epoch."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlearn.errors import SettingsError
from netlearn.numerics import Array, zeros
from netlearn.training.augmented import Augmentation, AugmentedImages

Order: TypeAlias = Callable[[int], ArrayLike]  # epoch, from 0 → the rows of the training set in that epoch's order

TOGETHER = 200  # examples gathered at once, unless a mini-batch is larger: 1.5 µs less per mini-batch of 10


class Batches:
    """The mini-batches of a run, by the number of updates before them.

    Args:
        x, y: examples and targets as rows, (n, n_in) and (n, n_out).
        batch_size: examples in a mini-batch; the last one of an epoch may be smaller.
        rng: draws the order of the rows, anew for each epoch.
        order: replaces the shuffling; returns the n rows of an epoch, given its number, from 0.
        augmentation: deforms the examples, which are images, anew for each epoch.

    Raises:
        SettingsError: the batch size is below 1.

    Attributes:
        per_epoch: mini-batches per epoch.
        sha256: of the batch size, the augmentation and the order of all epochs so far; equal hashes mean equal
            mini-batches.
        origin: hash of what determines the mini-batches of all epochs to come, before the first; None with an own
            order.
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        batch_size: int,
        rng: np.random.Generator,
        order: Order | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        if batch_size < 1:
            raise SettingsError(f"batch_size {batch_size}: must be 1 or more")
        self._batch_size = batch_size
        self.per_epoch = -(-len(x) // batch_size)
        kind = f"{augmentation.name} {augmentation.entropy}" if augmentation else ""
        self.sha256 = hashlib.sha256(f"{batch_size}{kind}".encode()).digest()
        self._augmented = AugmentedImages(x, augmentation) if augmentation else None
        state = json.dumps(rng.bit_generator.state, sort_keys=True, default=np.ndarray.tolist).encode()
        self.origin = hashlib.sha256(self.sha256 + state).digest() if order is None else None
        self._rng = rng
        self._own_order = order
        self._epoch = -1
        self._start: tuple[Mapping[str, Any], bytes] = rng.bit_generator.state, self.sha256
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._together = max(1, TOGETHER // batch_size)
        self._x, self._y = x, y
        rows = self._together * batch_size
        self._x_rows, self._y_rows = zeros((rows, x.shape[1]), x.dtype), zeros((rows, y.shape[1]), y.dtype)
        self._full = self._split(rows)

    @property
    def batch_size(self) -> int:
        """Examples in a mini-batch."""
        return self._batch_size

    def between(self, update: int, stop: int) -> list[tuple[Array, Array]]:
        """Return the next mini-batches as columns, x of shape (n_in, m) and y of shape (n_out, m).

        They are those after `update` updates, as many as are gathered at once, but not beyond the epoch or update
        `stop`. The next call overwrites them.
        """
        first = self.begin(update)
        count = min(self._together - first % self._together, self.per_epoch - first, stop - update)
        start = first * self._batch_size
        rows = self._order[start : start + count * self._batch_size]
        x, y = self._x_rows[: len(rows)], self._y_rows[: len(rows)]
        if self._augmented is None:
            self._x.take(rows, 0, x, "clip")  # "clip" writes without a buffer; every row exists
        else:
            self._augmented.take(self._epoch, self._order, start, x)
        self._y.take(rows, 0, y, "clip")
        return self._full if len(rows) == len(self._x_rows) else self._split(len(rows))

    def _split(self, rows: int) -> list[tuple[Array, Array]]:
        parts = [slice(start, min(start + self._batch_size, rows)) for start in range(0, rows, self._batch_size)]
        return [(self._x_rows[part].T, self._y_rows[part].T) for part in parts]

    def begin(self, update: int) -> int:
        """Draw the order of the epoch after `update` updates, if necessary; return the number of updates in it."""
        epoch, done = divmod(update, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._start = epoch, (self._rng.bit_generator.state, self.sha256)
            self._order = self._rows_of(epoch)
            self.sha256 = hashlib.sha256(self.sha256 + self._order.tobytes()).digest()
        return done

    def _rows_of(self, epoch: int) -> NDArray[np.int64]:
        n = len(self._x)
        if self._own_order is None:
            return self._rng.permutation(n)
        rows = np.asarray(self._own_order(epoch))
        if rows.shape != (n,) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n:
            raise SettingsError(f"order of epoch {epoch}: must be {n} row numbers from 0 to {n - 1}")
        return rows.astype(np.int64)

    def start(self, update: int) -> tuple[Mapping[str, Any], bytes]:
        """Return the RNG state and the hash before the order of that update's epoch is drawn, for `restore`."""
        begun = update // self.per_epoch == self._epoch
        return self._start if begun else (self._rng.bit_generator.state, self.sha256)

    def restore(self, start: tuple[Mapping[str, Any], bytes], update: int) -> None:
        """Restore what `start` returned after `update` updates.

        Raises:
            ValueError: the RNG state is not valid.
        """
        self._rng.bit_generator.state, self.sha256 = start
        self._epoch = -1
        if update % self.per_epoch:
            self.begin(update)
