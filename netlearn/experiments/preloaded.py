"""Imported once by the process that workers are forked from: what all of them need."""

import gc

from netlearn.experiments.process import GARBAGE

gc.set_threshold(GARBAGE)  # before the imports that follow, a tenth of whose time it saves

from netlearn.experiments import data  # noqa: E402
from netlearn.plotting import prepared  # noqa: E402

__all__ = ["data", "prepared"]
