"""Training: the descent, its schedule of probes, mini-batches, early stopping, and the state to resume from."""

from netlearn.training.augmented import Augmentation
from netlearn.training.batches import Batches
from netlearn.training.descent import Descent
from netlearn.training.dropout import Dropout
from netlearn.training.halving import MOST_HALVINGS
from netlearn.training.schedule import Schedule
from netlearn.training.state import Best, State
from netlearn.training.trainer import Trainer

__all__ = ["MOST_HALVINGS", "Augmentation", "Batches", "Best", "Descent", "Dropout", "Schedule", "State", "Trainer"]
