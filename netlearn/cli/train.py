"""`netlearn train`: one run, from settings to a run folder."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

import click
import msgspec

from netlearn.cli.options import EXISTING, JSON, PATH, QUIET, Command, check_force, flag, setting_options, settings_in
from netlearn.cli.progress import load, note, tell, tell_data, training_progress
from netlearn.cli.terminal import echo_results, stopping_on_signals
from netlearn.comparison.findings import percent
from netlearn.comparison.outputs import curves_or_warning
from netlearn.custom_cost import check_named, shell_command, short_name
from netlearn.errors import DamageError, DivergenceError, SettingsError
from netlearn.runs import CURVES, SUMS, RunFolder, Summary, read_run, text_of
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import epochs_begun, stored_settings, train_run
from netlearn.settings import Settings, read_toml, resolve
from netlearn.text import counted
from netlearn.training import Trainer


@click.command("train", cls=Command)
@click.option("--config", type=EXISTING, metavar="FILE", help="TOML file of settings; flags take precedence.")
@setting_options()
@click.option("--out", type=PATH, metavar="FOLDER", help="run folder.  [default: runs/COST, or COST-2, COST-3, …]")
@click.option("--force", is_flag=True, help="overwrite the run that --out holds.")
@click.option(
    "--resume",
    "resumed",
    type=EXISTING,
    metavar="RUN",
    help="resume the run in that folder exactly; only --epochs may change, to a larger number.",
)
@QUIET
@JSON
@click.pass_context
def command(
    ctx: click.Context, /, config: Path | None, out: Path | None, force: bool, resumed: Path | None, **flags: Any
) -> None:
    """Train a network and draw its learning curves.

    The defaults, 30 hidden neurons and scaled initial weights, learn well. Those of netlearn compare, 100 hidden
    neurons and large initial weights, show the learning slowdown.

    Writes the settings, the measurements of every probe, the weights, a summary and the learning curves (curves.png
    and curves.svg) to the run folder. Ctrl-C ends the run within a few mini-batches and saves its state; --resume
    continues it, with the same results to the byte as without the interruption.
    """
    asked = (read_toml(config) if config else {}) | settings_in(flags)
    with ExitStack() as stack:
        if resumed is None:
            check_force(out, force=force)
            settings = resolve(asked)
        else:
            if out or force:
                misplaced = "--out" if out else "--force"
                raise SettingsError(f"{misplaced}: must be left out with --resume; the run stays in {resumed}")
            folder = stack.enter_context(RunFolder.existing(resumed))  # nothing is read before it is locked
            stack.enter_context(_suggesting_a_new_start(resumed))
            settings = _settings_of(resumed, asked)
            if (summary := _end_of(resumed, settings)) is not None:
                more = f"; --epochs beyond {settings.epochs} trains further" if summary.status == "finished" else ""
                note(f"{resumed}: already {summary.status}{more}")
                echo_results(summary, _results(summary, resumed), resumed)
                return
            check_named(settings.cost, {flags["cost"]}, resumed)
        data = load(asked.get("data", settings.data))
        settings = msgspec.structs.replace(settings, data=data.name)  # found for "auto", or where it was moved to
        trainer = make_trainer(settings, data, on_verified=tell)
        if resumed is None:
            folder = stack.enter_context(_folder(settings, out, force=force))
        signals = stack.enter_context(stopping_on_signals(trainer.stop))
        tell_data(data)
        _tell_network(settings, trainer)
        with training_progress(trainer) as on_record:
            summary = train_run(
                settings, trainer, folder, on_record, resumed=bool(resumed), draw=curves_or_warning, on_note=note
            )
    echo_results(summary, _results(summary, folder.path), folder.path)
    done = read_run(folder.path)
    if problem := done.diverging or done.unlearned:
        note(f"Warning: {problem}")
    if summary.status == "interrupted":
        again = shell_command("train --resume", [settings.cost], folder.path)
        note(f"Interrupted after update {summary.updates:,}; to resume: {again}")
        ctx.exit(128 + signals[0])


def _folder(settings: Settings, out: Path | None, *, force: bool) -> AbstractContextManager[RunFolder]:
    if out is not None:
        return RunFolder.create(out, force=force)
    return RunFolder.create_numbered(Path("runs"), settings.cost.replace(":", "-"))


def _tell_network(settings: Settings, trainer: Trainer) -> None:
    tell(
        f"network: {'-'.join(map(str, trainer.network.sizes))}, {settings.activation}, "
        f"{settings.initializer} initial weights, {short_name(settings.cost)} cost, "
        f"learning rate {settings.learning_rate:g}, λ {settings.l2:g}, "
        f"mini-batch {settings.batch_size}, {counted(settings.epochs, 'epoch')}, seed {settings.seed}"
    )


def _settings_of(folder: Path, asked: dict[str, Any]) -> Settings:
    """Return the settings of a run, with more epochs if asked for; other data is refused when it is known."""
    stored = stored_settings(folder)
    for name, value in asked.items():
        has = getattr(stored, name)
        if name == "epochs" and value < has:
            raise SettingsError(f"--epochs {value}: must be at least {has}, the epochs of the run")
        if name not in {"epochs", "data"} and value != has:
            raise SettingsError(
                f"{flag(name)} {text_of(value)}: must be {text_of(has)} as in the run; only epochs may change"
            )
    return msgspec.structs.replace(stored, epochs=asked.get("epochs") or epochs_begun(folder) or stored.epochs)


@contextmanager
def _suggesting_a_new_start(folder: Path) -> Iterator[None]:
    try:
        yield
    except DamageError as error:
        path = quote(str(folder))
        again = f"netlearn train --config {path}/config.toml --out {path} --force"
        raise DamageError(f"{error}; to train it again from its start: {again}") from error


def _end_of(folder: Path, settings: Settings) -> Summary | None:
    """Return the summary of a run that has ended as its settings say, or None.

    Raises:
        DivergenceError: it has diverged.
    """
    if not (folder / SUMS).exists():
        return None
    done = read_run(folder)
    if done.settings.epochs != settings.epochs or not done.is_complete() or done.summary is None:
        return None
    if done.summary.error is not None:
        raise DivergenceError(f"{folder}: {done.summary.error}")
    return done.summary


def _results(summary: Summary, folder: Path) -> str:
    best, epochs = "", "epoch" if summary.epochs == 1 else "epochs"
    if summary.best_epoch is not None:
        best = (
            f"best validation accuracy: {percent(summary.best_validation_accuracy)} in epoch {summary.best_epoch}\n"
        )
    return (
        f"test accuracy: {percent(summary.test_accuracy)}\n{best}"
        f"training: {summary.status}, {summary.epochs:.4g} {epochs} in {summary.training_seconds:.1f} s\n"
        f"run folder: {folder}{' (pictures: curves.png, curves.svg)' if (folder / CURVES[0]).exists() else ''}"
    )
