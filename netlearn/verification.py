"""Doing a run again from its stored settings, to see whether the same weights come out."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from netlearn.datasets import Dataset
from netlearn.errors import DivergenceError
from netlearn.files import read_bounded
from netlearn.history import read_settings, read_summary
from netlearn.launch import environment, make_trainer
from netlearn.runs import WEIGHTS
from netlearn.settings import resolve
from netlearn.tensors import MOST_HEADER, check_tensors, layer_shapes, named, pack, read_tensors
from netlearn.training import Trainer

SELDOM = 10_000_000  # epochs between probes: nothing needs them here


class Difference(msgspec.Struct, frozen=True):
    """A part of the environment or the data that is not what it was."""

    name: str
    then: Any
    now: Any


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the weights came out again; if not, by how much any differs at most, and what else does."""

    identical: bool
    updates: int
    largest_difference: float
    differences: tuple[Difference, ...]


def verify(
    folder: Path, load: Callable[[str], Dataset], watch: Callable[[Trainer], object] = lambda trainer: None
) -> Verdict:
    """Train as a run folder's settings say, as far as that run went, and compare the weights with its own.

    Args:
        folder: of a run that ended, in whatever way.
        load: gives a data set by its name.
        watch: is given the trainer before it starts.

    Raises:
        RunError: it is not the folder of such a run.
    """
    stored = read_settings(folder)
    summary = read_summary(folder)
    settings = resolve(msgspec.structs.asdict(stored), {"patience": None, "probe_every": SELDOM})
    data = load(settings.data).with_train_size(settings.train_size)
    shapes = layer_shapes((data.train.x.shape[1], *settings.hidden, data.outputs))
    check_tensors(folder / WEIGHTS, shapes, settings.dtype)  # before the training, which may take an hour
    trainer = make_trainer(settings, data)
    watch(trainer)
    tell = trainer.on_update

    def stop_where_the_run_did() -> None:
        if tell is not None:
            tell()
        if trainer.update == summary.updates:
            trainer.stop()

    trainer.on_update = stop_where_the_run_did
    with suppress(DivergenceError):
        for _ in trainer:
            if summary.updates == 0:
                break
    again = named(trainer.network.weights, trainer.network.biases)
    size = sum(array.nbytes for array in again.values())
    identical = read_bounded(folder / WEIGHTS, size + MOST_HEADER) == pack(again)
    largest = 0.0
    if not identical:
        kept = read_tensors(folder / WEIGHTS, shapes, settings.dtype)
        largest = max(float(np.abs(kept[name] - again[name]).max()) for name in shapes)
    files = summary.data.get("sha256")
    now = environment() | data.sha256
    then = summary.environment | (files if isinstance(files, dict) else {})
    differences = [Difference(name, then.get(name), now[name]) for name in now if then.get(name) != now[name]]
    return Verdict(
        identical=identical, updates=trainer.update, largest_difference=largest, differences=tuple(differences)
    )
