"""The schedule of a run: the number of its updates, and after which of them the network is probed."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Schedule:
    """The updates of a run and its probes.

    Probes are due at updates 0, 1, 2, 5, 10, 20, 50, … of the first epoch, where the learning slowdown happens, and
    then at the ends of epochs. They do not depend on how many updates the run has, so a resumed run with more epochs
    has the same ones.

    Attributes:
        last: the number of updates of the run.
        updates_per_epoch: mini-batches per epoch.
        probe_every: epochs from one probe to the next, after the first epoch; 0 for no probes at all.
    """

    last: int
    updates_per_epoch: int
    probe_every: int = 1

    def epoch_ends(self, update: int) -> bool:
        """Return whether an epoch ends with an update."""
        return update > 0 and update % self.updates_per_epoch == 0

    def probe_due(self, update: int) -> bool:
        """Return whether a probe is due after an update."""
        if not self.probe_every:
            return False
        if update <= self.updates_per_epoch:
            return update in self.first_epoch
        epoch, inside = divmod(update, self.updates_per_epoch)
        return not inside and epoch % self.probe_every == 0

    def next_stop(self, update: int) -> int:
        """Return the next update with a probe or at the end of an epoch or of the run."""
        start = update - update % self.updates_per_epoch
        stops = [start + self.updates_per_epoch] if start else self.first_epoch
        return min(self.last, next(stop for stop in stops if stop > update))

    @cached_property
    def first_epoch(self) -> list[int]:
        """The probes 0, 1, 2, 5, 10, 20, 50, … of the first epoch, and its end."""
        series = (step * 10**power for power in range(len(str(self.updates_per_epoch))) for step in (1, 2, 5))
        return [0, *(update for update in series if update < self.updates_per_epoch), self.updates_per_epoch]
