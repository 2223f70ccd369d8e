"""Resuming a run that was interrupted, exactly where it ended."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netlearn.errors import DamageError, MismatchError, RunError
from netlearn.experiments.run import OnRecord, carry_out, identity_of, snapshots_of
from netlearn.runs import RunFolder, Summary, checkpoint, config, metrics
from netlearn.runs.identity import plain
from netlearn.settings import Settings
from netlearn.training import Trainer


def resume(
    settings: Settings,
    trainer: Trainer,
    folder: RunFolder,
    on_record: OnRecord = lambda record: None,
    *,
    draw: bool = True,
) -> Summary:
    """Resume the run in a folder, with settings that differ in their epochs at most.

    It ends as a run that was never interrupted, to the byte.

    Raises:
        DivergenceError: after the folder was completed.
        MismatchError: the folder holds a run with other settings, data or initial weights; nothing was changed.
        DamageError: its checkpoint or metrics are damaged; nothing was changed.
        CostError: the user's own cost raised an error.
        RunError: the folder cannot be written.
    """
    rows, taken = metrics.MetricsWriter(folder.path), snapshots_of(settings, trainer, folder)
    path = folder.path / checkpoint.NAME
    size, sha256, state = 0, hashlib.sha256().hexdigest(), None
    with _as_damage():
        if path.exists() or path.is_symlink():
            checkpoint.check_run(path, identity_of(settings, trainer))
            state, size, sha256 = checkpoint.read(path, trainer)
            taken.restore(state.update)
        rows.restore(size, sha256)
    if state is not None:
        trainer.restore(state)
    folder.open_again()
    rows.truncate()
    return carry_out(settings, trainer, folder, rows, taken, on_record, draw=draw)


def stored_settings(folder: Path) -> Settings:
    """Return the settings of a run that is to be resumed, unless its checkpoint was written with others.

    Raises:
        MismatchError: it was.
        DamageError: it is not a checkpoint.
        RunError: the settings are missing or not valid.
    """
    settings = config.read(folder)
    path = folder / checkpoint.NAME
    if path.exists():
        with _as_damage():
            checkpoint.check_run(path, plain(settings))
    return settings


@contextmanager
def _as_damage() -> Iterator[None]:
    try:
        yield
    except MismatchError:
        raise
    except RunError as error:
        raise DamageError(str(error)) from error
