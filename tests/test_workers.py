import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison.process import WorkerProcess, start_fork_server
from netlearn.comparison.workers import Workers
from tests.commands import PATIENCE, python
from tests.processes import is_alive, wait_until


def forked() -> WorkerProcess:
    return WorkerProcess(forked=start_fork_server())


started_both_ways = pytest.mark.parametrize("start", [WorkerProcess, forked])


def double(number: int) -> int:
    return 2 * number


def process_of(_: int) -> int:
    return os.getpid()


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live_or_die(number: int) -> int:
    if number == 1:
        die(number)
    return number


def fail(_: int) -> None:
    raise ValueError("wrong")


@pytest.mark.slow
def test_results_come_in_the_order_of_the_tasks() -> None:
    with Workers(2) as workers:
        assert workers.map(double, [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]


def test_each_result_is_reported_as_soon_as_there_is_one() -> None:
    begun, reported = threading.Event(), []

    def wait_for_the_other(number: int) -> int:
        assert number or begun.wait(PATIENCE)
        return number

    def report(number: int, result: int | None) -> None:
        reported.append((number, result))
        begun.set()

    with Workers(2, lambda: ThreadPoolExecutor(1)) as workers:
        assert workers.map(wait_for_the_other, [0, 1], on_result=report) == [0, 1]
    assert reported == [(1, 1), (0, 0)]


@pytest.mark.slow
def test_tasks_run_in_other_processes_that_are_kept() -> None:
    with Workers(2) as workers:
        first = set(workers.map(process_of, range(6)))
        second = set(workers.map(process_of, range(6)))
    assert os.getpid() not in first | second
    assert len(first | second) <= 2


def environment_of(_: int) -> str | None:
    return os.environ.get("PYTHONSAFEPATH")


def parent_and_preloaded(_: int) -> tuple[int, bool]:
    return os.getppid(), "netlearn.comparison.preloaded" in sys.modules


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all workers are fresh processes")
def test_preloaded_workers_are_forks_of_one_process() -> None:
    with Workers(2, forked) as workers:
        parents, preloaded = zip(*filter(None, workers.map(parent_and_preloaded, range(4))), strict=True)
    assert len(set(parents) - {os.getpid()}) == 1
    assert all(preloaded)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all workers are fresh processes")
def test_ctrl_c_does_not_reach_the_process_that_imports_for_the_workers() -> None:
    code = (
        "import os, signal\nfrom multiprocessing import forkserver\nfrom netlearn.comparison import process\n"
        "from netlearn.comparison.workers import Workers\nfrom tests.test_workers import double, forked\n"
        "assert process.start_fork_server()\n"
        "os.kill(forkserver._forkserver._forkserver_pid, signal.SIGINT)\n"
        "with Workers(1, forked) as workers:\n    print(workers.map(double, [2]))\n"
    )
    result = python("-c", code, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])})
    assert (result.stdout, result.stderr) == ("[4]\n", "")


