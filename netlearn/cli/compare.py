"""`netlearn compare`: the same network with different settings, side by side."""

import shutil
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import click
from click.core import ParameterSource

from netlearn.cli.compare_options import SEEDS, SWEEP, WORKERS, complete_experiments, size_of, sweep_of
from netlearn.cli.options import EXISTING, JSON, PATH, QUIET, Command, check_force, setting_options, settings_in
from netlearn.cli.progress import comparison_progress, load_and_tell, note, tell
from netlearn.cli.table import TOP, paragraphs, table
from netlearn.cli.terminal import check_address_space, echo_results, terminated_as_interrupted
from netlearn.comparison import catalogue
from netlearn.comparison.analysis import read_runs
from netlearn.comparison.cluster import Cluster
from netlearn.comparison.compare import Comparison, check_resumable, compare, remove_runs, write_results
from netlearn.comparison.data import load_data
from netlearn.comparison.experiment import (
    BUILT_IN,
    BUILT_IN_COSTS,
    Experiment,
    content_of,
    costs_in,
    from_costs,
    parse_seeds,
    read_experiment,
)
from netlearn.comparison.findings import more_seeds, shortened
from netlearn.comparison.outputs import FILES, PAGE
from netlearn.comparison.pool import Pool, Workers, cores
from netlearn.comparison.shard import Shard, ShardResult, train_shard
from netlearn.comparison.sweep import Sweep
from netlearn.custom_cost import check_named, is_own, shell_command
from netlearn.datasets import Dataset, is_present
from netlearn.errors import ClusterError, SettingsError
from netlearn.runs import CONFIG, SUMS, RunFolder, run_folders
from netlearn.runs.selection import MOST_SHOWN
from netlearn.text import counted, decode_toml

ALWAYS = {"jobs", "top", "markdown", "quiet", "as_json"}
WITH_RESUME = ALWAYS | {"resumed", "cost", "data", "seeds", "shard", "cluster", "tls_folder", "insecure"}
WITH_RUNS = ALWAYS | {"paths", "cost", "out", "force"}


