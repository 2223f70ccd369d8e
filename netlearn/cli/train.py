"""`netlearn train`: one run, from settings to a run folder."""

from pathlib import Path
from shlex import quote
from typing import Any

import click
import msgspec

from netlearn import datasets, launch
from netlearn.checkpoints import check_settings
from netlearn.cli.options import flag, given, setting_options, text_of
from netlearn.cli.progress import download_bar, note, percent, tell_data, training_progress
from netlearn.cli.signals import stopping_on_signals
from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError, SettingsError
from netlearn.history import is_whole, read_run, read_settings
from netlearn.runs import CHECKPOINT, SUMMARY, RunFolder, Summary
from netlearn.settings import Settings, read_toml, resolve
from netlearn.training import Trainer

PATH = click.Path(path_type=Path)


@click.command("train")
@click.option("--config", type=PATH, metavar="FILE", help="TOML file of settings; a flag goes before what it says.")
@setting_options()
@click.option("--out", type=PATH, metavar="FOLDER", help="run folder.  [default: runs/COST, or COST-2, COST-3, …]")
@click.option("--force", is_flag=True, help="overwrite the run that --out holds.")
@click.option(
    "--resume",
    "resumed",
    type=PATH,
    metavar="RUN",
    help="go on with the run in that folder, exactly where it stood; only its --epochs may change, and grow.",
)
@click.option("-q", "--quiet", is_flag=True, help="print nothing but the results.")
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, those of summary.json.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    config: Path | None,
    out: Path | None,
    force: bool,
    resumed: Path | None,
    quiet: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Train a network and draw its learning curves.

    The run folder gets the settings, what every probe measured, the weights, a summary, and the learning curves as
    curves.png and curves.svg. Ctrl-C ends the run after the mini-batch under way and keeps what was done; --resume
    goes on from there, and the end is the same to the byte.
    """
    asked = (read_toml(config) if config else {}) | given(flags)
    if resumed is not None:
        settings = _settings_of(resumed, asked, {"--out": out, "--force": force})
        if (summary := _end_of(resumed, settings)) is not None:
            if summary.error is not None:
                raise DivergenceError(f"{resumed}: {summary.error}")
            more = f"; --epochs beyond {settings.epochs} trains on" if summary.status == "finished" else ""
            note(f"{resumed}: {summary.status} already{more}")
            click.echo(msgspec.json.encode(summary) if as_json else _results(summary, resumed))
            return
    else:
        settings = resolve(asked)
    data = datasets.load(settings.data, None if quiet else download_bar).with_train_size(settings.train_size)
    settings = msgspec.structs.replace(settings, data=data.name)  # what "auto" took, so that the run can be repeated
    trainer = launch.make_trainer(settings, data)
    name = settings.cost.replace(":", "-")
    if resumed is not None:
        folder, begin = RunFolder.existing(resumed), launch.resume
    else:
        folder = RunFolder(out, force=force) if out else RunFolder.numbered(Path("runs"), name)
        begin = launch.run
    with stopping_on_signals(trainer) as signals:
        if quiet:
            summary = begin(settings, trainer, folder)
        else:
            _tell_start(settings, data, trainer)
            with training_progress(trainer) as on_record:
                summary = begin(settings, trainer, folder, on_record)
    click.echo(msgspec.json.encode(summary) if as_json else _results(summary, folder.path))
    if summary.status == "interrupted":
        again = f"netlearn train --resume {quote(str(folder.path))}"
        note(f"Interrupted after update {summary.updates:,}; this goes on: {again}")
        ctx.exit(128 + signals[0])


def _tell_start(settings: Settings, data: Dataset, trainer: Trainer) -> None:
    tell_data(data)
    note(
        f"network: {'-'.join(map(str, trainer.network.sizes))}, {settings.activation}, "
        f"{settings.initializer} initial weights, {settings.cost} cost, "
        f"learning rate {settings.learning_rate:g}, λ {settings.l2:g}, "
        f"mini-batch {settings.batch_size}, {settings.epochs} epochs, seed {settings.seed}"
    )


def _settings_of(folder: Path, asked: dict[str, Any], misplaced: dict[str, object]) -> Settings:
    """Return the settings of a run, with more epochs where they are asked for."""
    for name, value in misplaced.items():
        if value:
            raise SettingsError(f"{name}: a run that is resumed stays where it is, in {folder}")
    stored = resolve(msgspec.structs.asdict(read_settings(folder)))
    if (folder / CHECKPOINT).exists():
        check_settings(folder / CHECKPOINT, stored)  # of those, not of a file that was edited
    for name, value in asked.items():
        has = getattr(stored, name)
        if name == "epochs" and value < has:
            raise SettingsError(f"--epochs {value}: the run has {has}; allowed are {has} or more")
        if name != "epochs" and value != has:
            raise SettingsError(f"{flag(name)} {text_of(value)}: the run has {text_of(has)}; only epochs may change")
    return msgspec.structs.replace(stored, epochs=asked.get("epochs", stored.epochs))


def _end_of(folder: Path, settings: Settings) -> Summary | None:
    """Return the summary of a run that has ended, by its own settings."""
    if not (folder / SUMMARY).exists() or read_settings(folder).epochs != settings.epochs:
        return None
    run = read_run(folder, "")
    return run.summary if is_whole(run) else None


def _results(summary: Summary, folder: Path) -> str:
    best = ""
    if summary.best_epoch is not None:
        best = (
            f"best validation accuracy: {percent(summary.best_validation_accuracy)} in epoch {summary.best_epoch}\n"
        )
    return (
        f"test accuracy: {percent(summary.test_accuracy)}\n{best}"
        f"training: {summary.status}, {summary.epochs:.4g} epochs in {summary.training_seconds:.1f} s\n"
        f"run folder: {folder} (pictures: curves.png, curves.svg)"
    )
