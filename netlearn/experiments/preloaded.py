"""Imported once by the process that workers are forked from: what all of them need."""

import gc
from contextlib import suppress

gc.set_threshold(10_000)  # as in the command line: a tenth of the time of importing and drawing

from netlearn.experiments import data  # noqa: E402

with suppress(Exception):  # what keeps pictures from being drawn is reported when they are
    from netlearn.plotting import prepared

__all__ = ["data", "prepared"]
