"""Run folders: single files and locks, a module for each kind of content, and a reader of whole folders.

Nothing in a folder is trusted, whoever made it: a file that is missing, has been changed, is larger than its kind can
be or has the wrong content raises a `RunError`, as does one that cannot be written.
"""

from netlearn.runs.checkpoint import CHECKPOINT
from netlearn.runs.files import SUMS, Sums, free_path, lock, read_bounded, temporary_of, write_whole, writing
from netlearn.runs.folder import CURVES, DERIVED, RESULTS, RUN_FILES, RunFolder, holds_comparison, run_folders
from netlearn.runs.formats import (
    CONFIG,
    METRICS,
    SUMMARY,
    Summary,
    encode_summary,
    epochs_recorded,
    read_config,
    read_config_content,
)
from netlearn.runs.reader import GROWTH, Run, data_identity, read_run
from netlearn.runs.selection import Groups, name_of, text_of, varied
from netlearn.runs.tensors import BEST_WEIGHTS, OUTPUT_NEURONS, SNAPSHOTS, WEIGHTS

__all__ = [
    "BEST_WEIGHTS", "CHECKPOINT", "CONFIG", "CURVES", "DERIVED", "GROWTH", "METRICS", "OUTPUT_NEURONS", "RESULTS",
    "RUN_FILES", "SNAPSHOTS", "SUMMARY", "SUMS", "WEIGHTS", "Groups", "Run", "RunFolder", "Summary", "Sums",
    "data_identity", "encode_summary", "epochs_recorded", "free_path", "holds_comparison", "lock", "name_of",
    "read_bounded", "read_config", "read_config_content", "read_run", "run_folders", "temporary_of",
    "text_of", "varied", "write_whole", "writing",
]  # fmt: skip
