"""Data sets in memory that worker processes share."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from netlearn.comparison.data import load_and_share
from netlearn.comparison.experiment import from_costs
from netlearn.comparison.workers import Workers
from netlearn.datasets import Dataset, Shared, hold_received
from netlearn.datasets.loading import HELD
from netlearn.numerics import ALIGNMENT
from tests.files import small_dataset
from tests.processes import is_alive, wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files without a name")


def arrays_of(data: Dataset) -> list[Any]:
    return [array for part in (data.train, data.validation, data.test) for array in (part.x, part.labels)]


def test_shared_set_arrives_as_it_was_aligned_and_read_only() -> None:
    data = small_dataset()
    shared = Shared(data)
    received = pickle.loads(pickle.dumps(shared))  # noqa: S301 (made here)
    assert (received.name, received.outputs, received.sha256) == (data.name, data.outputs, data.sha256)
    assert received.train_sha256 == data.train_sha256
    for array, original in zip(arrays_of(received), arrays_of(data), strict=True):
        np.testing.assert_array_equal(array, original)
        assert not array.flags.writeable
        assert array.ctypes.data % ALIGNMENT == 0


@pytest.mark.parametrize("missing", ["memory without a name", "access to it"])
def test_set_that_cannot_be_shared_is_left_to_be_loaded(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, before = small_dataset(), dict(HELD)
    if missing == "access to it":
        monkeypatch.setattr("os.getpid", lambda: 0)
    else:
        monkeypatch.delattr("os.memfd_create")
    shared = Shared(data)
    received = pickle.loads(pickle.dumps(shared))  # noqa: S301 (made here)
    assert received is None
    hold_received([received])
    assert before == HELD


def test_held_set_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HELD, "elsewhere", small_dataset())
    assert datasets.load("elsewhere") is HELD["elsewhere"]
    assert datasets.is_present("elsewhere")


def test_process_that_shares_a_set_does_not_hold_it() -> None:
    before = dict(HELD)
    hold_received([Shared(small_dataset())])
    assert before == HELD


def size_of(name: str) -> tuple[int, int]:
    return len(datasets.load(name).train), os.getpid()


@pytest.mark.slow
def test_workers_use_the_set_that_was_loaded_even_if_its_files_are_gone() -> None:
    shutil.copytree(datasets.BUNDLED, "digits")
    with Workers(2) as workers:
        experiment = load_and_share(
            from_costs(["quadratic", "cross-entropy"], 1, {"data": "digits"}), datasets.load, workers
        )
        shutil.rmtree("digits")
        name = experiment.variants["quadratic"].data
        sizes = workers.map(size_of, [name] * 4)
    assert {size for size, process in filter(None, sizes) if process != os.getpid()} == {3500}


SHARING = """
import os, sys
from functools import partial
from pathlib import Path
from netlearn import datasets
from netlearn.datasets import Shared, hold_received
from netlearn.comparison.workers import Workers
from tests.processes import sleep_with_a_name
with Workers(1) as workers:
    workers.before = partial(hold_received, [Shared(datasets.load("mnist-5k"))])
    workers.map(sleep_with_a_name, [Path(sys.argv[1])])
"""


@pytest.mark.slow
def test_nothing_is_left_of_a_shared_set_after_a_kill(tmp_path: Path) -> None:
    temporary, name = tmp_path / "temporary", tmp_path / "pid"
    temporary.mkdir()
    before = set(Path("/dev/shm").iterdir())  # noqa: S108 (where memory with a name would be)
    given = {"PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", SHARING, str(name)], env=os.environ | given, start_new_session=True
    ) as parent:
        wait_until(name.exists)
        os.killpg(parent.pid, signal.SIGKILL)
    wait_until(partial(lambda worker: not is_alive(worker), int(name.read_text())))
    assert not list(temporary.iterdir())
    assert not {path for path in set(Path("/dev/shm").iterdir()) - before if "netlearn" in path.name}  # noqa: S108


def test_loaded_set_is_shared_without_a_copy() -> None:
    data = datasets.load("mnist-5k")
    shared = Shared(data)
    received = pickle.loads(pickle.dumps(shared))  # noqa: S301 (made here)
    data.train.x[0, 0] = 0.25
    assert received.train.x[0, 0] == data.train.x[0, 0]
    np.testing.assert_array_equal(received.validation.x, data.validation.x)
