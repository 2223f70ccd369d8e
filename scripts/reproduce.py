"""Runs the experiments in configs/ and writes a page with their results beside the book's: `make reproduce`.

Finished runs are kept, so an interrupted reproduction can be resumed. The page covers all that is done so far.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from time import perf_counter

import click
import msgspec

from netlearn import datasets
from netlearn.cli.progress import comparison_progress, load_and_tell, note
from netlearn.cli.terminal import Terminated, terminated_as_interrupted
from netlearn.comparison import catalogue
from netlearn.comparison.compare import compare
from netlearn.comparison.data import load_data
from netlearn.comparison.experiment import Experiment, read_experiment
from netlearn.comparison.outputs import FILES
from netlearn.comparison.pool import Pool, Workers, cores
from netlearn.comparison.tasks import is_done, tasks_of
from netlearn.errors import NetlearnError
from netlearn.runs import CONFIG, SUMS, RunFolder, write_whole
from scripts.book import CLAIMS
from scripts.page import SECONDS, page, seconds_in, with_replay

QUICK_DATA, QUICK_EPOCHS, QUICK_SEEDS = "mnist-5k", 2, 2
EXPERIMENTS = list(dict.fromkeys(claim.experiment for claim in CLAIMS))


def plan(name: str, seeds: int | None, *, quick: bool) -> Experiment:
    """Return an experiment; a quick one is of few epochs, of the bundled digits and of the variants that fit them."""
    path = catalogue.files()[name]
    if not quick:
        return load_data(read_experiment(path, {}, seeds), datasets.load, Workers())
    experiment = read_experiment(path, {}, None)
    few = datasets.load(QUICK_DATA)
    variants = {
        variant: settings
        if settings.data == "neuron"
        else msgspec.structs.replace(settings, data=QUICK_DATA, epochs=min(QUICK_EPOCHS, settings.epochs))
        for variant, settings in experiment.variants.items()
        if settings.train_size == "all" or settings.train_size <= len(few.train)
    }
    chosen = tuple(range(seeds or QUICK_SEEDS))
    return load_data(Experiment(experiment.title, chosen, variants), datasets.load, Workers())


def reproduce(
    name: str, experiment: Experiment, folder: Path, workers: Workers, *, pictures: bool = True
) -> list[str]:
    """Do the runs of an experiment that are missing, and draw its pictures; return why they are not all done."""
    try:
        tasks = tasks_of(experiment, folder)
        if all(map(is_done, tasks)) and (folder / SUMS).is_file():
            note(f"{name}: done")
            return []
        note(f"{name}: {experiment.title}")
        begun = (folder / CONFIG).is_file()
        opened = RunFolder.existing(folder, FILES) if begun else RunFolder.create(folder, files=FILES)
        progress = comparison_progress(experiment)
        with opened as where, _timed(folder / SECONDS), progress as on_progress:
            result = compare(experiment, where, workers, pictures=pictures, on_progress=on_progress)
    except NetlearnError as error:
        return [str(error)]
    return [] if all(map(is_done, tasks)) else result.problems


@contextmanager
def _timed(path: Path) -> Iterator[None]:
    """Add the seconds that something takes, even interrupted, to those in a file."""
    begun = perf_counter()
    try:
        yield
    finally:
        write_whole(path, f"{seconds_in(path) + perf_counter() - begun:.1f}\n".encode())


@contextmanager
def resumable() -> Iterator[None]:
    """End the command with one line at an error or an interrupt, after which it can be resumed."""
    try:
        yield
    except NetlearnError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt as error:
        note("Interrupted; the same command resumes")
        sys.exit(143 if isinstance(error, Terminated) else 130)


def conclude(target: Path, failed: Mapping[str, Sequence[str]]) -> None:
    """Name the page and what is not done; exit with 1 if there is any."""
    click.echo(f"page: {target}")
    for name, said in failed.items():
        for problem in said:
            note(f"{name}: {problem}")
    if any(failed.values()):
        sys.exit(1)


def _known(ctx: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in EXPERIMENTS:
            nearest = sorted(EXPERIMENTS, key=lambda each: -SequenceMatcher(None, name, each).ratio())
            raise click.BadParameter(f"{name}: must be {', '.join(nearest)}")
    return names


@click.command()
@click.option("--only", multiple=True, callback=_known, metavar="NAME", help="an experiment; repeat it.")
@click.option("--seeds", type=click.IntRange(1, 1000), metavar="N", help="seeds of each.  [default: the files' own]")
@click.option("--quick", is_flag=True, help=f"{QUICK_EPOCHS} epochs of the bundled digits: to see that it works.")
@click.option("--runs", type=click.Path(path_type=Path), help="folder of the runs.  [default: runs/reproduce]")
@click.option("--page", "target", type=click.Path(path_type=Path), help="the page.  [default: docs/reproduction.md]")
def main(only: tuple[str, ...], seeds: int | None, quick: bool, runs: Path | None, target: Path | None) -> None:
    """Run the book's experiments and write a page with their results beside the published ones."""
    runs = runs or Path("runs/reproduce-quick" if quick else "runs/reproduce")
    target = target or (runs / "reproduction.md" if quick or only or seeds else Path("docs/reproduction.md"))
    with resumable():
        load_and_tell(QUICK_DATA if quick else "auto")
        plans = {name: plan(name, seeds, quick=quick) for name in EXPERIMENTS}
        with terminated_as_interrupted(), Pool(cores()) as workers:
            failed = {name: reproduce(name, plans[name], runs / name, workers) for name in only or EXPERIMENTS}
        flags = [*(["--quick"] if quick else []), *([f"--seeds {seeds}"] if seeds else [])]
        command = " ".join(["python -m scripts.reproduce", *flags]) if flags else "make reproduce"
        beside = target.parent / target.stem
        text = with_replay(page(plans, runs, beside, command, failed, notes=not flags), beside / "replay.md")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode())
    conclude(target, failed)


if __name__ == "__main__":
    main()
