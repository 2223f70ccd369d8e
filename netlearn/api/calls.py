"""One call for what one command does: `train`, `compare`, `load`, `lab`."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, Unpack

import msgspec

from netlearn import datasets
from netlearn.api.arguments import Data, GivenSettings, Variant, data_name, plan, settings_of
from netlearn.api.pages import Page
from netlearn.api.results import ComparisonResult, Result, RunResult
from netlearn.api.source import AnyCost, Source
from netlearn.comparison import compare as comparison
from netlearn.comparison.analysis import read_comparison, read_runs
from netlearn.comparison.data import load_data
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.findings import percent
from netlearn.comparison.outputs import FILES, curves_or_warning
from netlearn.comparison.pool import Pool, Workers, cores
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError, RunError, SettingsError
from netlearn.report.lab import DEFAULTS
from netlearn.report.lab import lab as lab_page
from netlearn.runs import RunFolder, holds_comparison, read_run
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import train_run
from netlearn.settings import Settings, resolve
from netlearn.slowdown import Record
from netlearn.text import listed, nearest
from netlearn.training import Trainer

Variants: TypeAlias = Mapping[str, Variant]
Results: TypeAlias = Sequence[str | Path | RunResult | ComparisonResult]


def train(
    cost: AnyCost = "cross-entropy",
    *,
    data: Data = "auto",
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    **settings: Unpack[GivenSettings],
) -> RunResult:
    """Train a network, as `netlearn train` does.

    Args:
        cost: a name in `netlearn.costs.COSTS`, "package.module:ClassName", or a cost's class or instance.
        data: a name or a path, as `--data` takes it, or arrays: a mapping with x_train, y_train, x_test, y_test and,
            if given, x_val and y_val, a sequence of the first four, or another form that docs/data.md lists. Images
            have shape (n, n_in) or (n, height, width), labels are whole numbers of shape (n,), or as described there.
        out: the run folder. Without it nothing is kept: the files are in a temporary folder, which is removed with
            the result. Arrays are stored beside it, as an .npz file.
        force: overwrite the run that `out` holds.
        progress: show a progress bar.
        **settings: the settings of `netlearn train`, with the names that they have in config.toml, such as
            `epochs=3, hidden=(100,), learning_rate=0.5, seed=1`.

    Returns:
        The result. A run that diverged has one too, which says so.

    Raises:
        NetlearnError: a setting, the cost or the data is not valid, or the folder cannot be written.
    """
    source = Source(out)
    chosen = resolve(settings_of({**settings, "cost": cost, "data": data}, source), costs=source.given)
    examples = _load(chosen.data, shown=progress)
    chosen = msgspec.structs.replace(chosen, data=examples.name)
    trainer = make_trainer(chosen, examples, costs=source.given)
    with (
        RunFolder.create(source.folder, force=force) as folder,
        _training_bar(trainer, shown=progress) as on_record,
        suppress(DivergenceError),
    ):
        train_run(chosen, trainer, folder, on_record, draw=None if source.is_temporary else curves_or_warning)
    return RunResult(read_run(source.folder), source)


def compare(
    what: str | Path | Variants | Results | None = None,
    *,
    costs: Sequence[AnyCost] | None = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    seeds: int | Sequence[int] | None = None,
    baseline: str | None = None,
    cost: AnyCost | None = None,
    data: Data | None = None,
    tune: bool = False,
    jobs: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    **settings: Unpack[GivenSettings],
) -> ComparisonResult:
    """Compare costs, or any settings, over several seeds, as `netlearn compare` does.

    Args:
        what: an experiment that comes with netlearn, such as "neuron"; a TOML file; a mapping from the names of
            variants to their settings; or folders or results of runs, which are compared as they are. Without it,
            `costs` are compared.
        costs: names, classes or instances of costs; the quadratic cost and the cross-entropy by default.
        vary: settings to be varied, each with its values, such as `{"learning_rate": [0.1, 1, 10], "l2": [0, 5]}`;
            all of their combinations are compared, for each cost or variant that is given.
        seeds: how many seeds, or which; 6 by default.
        baseline: the variant that the others are compared with; by default all are compared with each other.
        cost: of all variants that have none of their own, as in `train`.
        data: as in `train`.
        tune: first choose each variant's learning rate by short runs, on the validation set.
        jobs: how many runs at once; by default as many as there are cores. Costs that no other process can import,
            such as those defined in a notebook, are trained in this process, one run after the other.
        out: the folder of the comparison, with its pictures and its page. Without it nothing is kept, as in `train`.
        force: overwrite the comparison that `out` holds.
        progress: show a progress bar.
        **settings: settings of all variants, as in `train`; a variant's own settings take precedence. What no setting
            changes is as in `netlearn compare`: one hidden layer of 100 neurons, large initial weights, 5 epochs.

    Raises:
        NetlearnError: a setting, a cost or the data is not valid, the folder cannot be written, or no run succeeded.
    """
    if jobs is not None and jobs < 1:
        raise SettingsError(f"jobs {jobs}: must be 1 or more")
    source = Source(out)
    if isinstance(what, Sequence) and not isinstance(what, str):
        others = {"costs": costs, "vary": vary, "seeds": seeds, "baseline": baseline, "cost": cost, "data": data}
        for name, value in {**others, "tune": tune or None, **settings}.items():
            if value is not None:
                raise SettingsError(f"{name}: must be left out with existing runs, which are compared as they are")
        return _overlay(what, source, jobs, force=force)
    shared = settings_of({**settings, "cost": cost, "data": data}, source)
    planned = plan(what, costs, vary or {}, seeds, baseline, shared, source)
    if tune:
        planned = planned.to_be_tuned()
    in_process = jobs == 1 or not source.given.keys().isdisjoint(source.names)
    with Workers() if in_process else Pool(jobs or cores()) as workers:
        experiment = load_data(planned, partial(_load, shown=progress), workers)
        with _folder(source, force=force) as folder, _comparison_bar(experiment, shown=progress) as on_progress:
            results = comparison.compare(
                experiment, folder, workers, pictures=not source.is_temporary, on_progress=on_progress
            )
    try:
        return ComparisonResult(read_comparison(source.folder), source.folder, source)
    except RunError as error:
        raise RunError(f"no run succeeded: {'; '.join(results.problems)}") from error


def load(folder: str | Path, cost: AnyCost | Sequence[AnyCost] = ()) -> RunResult | ComparisonResult:
    """Return the result in a folder of `netlearn train` or `netlearn compare`, or of `train` or `compare`.

    Args:
        folder: of a complete run or comparison.
        cost: the user's own cost that it was trained with, or several, which `network` and `evaluate` need: a name
            "package.module:ClassName", whose code is imported, or a class or instance. A folder alone never causes
            an import.

    Raises:
        NetlearnError: it is not such a folder, or a file in it was changed, or no run has such a cost.
    """
    path, source = Path(folder), Source(folder)
    costs = cost if isinstance(cost, Sequence) and not isinstance(cost, str) else [cost]
    named = {source.name_of(each) for each in costs}
    result: RunResult | ComparisonResult
    if holds_comparison(path):
        analysis = read_comparison(path)
        result = ComparisonResult(analysis, path, source)
        used = {run.settings.cost for run in analysis.runs}
    else:
        result = RunResult(read_run(path), source)
        used = {result.settings.cost}
    if unused := named - used:
        raise SettingsError(f"cost {min(unused)}: must be the cost of a run of {path}, {', '.join(sorted(used))}")
    return result


def lab(folder: str | Path | Result | None = None, *, data: Data | None = None, variants: Sequence[str] = ()) -> Page:
    """Return the lab: a page in which two networks learn live, from identical weights on identical mini-batches.

    Args:
        folder: a comparison, its folder or its result, whose settings the networks begin with. Without it they are
            784-30-10 with large initial weights on the bundled digits, quadratic beside cross-entropy.
        data: what the networks learn from, as in `train`; by default that of the comparison.
        variants: which two of the comparison, if it has more.

    Raises:
        NetlearnError: there is no such comparison, variant or data, or the page cannot train it.
    """
    if folder is None and variants:
        raise SettingsError(f"variants {', '.join(variants)}: must be those of a comparison, so give its folder")
    networks = DEFAULTS if folder is None else _two(folder, variants)
    name = networks[0].data if data is None else data_name(data)
    return Page(lab_page(datasets.load(name), networks).decode())


def _folder(source: Source, *, force: bool) -> AbstractContextManager[RunFolder]:
    return RunFolder.create(source.folder, force=force, files=FILES, remove=comparison.remove_runs)


def _overlay(what: Results, source: Source, jobs: int | None, *, force: bool) -> ComparisonResult:
    """Compare runs that exist, as they are."""
    if not what:
        raise SettingsError("runs []: must be one or more")
    for each in what:
        if isinstance(each, Result):
            source.add(each.source)
    analysis = read_runs([each.folder if isinstance(each, Result) else Path(each) for each in what], fewest=2)
    in_process = bool(source.given) or jobs == 1
    with _folder(source, force=force) as folder, Workers() if in_process else Pool(jobs or cores()) as workers:
        comparison.write_results(analysis, folder, workers, source.costs, pictures=source.beside is not None)
    return ComparisonResult(analysis, source.folder, source)


def _two(folder: str | Path | Result, variants: Sequence[str]) -> list[Settings]:
    """Return the settings of the first run of two variants of a comparison."""
    path = folder.folder if isinstance(folder, Result) else Path(folder)
    if not holds_comparison(path):
        raise RunError(f"{path}: not the folder of a comparison; netlearn compare makes one")
    found = {name: runs[0].settings for name, runs in read_comparison(path).groups.items()}
    for name in variants:
        if name not in found:
            raise SettingsError(f"variant {name!r}: {nearest(name, found)}")
    chosen = list(variants) or list(found)
    if len(chosen) != 2:
        names = listed(list(found))
        raise SettingsError(f"variants {len(chosen)}: the lab shows two; name them with --variant, twice: {names}")
    return [found[name] for name in chosen]


def _bar(*, shown: bool, **given: Any) -> Any:
    """Return a progress bar of tqdm; a script whose stderr is not a terminal gets none."""
    from tqdm.auto import tqdm  # noqa: PLC0415 (in a notebook it imports ipywidgets)

    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    return tqdm(disable=(False if in_notebook else None) if shown else True, **given)


def _load(name: str, *, shown: bool) -> Dataset:
    """Load a data set, with a bar for each file that is downloaded."""
    return datasets.load(name, lambda file: _bar(shown=shown, desc=file, unit="B", unit_scale=True, leave=False))


@contextmanager
def _training_bar(trainer: Trainer, *, shown: bool) -> Iterator[Callable[[Record], None]]:
    """Show a bar of updates; yield a function to call with each record."""
    with _bar(shown=shown, total=trainer.schedule.last, unit=" updates") as updates:
        trainer.on_progress = lambda: updates.update(trainer.update - updates.n)

        def show(record: Record) -> None:
            updates.set_description(f"epoch {record.epoch:.3g}/{trainer.epochs}", refresh=False)
            updates.set_postfix_str(f"validation accuracy {percent(record.validation_accuracy)}")

        yield show


@contextmanager
def _comparison_bar(experiment: Experiment, *, shown: bool) -> Iterator[Callable[[float, int], None]]:
    """Show a bar of the epochs of all runs; yield a function of the epochs and the runs completed."""
    runs = len(experiment.seeds) * len(experiment.variants)
    total = len(experiment.seeds) * sum(settings.epochs for settings in experiment.variants.values())
    with _bar(shown=shown, total=total, unit=" epochs", bar_format="{l_bar}{bar}| {n:.1f}/{total} epochs") as epochs:

        def show(completed: float, done: int) -> None:
            epochs.set_description(f"{done} of {runs} runs complete", refresh=False)
            epochs.update(completed - epochs.n)

        yield show
