"""The descent: mini-batches of the shuffled training set, and one step of the optimizer for each."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import gather
from netlearn.datasets.augmentation import Augmentation, AugmentedImages
from netlearn.numerics import Array, zeros
from netlearn.slowdown import Schedule

Step: TypeAlias = Callable[[Array, Array], object]  # changes the network by a mini-batch x, (n_in, m), y, (n_out, m)

TOGETHER = 200  # examples gathered at once, unless a mini-batch is larger: 1.5 µs less per mini-batch of 10


class Batches:
    """The mini-batches of a run, by the number of updates before them.

    Args:
        x: the inputs as rows, (n, n_in), which `gather` scales.
        y: the targets as rows, (n, n_out), in the dtype of the network.
        batch_size: examples in a mini-batch; the last one of an epoch may be smaller.
        rng: draws the order of the rows, anew for each epoch.
        augmentation: deforms the examples, which are images, anew for each epoch.

    Attributes:
        per_epoch: mini-batches per epoch.
        sha256: of the batch size, the augmentation and the order of all epochs so far; equal hashes mean equal
            mini-batches.
        origin: hash of what determines the mini-batches of all epochs, before the first.
    """

    def __init__(
        self,
        x: NDArray[Any],
        y: Array,
        batch_size: int,
        rng: np.random.Generator,
        augmentation: Augmentation | None = None,
    ) -> None:
        self._batch_size = batch_size
        self.per_epoch = -(-len(x) // batch_size)
        kind = f"{augmentation.name} {augmentation.seed}" if augmentation else ""
        self.sha256 = hashlib.sha256(f"{batch_size}{kind}".encode()).digest()
        self._augmented = AugmentedImages(x, augmentation, y.dtype) if augmentation else None
        state = json.dumps(rng.bit_generator.state, sort_keys=True, default=np.ndarray.tolist).encode()
        self.origin = hashlib.sha256(self.sha256 + state).digest()
        self._rng = rng
        self._epoch = -1
        self._start: tuple[Mapping[str, Any], bytes] = rng.bit_generator.state, self.sha256
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._together = max(1, TOGETHER // batch_size)
        self._x, self._y = x, y
        rows = self._together * batch_size
        self._x_rows, self._y_rows = (zeros((rows, each.shape[1]), y.dtype) for each in (x, y))
        self._unscaled = np.empty(self._x_rows.shape, x.dtype)
        self._full = self._split(rows)

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
            gather(self._x, rows, x, self._unscaled[: len(rows)])
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
            self._order = self._rng.permutation(len(self._x))
            self.sha256 = hashlib.sha256(self.sha256 + self._order.tobytes()).digest()
        return done

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


class Descent:
    """Mini-batch gradient descent; iterate to train.

    Iterating yields the number of updates every 200 examples or so, and wherever a probe may be due, so that the
    caller can measure, stop and save. A new iteration continues where the last one ended.
    """

    def __init__(self, step: Step, batches: Batches, schedule: Schedule) -> None:
        self.step, self.batches, self.schedule = step, batches, schedule  # the schedule says where to stop
        self.update = 0  # mini-batches done

    def __iter__(self) -> Iterator[int]:
        """Train, yielding the number of updates so far."""
        while self.update < self.schedule.last:
            for x, y in self.batches.between(self.update, self.schedule.next_stop(self.update)):
                self.step(x, y)
                self.update += 1
            yield self.update
