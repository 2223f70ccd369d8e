"""Orders and parcels of a cluster: what comes back is read as any stranger's folder."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from netlearn import datasets
from netlearn.cluster import data, node
from netlearn.cluster.messages import DataFiles, Inspected, Needs, Order, Parcel, decode, encode
from netlearn.cluster.parcels import order_of, store
from netlearn.comparison.tasks import Task, is_done, perform
from netlearn.errors import DataError, MismatchError
from netlearn.runs import data_identity, read_run
from netlearn.settings import resolve
from tests.files import write_folder

pytestmark = pytest.mark.usefixtures("unrendered")


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be a worker."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(local_directory=str(tmp_path)))


@pytest.fixture
def task() -> Task:
    own = datasets.load(str(write_folder(Path("own"))))
    settings = resolve({"data": own.name, "hidden": (3,), "epochs": 2, "batch_size": 5})
    return Task("small", settings, data_identity(own.name, own.sha256), Path("out", "small-0"))


@pytest.fixture
def parcel(task: Task) -> Parcel:
    data.store(data.files_of(task.settings.data, task.data))
    return decode(node.train(order_of(task)[1]), Parcel)


def problem_of(task: Task, parcel: Parcel, **changed: Any) -> str:
    outcome = store(task, encode(msgspec.structs.replace(parcel, **changed)))
    assert outcome.problem is not None
    assert not task.folder.exists()
    return outcome.problem


def test_parcel_is_stored_as_the_run_that_this_machine_trains(task: Task, parcel: Parcel) -> None:
    assert store(task, encode(parcel)).problem is None
    assert is_done(task)
    here = msgspec.structs.replace(task.settings)
    again = Task("small", here, task.data, Path("here"))
    assert perform(again).problem is None
    for name in ("weights.safetensors", "config.toml", "output_neurons.safetensors"):
        assert (task.folder / name).read_bytes() == Path("here", name).read_bytes()
    summaries = [read_run(folder).summary for folder in (task.folder, Path("here"))]
    assert summaries[0] is not None
    assert summaries[1] is not None
    assert summaries[0].data.name == summaries[1].data.name == task.settings.data


def test_changed_or_missing_file_of_a_parcel_is_found(task: Task, parcel: Parcel) -> None:
    for name, content in parcel.files.items():
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else b"x"
        assert "SHA256SUMS" in problem_of(task, parcel, files=parcel.files | {name: changed})
        without = {file: content for file, content in parcel.files.items() if file != name}
        assert name in problem_of(task, parcel, files=without)


def test_parcel_from_another_numpy_or_netlearn_is_rejected(task: Task, parcel: Parcel) -> None:
    for package in ("numpy", "netlearn"):
        problem = problem_of(task, parcel, environment=parcel.environment | {package: "0.9"})
        assert package in problem
        assert "0.9" in problem


def test_parcel_writes_nothing_but_the_files_of_a_run(task: Task, parcel: Parcel) -> None:
    for name in ("../outside", "/tmp/outside", ".bashrc", "costs.py"):  # noqa: S108 (it is not written)
        assert repr(name) in problem_of(task, parcel, files=parcel.files | {name: b"x"})
    assert not Path("outside").exists()


def test_parcel_of_another_run_is_rejected(task: Task, parcel: Parcel) -> None:
    settings = msgspec.structs.replace(task.settings, seed=1)
    other = Task(task.variant, settings, task.data, task.folder)
    assert "other settings" in problem_of(other, parcel)
    assert store(task, b"\x81\xa5files").problem is not None


def test_stopped_run_comes_back_and_is_resumed_from_its_checkpoint(task: Task, parcel: Parcel) -> None:
    long = Task("small", msgspec.structs.replace(task.settings, epochs=200_000), task.data, task.folder)
    order, content = order_of(long)
    node.stop([order])
    assert store(long, node.train(content)).problem is None
    assert read_run(long.folder).interrupted
    assert not is_done(long)
    sent = decode(order_of(long)[1], Order).files
    assert "metrics.csv" in sent
    assert "SHA256SUMS" not in sent


def test_order_leaves_the_folder_of_another_run_alone(task: Task, parcel: Parcel) -> None:
    store(task, encode(parcel))
    other = Task("small", msgspec.structs.replace(task.settings, seed=1), task.data, task.folder)
    with pytest.raises(MismatchError):
        order_of(other)


def test_data_damaged_on_the_way_are_not_stored(task: Task) -> None:
    sent = data.files_of(task.settings.data, task.data)
    name, content = next(iter(sent.files.items()))
    with pytest.raises(DataError, match=name):
        data.store(DataFiles(data=sent.data, files=sent.files | {name: content[:-1]}))
    assert not data.is_here(task.data)
    data.store(sent)
    assert data.is_here(task.data)


def test_data_damaged_in_the_cache_are_replaced(task: Task) -> None:
    sent = data.files_of(task.settings.data, task.data)
    data.store(sent)
    path = next(Path(os.environ["XDG_CACHE_HOME"]).rglob("t10k-labels*"))
    path.write_bytes(b"")
    assert not data.is_here(task.data)
    data.store(sent)
    assert data.is_here(task.data)


def test_own_cost_must_be_in_the_same_file_on_a_worker() -> None:
    Path("same.py").write_text("from netlearn.costs import Quadratic\nclass Mine(Quadratic):\n    pass\n")
    for sha256, accepted in ((node.module_sha256("same:Mine"), True), ("0" * 64, False)):
        needs = encode(Needs(costs={"same:Mine": sha256}, data=()))
        problem = decode(node.inspect(needs), Inspected).problem
        assert (problem is None) is accepted
    assert problem is not None
    assert "'same:Mine'" in problem