@click.command("compare", cls=Command)
@click.argument(
    "paths", nargs=-1, type=PATH, metavar="[NAME | FILE.toml | RUN...]", shell_complete=complete_experiments
)
@click.option("--list", "listing", is_flag=True, help="list the built-in experiments.")
@SEEDS
@click.option("--baseline", metavar="NAME", help="compare the other variants with this one only.")
@SWEEP
@click.option("--tune", is_flag=True, help="first choose each variant's learning rate on the validation set.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="runs at a time.  [default: the number of cores]")
@WORKERS
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    help=f"print the N best variants, a line for each.  [default: {TOP}, of more than {MOST_SHOWN} variants]",
)
@click.option("--markdown", is_flag=True, help="print the table as Markdown.")
@setting_options(defaults=BUILT_IN | {"cost": ", ".join(BUILT_IN_COSTS)}, repeatable=("cost",), without=("seed",))
@click.option(
    "--out", type=PATH, metavar="FOLDER", help="folder.  [default: runs/compare, or compare-2, compare-3, …]"
)
@click.option("--force", is_flag=True, help="overwrite the comparison that --out holds.")
@click.option(
    "--resume",
    "resumed",
    type=EXISTING,
    metavar="FOLDER",
    help="train the missing runs of the comparison in that folder.",
)
@QUIET
@JSON
@click.pass_context
def command(
    ctx: click.Context, /, paths: tuple[Path, ...], listing: bool, seeds: Any, baseline: str | None, tune: bool,
    jobs: int | None, top: int | None, shard: Shard | None, markdown: bool, out: Path | None, force: bool,
    resumed: Path | None, **flags: Any,
) -> None:  # fmt: skip
    """Compare costs, or any settings, and show the learning slowdown.

    \b
    netlearn compare --cost quadratic,cross-entropy
    netlearn compare --vary learning_rate=0.05:5:log4
    netlearn compare neuron

    Without arguments, the quadratic cost is compared with cross-entropy in a network with 100 hidden neurons and
    large initial weights, as in the book's chapter 1: many neurons start badly wrong, so the slowdown shows. (The
    defaults of netlearn train, 30 hidden neurons and scaled weights, learn well.)

    NAME is an experiment that comes with netlearn, such as those of the book; FILE.toml describes another one;
    repeated --cost or --vary options build one. RUN... are existing run folders, which are drawn together without
    training.

    Runs with the same seed start from identical weights and see identical mini-batches.
    """  # noqa: D301 (click keeps the lines of a paragraph after this character)
    if listing:
        if paths:
            raise SettingsError(f"{paths[0]}: --list takes no other argument")
        echo_results(catalogue.descriptions(), _list())
        return
    if resumed is not None:
        _refuse_all_but(WITH_RESUME, ctx, "must be left out with --resume, which keeps the settings and the folder")
    check_force(out, force=force)
    files = [catalogue.find(path) for path in paths]
    trains = not paths or any(files)
    if not trains:
        _refuse_all_but(WITH_RUNS, ctx, "must be left out with existing runs, which are drawn as they are")
    sweep, dry_run = sweep_of(flags), flags.pop("dry_run")
    cluster = {name: flags.pop(name) for name in ("cluster", "tls_folder", "insecure")}
    settings = settings_in(flags)
    costs = settings.pop("cost", ())
    jobs = jobs or cores()
    check_address_space(jobs)
    with terminated_as_interrupted(), Workers() if dry_run else _workers(jobs, **cluster) as workers:
        if resumed is not None:
            check_resumable(resumed)
            with RunFolder.existing(resumed, FILES) as folder:
                experiment = _resumed_experiment(resumed, costs, settings)
                if seeds is not None:
                    experiment = experiment.with_seeds(parse_seeds(seeds, "--seeds"))
                experiment = load_data(experiment, load_and_tell, workers, tell)
                result = _train(experiment, folder, workers, shard)
        elif not trains:
            analysis = read_runs(paths, tell, fewest=2)
            for cost in sorted(filter(is_own, {run.settings.cost for run in analysis.runs} - set(costs))):
                tell(f"mistakes.png leaves out {cost}, whose code is imported only if named: --cost {quote(cost)}")
            with _folder(out, force=force) as folder:
                result = write_results(analysis, folder, workers, dict.fromkeys(costs))
        else:
            experiment = _experiment(files, costs, settings, seeds, sweep, baseline)
            experiment = experiment.to_be_tuned() if tune else experiment
            experiment = _with_data(experiment, workers, None if "l2" in settings or not files else files[0])
            if dry_run:
                echo_results(*size_of(experiment))
                return
            with _folder(out, force=force) as folder:
                result = _train(experiment, folder, workers, shard)
    used = {each.cost for each in experiment.variants.values()} if trains else set()
    echo_results(result, _results(result, used, markdown=markdown, top=top))
    if isinstance(result, Comparison):
        _tell_what_helps(result, experiment.seeds if trains else (), used)
    if trains and not result.succeeded:
        ctx.exit(1)


def _tell_what_helps(result: Comparison, seeds: Collection[int], costs: Collection[str]) -> None:
    """Tell how to complete a comparison of these seeds and costs, or how to learn more from it."""
    if result.failed:
        failed = f"{counted(result.failed, 'run')} failed"
        note(f"{failed}; to complete it: {shell_command('compare --resume', costs, result.folder)}")
    elif seeds and (more := more_seeds(result, seeds, result.folder, costs)):
        tell(f"what is not clear may still differ; more seeds can tell: {more}")


def _refuse_all_but(names: Collection[str], ctx: click.Context, reason: str) -> None:
    """Refuse what was given on the command line, but for some parameters."""
    for param in ctx.command.params:
        name = str(param.name)
        given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if isinstance(param, click.Argument):
            given = given and bool(ctx.params[name])  # to click 8.2, no arguments are given ones
        if given and name not in names:
            what = ctx.params[name][0] if isinstance(param, click.Argument) else max(param.opts, key=len)
            raise SettingsError(f"{what}: {reason}")


def _workers(jobs: int, cluster: str | None, tls_folder: Path | None, *, insecure: bool) -> Workers:
    """Return what trains: a cluster if there is one, else processes here."""
    if cluster is not None:
        return Cluster(jobs, cluster, tls_folder, insecure=insecure, note=tell)
    if tls_folder or insecure:
        raise SettingsError(f"{'--tls-folder' if tls_folder else '--insecure'}: must be given with --cluster")
    return Pool(jobs)


def _resumed_experiment(folder: Path, costs: tuple[str, ...], settings: dict[str, Any]) -> Experiment:
    """Return the experiment of a comparison, whose own costs must be named and whose data may have been moved."""
    path = folder / CONFIG
    for cost in sorted(costs_in(content_of(path, decode_toml(path)))):
        check_named(cost, costs, folder)
    experiment = read_experiment(path, settings, None)
    for cost in costs:
        if cost not in {each.cost for each in experiment.variants.values()}:
            raise SettingsError(f"--cost {cost}: must be a cost of the comparison")
    return experiment


