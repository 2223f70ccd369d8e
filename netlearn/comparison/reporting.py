"""Pages of runs that exist: of a comparison, in its folder, or of any runs, in a file."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from netlearn.comparison.compare import FILES, PAGE
from netlearn.comparison.experiment import folder_name
from netlearn.comparison.page import page
from netlearn.comparison.statistics import group
from netlearn.comparison.variants import read_variants
from netlearn.errors import NetlearnError, RunError, SettingsError
from netlearn.runs import Run, RunFolder, Sums, config, holds_comparison, read_run, selection, sums
from netlearn.runs.files import free_path, write_whole, writing
from netlearn.toml import MOST_EXPERIMENT, decode_toml


class Listed(msgspec.Struct, frozen=True):
    """What the config.toml of a comparison says about its runs."""

    title: str
    seeds: tuple[int, ...]
    variants: dict[str, Any]


def report(paths: Sequence[Path], out: Path | None = None, costs: Collection[str] = ()) -> Path:
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
        return _of_comparison(paths[0], out, costs)
    runs = read_variants(paths)
    _check_costs(runs, costs)
    content = page(selection.title_of(group(runs)), runs, None, costs)
    if out is None:
        parent = Path("runs")
        with writing(parent):
            parent.mkdir(exist_ok=True)
        out = free_path(parent, Path(PAGE).stem, ".html")
    write_whole(out, content)
    return out


def _of_comparison(path: Path, out: Path | None, costs: Collection[str]) -> Path:
    _check_own_runs(path)
    with RunFolder.existing(path, FILES) as folder:
        listed, runs, failed = read_comparison(path)
        _check_costs(runs, costs)
        content = page(listed.title, runs, path, costs, failed)
        if out is not None:
            write_whole(out, content)
            return out
        folder.add({PAGE: content})
    return path / PAGE


def read_comparison(path: Path) -> tuple[Listed, list[Run], list[str]]:
    """Return what a complete comparison lists, the runs of it that can be read, and why others cannot.

    Raises:
        RunError: it is not the folder of a complete comparison, or no run of it can be read.
    """
    _check_own_runs(path)
    if not (path / sums.NAME).exists():
        raise RunError(f"{path}: not a complete comparison; complete it with netlearn compare --resume {path}")
    hashes = Sums.read(path)
    content = decode_toml(path / config.NAME, hashes.content(config.NAME, MOST_EXPERIMENT), MOST_EXPERIMENT)
    try:
        listed = msgspec.convert(content, Listed)
    except msgspec.ValidationError as error:
        raise RunError(f"{path / config.NAME}: not the experiment of a comparison: {error}") from error
    runs, failed = [], []
    for seed in listed.seeds:
        for name in listed.variants:
            try:
                runs.append(read_run(path / f"{folder_name(name)}-{seed}", name))
            except NetlearnError as error:
                failed.append(f"{name}, seed {seed}: {error}")
    if not runs:
        raise RunError(f"{path}: has no run that can be read: {failed[0]}")
    order = {name: place for place, name in enumerate(listed.variants)}
    return listed, sorted(runs, key=lambda run: order[run.variant]), failed


def _check_own_runs(path: Path) -> None:
    if not (path / config.NAME).exists():
        raise RunError(f"{path}: compares runs from other folders; give these folders")


def _check_costs(runs: Sequence[Run], costs: Collection[str]) -> None:
    for unused in set(costs) - {run.settings.cost for run in runs}:
        raise SettingsError(
            f"cost {unused}: must be the cost of a run, {', '.join({run.settings.cost for run in runs})}"
        )
