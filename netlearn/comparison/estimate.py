"""How long the training of an experiment will take, estimated from short runs of a few of its variants."""

import math
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, TypeAlias

import msgspec

from netlearn.comparison.data import load_once
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.tuning import trials_of
from netlearn.comparison.workers import Workers
from netlearn.errors import DivergenceError, NetlearnError
from netlearn.runs import RunFolder
from netlearn.runs.setup import make_trainer, training_part
from netlearn.runs.train_run import train_run
from netlearn.settings import Settings
from netlearn.slowdown import Record
from netlearn.training import Trainer
from netlearn.training.schedule import Schedule

SHORT = 1.5e10  # of a short run, in units of `_work`: about half a second
MOST_MEASURED = 6  # short runs
Kind: TypeAlias = tuple[str, str, str, str]


class Estimate(msgspec.Struct, frozen=True):
    """The size of an experiment.

    Attributes:
        variants, seeds, runs: how many there are; the runs include those that tune learning rates.
        seconds: of training, one run after the other; None if no variant can be trained.
        longest: seconds of the longest run.
    """

    variants: int
    seeds: int
    runs: int
    seconds: float | None
    longest: float = 0.0

    def seconds_with(self, jobs: int) -> float | None:
        """Return how long it takes with that many runs at a time."""
        return None if self.seconds is None else max(self.seconds / jobs, self.longest)


class Measured(NamedTuple):
    """A short run: the seconds of its parts, and the data that it had.

    Attributes:
        fixed: of setting up, evaluating and writing.
        update, probe: of one update and of one probe, for each unit of `_work` and of `_size`.
        inputs, outputs, examples: of the data set.
    """

    fixed: float
    update: float
    probe: float
    inputs: int
    outputs: int
    examples: int


def estimate(experiment: Experiment, workers: Workers) -> Estimate:
    """Return the size of an experiment, after short runs of variants of different kinds in the workers."""
    variants = list(experiment.variants.values())
    tuning = [short for _, short in trials_of(experiment).values()] if experiment.tuning == "to do" else []
    runs = len(experiment.seeds) * len(variants) + len(tuning)
    kinds: dict[Kind, list[Settings]] = {}
    for settings in variants:
        kinds.setdefault(_kind(settings), []).append(settings)
    middle = [sorted(each, key=lambda settings: sum(settings.hidden))[len(each) // 2] for each in kinds.values()]
    found = workers.map(measure, middle[:MOST_MEASURED])
    measured = {kind: short for kind, short in zip(kinds, found, strict=False) if short is not None}
    if not measured:
        return Estimate(len(variants), len(experiment.seeds), runs, None)
    once = [_seconds(settings, measured) for settings in variants]
    total = len(experiment.seeds) * sum(once) + sum(_seconds(settings, measured) for settings in tuning)
    return Estimate(len(variants), len(experiment.seeds), runs, total, max(once))


def _kind(settings: Settings) -> Kind:
    """Return what changes the speed of a run but is no number."""
    return settings.data, settings.augment, settings.optimizer, settings.dtype


def measure(settings: Settings) -> Measured | None:
    """Train the first updates of a run, in any process, in a folder that is removed; None if that fails."""
    try:
        data = load_once(settings.data)
        part = training_part(settings, data)
        inputs, outputs = data.train.x.shape[1], data.outputs
        work = _work(settings, inputs, outputs)
        _run(make_trainer(settings, data, last=1), settings)  # modules are imported, files are in memory
        whole = settings.epochs * math.ceil(len(part.train) / settings.batch_size)
        trainer = make_trainer(settings, data, last=min(whole, max(1, int(SHORT / work))))
        total, records = _run(trainer, settings)
    except (NetlearnError, OSError, MemoryError):
        return None  # the runs themselves will say why
    begun = perf_counter()
    trainer.probe.measure(trainer.update, 1.0, 0.0, settings.learning_rate)
    probe = perf_counter() - begun
    return Measured(
        fixed=max(0.0, total - trainer.seconds - probe * records),
        update=trainer.seconds / max(1, trainer.update) / work,
        probe=probe / _size(settings, inputs, outputs),
        inputs=inputs,
        outputs=outputs,
        examples=len(part.train),
    )


def _run(trainer: Trainer, settings: Settings) -> tuple[float, int]:
    """Return how many seconds a run took, all in all, and its number of probes."""
    records: list[Record] = []
    with tempfile.TemporaryDirectory() as folder, RunFolder.open(Path(folder)) as empty:
        begun = perf_counter()
        with suppress(DivergenceError):
            train_run(settings, trainer, empty, records.append)
        return perf_counter() - begun, len(records)


def _seconds(settings: Settings, measured: Mapping[Kind, Measured]) -> float:
    """Return the seconds of a run, from the short run that is most like it."""
    kind = _kind(settings)
    like = max(measured, key=lambda other: [a == b for a, b in zip(kind, other, strict=True)])
    fixed, update, probe, inputs, outputs, examples = measured[like]
    if settings.train_size != "all":
        examples = min(examples, settings.train_size)
    per_epoch = math.ceil(examples / settings.batch_size)
    probes = len(Schedule(per_epoch, per_epoch).first_epoch) + (settings.epochs - 1) // settings.probe_every
    updates = settings.epochs * per_epoch * update * _work(settings, inputs, outputs)
    return fixed + updates + probes * probe * _size(settings, inputs, outputs)


def _size(settings: Settings, inputs: int, outputs: int) -> int:
    """Return the time that an example takes, in multiplications: fitted to 784-10 up to 784-300-10, within 10 %."""
    return 20_000 + sum(before * after for before, after in pairwise([inputs, *settings.hidden, outputs]))


def _work(settings: Settings, inputs: int, outputs: int) -> int:
    """Return the time that an update takes, likewise: a mini-batch costs as much as twelve examples more."""
    return _size(settings, inputs, outputs) * (settings.batch_size + 12)
