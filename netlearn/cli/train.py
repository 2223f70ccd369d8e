"""`netlearn train`: one run, from settings to a run folder."""

from pathlib import Path
from typing import Any

import click
import msgspec

from netlearn import datasets, launch
from netlearn.cli.options import given, setting_options
from netlearn.cli.progress import download_bar, note, percent, tell_data, training_progress
from netlearn.cli.signals import stopping_on_signals
from netlearn.datasets import Dataset
from netlearn.runs import RunFolder, Summary
from netlearn.settings import Settings, read_toml, resolve
from netlearn.training import Trainer

PATH = click.Path(path_type=Path)


@click.command("train")
@click.option("--config", type=PATH, metavar="FILE", help="TOML file of settings; a flag goes before what it says.")
@setting_options()
@click.option("--out", type=PATH, metavar="FOLDER", help="run folder.  [default: runs/COST, or COST-2, COST-3, …]")
@click.option("--force", is_flag=True, help="overwrite the run that --out holds.")
@click.option("-q", "--quiet", is_flag=True, help="print nothing but the results.")
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, those of summary.json.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    config: Path | None,
    out: Path | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Train a network and draw its learning curves.

    The run folder gets the settings, what every probe measured, the weights, a summary, and the learning curves as
    curves.png and curves.svg. Ctrl-C ends the run after the mini-batch under way and keeps what was done.
    """
    settings = resolve(read_toml(config) if config else {}, given(flags))
    data = datasets.load(settings.data, None if quiet else download_bar).with_train_size(settings.train_size)
    settings = msgspec.structs.replace(settings, data=data.name)  # what "auto" took, so that the run can be repeated
    trainer = launch.make_trainer(settings, data)
    name = settings.cost.replace(":", "-")
    folder = RunFolder(out, force=force) if out else RunFolder.numbered(Path("runs"), name)
    with stopping_on_signals(trainer) as signals:
        if quiet:
            summary = launch.run(settings, trainer, folder)
        else:
            _tell_start(settings, data, trainer)
            with training_progress(trainer) as on_record:
                summary = launch.run(settings, trainer, folder, on_record)
    click.echo(msgspec.json.encode(summary) if as_json else _results(summary, folder))
    if summary.status == "interrupted":
        note(f"Interrupted after update {summary.updates}; what was done is in {folder.path}")
        ctx.exit(128 + signals[0])


def _tell_start(settings: Settings, data: Dataset, trainer: Trainer) -> None:
    tell_data(data)
    note(
        f"network: {'-'.join(map(str, trainer.network.sizes))}, {settings.activation}, "
        f"{settings.initializer} initial weights, {settings.cost} cost, "
        f"learning rate {settings.learning_rate:g}, λ {settings.l2:g}, "
        f"mini-batch {settings.batch_size}, {settings.epochs} epochs, seed {settings.seed}"
    )


def _results(summary: Summary, folder: RunFolder) -> str:
    best = ""
    if summary.best_epoch is not None:
        best = (
            f"best validation accuracy: {percent(summary.best_validation_accuracy)} in epoch {summary.best_epoch}\n"
        )
    return (
        f"test accuracy: {percent(summary.test_accuracy)}\n{best}"
        f"training: {summary.status}, {summary.epochs:.4g} epochs in {summary.training_seconds:.1f} s\n"
        f"run folder: {folder.path} (pictures: curves.png, curves.svg)"
    )
