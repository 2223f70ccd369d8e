"""Runs the experiments in configs/ and writes their page, the book's figures beside ours: `make reproduce`.

What is done is kept in the folder of the runs, so an interrupted reproduction goes on where it was. The page tells of
all that is done so far.
"""

import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import click
import msgspec

from netlearn import catalogue, datasets
from netlearn.cli.progress import comparison_progress, download_bar, note, tell_data
from netlearn.comparison import FILES, compare
from netlearn.errors import NetlearnError
from netlearn.experiment import Experiment, read_experiment
from netlearn.files import write_whole
from netlearn.history import Run, read_run
from netlearn.launch import environment
from netlearn.runs import CONFIG, RunFolder
from netlearn.trials import is_done, load_data, tasks_of
from netlearn.workers import Workers
from scripts.book import CLAIMS, MEASURES, NOTES, PICTURES, Claim

QUICK_DATA, QUICK_EPOCHS, QUICK_SEEDS = "mnist-5k", 2, 2
SECONDS = "seconds.txt"
EXPERIMENTS = list(dict.fromkeys(claim.experiment for claim in CLAIMS))


def plan(name: str, seeds: int | None, *, quick: bool) -> Experiment:
    """Return an experiment; a quick one is of few epochs, of the bundled digits and of the variants that fit them."""
    path = catalogue.files()[name]
    if not quick:
        return load_data(read_experiment(path, {}, seeds), datasets.load)
    experiment = read_experiment(path, {}, None)
    few = datasets.load(QUICK_DATA)
    variants = {
        variant: settings
        if settings.data == "neuron"
        else msgspec.structs.replace(settings, data=QUICK_DATA, epochs=min(QUICK_EPOCHS, settings.epochs))
        for variant, settings in experiment.variants.items()
        if (settings.train_size or 0) <= len(few.train)
    }
    chosen = tuple(range(seeds or QUICK_SEEDS))
    return load_data(Experiment(experiment.title, chosen, variants), datasets.load)


def reproduce(name: str, experiment: Experiment, folder: Path, workers: Workers) -> None:
    """Do the runs of an experiment that are missing, and draw its pictures."""
    where = RunFolder.existing(folder) if (folder / CONFIG).is_file() else RunFolder(folder, files=FILES)
    tasks = tasks_of(experiment, folder)
    if all(map(is_done, tasks)) and (folder / FILES[2]).is_file():
        note(f"{name}: done")
        return
    note(f"{name}: {experiment.title}")
    with _timed(folder / SECONDS), comparison_progress(experiment, quiet=False) as on_progress:
        compare(experiment, where, workers, on_progress=on_progress)


@contextmanager
def _timed(path: Path) -> Iterator[None]:
    """Add the seconds that something takes, even interrupted, to those in a file."""
    begun = perf_counter()
    try:
        yield
    finally:
        write_whole(path, f"{_seconds(path) + perf_counter() - begun:.1f}\n".encode())


def _seconds(path: Path) -> float:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return 0.0


def page(plans: dict[str, Experiment], runs: Path, pictures: Path, command: str) -> str:
    """Return the page on the experiments that are done, and copy their pictures to a folder beside it."""
    parts, verdicts, seconds, by_chance = [], [], 0.0, 0.0
    for name, experiment in plans.items():
        tasks = tasks_of(experiment, runs / name)
        if not all(map(is_done, tasks)):
            parts.append(f"## {experiment.title}\n\n`netlearn compare {name}`: not run yet.\n")
            continue
        found = [read_run(task.folder, task.variant) for task in tasks]
        rows = [row for claim in CLAIMS if claim.experiment == name and (row := _row(claim, found))]
        verdicts += [verdict for *_, verdict in rows]
        seeds = len(experiment.seeds)
        in_range = sum("our range" in verdict for *_, verdict in rows)
        by_chance += in_range * (seeds - 1) / (seeds + 1) if seeds > 1 else in_range
        seconds += _seconds(runs / name / SECONDS)
        parts.append(_section(name, experiment, rows, _copied(name, runs, pictures)))
    machine = environment()
    inside = sum("in our range" in verdict for verdict in verdicts)
    compared = sum("our range" in verdict for verdict in verdicts)
    kept = sum("holds: " in verdict for verdict in verdicts)
    bounds = kept + sum("does not hold: " in verdict for verdict in verdicts)
    data = ", ".join(sorted({settings.data for plan in plans.values() for settings in plan.variants.values()}))
    versions = f"netlearn {machine['netlearn']}, numpy {machine['numpy']} and {machine['blas']}"
    head = f"""# The book's experiments, reproduced

Made by `{command}` (data: {data}) in {seconds / 60:.1f} minutes on {machine["cores"]} cores,
{machine["cpu"]}, with {versions}.

The experiments are those of Michael Nielsen's *Neural Networks and Deep Learning*, chapters 1, 3, 5 and 6, and two of
netlearn's own at the end. The book reports single runs, often the best of several; ours are the mean ± standard
deviation over seeds 0, 1, 2, …, with the lowest and the highest seed; the single neuron starts from constants, so one
is all it has. Where the book does not say whether a figure is the best epoch's or the last one's, both are here.

Of {compared} figures of the book, {inside} lie in the range of our seeds. If the book's runs were like ours,
about {by_chance:.0f} would: one more run lies between the lowest and the highest of n in (n − 1) of (n + 1) cases. Of
{bounds} bounds on our means, {kept} hold.
"""
    return "\n".join([head, *parts])


