"""Orders and parcels of a cluster: what comes back is read as any stranger's folder."""

import hashlib
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from netlearn import datasets
from netlearn.comparison import orders, parcels
from netlearn.comparison.orders import Parcel
from netlearn.comparison.tasks import Outcome, Task, is_done, perform
from netlearn.errors import DataError, MismatchError, RunError
from netlearn.runs import SUMS, Sums, data_identity, read_run
from netlearn.settings import resolve
from tests.files import write_folder


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


def train(task: Task, files: bytes | None = None, order: str = "1") -> bytes:
    given = parcels.files_of(task.settings.data, task.data) if files is None else files
    return orders.train(order, task, parcels.files_to_resume(task), given)


@pytest.fixture
def parcel(task: Task) -> Parcel:
    return opened(train(task))


def opened(content: bytes) -> Parcel:
    return msgspec.msgpack.decode(content, type=Parcel)


def problem_of(task: Task, parcel: Parcel, **changed: Any) -> str:
    outcome = parcels.store(task, msgspec.structs.replace(parcel, **changed))
    assert outcome is not None
    assert outcome.problem is not None
    assert not task.folder.exists()
    return outcome.problem


def test_parcel_is_stored_as_the_run_that_this_machine_trains(task: Task, parcel: Parcel) -> None:
    assert parcels.store(task, parcel) is None
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


def resummed(files: dict[str, bytes], **changed: bytes | None) -> dict[str, bytes]:
    """Return files of which some are changed or, with None, missing, with a SHA256SUMS that fits."""
    found = {name: content for name, content in (files | changed).items() if content is not None and name != SUMS}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    return found | {SUMS: Sums(Path(), hashes).encode()}


def test_forged_file_with_a_hash_that_fits_is_rejected(task: Task, parcel: Parcel) -> None:
    assert parcels.store(task, msgspec.structs.replace(parcel, files=resummed(parcel.files))) is None
    shutil.rmtree(task.folder)
    summary = json.loads(parcel.files["summary.json"])
    forged: list[dict[str, bytes | None]] = [
        {"summary.json": json.dumps(summary | {name: value}).encode()}
        for name, value in (("seed", 1), ("sizes", [4, 4, 2]), ("status", "done"))
    ]
    for name, content in parcel.files.items():
        if name != SUMS:
            middle = len(content) // 2
            forged += [{name: None}, {name: b""}, {name: b"garbage" * 99}, {name: content[:middle]}]
            forged += [
                {name: content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]}
            ] * name.startswith("check")
    for changed in forged:
        assert problem_of(task, parcel, files=resummed(parcel.files, **changed)), changed


def test_parcel_of_another_run_is_rejected(task: Task, parcel: Parcel) -> None:
    settings = msgspec.structs.replace(task.settings, seed=1)
    other = Task(task.variant, settings, task.data, task.folder)
    assert "other settings" in problem_of(other, parcel)


def test_bytes_that_are_no_parcel_are_rejected_and_what_a_worker_says_is_cut(task: Task) -> None:
    for content in (b"", b"\x81\xa5files", b"\x81\xa6worker\x01"):
        with pytest.raises(RunError, match="not a valid parcel"):
            parcels.receive(task, content)
    said = Parcel(worker="tls://host:1", outcome=Outcome("no\nspace " * 10**6, "x" * 10**6, of_machine=True))
    worker, found = parcels.receive(task, msgspec.msgpack.encode(said))
    assert (worker, found.of_machine) == ("tls://host:1", True)
    assert found.problem is not None
    assert found.note is not None
    assert found.problem.startswith("no space no space")
    assert len(found.problem) == len(found.note) == parcels.MOST_TEXT


def test_stopped_run_comes_back_and_is_resumed_from_its_checkpoint(task: Task) -> None:
    long = replace(task, settings=msgspec.structs.replace(task.settings, epochs=200_000))
    orders.stop(["stopped"])
    assert parcels.receive(long, train(long, order="stopped"))[1].problem is None
    assert read_run(long.folder).interrupted
    assert not is_done(long)
    resumed = parcels.files_to_resume(long)
    assert "metrics.csv" in resumed
    assert "SHA256SUMS" not in resumed


def test_worker_returns_what_fails_as_text_with_its_own_path_where_the_machine_is_at_fault(
    task: Task, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    wrong = replace(task, settings=msgspec.structs.replace(task.settings, batch_size=9999))
    found = opened(train(wrong))
    assert (found.outcome.of_machine, found.files) == (False, {})
    assert "batch_size 9999" in (found.outcome.problem or "")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        found = opened(train(task))
    assert (found.outcome.of_machine, found.files, found.worker) == (True, {}, "tls://here:1")
    assert "No space left on device" in (found.outcome.problem or "")
    assert str(tmp_path) in (found.outcome.problem or "")
    assert str(task.folder) not in (found.outcome.problem or "")
    monkeypatch.setattr(orders, "perform", lambda *_: sys.exit(3))
    assert "SystemExit: 3" in (opened(train(task)).outcome.problem or "")


def test_order_leaves_the_folder_of_another_run_alone(task: Task, parcel: Parcel) -> None:
    parcels.store(task, parcel)
    other = Task("small", msgspec.structs.replace(task.settings, seed=1), task.data, task.folder)
    with pytest.raises(MismatchError):
        parcels.files_to_resume(other)


def test_data_set_arrives_as_it_is_here(task: Task) -> None:
    files = parcels.files_of(task.settings.data, task.data)
    shutil.rmtree(task.settings.data)
    found = opened(train(task, files)).files["summary.json"]
    assert json.loads(found)["data"]["name"] == task.settings.data
    damaged = files[:-1] + bytes([files[-1] ^ 1])
    assert opened(train(task, damaged)).outcome.problem is not None


def test_own_cost_must_be_in_the_same_file_on_a_worker() -> None:
    Path("same.py").write_text("from netlearn.costs import Quadratic\nclass Mine(Quadratic):\n    pass\n")
    for sha256, accepted in ((orders.module_sha256("same:Mine"), True), ("0" * 64, False)):
        problem = orders.inspect({"same:Mine": sha256})[1]
        assert (problem is None) is accepted
    assert problem is not None
    assert "'same:Mine'" in problem


def test_data_in_several_folders_is_sent_to_no_cluster() -> None:
    """A folder of images has one hash for all of them; that of IDX files in folders of their own none of a file."""
    for i in range(40):
        Path("bars", str(i % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 9 * (i % 2) + i, np.uint8)).save(f"bars/{i % 2}/{i}.png")
    data = datasets.load("bars")
    with pytest.raises(DataError, match=r"bars: lies in several folders, .* \.npz file"):
        parcels.files_of(data.name, data_identity(data.name, data.sha256))
