"""Values in memory that worker processes map."""

import os
import pickle
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from netlearn.comparison.data import load_data
from netlearn.comparison.experiment import from_costs
from netlearn.comparison.pool import Pool
from netlearn.comparison.process import Shared
from netlearn.datasets.loading import HELD
from netlearn.numerics import ALIGNMENT
from tests.files import small_dataset
from tests.processes import is_alive, wait_until


def received(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 (made here)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files without a name")
def test_arrays_are_mapped_aligned_and_read_only() -> None:
    arrays = {"odd": np.ones(65_537, np.uint8), "large": np.arange(65_536.0), "small": np.arange(3)}
    shared = Shared(arrays)
    assert len(pickle.dumps(shared)) < 1000
    found = received(shared)
    assert found is received(shared)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable
        assert found[name].ctypes.data % ALIGNMENT == 0


@pytest.mark.parametrize("available", [True, False])
def test_shared_set_arrives_as_it_was(available: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not available:
        monkeypatch.delattr("os.memfd_create", raising=False)
    data = small_dataset()
    shared = Shared(data)  # it must live until it is received
    found = received(shared)
    assert (found.name, found.outputs, found.sha256) == (data.name, data.outputs, data.sha256)
    assert found.train_sha256 == data.train_sha256


def test_value_in_the_place_of_an_earlier_one_is_told_from_it() -> None:
    first = Shared([1])
    assert received(first) == [1]
    del first
    second = Shared([2])
    assert received(second) == [2]


def test_held_set_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HELD, "elsewhere", small_dataset())
    assert datasets.load("elsewhere") is HELD["elsewhere"]
    assert datasets.is_present("elsewhere")


def size_of(name: str) -> tuple[int, int]:
    return len(datasets.load(name).train), os.getpid()


@pytest.mark.slow
def test_workers_use_the_set_that_was_loaded_even_if_its_files_are_gone() -> None:
    shutil.copytree(datasets.BUNDLED, "digits")
    before = dict(HELD)
    with Pool(2) as workers:
        experiment = load_data(
            from_costs(["quadratic", "cross-entropy"], 1, {"data": "digits"}), datasets.load, workers
        )
        shutil.rmtree("digits")
        name = experiment.variants["quadratic"].data
        sizes = workers.map(size_of, [name] * 4)
    assert before == HELD
    assert {size for size, process in filter(None, sizes) if process != os.getpid()} == {3500}


SHARING = """
import sys
from pathlib import Path
from netlearn import datasets
from netlearn.comparison.pool import Pool
from tests.processes import sleep_with_a_name
with Pool(1) as workers:
    workers.hold([datasets.load("mnist-5k")])
    workers.map(sleep_with_a_name, [Path(sys.argv[1])])
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="elsewhere nothing is shared")
def test_neither_a_process_nor_a_shared_set_outlives_a_killed_parent(tmp_path: Path) -> None:
    temporary, name = tmp_path / "temporary", tmp_path / "pid"
    temporary.mkdir()
    before = set(Path("/dev/shm").iterdir())  # noqa: S108 (where memory with a name would be)
    given = {"PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(temporary)}
    with subprocess.Popen([sys.executable, "-c", SHARING, str(name)], env=os.environ | given) as parent:
        wait_until(name.exists)
        parent.kill()
    wait_until(partial(lambda worker: not is_alive(worker), int(name.read_text())))
    assert not list(temporary.iterdir())
    assert not {path for path in set(Path("/dev/shm").iterdir()) - before if "netlearn" in path.name}  # noqa: S108
