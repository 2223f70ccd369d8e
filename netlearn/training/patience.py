"""Early stopping: the best epoch so far, and whether to stop."""

from netlearn.network import Network
from netlearn.training.state import Best


class Patience:
    """Remembers the epoch with the best validation accuracy (chapter 3, "early stopping").

    Args:
        epochs: stop after this many epochs without improvement; None never stops.

    Attributes:
        best: the best epoch so far; None before the first one was probed.
    """

    def __init__(self, epochs: int | None) -> None:
        self._epochs = epochs
        self._last = 0
        self.best: Best | None = None

    def look(self, epoch: int, accuracy: float, network: Network) -> Best:
        """Note the validation accuracy at the end of an epoch; copy the parameters if it is the best.

        Returns the best epoch so far.
        """
        self._last = epoch
        if self.best is None or accuracy > self.best.accuracy:
            self.best = Best(epoch, accuracy, network.parameters.vector.copy())
        return self.best

    def exhausted(self) -> bool:
        """Return whether there were too many epochs since the best one."""
        return self._epochs is not None and self.best is not None and self._last - self.best.epoch >= self._epochs

    def restore(self, best: Best | None, last: int) -> None:
        """Restore the best epoch, and the last one that was probed."""
        self.best, self._last = best, last
