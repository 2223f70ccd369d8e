"""Tasks in parallel processes, any of which may die."""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison import pool
from netlearn.comparison.pool import Pool, Workers, cores
from netlearn.comparison.process import Processes
from netlearn.errors import WorkerError
from tests.commands import PATIENCE, python
from tests.deadly import (
    die,
    die_once,
    double,
    fail,
    live_if_alone,
    live_or_die,
    process_and_environment,
    start_here,
)
from tests.processes import wait_until

HERE = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    """Two processes, which are replaced where a test kills one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONSAFEPATH", "0")
        patch.delenv("OPENBLAS_NUM_THREADS", raising=False)
        before = dict(os.environ)
        with Pool(2) as workers:
            workers.start(9)
            assert os.environ == before
            yield workers


def test_cores_are_those_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


def test_tasks_in_this_thread_are_done_in_order_and_reported_one_by_one() -> None:
    reported: list[Any] = []
    with Workers() as workers:
        found = workers.map(double, [3, 4], lambda: reported.append("look"), lambda *pair: reported.append(pair))
    assert found == [6, 8]
    assert reported == [(3, 6), "look", (4, 8), "look"]


@pytest.mark.slow
def test_processes_are_kept_and_import_nothing_from_here(workers: Pool) -> None:
    found = [each for _ in range(2) for each in workers.map(process_and_environment, range(6)) if each]
    assert os.getpid() not in {process for process, _ in found}
    assert len({process for process, _ in found}) <= 2
    assert {setting for _, setting in found} == {"1"}


@pytest.mark.slow
def test_results_come_in_the_order_of_the_tasks_and_are_reported_once(workers: Pool) -> None:
    reported: list[Any] = []
    assert workers.map(double, range(7), on_result=lambda *pair: reported.append(pair)) == [*range(0, 14, 2)]
    assert sorted(reported) == [(number, 2 * number) for number in range(7)]


@pytest.mark.slow
def test_process_that_dies_costs_its_task_a_retry(workers: Pool, tmp_path: Path) -> None:
    assert workers.map(die_once, [tmp_path / "marker"]) == ["done"]


@pytest.mark.slow
def test_tasks_that_kill_their_processes_take_no_others_with_them(workers: Pool) -> None:
    assert workers.map(live_or_die, range(4)) == [0, None, None, 3]
    assert workers.map(double, [1]) == [2]


@pytest.mark.slow
def test_task_that_killed_its_process_twice_is_done_alone(workers: Pool, tmp_path: Path) -> None:
    assert workers.map(functools.partial(live_if_alone, tmp_path), range(4)) == [*range(4)]


@pytest.mark.slow
def test_call_that_never_ends_since_its_process_died_is_done_again(
    workers: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies in the instant in which a task is submitted leaves a future that nobody ends."""
    submit, lost = Processes.submit, list[Processes]()

    def lose_first(processes: Processes, *arguments: Any) -> Any:
        if lost:
            return submit(processes, *arguments)
        lost.append(processes)
        submit(processes, die, 0)
        return Future[Any]()

    monkeypatch.setattr(Processes, "submit", lose_first)
    assert workers.map(double, [1, 2, 3]) == [2, 4, 6]


@pytest.mark.slow
def test_error_of_a_task_is_raised_and_ends_the_processes_and_no_other_child() -> None:
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(2 * PATIENCE,))
    child.start()
    before = {*multiprocessing.active_children()}
    try:
        with pytest.raises(ValueError, match="wrong"), Pool(2) as workers:
            workers.map(fail, [0, 1, 0])
        assert {*multiprocessing.active_children()} == before
        assert child in before
    finally:
        child.kill()
        child.join()


def interrupted(tasks: Sequence[float], *signals: int) -> float:
    """Return after how many seconds an interrupt, after other signals, ended the tasks, which sleep."""
    begun, before = time.monotonic(), {*multiprocessing.active_children()}

    def interrupt() -> None:
        for child, number in product({*multiprocessing.active_children()} - before, signals):
            assert child.pid is not None
            os.kill(child.pid, number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Pool(2) as workers:
        workers.map(time.sleep, tasks, interrupt)
    assert {*multiprocessing.active_children()} <= before
    return time.monotonic() - begun


@pytest.mark.slow
def test_interrupt_ends_the_processes_at_once_also_one_without_a_task() -> None:
    assert interrupted([2 * PATIENCE]) < PATIENCE


@pytest.mark.slow
def test_stopped_process_does_not_outlast_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "GRACE", 0.5)
    assert interrupted([2 * PATIENCE] * 2, signal.SIGSTOP) < PATIENCE


@pytest.mark.slow
def test_process_that_cannot_be_started_is_an_error_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    before = {*multiprocessing.active_children()}
    monkeypatch.setattr("concurrent.futures.process._ExecutorManagerThread.start", refuse)
    with pytest.raises(WorkerError, match=r"can't start new thread.*--jobs 1"), Pool(2) as workers:
        workers.map(double, [1, 2])
    wait_until(lambda: {*multiprocessing.active_children()} <= before)


@pytest.mark.slow
def test_worker_of_another_pool_is_told_that_it_can_compare_alone() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        said = workers.apply(start_here)
    assert "daemonic" in said
    assert "jobs=1" in said


@pytest.mark.slow
def test_second_interrupt_kills_a_process_that_ignores_the_first() -> None:
    Path("hanging.py").write_text(
        "import os, signal, time\ndef hang(_):\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    os.write(1, b'hanging\\n')\n    time.sleep(300)\n"
    )
    code = (
        "import hanging\nfrom netlearn.comparison.pool import Pool\n"
        "with Pool(1) as workers:\n    workers.map(hanging.hang, [1])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": "."},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"hanging\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.wait(120)
        assert time.monotonic() - begun < pool.GRACE - 1


@pytest.mark.slow
def test_python_ends_after_a_pool_broke() -> None:
    code = (
        "from netlearn.comparison.pool import Pool\nfrom tests.deadly import die, double\n"
        "with Pool(1) as workers:\n    print(workers.map(die, [1]), workers.map(double, [2]))\n"
    )
    result = python("-c", code, env=HERE, timeout=PATIENCE)
    assert (result.returncode, result.stdout, result.stderr) == (0, "[None] [4]\n", "")
