"""Run folders: a module for each kind of file, which writes and reads it, and a reader of whole folders.

Nothing in a folder is trusted, whoever made it: a file that is missing, has been changed, is larger than its kind can
be or has the wrong content raises a `RunError`, as does one that cannot be written.
"""

from netlearn.runs.folder import CURVES, DERIVED, FILES, RESULTS, RunFolder, holds_comparison, run_folders
from netlearn.runs.lock import lock
from netlearn.runs.reader import Run, read_locked, read_run
from netlearn.runs.selection import Groups
from netlearn.runs.summary import Summary
from netlearn.runs.sums import Sums
from netlearn.runs.varied import name_of, text_of, varied

__all__ = [
    "CURVES", "DERIVED", "FILES", "RESULTS", "Groups", "Run", "RunFolder", "Summary", "Sums", "holds_comparison",
    "lock", "name_of", "read_locked", "read_run", "run_folders", "text_of", "varied",
]  # fmt: skip
