"""Processes that tests start, kill and wait for."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.commands import PATIENCE


def sleep_with_a_name(name: Path) -> None:
    name.with_suffix(".part").write_text(str(os.getpid()))
    name.with_suffix(".part").rename(name)
    time.sleep(2 * PATIENCE)


def wait_until(condition: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
