"""Compares the costs of the literature and writes docs/costs.md: `make reproduce-costs`.

The learning rates are chosen first, each cost's on the validation set, by whole runs from two seeds that are not
compared. Finished runs are kept, so an interrupted reproduction can be resumed.
"""

import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from netlearn import datasets
from netlearn.cli.progress import load_and_tell, note
from netlearn.cli.terminal import terminated_as_interrupted
from netlearn.comparison import catalogue
from netlearn.comparison.data import load_data
from netlearn.comparison.experiment import Experiment, folder_name, read_experiment
from netlearn.comparison.pool import Pool, Workers, cores
from netlearn.comparison.tasks import perform_all, task_of
from netlearn.custom_cost import load_cost
from netlearn.runs import write_whole
from scripts.costs_page import CONDITIONS, FACTORS, page
from scripts.reproduce import QUICK_DATA, QUICK_SEEDS, conclude, reproduce, resumable

TUNING_SEEDS = (100,)
NOISE = "noise-40"


def plan(condition: str, *, quick: bool) -> Experiment:
    """Return the comparison of a condition; a quick one is of an epoch of a few bundled digits."""
    name, flags = CONDITIONS[condition]
    small = {"data": QUICK_DATA, "epochs": 1, "train_size": 500} if quick else {}
    experiment = read_experiment(catalogue.files()[name], {**flags, **small}, QUICK_SEEDS if quick else None)
    return load_data(experiment, datasets.load, Workers())


def chosen_rates(
    experiment: Experiment, folder: Path, workers: Workers, on_note: Callable[[str], object]
) -> dict[str, float]:
    """Return the rate of each variant with the best validation accuracy at the end, in the mean of the seeds.

    Tried are `FACTORS` times the default of its cost; a rate with a run that did not finish is not chosen.
    """
    tasks = [
        task_of(
            experiment,
            name,
            msgspec.structs.replace(settings, learning_rate=rate, seed=seed, snapshots=False),
            folder / f"{folder_name(name)}-{rate:g}-{seed}",
        )
        for name, settings in experiment.variants.items()
        for rate in (float(f"{factor * load_cost(settings.cost).learning_rate:.3g}") for factor in FACTORS)
        for seed in TUNING_SEEDS
    ]
    found: dict[str, dict[float, list[float]]] = {}
    for run in perform_all(tasks, workers, on_note=on_note, note_failures=False):
        accuracy = run.summary.validation_accuracy if run.summary and not run.problem else None
        found.setdefault(run.variant, {}).setdefault(run.settings.learning_rate, []).append(accuracy or 0.0)
    return {name: max(tried, key=lambda rate: statistics.fmean(tried[rate])) for name, tried in found.items()}


def with_rates(experiment: Experiment, rates: dict[str, float]) -> Experiment:
    """Return an experiment with the learning rate of each variant."""
    variants = {
        name: msgspec.structs.replace(settings, learning_rate=rates[name])
        for name, settings in experiment.variants.items()
    }
    return replace(experiment, variants=variants, tuning="done")


@click.command()
@click.option("--quick", is_flag=True, help="one epoch of 500 bundled digits: to see that it works.")
@click.option("--runs", type=click.Path(path_type=Path), help="folder of the runs.  [default: runs/costs]")
@click.option("--page", "target", type=click.Path(path_type=Path), help="the page.  [default: docs/costs.md]")
def main(quick: bool, runs: Path | None, target: Path | None) -> None:
    """Compare the costs of the literature and write the page on them."""
    runs = runs or Path("runs/costs-quick" if quick else "runs/costs")
    target = target or (runs / "costs.md" if quick else Path("docs/costs.md"))
    with resumable():
        load_and_tell(QUICK_DATA if quick else "auto")
        plans, failed = {condition: plan(condition, quick=quick) for condition in CONDITIONS}, {}
        with terminated_as_interrupted(), Pool(cores()) as workers:
            rates = {}
            for condition in ("large", "scaled", NOISE):
                note(f"learning rates: {condition}")
                rates[condition] = chosen_rates(plans[condition], runs / f"rates-{condition}", workers, note)
            for condition, experiment in plans.items():
                plans[condition] = with_rates(experiment, rates.get(condition, rates[NOISE]))
                failed[condition] = reproduce(condition, plans[condition], runs / condition, workers, pictures=False)
        command = "python -m scripts.costs --quick" if quick else "make reproduce-costs"
        beside = target.parent / target.stem
        beside.mkdir(parents=True, exist_ok=True)
        write_whole(target, page(plans, runs, beside, command).encode())
    conclude(target, failed)


if __name__ == "__main__":
    main()
