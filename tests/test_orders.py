"""Orders and parcels of a cluster: what comes back is read as any stranger's folder."""

import hashlib
import json
import pickle
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from netlearn import datasets
from netlearn.comparison import orders
from netlearn.comparison.orders import Parcel
from netlearn.comparison.tasks import Outcome, Task, is_done, perform
from netlearn.errors import RunError
from netlearn.runs import SUMS, Sums, data_identity, read_run
from netlearn.settings import resolve
from tests.files import write_folder
from tests.messages import has_facts
from tests.processes import wait_until


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be a worker."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(
        distributed, "get_worker", lambda: SimpleNamespace(local_directory=str(tmp_path), address="tls://here:1")
    )


@pytest.fixture
def task() -> Task:
    own = datasets.load(str(write_folder(Path("own"))))
    settings = resolve({"data": own.name, "hidden": (3,), "epochs": 2, "batch_size": 5})
    return Task("small", settings, data_identity(own.name, own.sha256), Path("out", "small-0"))


def train(task: Task, client: str = "1", sha256: str = "") -> bytes:
    return orders.train(client, task, sha256, orders.files_of(task.folder), packed(task))


def packed(task: Task) -> bytes:
    return pickle.dumps(datasets.load(task.settings.data))


@pytest.fixture
def files(task: Task) -> dict[str, bytes]:
    return opened(train(task))[2]


def opened(content: bytes) -> Parcel:
    return msgspec.msgpack.decode(content, type=Parcel)


def receive(task: Task, files: dict[str, bytes]) -> tuple[str, Outcome]:
    return orders.receive(task, msgspec.msgpack.encode(("tls://here:1", Outcome(), files)))


def problem_of(task: Task, files: dict[str, bytes]) -> str:
    with pytest.raises(RunError, match="its parcel was rejected") as caught:
        receive(task, files)
    assert not task.folder.exists()
    assert not [*task.folder.parent.iterdir()]
    return str(caught.value)


def test_parcel_is_stored_as_the_run_that_this_machine_trains(task: Task, files: dict[str, bytes]) -> None:
    receive(task, files)
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


def test_changed_or_missing_file_of_a_parcel_is_found(task: Task, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else b"x"
        assert "SHA256SUMS" in problem_of(task, files | {name: changed})
        without = {file: content for file, content in files.items() if file != name}
        assert name in problem_of(task, without)


def test_parcel_from_another_numpy_or_netlearn_is_rejected(task: Task, files: dict[str, bytes]) -> None:
    summary = json.loads(files["summary.json"])
    for package in ("numpy", "netlearn"):
        changed = summary | {"environment": summary["environment"] | {package: "0.9"}}
        problem = problem_of(task, resummed(files, **{"summary.json": json.dumps(changed).encode()}))
        assert f"{package} 0.9" in problem


def test_parcel_writes_nothing_but_the_files_of_a_run(task: Task, files: dict[str, bytes]) -> None:
    for name in ("../outside", "/tmp/outside", ".bashrc", "costs.py"):  # noqa: S108 (it is not written)
        assert repr(name) in problem_of(task, files | {name: b"x"})
    assert not Path("outside").exists()


def resummed(files: dict[str, bytes], **changed: bytes | None) -> dict[str, bytes]:
    """Return files of which some are changed or, with None, missing, with a SHA256SUMS that fits."""
    found = {name: content for name, content in (files | changed).items() if content is not None and name != SUMS}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    return found | {SUMS: Sums(Path(), hashes).encode()}


def test_forged_file_with_a_hash_that_fits_is_rejected(task: Task, files: dict[str, bytes]) -> None:
    receive(task, resummed(files))
    shutil.rmtree(task.folder)
    summary = json.loads(files["summary.json"])
    forged: list[dict[str, bytes | None]] = [
        {"summary.json": json.dumps(summary | {name: value}).encode()}
        for name, value in (("seed", 1), ("sizes", [4, 4, 2]), ("status", "done"))
    ]
    for name, content in files.items():
        if name != SUMS:
            middle = len(content) // 2
            forged += [{name: None}, {name: b""}, {name: b"garbage" * 99}, {name: content[:middle]}]
            forged += [
                {name: content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]}
            ] * name.startswith("check")
    for changed in forged:
        assert problem_of(task, resummed(files, **changed)), changed


def test_parcel_of_another_run_is_rejected(task: Task, files: dict[str, bytes]) -> None:
    settings = msgspec.structs.replace(task.settings, seed=1)
    other = Task(task.variant, settings, task.data, task.folder)
    assert "other settings" in problem_of(other, files)