def _with_data(experiment: Experiment, workers: Workers, path: Path | None) -> Experiment:
    """Load the data of an experiment, and tell if the l2 of the file that it is from is far too strong for them."""
    counts: dict[str, int] = {}

    def load_and_count(name: str) -> Dataset:
        data = load_and_tell(name)
        counts[data.name] = len(data.train)
        return data

    loaded = load_data(experiment, load_and_count, workers, tell)
    if path is not None and (text := catalogue.l2_note(path, loaded, counts)):
        tell(text)
    return loaded


def _list() -> str:
    width = shutil.get_terminal_size().columns
    formatter = click.HelpFormatter(max_width=width)
    for heading, experiments in catalogue.by_chapter().items():
        with formatter.section(heading):
            formatter.write_dl([(name, f"{each.question} ({each.run_time})") for name, each in experiments.items()])
    text = formatter.getvalue().rstrip()
    if is_present("mnist"):
        return text
    need = ", ".join(catalogue.need_full())
    fallback = f"Without full MNIST, mnist-5k takes its place, whose images are too few for what these show: {need}."
    where = "It is not on this machine; it is downloaded if that takes a few seconds at most."
    return "\n".join([text, "", *paragraphs([f"{fallback} {where}"], width)])


def _experiment(
    files: list[Path | None], costs: tuple[str, ...], settings: dict[str, Any], seeds: Any, sweep: Sweep,
    baseline: str | None,
) -> Experiment:  # fmt: skip
    if not files:
        costs = costs or (() if "cost" in sweep.values else BUILT_IN_COSTS)
        return from_costs(costs, seeds, settings, sweep, baseline)
    if len(files) > 1 or files[0] is None:
        raise SettingsError(f"{next(filter(None, files))}: must be one experiment, or folders of runs")
    if costs:
        raise SettingsError(
            f"--cost {costs[0]}: cannot be combined with an experiment file; the variants are those of {files[0]}"
        )
    experiment = read_experiment(files[0], settings, seeds, sweep, baseline)
    return replace(experiment, data_sha256={}) if "data" in settings else experiment


def _folder(out: Path | None, *, force: bool) -> AbstractContextManager[RunFolder]:
    if out is None:
        return RunFolder.create_numbered(Path("runs"), "compare", FILES)
    return RunFolder.create(out, force=force, files=FILES, remove=partial(remove_runs, on_note=note))


def _train(
    experiment: Experiment, folder: RunFolder, workers: Workers, shard: Shard | None
) -> Comparison | ShardResult:
    try:
        with comparison_progress(experiment, shard) as on_progress:
            if shard is not None:
                return train_shard(experiment, folder, workers, shard, on_progress=on_progress, on_note=tell)
            return compare(experiment, folder, workers, on_progress=on_progress, on_note=tell)
    except (KeyboardInterrupt, ClusterError) as error:
        part = f" --shard {shard}" if shard else ""
        costs = {each.cost for each in experiment.variants.values()}
        resume = f"to resume: {shell_command('compare --resume', costs, folder.path)}{part}"
        if isinstance(error, ClusterError):
            raise ClusterError(f"{error}; {resume}") from error
        runs = run_folders(folder.path)
        complete = sum((run / SUMS).exists() for run in runs)
        note(f"kept: {counted(complete, 'run')} complete, {len(runs) - complete} begun; {resume}")
        raise


def _results(result: Comparison | ShardResult, costs: Collection[str], *, markdown: bool, top: int | None) -> str:
    if isinstance(result, ShardResult):
        copies = f"copy those of all shards into one, then: {shell_command('compare --resume', costs, 'FOLDER')}"
        finished = f"shard {result.shard}: {result.finished} of {result.runs} runs finished"
        return "\n".join([*result.problems, finished, f"folder: {result.folder} ({copies})"])
    failed = shortened(result.problems, "results.csv")
    pictures = ", ".join(f"{name}.png" for name in result.pictures)
    width = shutil.get_terminal_size().columns
    return "\n".join(
        [
            table(result, width, markdown=markdown, top=top),
            *(["", *failed] if failed else []),
            "",
            *paragraphs(result.sentences, width),
            *paragraphs([result.pairing], width),
            "",
            f"page: {Path(result.folder) / PAGE} (open it in a browser)",
            f"folder: {result.folder} (pictures: {pictures})",
        ]
    )
