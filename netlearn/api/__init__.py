"""What a notebook calls: `train`, `compare` and `load`, each with one result object that a notebook shows well."""

from netlearn.api.calls import compare, load, train
from netlearn.api.results import ComparisonResult, RunResult

__all__ = ["ComparisonResult", "RunResult", "compare", "load", "train"]