def _section(name: str, experiment: Experiment, rows: list[list[str]], picture: str) -> str:
    said = catalogue.comment(catalogue.files()[name])
    seeds = len(experiment.seeds)
    head = ["variant", "figure", "the book", "ours", "lowest to highest", "verdict"]
    table = [head, ["---", "---", *["---:"] * 3, "---"], *rows]
    outside = any(word in row[-1] for row in rows for word in ("above", "below", "does not hold"))
    return "\n".join(
        [
            f"## {experiment.title}\n",
            f"{said['Question'][0].upper()}{said['Question'][1:]} `netlearn compare {name}`, {seeds} "
            f"{'seed' if seeds == 1 else 'seeds'}.\n",
            *(f"| {' | '.join(row)} |" for row in table),
            *([f"\n{NOTES[name]}"] if outside and name in NOTES else []),
            *([f"\n![{experiment.title}]({picture})"] if picture else []),
            "",
        ]
    )


def _copied(name: str, runs: Path, pictures: Path) -> str:
    """Copy the picture of an experiment that is worth looking at; return its place as the page names it."""
    source = runs / name / f"{PICTURES.get(name, '')}.png"
    if not source.is_file():
        return ""
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, pictures / f"{name}.png")
    return f"{pictures.name}/{name}.png"


def _row(claim: Claim, runs: list[Run]) -> list[str]:
    """Return a row of a table, empty where the variant was not run."""
    measure, unit = MEASURES[claim.measure]
    values = {run.settings.seed: measure(run) for run in runs if run.variant == claim.variant and not run.problem}
    if claim.minus:
        less = {run.settings.seed: measure(run) for run in runs if run.variant == claim.minus and not run.problem}
        values = {seed: values[seed] - less[seed] for seed in values.keys() & less.keys()}
    ours = [round(value, 4) for _, value in sorted(values.items())]
    if not ours:
        return []
    mean = statistics.fmean(ours)
    spread = f" ± {_text(statistics.stdev(ours), unit)}" if len(ours) > 1 else ""
    name = f"{claim.variant}, minus {claim.minus}" if claim.minus else claim.variant
    return [
        name, claim.measure, "" if claim.book is None else _text(claim.book, unit), f"{_text(mean, unit)}{spread}",
        f"{_text(min(ours), unit)} to {_text(max(ours), unit)}", _verdict(claim, ours, round(mean, 4), unit),
    ]  # fmt: skip


def _verdict(claim: Claim, ours: list[float], mean: float, unit: str) -> str:
    parts = []
    if claim.book is not None:
        if min(ours) <= claim.book <= max(ours):
            parts.append("in our range")
        else:
            below = claim.book < min(ours)
            away = min(ours) - claim.book if below else claim.book - max(ours)
            parts.append(f"{'below' if below else 'above'} our range by {_text(away, unit)}")
    bounds = [f"at least {_text(claim.low, unit)}"] if claim.low > -float("inf") else []
    bounds += [f"at most {_text(claim.high, unit)}"] if claim.high < float("inf") else []
    if bounds:
        holds = claim.low <= mean <= claim.high
        parts.append(f"{'holds' if holds else 'does not hold'}: {', '.join(bounds)}")
    return "; ".join(parts)


def _text(value: float, unit: str) -> str:
    return f"{100 * value:.2f} %" if unit == "%" else f"{value:{unit}}"


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice(EXPERIMENTS), metavar="NAME", help="an experiment; repeat it."
)
@click.option("--seeds", type=click.IntRange(1, 1000), metavar="N", help="seeds of each.  [default: the files' own]")
@click.option("--quick", is_flag=True, help=f"{QUICK_EPOCHS} epochs of the bundled digits: to see that it works.")
@click.option("--runs", type=click.Path(path_type=Path), help="folder of the runs.  [default: runs/reproduce]")
@click.option("--page", "target", type=click.Path(path_type=Path), help="the page.  [default: docs/reproduction.md]")
def main(only: tuple[str, ...], seeds: int | None, quick: bool, runs: Path | None, target: Path | None) -> None:
    """Run the book's experiments and write a page with their results beside the published ones."""
    runs = runs or Path("runs/reproduce-quick" if quick else "runs/reproduce")
    target = target or (runs / "reproduction.md" if quick or only or seeds else Path("docs/reproduction.md"))
    try:
        tell_data(datasets.load(QUICK_DATA if quick else "auto", download_bar))
        plans = {name: plan(name, seeds, quick=quick) for name in EXPERIMENTS}
        with Workers(os.cpu_count() or 1) as workers:
            for name in only or EXPERIMENTS:
                reproduce(name, plans[name], runs / name, workers)
        flags = [*(["--quick"] if quick else []), *([f"--seeds {seeds}"] if seeds else [])]
        command = " ".join(["python -m scripts.reproduce", *flags]) if flags else "make reproduce"
        text = page(plans, runs, target.parent / target.stem, command)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode())
    except NetlearnError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        note("Interrupted; the same command goes on from here")
        sys.exit(130)
    click.echo(f"page: {target}")


if __name__ == "__main__":
    main()
