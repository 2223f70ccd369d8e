"""Training: mini-batches, the descent, its probes, early stopping, and the state to resume from."""

from netlearn.training.descent import Batches, Descent
from netlearn.training.regularize import Dropout
from netlearn.training.state import MOST_HALVINGS, Best, State
from netlearn.training.trainer import Trainer

__all__ = ["MOST_HALVINGS", "Batches", "Best", "Descent", "Dropout", "State", "Trainer"]
