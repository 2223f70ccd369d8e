"""Comparisons of the runs of an experiment, or of existing runs, each in its own folder.

The folder is like a run's: config.toml, results.csv with a row per run, summary.json, report.html, the pictures and
SHA256SUMS.
"""

import math
import statistics
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import msgspec

from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.experiment import SEALED, Experiment, folder_name, read_experiment, sealed_experiment
from netlearn.comparison.findings import Findings, shortened
from netlearn.comparison.outputs import PAGE, PICTURES, write_output
from netlearn.comparison.pool import Workers
from netlearn.comparison.shard import check_marks, remove_marks
from netlearn.comparison.statistics import results_csv
from netlearn.comparison.tasks import perform_all, task_of, tasks_of
from netlearn.custom_cost import NO_COSTS, NamedCosts
from netlearn.errors import DrawingWarning, NetlearnError, RunError
from netlearn.runs import (
    CONFIG,
    RESULTS,
    SUMMARY,
    RunFolder,
    encode_summary,
    lock,
    read_bounded,
    read_config_content,
    run_folders,
)
from netlearn.runs.files import damage, is_sealed, with_lf
from netlearn.runs.formats import MOST_CONFIG
from netlearn.runs.setup import environment
from netlearn.settings import Settings
from netlearn.text import printable

BEGIN_AGAIN = "to begin again, repeat the command that began it, with another folder as --out"
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the learning rates that tuning tries
TUNING_EPOCHS, TUNING_SEEDS = 3, 2
TUNING = "tuning"  # the folder of the short runs; those of the comparison end in a seed, so that none can be this


class Comparison(Findings, frozen=True, kw_only=True):
    """The content of summary.json of a comparison."""

    pictures: tuple[str, ...]
    folder: str
    environment: dict[str, str | int | None]

    @property
    def succeeded(self) -> bool:
        """Whether any run finished and none failed."""
        return any(row.finished for row in self.rows) and not self.failed

    @property
    def failed(self) -> int:
        """How many runs failed; one that diverged has not."""
        return sum(row.failed for row in self.rows)


def compare(
    experiment: Experiment,
    folder: RunFolder,
    workers: Workers,
    *,
    pictures: bool = True,
    on_progress: Callable[[float, int], object] = lambda epochs, runs: None,
    on_note: Callable[[str], object] = lambda note: None,
) -> Comparison:
    """Train the runs of an experiment that its folder does not hold yet, and write the results.

    Args:
        experiment: with its data sets named, as `load_data` returns it.
        folder: gets the experiment as config.toml, a run folder for each variant and seed, and the results.
        workers: train the runs and draw the pictures.
        pictures: whether to draw them and write the page.
        on_progress: called with the number of epochs and of runs completed so far.
        on_note: called with notes for the user.

    Raises:
        RunError: the folder cannot be written, or has shards of another experiment.
    """
    check_marks(folder.path, experiment)
    folder.open_again()
    folder.write(CONFIG, sealed_experiment(experiment))
    if experiment.tuning == "to do":
        experiment = tune_rates(experiment, folder.path, workers, on_note)
        folder.write(CONFIG, sealed_experiment(experiment))
        rates = [f"{name}: η = {settings.learning_rate:g}" for name, settings in experiment.variants.items()]
        on_note(", ".join(shortened(rates, f"config.toml of {folder.path}")))
    runs = perform_all(tasks_of(experiment, folder.path), workers, on_progress, on_note)
    costs = {each.cost: experiment.costs.get(each.cost) for each in experiment.variants.values()}
    analysis = analyse(
        experiment.title, runs, baseline=experiment.baseline, look=experiment.look, tuned=experiment.tuning == "done"
    )
    folder.write(CONFIG, sealed_experiment(experiment.looked_at()))
    result = write_results(analysis, folder, workers, costs, pictures=pictures)
    remove_marks(folder.path)
    return result


def check_resumable(folder: Path) -> None:
    """Check that the config.toml of a comparison is what began it, so that it can be resumed.

    Raises:
        RunError: it is missing, or was changed or damaged.
    """
    path = folder / CONFIG
    if not path.exists():
        raise RunError(f"{folder}: cannot be resumed: it has no {CONFIG}; {BEGIN_AGAIN}")
    try:
        content = read_bounded(path, MOST_CONFIG)
        is_new = with_lf(content).startswith(SEALED)
        is_comparison = is_new or "variants" in read_config_content(folder)
    except RunError as error:
        raise RunError(f"{error}; {BEGIN_AGAIN}") from error
    if is_new and not is_sealed(content):
        problem = f"was changed or damaged: its SHA-256 is not the one in its last line; {BEGIN_AGAIN}"
        raise damage(path, problem, content, is_sealed)
    if not is_comparison:
        problem = f"is of a run, which netlearn train --resume resumes, not of a comparison; {BEGIN_AGAIN}"
        raise RunError(f"{path}: {problem}")


