"""Imported once by the process that workers are forked from: it imports what all of them need."""

import gc
from contextlib import suppress
from importlib import import_module

gc.set_threshold(10_000)  # as in the command line: a tenth of the time of importing and drawing
import_module("netlearn.comparison.data")
with suppress(Exception):  # what keeps pictures from being drawn is reported when they are
    import_module("netlearn.plotting.pictures")
