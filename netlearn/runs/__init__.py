"""Run folders: one module for each kind of file, which writes and reads it, and the reader of whole folders."""

from netlearn.runs.folder import CURVES, DERIVED, FILES, RunFolder, run_folders
from netlearn.runs.reader import Run, read_run
from netlearn.runs.summary import Summary
from netlearn.runs.sums import Sums

__all__ = ["CURVES", "DERIVED", "FILES", "Run", "RunFolder", "Summary", "Sums", "read_run", "run_folders"]
