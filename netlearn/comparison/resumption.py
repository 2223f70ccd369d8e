"""Resuming an interrupted run exactly where it ended."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netlearn.errors import DamageError, MismatchError, RunError
from netlearn.runs import RunFolder, checkpoint, config
from netlearn.runs.identity import identify, plain
from netlearn.runs.metrics import MetricsWriter
from netlearn.runs.snapshots import SnapshotWriter
from netlearn.settings import Settings
from netlearn.training import Trainer


def identity_of(settings: Settings, trainer: Trainer) -> dict[str, Any]:
    """Return the identity of a run in its checkpoints: settings, data and initial weights."""
    return identify(settings, trainer.data.sha256) | {"initial_weights": trainer.initial_sha256}


def restore(
    trainer: Trainer, folder: RunFolder, identity: Mapping[str, Any], rows: MetricsWriter, taken: SnapshotWriter
) -> None:
    """Restore a trainer and the writers of its run from the checkpoint, or begin again if there is none.

    Afterwards the folder is that of an interrupted run; it is not changed if this fails.
    """
    path = folder.path / checkpoint.NAME
    size, sha256, state = 0, hashlib.sha256().hexdigest(), None
    with _as_damage():
        if path.exists() or path.is_symlink():
            checkpoint.check_run(path, identity)
            state, size, sha256 = checkpoint.read(path, trainer)
            taken.restore(state.update)
        rows.restore(size, sha256)
    if state is not None:
        trainer.restore(state)
    folder.open_again()
    rows.truncate()


def stored_settings(folder: Path) -> Settings:
    """Return the settings of a run to be resumed, which must be those of its checkpoint."""
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
