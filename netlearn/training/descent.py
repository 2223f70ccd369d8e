"""The descent itself: the optimizer updates the network with one mini-batch after another."""

from collections.abc import Callable, Iterator

from netlearn.numerics import Array
from netlearn.training.batches import Batches
from netlearn.training.schedule import Schedule


class Descent:
    """Mini-batch gradient descent; iterate to train.

    Iterating yields the number of updates every 200 examples or so, and wherever a probe may be due, so that the
    caller can measure, stop and save. A new iteration continues where the last one ended.

    Args:
        step: changes the network once, by a mini-batch x, (n_in, m), with targets y, (n_out, m).
        batches: the mini-batches.
        schedule: says where to stop.

    Attributes:
        update: mini-batches done.
    """

    def __init__(self, step: Callable[[Array, Array], object], batches: Batches, schedule: Schedule) -> None:
        self.step = step
        self.batches = batches
        self.schedule = schedule
        self.update = 0

    def __iter__(self) -> Iterator[int]:
        """Train, yielding the number of updates so far."""
        while self.update < self.schedule.last:
            for x, y in self.batches.between(self.update, self.schedule.next_stop(self.update)):
                self.step(x, y)
                self.update += 1
            yield self.update
