"""`netlearn train`: one run, from settings to a run folder."""

from contextlib import AbstractContextManager
from pathlib import Path
from shlex import quote
from typing import Any

import click
import msgspec

from netlearn import datasets
from netlearn.cli.options import JSON, PATH, QUIET, flag, given, setting_options, text_of
from netlearn.cli.progress import download_bar, note, note_data, training_progress
from netlearn.cli.signals import stopping_on_signals
from netlearn.errors import DivergenceError, SettingsError
from netlearn.experiments.run import resume, run
from netlearn.experiments.setup import make_trainer
from netlearn.experiments.table import percent
from netlearn.runs import RunFolder, Summary, checkpoint, config, read_run, sums
from netlearn.settings import Settings, read_toml, resolve
from netlearn.training import Trainer


@click.command("train")
@click.option("--config", type=PATH, metavar="FILE", help="TOML file of settings; flags take precedence.")
@setting_options()
@click.option("--out", type=PATH, metavar="FOLDER", help="run folder.  [default: runs/COST, or COST-2, COST-3, …]")
@click.option("--force", is_flag=True, help="overwrite the run that --out holds.")
@click.option(
    "--resume",
    "resumed",
    type=PATH,
    metavar="RUN",
    help="resume the run in that folder exactly; only --epochs may change, to a larger number.",
)
@QUIET
@JSON
@click.pass_context
def command(
    ctx: click.Context, /, config: Path | None, out: Path | None, force: bool, resumed: Path | None, quiet: bool,
    as_json: bool, **flags: Any,
) -> None:  # fmt: skip
    """Train a network and draw its learning curves.

    Writes the settings, the measurements of every probe, the weights, a summary and the learning curves (curves.png
    and curves.svg) to the run folder. Ctrl-C ends the run within a few mini-batches and saves its state; --resume
    continues it, with the same results to the byte as without the interruption.
    """
    asked = (read_toml(config) if config else {}) | given(flags)
    if resumed is not None:
        settings = _settings_of(resumed, asked, {"--out": out, "--force": force})
        if (summary := _end_of(resumed, settings)) is not None:
            if summary.error is not None:
                raise DivergenceError(f"{resumed}: {summary.error}")
            more = f"; --epochs beyond {settings.epochs} trains further" if summary.status == "finished" else ""
            note(f"{resumed}: already {summary.status}{more}")
            click.echo(msgspec.json.encode(summary) if as_json else _results(summary, resumed))
            return
    else:
        settings = resolve(asked)
    data = datasets.load(settings.data, None if quiet else download_bar)
    settings = msgspec.structs.replace(settings, data=data.name)  # not "auto", so that the run can be repeated
    trainer = make_trainer(settings, data)
    with _folder(settings, out, resumed, force=force) as folder, stopping_on_signals(trainer) as signals:
        begin = run if resumed is None else resume
        if quiet:
            summary = begin(settings, trainer, folder)
        else:
            note_data(data)
            _note_network(settings, trainer)
            with training_progress(trainer) as on_record:
                summary = begin(settings, trainer, folder, on_record)
    click.echo(msgspec.json.encode(summary) if as_json else _results(summary, folder.path))
    if summary.status == "interrupted":
        again = f"netlearn train --resume {quote(str(folder.path))}"
        note(f"Interrupted after update {summary.updates:,}; to resume: {again}")
        ctx.exit(128 + signals[0])


def _folder(
    settings: Settings, out: Path | None, resumed: Path | None, *, force: bool
) -> AbstractContextManager[RunFolder]:
    if resumed is not None:
        return RunFolder.existing(resumed)
    if out is not None:
        return RunFolder.create(out, force=force)
    return RunFolder.create_numbered(Path("runs"), settings.cost.replace(":", "-"))


def _note_network(settings: Settings, trainer: Trainer) -> None:
    note(
        f"network: {'-'.join(map(str, trainer.network.sizes))}, {settings.activation}, "
        f"{settings.initializer} initial weights, {settings.cost} cost, "
        f"learning rate {settings.learning_rate:g}, λ {settings.l2:g}, "
        f"mini-batch {settings.batch_size}, {settings.epochs} epochs, seed {settings.seed}"
    )


def _settings_of(folder: Path, asked: dict[str, Any], misplaced: dict[str, object]) -> Settings:
    """Return the settings of a run, with more epochs if asked for."""
    for name, value in misplaced.items():
        if value:
            raise SettingsError(f"{name}: must be left out with --resume; the run stays in {folder}")
    stored = config.read(folder)
    if (folder / checkpoint.NAME).exists():
        checkpoint.check_settings(folder / checkpoint.NAME, stored)  # the file may have been edited
    for name, value in asked.items():
        has = getattr(stored, name)
        if name == "epochs" and value < has:
            raise SettingsError(f"--epochs {value}: must be at least {has}, the epochs of the run")
        if name != "epochs" and value != has:
            raise SettingsError(
                f"{flag(name)} {text_of(value)}: must be {text_of(has)} as in the run; only epochs may change"
            )
    return msgspec.structs.replace(stored, epochs=asked.get("epochs", stored.epochs))


def _end_of(folder: Path, settings: Settings) -> Summary | None:
    """Return the summary of a run that has ended as its settings say, or None."""
    if not (folder / sums.NAME).exists():
        return None
    done = read_run(folder)
    return done.summary if done.settings.epochs == settings.epochs and done.is_complete() else None


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
