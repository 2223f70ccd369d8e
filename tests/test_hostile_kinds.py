"""Hostile files in the place of every file that netlearn reads: one line, no hang, no more memory than 300 MB."""

import os
from pathlib import Path

import pytest

from tests.commands import PATIENCE, python

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_hostile_files_of_every_kind_are_refused_in_one_line() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = python("-m", "tests.hostile_files", env=environment, timeout=PATIENCE)
    *problems, count = result.stdout.splitlines()
    assert problems == [], result.stderr
    assert int(count.split()[0]) > 150
