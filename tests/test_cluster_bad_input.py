"""Clusters and workers that cannot be used, and Ctrl-C beside Dask."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import msgspec
import pytest

from netlearn.comparison import cluster as module
from netlearn.comparison import orders
from netlearn.comparison.cluster import Cluster, deferred
from netlearn.comparison.orders import MUST_MATCH
from netlearn.comparison.pool import TRIES
from netlearn.comparison.tasks import Outcome, Task, perform
from netlearn.errors import ClusterError
from netlearn.runs import data_identity
from netlearn.settings import resolve
from tests.commands import ONE_EPOCH, compare, one_line
from tests.files import small_dataset
from tests.messages import has_facts

Versions: TypeAlias = Mapping[str, str | None]
Connect: TypeAlias = "Callable[[Scheduler], tuple[Cluster, list[str]]]"
FIVE = "127.0.0.1:5"


@pytest.mark.parametrize(
    ("flags", "facts"),
    [
        (["--cluster", "somewhere"], "somewhere tls://HOST:PORT local:N"),
        (["--cluster", "tls://host"], "tls://host tls://HOST:PORT"),
        (["--cluster", "ucx://host:1"], "ucx://host:1 tls://HOST:PORT"),
        (["--cluster", "local:0"], "local:0 1 256"),
        (["--cluster", "local:many"], "local:many 1 256"),
        (["--cluster", "local:2", "--insecure"], "local:2 --insecure"),
        (["--cluster", f"tcp://{FIVE}"], f"tcp://{FIVE} tls:// --insecure"),
        (["--cluster", f"tls://{FIVE}"], f"tls://{FIVE} --tls-folder"),
        (["--cluster", f"tls://{FIVE}", "--insecure"], f"tls://{FIVE} --tls-folder --insecure"),
        (["--cluster", f"tls://{FIVE}", "--tls-folder", "."], "--tls-folder ca.pem cert.pem key.pem"),
        (["--tls-folder", "."], "--tls-folder --cluster"),
        (["--insecure"], "--insecure --cluster"),
    ],
)
def test_wrong_usage(flags: list[str], facts: str) -> None:
    assert one_line(compare(*ONE_EPOCH, *flags), 2, facts)


def test_existing_runs_need_no_cluster() -> None:
    Path("run").mkdir()
    assert one_line(compare("run", "--cluster", "local:1"), 2, "--cluster")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert one_line(compare(*ONE_EPOCH, "--cluster", "local:1"), 1, "local:1 netlearn[dask]")


def test_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(module, "WITHIN", 0.5)
    result = compare(*ONE_EPOCH, "--cluster", f"tcp://{FIVE}", "--insecure")
    assert one_line(result, 1, f"tcp://{FIVE} 0.5")


class Scheduler:
    """A client of a scheduler and workers that have certain versions, and that return what they are told to."""

    def __init__(self, scheduler: Versions, *workers: Versions) -> None:
        self.scheduler, self.workers = scheduler, {f"tls://host:{n}": found for n, found in enumerate(workers)}
        self.silent: set[str] = set()
        self.sent: list[tuple[list[str], Future[bytes]]] = []

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.workers, 1)

    def get_versions(self, packages: list[str]) -> dict[str, Any]:
        found = {name: {"packages": it} for name, it in self.workers.items() if name not in self.silent}
        return {"scheduler": {"packages": self.scheduler}, "workers": found}

    def submit(self, function: Any, *arguments: Any, workers: Sequence[str] = (), pure: bool) -> Future[bytes]:
        assert not pure
        remote = Future[bytes]()
        if function is orders.train:
            self.sent.append(([*workers], remote))
        return remote


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    def connect(client: Scheduler) -> tuple[Cluster, list[str]]:
        notes: list[str] = []
        monkeypatch.setattr(module, "_connected", lambda *_, **__: nullcontext(client))
        monkeypatch.setattr(module, "WORKERS_EVERY", 0.01)
        monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
        cluster = Cluster(1, "tls://host:9", note=notes.append)
        cluster.hold([small_dataset()])
        return cluster, notes

    return connect


def task(seed: int = 0) -> Task:
    data = small_dataset()
    return Task(
        "small",
        resolve({"data": data.name, "seed": seed}),
        data_identity(data.name, data.sha256),
        Path(f"out/{seed}"),
    )


@pytest.mark.parametrize(
    ("scheduler", "workers", "facts"),
    [
        ({"netlearn": None}, [MUST_MATCH], ["scheduler", "netlearn missing", MUST_MATCH["netlearn"]]),
        (MUST_MATCH, [MUST_MATCH | {"netlearn": None}], ["no worker", "netlearn missing"]),
        (MUST_MATCH, [MUST_MATCH | {"netlearn": "0.0.1"}], ["netlearn 0.0.1", MUST_MATCH["netlearn"]]),
        (MUST_MATCH, 2 * [MUST_MATCH | {"numpy": "1.0"}], ["no worker", "numpy 1.0", MUST_MATCH["numpy"]]),
    ],
)
def test_other_versions_are_rejected_before_anything_is_sent(
    connect: Connect, scheduler: Versions, workers: list[Versions], facts: list[str]
) -> None:
    client = Scheduler(scheduler, *workers)
    cluster, _ = connect(client)
    with pytest.raises(ClusterError) as caught:
        cluster.map(perform, [task()])
    assert all(fact in str(caught.value) for fact in ["tls://host:9", *facts])
    assert not client.sent


def test_worker_whose_machine_fails_is_left_out_and_its_run_is_sent_to_others_until_three_have_failed_it(
    connect: Connect,
) -> None:
    client = Scheduler(MUST_MATCH, *4 * [MUST_MATCH], MUST_MATCH | {"netlearn": "0.0.1"})
    client.silent = {"tls://host:3"}
    cluster, notes = connect(client)
    allowed: list[list[str]] = []

    def answer() -> None:
        """Let the worker that comes first fail, with a full disk; the second run needs one that was left out."""
        for workers, remote in client.sent:
            if not remote.done():
                allowed.append(workers)
                full = len(allowed) <= TRIES
                said = Outcome("its disk is full" if full else "diverged", of_machine=full)
                remote.set_result(msgspec.msgpack.encode((workers[0], said, {})))

    results = cluster.map(perform, [task()], answer) + cluster.map(perform, [task(1)], answer)
    hosts = [f"tls://host:{n}" for n in range(3)]
    assert allowed == [hosts, hosts[1:], hosts[2:], hosts]
    assert has_facts(results[0].problem, f"3 workers {hosts[2]} its disk is full")
    assert results[1].problem == "diverged"
    assert [note for note in notes if "not used: its disk is full" in note] == [
        f"worker {host} is not used: its disk is full" for host in hosts
    ]


def test_run_that_lost_one_worker_and_then_several_is_sent_again_and_no_worker_waited_for(connect: Connect) -> None:
    distributed = pytest.importorskip("distributed")
    client = Scheduler(MUST_MATCH, MUST_MATCH)
    cluster, notes = connect(client)

    def look() -> None:
        if client.sent and "tls://host:0" in client.workers:
            client.workers = {}
        elif any("waiting" in note for note in notes):
            client.workers = {"tls://host:7": MUST_MATCH}
        if len(client.sent) == 2 and not client.sent[1][1].done():
            address = SimpleNamespace(address="tls://host:7")
            client.sent[1][1].set_exception(distributed.KilledWorker("train", address, 2))
        if len(client.sent) == 3 and not client.sent[2][1].done():
            client.sent[2][1].set_result(msgspec.msgpack.encode(("tls://host:7", Outcome("late"), {})))

    assert cluster.map(perform, [task()], look) == [Outcome("late")]
    assert [workers for workers, _ in client.sent] == [["tls://host:0"], *2 * [["tls://host:7"]]]
    assert client.sent[0][1].cancelled()
    assert has_facts(" ".join(notes), "tls://host:0 lost tls://host:9 none")


def test_run_whose_workers_are_all_lost_three_times_is_given_up(connect: Connect) -> None:
    client = Scheduler(MUST_MATCH, MUST_MATCH)
    cluster, _ = connect(client)

    def lose() -> None:
        client.workers = {f"tls://new:{len(client.sent)}": MUST_MATCH}

    (outcome,) = cluster.map(perform, [task()], lose)
    assert has_facts(outcome.problem, "3 workers lost")
    assert len(client.sent) == 3


def test_runs_that_lost_several_workers_are_trained_one_after_the_other_and_given_up_alone(connect: Connect) -> None:
    distributed = pytest.importorskip("distributed")
    client = Scheduler(MUST_MATCH, *3 * [MUST_MATCH])
    cluster, _ = connect(client)
    in_flight: list[int] = []

    def answer() -> None:
        """Let Dask give up both runs, and one again when it is alone; the other one then has a result."""
        waiting = [remote for _, remote in client.sent if not remote.done()]
        in_flight.append(len(waiting))
        for remote in waiting:
            if len(client.sent) < 4:
                remote.set_exception(distributed.KilledWorker("train", SimpleNamespace(address="tls://host:0"), 2))
            else:
                remote.set_result(msgspec.msgpack.encode(("tls://host:1", Outcome("diverged"), {})))

    found = cluster.map(perform, [task(), task(1)], answer)
    assert in_flight[0] == 2
    assert {*in_flight[1:]} <= {0, 1}
    innocent, killed = sorted(found, key=lambda outcome: outcome.of_machine)
    assert innocent == Outcome("diverged")
    assert has_facts(killed.problem, "3 workers tls://host:0")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_first_interrupt_waits_until_it_is_released_and_the_second_does_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred() as release:
        release()
        interrupt()
        assert signal.getsignal(signal.SIGINT) is before
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        with pytest.raises(KeyboardInterrupt):
            release()
        release()


def test_interrupt_that_is_not_released_is_raised_at_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred():
        interrupt()
    assert signal.getsignal(signal.SIGINT) is before
