"""Comparisons: what the runs of an experiment, or runs that exist, show together, in a folder of its own.

The folder is like a run's: config.toml, results.csv with a row per run, summary.json and the pictures.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from netlearn import wording
from netlearn.errors import SettingsError
from netlearn.experiment import Experiment, write_experiment
from netlearn.history import Run, read_run
from netlearn.launch import environment
from netlearn.results import Row, group, pairing, run_table, sum_up
from netlearn.runs import CONFIG, SUMMARY, RunFolder, run_folders
from netlearn.settings import FIELDS, Settings
from netlearn.trials import perform_all, tasks_of
from netlearn.workers import Workers

RESULTS = "results.csv"
PICTURES = ("curves", "slowdown", "error-vs-gradient", "digits", "neuron", "overfitting", "training-size", "layers")
FILES = (CONFIG, RESULTS, SUMMARY, *(f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")))


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What summary.json tells about a comparison."""

    title: str
    conclusion: str
    pairing: str
    rows: tuple[Row, ...]
    pictures: tuple[str, ...]
    folder: str
    environment: dict[str, object]


def compare(
    experiment: Experiment,
    folder: RunFolder,
    workers: Workers,
    *,
    on_progress: Callable[[float, int], object] | None = None,
) -> Comparison:
    """Do the runs of an experiment that its folder does not hold yet, and write everything that it holds.

    Args:
        experiment: with its data sets named, as `load_data` returns it.
        folder: gets the experiment as config.toml and a run folder for each variant and seed.
        workers: what the runs and then the pictures are done by.
        on_progress: told the epochs and the runs done so far.

    Raises:
        RunError: the folder cannot be written.
    """
    folder.write(CONFIG, write_experiment(experiment))
    runs = perform_all(tasks_of(experiment, folder.path), workers, on_progress)
    return _write_results(experiment.title, runs, folder, workers, "tuned " if experiment.tuning == "done" else "")


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read run folders that exist; runs of the same settings but for the seed are one variant.

    The folder of a comparison stands for the runs in it.

    Raises:
        RunError: a path is not the folder of a finished run.
        SettingsError: all runs have the same settings.
    """
    folders = [each for path in paths for each in (run_folders(path) if (path / RESULTS).is_file() else [path])]
    runs = name_variants([read_run(path, "") for path in folders])
    if len(group(runs)) < 2:
        raise SettingsError(f"variants {runs[0].variant}: a comparison needs two or more")
    return runs


def overlay(runs: Sequence[Run], folder: RunFolder, workers: Workers) -> Comparison:
    """Compare runs that were read, training nothing, and write the results to a folder.

    Raises:
        RunError: the folder cannot be written.
    """
    return _write_results(" against ".join(group(runs)), runs, folder, workers)


def name_variants(runs: Sequence[Run]) -> list[Run]:
    """Return the runs named by the settings in which they differ, the seed aside."""
    differing = [
        name for name in FIELDS if name != "seed" and len({str(getattr(run.settings, name)) for run in runs}) > 1
    ]
    if "cost" in differing:  # its learning rate goes with it, unless one cost has several
        pairs = {(run.settings.cost, run.settings.learning_rate) for run in runs}
        if len(pairs) == len({cost for cost, _ in pairs}):
            differing = [name for name in differing if name != "learning_rate"]

    def name_of(settings: Settings) -> str:
        values = {name: getattr(settings, name) for name in differing}
        return ", ".join(str(value) if name == "cost" else f"{name} {value}" for name, value in values.items())

    return [replace(run, variant=name_of(run.settings) or run.settings.cost) for run in runs]


def _write_results(
    title: str, runs: Sequence[Run], folder: RunFolder, workers: Workers, tuned: str = ""
) -> Comparison:
    groups = group(runs)
    rows = tuple(sum_up(name, members) for name, members in groups.items())
    caption = describe(title, rows, tuned)
    pictures = workers.map(partial(_draw, caption, runs, folder), PICTURES)
    folder.write(RESULTS, _csv(run_table(runs)))
    result = Comparison(
        title=title,
        conclusion=wording.conclusion(rows),
        pairing=pairing(runs),
        rows=rows,
        pictures=tuple(name for name in pictures if name),
        folder=str(folder.path),
        environment=environment(),
    )
    folder.write_summary(result)
    return result


def describe(title: str, rows: Sequence[Row], tuned: str = "") -> str:
    """Return the caption of a comparison's pictures: title, data, seeds and learning rates."""
    data = ", ".join(dict.fromkeys(row.data for row in rows))
    seeds = max(row.seeds for row in rows)
    heading = f"{title} ({data}, {seeds} {'seed' if seeds == 1 else 'seeds'})"
    rates = Counter(row.learning_rate for row in rows)
    most, times = rates.most_common(1)[0]
    usual = most if 2 * times > len(rows) > 1 else None
    others = [row for row in rows if row.learning_rate != usual and f"η = {row.learning_rate:g}" not in row.variant]
    said = [f"{tuned}η = {usual:g}"] if usual else []
    said += [f"{row.variant}: {tuned}η = {row.learning_rate:g}" for row in others]
    return f"{heading}\n{', '.join(said)}".strip()


def _csv(table: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, table[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


def _draw(caption: str, runs: Sequence[Run], folder: RunFolder, name: str) -> str | None:
    """Draw one picture, in whatever process; return its name, or None where these runs have nothing for it."""
    from netlearn.plotting.compare import DRAWN  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.style import render  # noqa: PLC0415

    figure = DRAWN[name](group(runs), caption)
    if figure is None:
        return None
    for kind in ("png", "svg"):
        folder.write(f"{name}.{kind}", render(figure, kind))
    return name
