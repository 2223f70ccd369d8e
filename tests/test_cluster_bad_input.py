"""Clusters and workers that cannot be used, and Ctrl-C beside Dask."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison import connection
from netlearn.comparison.connection import deferred
from netlearn.comparison.fleet import Fleet
from netlearn.comparison.parcels import MUST_MATCH
from netlearn.errors import ClusterError
from tests.commands import ONE_EPOCH, compare, one_line

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
    monkeypatch.setattr(connection, "WITHIN", 0.5)
    result = compare(*ONE_EPOCH, "--cluster", f"tcp://{FIVE}", "--insecure")
    assert one_line(result, 1, f"tcp://{FIVE} 0.5")


class Answers:
    """A client whose scheduler and workers have certain versions."""

    def __init__(self, scheduler: Mapping[str, str | None], *workers: Mapping[str, str | None]) -> None:
        self.scheduler, self.workers = scheduler, {f"tls://host:{n}": found for n, found in enumerate(workers)}

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.workers, 1)

    def get_versions(self, packages: list[str]) -> dict[str, Any]:
        workers = {worker: {"packages": found} for worker, found in self.workers.items()}
        return {"scheduler": {"packages": self.scheduler}, "workers": workers}

    def run(
        self, function: Callable[[Mapping[str, str]], Any], costs: Any, workers: list[str], on_error: str
    ) -> dict[str, Any]:
        """Answer from another processor, but the first worker, which does not answer."""
        environment, problem = function(costs)
        answer = environment | {"cpu": "Z80"}, problem
        return {worker: TimeoutError() if worker.endswith("0") else answer for worker in workers}


def test_other_processor_is_reported_once_and_a_worker_that_does_not_answer_is_left_out() -> None:
    client: Any = Answers(MUST_MATCH, *3 * [MUST_MATCH])
    notes: list[str] = []
    fleet = Fleet(client, "tls://host:9", [], notes.append)
    fleet.look()
    assert fleet.ready == {"tls://host:1", "tls://host:2"}
    (note,) = notes
    assert "cpu Z80" in note


@pytest.mark.parametrize(
    ("scheduler", "workers", "facts"),
    [
        ({"netlearn": None}, [MUST_MATCH], ["scheduler", "netlearn missing", MUST_MATCH["netlearn"]]),
        (MUST_MATCH, [MUST_MATCH | {"netlearn": None}], ["1 of 1", "netlearn missing"]),
        (MUST_MATCH, [MUST_MATCH | {"netlearn": "0.0.1"}], ["netlearn 0.0.1", MUST_MATCH["netlearn"]]),
        (MUST_MATCH, 2 * [MUST_MATCH | {"numpy": "1.0"}], ["2 of 2", "numpy 1.0", MUST_MATCH["numpy"]]),
    ],
)
def test_other_versions_are_rejected_before_anything_is_sent(
    scheduler: Mapping[str, str | None], workers: list[Mapping[str, str | None]], facts: list[str]
) -> None:
    client: Any = Answers(scheduler, *workers)
    with pytest.raises(ClusterError) as caught:
        Fleet(client, "tls://host:9", [], lambda text: None).look()
    assert all(fact in str(caught.value) for fact in ["tls://host:9", *facts])


def test_worker_that_is_left_out_is_not_ready_until_it_is_readmitted_and_none_is_an_error() -> None:
    client: Any = Answers(MUST_MATCH, *3 * [MUST_MATCH])
    notes: list[str] = []
    fleet = Fleet(client, "tls://host:9", [], notes.append)
    fleet.look()
    fleet.leave_out("tls://host:1", "its disk is full")
    assert fleet.ready == {"tls://host:2"}
    assert "tls://host:1 is not used: its disk is full" in notes[-1]
    client.workers.pop("tls://host:0")
    fleet.leave_out("tls://host:2", "its disk is full")
    with pytest.raises(ClusterError, match="2 of 2: its disk is full"):
        fleet.look()
    fleet.readmit(["tls://host:1", "tls://host:2"])
    fleet.look()
    assert fleet.ready == {"tls://host:1", "tls://host:2"}


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_first_interrupt_waits_in_the_queue_and_the_second_does_not() -> None:
    waiting: list[Callable[[], object]] = []
    before = signal.getsignal(signal.SIGINT)
    with deferred(waiting.append):
        interrupt()
        (handler,) = waiting
        with pytest.raises(KeyboardInterrupt):
            handler()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_signals_are_as_before_where_none_came() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with deferred(lambda handler: None):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