def remove_runs(path: Path, on_note: Callable[[str], object] = lambda note: None) -> None:
    """Remove the runs that a comparison lists; none if one is in use.

    Folders that hold other files stay; `on_note` is called with a line about each.

    Raises:
        RunError: the comparison's config.toml is damaged, or a run is in use.
    """
    if not (path / CONFIG).exists():
        return
    try:
        experiment = read_experiment(path / CONFIG, {}, None)
    except NetlearnError as error:
        problem = "it does not say which runs to overwrite; remove the folder, or choose another one"
        raise RunError(f"{error}; {problem}") from error
    listed = [task.folder for task in tasks_of(experiment, path)] + run_folders(path / TUNING)
    found = [folder for folder in listed if folder.is_dir() and not folder.is_symlink()]
    for folder in found:
        with lock(folder):
            pass
    remove_marks(path)
    for folder in found:
        with lock(folder):
            RunFolder(folder).remove_files()
            try:
                folder.rmdir()
            except OSError:
                on_note(f"{folder}: holds other files, which stay")
    with suppress(OSError):  # there was none, or some stay
        (path / TUNING).rmdir()


def write_results(
    analysis: Analysis, folder: RunFolder, workers: Workers, costs: NamedCosts = NO_COSTS, *, pictures: bool = True
) -> Comparison:
    """Write the results of a comparison to its folder, with the page and the pictures, which the workers draw.

    The code of the users' own costs given may be imported, for the picture of mistakes.

    Raises:
        RunError: the folder cannot be written, or a run was changed meanwhile.
    """
    folder.write(RESULTS, results_csv(analysis.runs))  # first, so that the folder is known as a comparison's
    names = [PAGE, *(("neuron",) if analysis.neurons else PICTURES)]
    if not any(run.metrics for run in analysis.runs):
        names = [PAGE]
    write = partial(write_output, analysis, folder, costs)
    drawn = [each for each in workers.map(write, names if pictures else []) if each is not None]
    for problem in filter(None, (each.problem for each in drawn)):
        warnings.warn(problem, DrawingWarning, stacklevel=2)
    result = Comparison(
        **{name: getattr(analysis, name) for name in Findings.__struct_fields__},
        pictures=tuple(each.name for each in drawn if each.name),
        folder=printable(str(folder.path)),
        environment=environment(),
    )
    folder.write(SUMMARY, encode_summary(result))
    folder.finish()
    return result


def tune_rates(
    experiment: Experiment, folder: Path, workers: Workers, on_note: Callable[[str], object]
) -> Experiment:
    """Choose each variant's learning rate on the validation set.

    Short runs from two seeds try 0.1 to 10 times the variant's own rate. The one with the best validation accuracy,
    in the mean over the seeds, is chosen, the smallest among equals. A rate with a run that did not finish is not.
    """
    on_note(f"tuning: short runs of each variant with {len(FACTORS)} learning rates, from {TUNING_SEEDS} seeds each")
    tasks = [
        task_of(experiment, name, settings, folder / TUNING / trial)
        for trial, (name, settings) in trials_of(experiment).items()
    ]
    tried: dict[str, dict[float, list[float]]] = {name: {} for name in experiment.variants}
    for result in perform_all(tasks, workers, on_note=on_note, note_failures=False):
        accuracy = result.summary.best_validation_accuracy if result.summary and not result.problem else None
        found = tried[result.variant].setdefault(result.settings.learning_rate, [])
        found.append(-math.inf if accuracy is None else accuracy)
    variants = dict(experiment.variants)
    for name, accuracies in tried.items():
        means = {rate: statistics.fmean(found) for rate, found in sorted(accuracies.items())}
        best = max(means, key=lambda rate: means[rate], default=None)
        if best is not None and math.isfinite(means[best]):
            variants[name] = msgspec.structs.replace(variants[name], learning_rate=best)
            figures = [
                f"{rate:g} ({100 * mean:.1f} %)" if math.isfinite(mean) else f"{rate:g} (failed)"
                for rate, mean in means.items()
            ]
            on_note(f"tuning {name}: of η = {', '.join(figures)} in validation accuracy, {best:g} is chosen")
    return replace(experiment, variants=variants, tuning="done")


def trials_of(experiment: Experiment) -> dict[str, tuple[str, Settings]]:
    """Return the variant and the settings of each short run that tunes an experiment, by the end of its folder."""
    trials: dict[str, tuple[str, Settings]] = {}
    seeds = experiment.seeds if len(experiment.seeds) >= TUNING_SEEDS else range(TUNING_SEEDS)
    for name, settings in experiment.variants.items():
        for factor, seed in product(FACTORS, seeds[:TUNING_SEEDS]):
            rate = float(f"{factor * settings.learning_rate:.3g}")
            short = msgspec.structs.replace(
                settings,
                learning_rate=rate,
                epochs=min(settings.epochs, TUNING_EPOCHS),
                seed=seed,
                snapshots=False,
            )
            trials[f"{folder_name(name)}-{rate:g}-{seed}"] = (name, short)
    return trials
