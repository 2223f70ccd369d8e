"""Tasks for a pool of processes, some of which end theirs; a process imports this sooner than a file of tests."""

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Any, TextIO


def double(number: int) -> int:
    return 2 * number


def process_and_environment(_: int) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("PYTHONSAFEPATH")


def die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        die(marker)
    return "done"


def live_or_die(number: int) -> int:
    if number in {1, 2}:
        die(number)
    return number


def fail(number: int) -> int:
    if number:
        raise ValueError("wrong")
    return number


def live_if_alone(folder: Path, number: int) -> int:
    """Kill this process if another task is in progress, as one that needs all memory. The others wait for two."""
    deaths = folder / "deaths"
    with (folder / "in progress").open("w") as others:
        fcntl.flock(others, fcntl.LOCK_SH)  # which a process that dies gives up
        while not deaths.exists() or len(deaths.read_text()) < 2:
            time.sleep(0.02)
            if number == 0 and not is_alone(others):
                with deaths.open("a") as file:
                    file.write("x")
                die(number)
        time.sleep(0.2)
        if number == 0 and not is_alone(others):
            die(number)
    return number


def is_alone(others: TextIO) -> bool:
    """Return whether no other process has locked the file."""
    try:
        fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(others, fcntl.LOCK_SH)
    return True


def start_here() -> str:
    """Return why a pool cannot be started in a process that may have no children."""
    from netlearn.comparison.pool import Pool  # noqa: PLC0415 (the other tasks need none of it)
    from netlearn.errors import WorkerError  # noqa: PLC0415

    try:
        with Pool(1) as workers:
            workers.map(double, [1])
    except WorkerError as error:
        return str(error)
    return ""