def test_bytes_that_are_no_parcel_are_rejected_and_what_a_worker_says_is_cut(task: Task) -> None:
    for content in (b"", b"\x81\xa5files", b"\x93\xa6worker\x01"):
        with pytest.raises(RunError, match="not a valid parcel"):
            orders.receive(task, content)
    said = Outcome("no\nspace " * 10**6, "x" * 10**6, of_machine=True)
    worker, found = orders.receive(task, msgspec.msgpack.encode(("tls://host:1", said, {})))
    assert (worker, found.of_machine) == ("tls://host:1", True)
    assert found.problem is not None
    assert found.note is not None
    assert found.problem.startswith("no space no space")
    assert len(found.problem) == len(found.note) == orders.MOST_TEXT


def trains(client: str) -> bool:
    return client in orders.TRAINING and orders.TRAINING[client].update > 100


def test_stopped_run_comes_back_and_is_resumed_from_its_checkpoint(task: Task) -> None:
    long = replace(task, settings=msgspec.structs.replace(task.settings, epochs=200_000))
    metrics, before = long.folder / "metrics.csv", b"update,"
    with ThreadPoolExecutor(1) as worker:
        for client in ("first", "second"):
            content = worker.submit(train, long, client)
            wait_until(partial(trains, client))
            orders.stop("another")
            assert orders.TRAINING
            orders.stop(client)
            assert orders.receive(long, content.result())[1].problem is None
            assert read_run(long.folder).interrupted
            assert metrics.read_bytes().startswith(before)  # with the seconds of the first time
            before = metrics.read_bytes()
    assert not is_done(long)


def test_worker_returns_what_fails_as_text_with_its_own_path_where_the_machine_is_at_fault(
    task: Task, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    wrong = replace(task, settings=msgspec.structs.replace(task.settings, batch_size=9999))
    _, outcome, files = opened(train(wrong))
    assert (outcome.of_machine, files) == (False, {})
    assert "batch_size 9999" in (outcome.problem or "")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        worker, outcome, files = opened(train(task))
    assert (outcome.of_machine, files, worker) == (True, {}, "tls://here:1")
    assert "No space left on device" in (outcome.problem or "")
    assert str(tmp_path) in (outcome.problem or "")
    assert str(task.folder) not in (outcome.problem or "")
    monkeypatch.setattr(orders, "perform", lambda *_: sys.exit(3))
    assert "SystemExit: 3" in (opened(train(task))[1].problem or "")


def test_order_leaves_the_folder_of_another_run_alone(task: Task, files: dict[str, bytes]) -> None:
    receive(task, files)
    other = Task("small", msgspec.structs.replace(task.settings, seed=1), task.data, task.folder)
    _, outcome = orders.receive(other, train(other))
    assert has_facts(outcome.problem or "", f"{task.folder} other settings unchanged")
    assert is_done(task)


def test_neither_a_link_nor_what_it_points_to_is_replaced(task: Task, files: dict[str, bytes]) -> None:
    Path("elsewhere").mkdir()
    task.folder.parent.mkdir()
    task.folder.symlink_to(Path("elsewhere").absolute())
    assert orders.files_of(task.folder) == {}
    with pytest.raises(RunError, match="link"):
        receive(task, files)
    assert not [*Path("elsewhere").iterdir()]


def test_data_set_arrives_as_it_is_here(task: Task) -> None:
    data = packed(task)
    shutil.rmtree(task.settings.data)
    _, _, files = opened(orders.train("1", task, "", {}, data))
    assert json.loads(files["summary.json"])["data"]["name"] == task.settings.data
    another = replace(task, data=("0" * 64,))
    _, outcome, files = opened(orders.train("1", another, "", {}, data))
    assert "changed" in (outcome.problem or "")
    assert files == {}


def test_own_cost_must_be_in_the_same_file_on_a_worker(task: Task) -> None:
    Path("same.py").write_text("from netlearn.costs import Quadratic\nclass Mine(Quadratic):\n    pass\n")
    own = replace(task, settings=msgspec.structs.replace(task.settings, cost="same:Mine"))
    sha256 = orders.module_sha256("same:Mine")
    assert sha256 == hashlib.sha256(Path("same.py").read_bytes()).hexdigest()
    assert opened(train(own, sha256=sha256))[1].problem is None
    _, outcome, _ = opened(train(own, sha256="0" * 64))
    assert outcome.of_machine
    assert "'same:Mine'" in (outcome.problem or "")
