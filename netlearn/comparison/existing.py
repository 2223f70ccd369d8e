"""Runs and comparisons that exist: read from their folders, named as variants, and made into a page."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.compare import FILES
from netlearn.comparison.experiment import folder_name
from netlearn.comparison.outputs import PAGE, pages, render_page
from netlearn.custom_cost import NO_COSTS, NamedCosts
from netlearn.errors import NetlearnError, RunError, SettingsError
from netlearn.inspection.trained import check_used
from netlearn.runs import (
    CONFIG,
    RESULTS,
    SUMS,
    Run,
    RunFolder,
    Sums,
    free_path,
    holds_comparison,
    name_of,
    read_run,
    run_folders,
    varied,
    write_whole,
    writing,
)
from netlearn.settings import FIELDS
from netlearn.text import MOST_EXPERIMENT, decode_toml

NOT_COUNTED = ("snapshots", "track_test")  # settings that say what is stored, and change nothing that is learned


class Listed(msgspec.Struct, frozen=True):
    """What the config.toml of a comparison says about its runs."""

    title: str
    seeds: tuple[int, ...]
    variants: dict[str, Any]
    baseline: str | None = None
    looks: tuple[int, ...] = ()
    tuning: str = "no"


def read_runs(
    paths: Sequence[Path], on_note: Callable[[str], object] = lambda note: None, *, fewest: int = 1
) -> Analysis:
    """Return the analysis of existing runs; runs that differ only in their seed are one variant.

    Args:
        paths: run folders; that of a comparison, or one such as `runs`, stands for the runs in it. Runs with the
            same settings, seed and data count once.
        on_note: called with what a user should know of a run.
        fewest: how many variants there must be.

    Raises:
        RunError: a path is not the folder of a complete run.
        SettingsError: there are fewer variants.
    """
    runs: dict[str, Run] = {}
    for run in map(read_run, [each for path in paths for each in _folders_at(path)]):
        identity = repr(run.identity() | dict.fromkeys(NOT_COUNTED))
        if identity in runs:
            on_note(f"{run.folder}: not counted: its settings, seed and data are those of {runs[identity].folder}")
        runs.setdefault(identity, run)
    analysis = analyse("", name_variants(list(runs.values())))
    if len(analysis.groups) < fewest:
        raise SettingsError(f"variants {', '.join(analysis.groups)}: must be two or more in a comparison")
    return analysis


def _folders_at(path: Path) -> list[Path]:
    """Return the folder of a run, or those of the runs in a folder; only of a comparison also incomplete ones."""
    if (path / RESULTS).is_file():
        return run_folders(path)
    inside = [] if (path / CONFIG).exists() else run_folders(path)
    return [each for each in inside if (each / SUMS).exists() and not (each / RESULTS).exists()] or [path]


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


def read_comparison(path: Path) -> Analysis:
    """Return the analysis of a complete comparison, of the runs that can be read.

    Raises:
        RunError: it is not the folder of a complete comparison, or no run of it can be read.
    """
    _check_own_runs(path)
    if not (path / SUMS).exists():
        raise RunError(f"{path}: not a complete comparison; complete it with netlearn compare --resume {path}")
    hashes = Sums.read(path)
    content = decode_toml(path / CONFIG, hashes.content(CONFIG, MOST_EXPERIMENT), MOST_EXPERIMENT)
    try:
        listed = msgspec.convert(content, Listed)
    except msgspec.ValidationError as error:
        raise RunError(f"{path / CONFIG}: not the experiment of a comparison: {error}") from error
    runs, unreadable = [], []
    for name in listed.variants:
        for seed in listed.seeds:
            try:
                runs.append(read_run(path / f"{folder_name(name)}-{seed}", name))
            except NetlearnError as error:
                unreadable.append(f"{name}, seed {seed}: {error}")
    if not runs:
        raise RunError(f"{path}: has no run that can be read: {unreadable[0]}")
    look = 1 + sum(seeds < len(listed.seeds) for seeds in listed.looks)
    return analyse(
        listed.title, runs, baseline=listed.baseline, look=look, tuned=listed.tuning == "done", unreadable=unreadable
    )


def report(paths: Sequence[Path], out: Path | None = None, costs: NamedCosts = NO_COSTS) -> Path:
    """Write the page of a comparison, or of runs, and return its path.

    Args:
        paths: the folder of a comparison, whose page goes into it, or folders of runs; runs that differ only in their
            seed are one variant there.
        out: the file to write instead. Without it the page of runs is runs/report.html, or report-2.html and so on.
        costs: the user's own costs, whose code may be imported.

    Raises:
        RunError: a path is not the folder of a complete run or comparison, or the page cannot be written.
        SettingsError: a cost is not that of a run.
    """
    if len(paths) == 1 and holds_comparison(paths[0]):
        return _report_comparison(paths[0], out, costs)
    analysis = read_runs(paths)
    check_used(costs, analysis.runs)
    content = render_page(analysis, None, costs)
    if out is None:
        parent = Path("runs")
        with writing(parent):
            parent.mkdir(exist_ok=True)
        out = free_path(parent, Path(PAGE).stem, ".html")
    write_whole(out, content)
    return out


def _report_comparison(path: Path, out: Path | None, costs: NamedCosts) -> Path:
    _check_own_runs(path)
    with RunFolder.existing(path, FILES) as folder:
        analysis = read_comparison(path)
        check_used(costs, analysis.runs)
        if out is not None:
            write_whole(out, render_page(analysis, path, costs))
            return out
        folder.add(pages(analysis, path, costs))
    return path / PAGE


def _check_own_runs(path: Path) -> None:
    if not (path / CONFIG).exists():
        raise RunError(f"{path}: compares runs from other folders; give these folders")
