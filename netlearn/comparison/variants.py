"""Runs that exist, read from their folders and named as the variants of a comparison."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from netlearn.comparison.statistics import group
from netlearn.errors import SettingsError
from netlearn.runs import RESULTS, Run, config, name_of, read_run, run_folders, sums, varied
from netlearn.settings import FIELDS


def read_runs(paths: Sequence[Path], on_note: Callable[[str], object] = lambda note: None) -> list[Run]:
    """Read existing run folders; runs that differ only in their seed are one variant.

    The folder of a comparison, or one such as `runs`, stands for the runs in it. Runs with the same settings, seed
    and data count once.

    Args:
        paths: the folders.
        on_note: called with what a user should know of a run.

    Raises:
        RunError: a path is not the folder of a complete run.
        SettingsError: all runs have the same settings.
    """
    runs = read_variants(paths, on_note)
    if len(group(runs)) < 2:
        raise SettingsError(f"variants {runs[0].variant}: must be two or more in a comparison")
    return runs


def _folders_at(path: Path) -> list[Path]:
    """Return the folder of a run, or those of the runs in a folder; only of a comparison also incomplete ones."""
    if (path / RESULTS).is_file():
        return run_folders(path)
    inside = [] if (path / config.NAME).exists() else run_folders(path)
    return [each for each in inside if (each / sums.NAME).exists() and not (each / RESULTS).exists()] or [path]


def read_variants(paths: Sequence[Path], on_note: Callable[[str], object] = lambda note: None) -> list[Run]:
    """Read existing run folders, as `read_runs` does; all may be one variant.

    Raises:
        RunError: a path is not the folder of a complete run.
    """
    folders = [each for path in paths for each in _folders_at(path)]
    runs: list[Run] = []
    for run in map(read_run, folders):
        same = next((each for each in runs if each.identity() == run.identity()), None)
        if same is None:
            runs.append(run)
        else:
            on_note(f"{run.folder}: not counted: its settings, seed and data are those of {same.folder}")
    return name_variants(runs)


def name_variants(runs: Sequence[Run]) -> list[Run]:
    """Return the runs named by the settings in which they differ, the seed aside, and by their data."""
    data = _data_labels(runs)

    names = varied(run.settings for run in runs).keys() - {"data"}
    if len(set(data.values())) > 1:
        names |= {"data"}

    def variant(run: Run) -> str:
        values = {name: getattr(run.settings, name) for name in FIELDS if name in names}
        return name_of(values | ({"data": data[run.data]} if "data" in names else {}))

    return [replace(run, variant=variant(run) or run.settings.cost) for run in runs]


def _data_labels(runs: Sequence[Run]) -> dict[tuple[str, ...], str]:
    """Return a label for each data set: its name, with its hash where another set has this name."""
    names: dict[tuple[str, ...], str] = {}
    for run in runs:
        names.setdefault(run.data, run.settings.data)
    counts = Counter(names.values())
    return {
        data: f"{name} (SHA-256 {' '.join(sha256[:8] for sha256 in data)})" if counts[name] > 1 else name
        for data, name in names.items()
    }
