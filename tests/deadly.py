"""Tasks for a pool of processes, some of which end theirs; a process imports this sooner than a file of tests."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any


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


def save_when_terminated(folder: Path, number: int) -> int:
    """Kill this process, or work until it is terminated and save that; later calls find what was saved."""
    if number == 0:
        while not (folder / "begun").exists():
            time.sleep(0.02)
        die(number)
    if (folder / "saved").exists():
        return number
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    (folder / "begun").touch()
    stopped.wait(300)
    (folder / "saved").touch()
    os._exit(0)
