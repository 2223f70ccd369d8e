"""`netlearn compare`: the same network with different settings, side by side."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem

from netlearn import catalogue, datasets
from netlearn.cli.options import flag, given, setting_options
from netlearn.cli.progress import comparison_progress, download_bar, note, tell_data
from netlearn.cli.signals import terminated_as_interrupted
from netlearn.comparison import FILES, Comparison, compare, overlay, read_runs
from netlearn.datasets import Dataset
from netlearn.errors import RunError, SettingsError
from netlearn.experiment import (
    BUILT_IN,
    BUILT_IN_COSTS,
    BUILT_IN_SEEDS,
    Experiment,
    from_costs,
    read_experiment,
    refuse_code_beside,
    write_experiment,
)
from netlearn.history import holds_comparison
from netlearn.runs import CONFIG, RunFolder
from netlearn.trials import TUNING_FACTORS, load_data, tune_rates
from netlearn.wording import problems, table
from netlearn.workers import Workers

PATH = click.Path(path_type=Path)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    names = [CompletionItem(name) for name in catalogue.files() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


@click.command("compare")
@click.argument("paths", nargs=-1, type=PATH, metavar="[NAME | FILE.toml | RUN...]", shell_complete=_complete)
@click.option("--list", "listing", is_flag=True, help="list the experiments that have a NAME.")
@click.option(
    "--seeds", type=int, metavar="N", help=f"train each variant from seeds 0 to N-1.  [default: {BUILT_IN_SEEDS}]"
)
@click.option("--tune", is_flag=True, help="first choose each variant's learning rate on the validation set.")
@click.option("--jobs", type=int, metavar="N", help="runs at a time.  [default: the number of cores]")
@click.option("--markdown", is_flag=True, help="print the table as Markdown.")
@setting_options(defaults=BUILT_IN | {"cost": ", ".join(BUILT_IN_COSTS)}, repeatable=("cost",), without=("seed",))
@click.option(
    "--out", type=PATH, metavar="FOLDER", help="folder.  [default: runs/compare, or compare-2, compare-3, …]"
)
@click.option("--force", is_flag=True, help="overwrite the comparison that --out holds.")
@click.option(
    "--resume",
    "resumed",
    type=PATH,
    metavar="FOLDER",
    help="do what is missing in that comparison's folder.",
)
@click.option("-q", "--quiet", is_flag=True, help="print nothing but the results.")
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, those of summary.json.")
def command(
    paths: tuple[Path, ...], listing: bool, seeds: int | None, tune: bool, jobs: int | None, markdown: bool,
    out: Path | None, force: bool, resumed: Path | None, quiet: bool, as_json: bool, **flags: Any,
) -> None:  # fmt: skip
    """Compare costs, or any settings, and see the learning slowdown.

    Without arguments the quadratic cost stands beside cross-entropy, in a network with 100 hidden neurons and large
    initial weights. NAME is an experiment that comes with netlearn, such as those of the book; FILE.toml describes
    another; --cost, given for each cost, builds one. RUN... are folders of runs that exist: they are drawn together
    and nothing is trained.

    Variants of one seed start from identical weights and see identical mini-batches.
    """
    if listing:
        click.echo(_list(), nl=False)
        return
    if jobs is not None and jobs < 1:
        raise SettingsError(f"--jobs {jobs}: allowed is a number from 1")
    settings = given(flags)
    costs = settings.pop("cost", ())
    if resumed is not None:
        others = {"seeds": seeds is not None, "tune": tune, "cost": costs, "out": out, "force": force}
        _refuse_with_resume(
            [*map(str, paths), *map(flag, settings), *(flag(name) for name in others if others[name])]
        )
    files = [catalogue.find(path) for path in paths]
    with terminated_as_interrupted(), Workers(jobs or os.cpu_count() or 1) as workers:
        if resumed is not None:
            folder = RunFolder.existing(resumed)
            if not holds_comparison(resumed):
                raise RunError(f"{resumed}: is a run, not a comparison; netlearn train --resume goes on with it")
            refuse_code_beside(resumed / CONFIG)
            plan = load_data(read_experiment(resumed / CONFIG, {}, None), lambda name: _load(name, quiet=quiet))
            result = _train_all(plan, folder, workers, quiet=quiet)
        elif paths and not any(files):
            _refuse_training(settings | {"seeds": seeds, "tune": tune or None, "cost": costs or None})
            runs = read_runs(paths)
            result = overlay(runs, _folder(out, force=force), workers)
        else:
            plan = load_data(_plan(files, costs, settings, seeds), lambda name: _load(name, quiet=quiet))
            folder = _folder(out, force=force)
            folder.remove_runs()
            result = _train_all(replace(plan, tuning="to do") if tune else plan, folder, workers, quiet=quiet)
    click.echo(msgspec.json.encode(result) if as_json else _results(result, markdown=markdown))


def _refuse_training(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise SettingsError(f"{flag(name)}: runs that exist are drawn as they are; it goes with an experiment")


def _list() -> str:
    formatter = click.HelpFormatter(max_width=shutil.get_terminal_size().columns)
    about = {name: catalogue.comment(path) for name, path in catalogue.files().items()}
    rows = [(name, f"{said['Question']} ({said['Run time'].rstrip('.')})") for name, said in about.items()]
    formatter.write_dl(rows)
    return formatter.getvalue()


def _refuse_with_resume(used: list[str]) -> None:
    for what in used:
        raise SettingsError(f"{what}: a comparison that is resumed is done as its folder has it")


def _plan(
    files: list[Path | None], costs: tuple[str, ...], settings: dict[str, Any], seeds: int | None
) -> Experiment:
    if not files:
        return from_costs(costs or BUILT_IN_COSTS, BUILT_IN_SEEDS if seeds is None else seeds, settings)
    if len(files) > 1 or files[0] is None:
        raise SettingsError(f"{next(filter(None, files))}: allowed is one experiment, or the folders of runs")
    if costs:
        raise SettingsError(f"--cost {costs[0]}: the variants are those of {files[0]}; allowed without a file")
    return read_experiment(files[0], settings, seeds)


def _load(name: str, *, quiet: bool) -> Dataset:
    data = datasets.load(name, None if quiet else download_bar)
    if not quiet:
        tell_data(data)
    return data


def _folder(out: Path | None, *, force: bool) -> RunFolder:
    return RunFolder(out, force=force, files=FILES) if out else RunFolder.numbered(Path("runs"), "compare", FILES)


def _train_all(plan: Experiment, folder: RunFolder, workers: Workers, *, quiet: bool) -> Comparison:
    tell: Callable[[str], None] = (lambda text: None) if quiet else note
    folder.write(CONFIG, write_experiment(plan))
    try:
        if plan.tuning == "to do":
            tell(f"tuning: {len(TUNING_FACTORS)} learning rates for each variant, in short runs")
            plan = tune_rates(plan, folder.path, workers)
            tell(", ".join(f"{name}: η = {settings.learning_rate:g}" for name, settings in plan.variants.items()))
        with comparison_progress(plan, quiet=quiet) as on_progress:
            return compare(plan, folder, workers, on_progress=on_progress)
    except KeyboardInterrupt:
        note(f"What was done is kept; this goes on: netlearn compare --resume {quote(str(folder.path))}")
        raise


def _results(result: Comparison, *, markdown: bool) -> str:
    pictures = ", ".join(f"{name}.png" for name in result.pictures)
    return "\n".join(
        [
            table(result.rows, markdown=markdown),
            *(["", *problems(result.rows)] if problems(result.rows) else []),
            "",
            result.conclusion,
            result.pairing,
            "",
            f"folder: {result.folder} (pictures: {pictures})",
        ]
    )
