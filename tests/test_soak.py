"""The short form of `make soak`."""

from pathlib import Path

from scripts.soak import soak


def test_run_killed_at_random_instants_and_resumed_ends_as_one_left_in_peace() -> None:
    result = soak(5, 150, Path())
    assert result.kills
    assert result.unreadable == []
    assert result.identical
