"""A learning rate schedule: η is halved when the network no longer improves."""

MOST_HALVINGS = 7  # to 1/128 of the first learning rate


class Halving:
    """Decides when to halve η and when to stop (chapter 3, an exercise on learning rate schedules).

    Args:
        epochs: halve after this many epochs without a better validation accuracy; None never does.

    Attributes:
        times: halvings so far.
        since: the epoch of the last one, from which epochs without improvement are counted.
    """

    def __init__(self, epochs: int | None) -> None:
        self._epochs = epochs
        self.times = 0
        self.since = 0

    def due(self, epoch: int, best_epoch: int) -> bool:
        """Return whether to halve η at the end of an epoch, given the best epoch so far, and count the halving."""
        if self._epochs is None or epoch - max(best_epoch, self.since) < self._epochs:
            return False
        self.times, self.since = self.times + 1, epoch
        return True

    def exhausted(self) -> bool:
        """Return whether η is 1/128 of its first value."""
        return self.times >= MOST_HALVINGS
