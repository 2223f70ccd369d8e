"""The short form of `make soak`."""

from pathlib import Path

import pytest

from scripts.soak import soak

ALL_STREAMS = ["--optimizer", "adam", "--dropout", "0.5", "--augment", "elastic", "--halve-after", "2"]


@pytest.mark.slow
def test_run_killed_at_random_instants_and_resumed_ends_like_an_uninterrupted_one() -> None:
    result = soak(4, 32, Path(), flags=ALL_STREAMS)
    assert result.kills
    assert result.checkpoints > 1
    assert result.unreadable == []
    assert result.identical