@pytest.mark.slow
def test_workers_are_fresh_where_the_path_of_a_socket_would_be_too_long(
    tmp_path: Path,
) -> None:
    temporary = tmp_path / ("x" * 120)
    temporary.mkdir()
    code = (
        "from netlearn.comparison.workers import Workers\nfrom tests.test_workers import double, forked\n"
        "with Workers(1, forked) as workers:\n    print(workers.map(double, [2]))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(temporary)}
    result = python("-c", code, env=environment)
    assert (result.stdout, result.stderr) == ("[4]\n", "")


@pytest.mark.slow
@started_both_ways
@pytest.mark.parametrize("before", [None, "0"])
def test_workers_import_nothing_from_here_and_leave_the_environment_alone(
    before: str | None, start: Callable[[], Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    with Workers(2, start) as workers:
        assert set(workers.map(environment_of, range(4))) == {"1"}
    assert os.environ.get("PYTHONSAFEPATH") == before


@pytest.mark.slow
@started_both_ways
def test_worker_that_dies_costs_its_task_one_retry(start: Callable[[], Executor], tmp_path: Path) -> None:
    with Workers(1, start) as workers:
        assert workers.map(die_once, [tmp_path / "first", tmp_path / "second"]) == ["done", "done"]


@pytest.mark.slow
def test_task_that_kills_two_workers_fails_and_the_others_finish() -> None:
    with Workers(2) as workers:
        assert workers.map(live_or_die, [0, 1, 2, 3]) == [0, None, 2, 3]


@pytest.mark.slow
def test_error_of_a_task_ends_all_tasks() -> None:
    with pytest.raises(ValueError, match="wrong"), Workers(2) as workers:
        workers.map(fail, [1, 2, 3])


@pytest.mark.slow
@started_both_ways
def test_interrupt_ends_the_workers_at_once(start: Callable[[], Executor]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Workers(1, start) as workers:
        workers.map(time.sleep, [2 * PATIENCE], interrupt)
    assert time.monotonic() - begun < PATIENCE


def test_another_executor_can_replace_processes() -> None:
    made = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **given: Any) -> "Future[Any]":
            made.append(arguments)
            return super().submit(*arguments, **given)

    def make() -> Executor:
        return Counting(1)

    with Workers(2, make) as workers:
        assert workers.map(double, [1, 2, 3]) == [2, 4, 6]
    assert len(made) == 3


def test_started_executors_are_prepared_and_no_more_than_there_are_tasks() -> None:
    done: list[int] = []
    executors = []

    def make() -> Executor:
        executors.append(ThreadPoolExecutor(1))
        return executors[-1]

    with Workers(4, make) as workers:
        workers.start(2, lambda: done.append(0))
        workers.before = lambda: done.append(1)
        workers.map(done.append, [2, 2])
    assert len(executors) == 2
    assert sorted(done) == [0, 0, 1, 1, 2, 2]
    assert done[0] == 0


def test_executor_without_a_task_prepares_for_what_comes_next_while_others_are_busy() -> None:
    prepared = threading.Event()
    with Workers(2, lambda: ThreadPoolExecutor(1)) as workers:
        workers.when_idle = prepared.set
        assert workers.map(lambda number: number or prepared.wait(PATIENCE), [0, 1]) == [True, 1]


class Odd(ThreadPoolExecutor):
    """An executor that fails as those of other libraries may."""

    def submit(self, *arguments: Any, **given: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_exception(LookupError("lost the worker"))
        return future


def test_unusual_error_of_an_executor_costs_a_retry_and_then_the_task() -> None:
    executors = [Odd(1), ThreadPoolExecutor(1), Odd(1), Odd(1), ThreadPoolExecutor(1)]
    with Workers(1, lambda: executors.pop(0)) as workers:
        assert workers.map(double, [1]) == [2]
    with Workers(1, lambda: executors.pop(0)) as workers:
        assert workers.map(double, [1, 2]) == [None, 4]


@pytest.mark.slow
def test_error_ends_the_workers_and_no_other_child_of_the_process() -> None:
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(2 * PATIENCE,))
    child.start()
    try:
        with pytest.raises(ValueError, match="wrong"), Workers(1) as workers:
            workers.map(fail, [1])
        assert child.is_alive()
    finally:
        child.kill()
        child.join()


@pytest.mark.slow
@pytest.mark.parametrize("start", ["WorkerProcess", "forked"])
def test_worker_does_not_outlive_a_killed_parent(start: str, tmp_path: Path) -> None:
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from netlearn.comparison.process import WorkerProcess\nfrom netlearn.comparison.workers import Workers\n"
        "from tests.processes import sleep_with_a_name\nfrom tests.test_workers import forked\n"
        f"with Workers(1, {start}) as workers:\n    workers.map(sleep_with_a_name, [Path(sys.argv[1])])\n"
    )
    name = tmp_path / "pid"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", code, str(name)], env=environment) as parent:
        wait_until(name.exists)
        parent.kill()
    worker = int(name.read_text())
    wait_until(lambda: not is_alive(worker))
