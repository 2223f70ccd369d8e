"""The short form of `make soak`."""

from pathlib import Path

import pytest

from scripts.soak import soak

ALL_STREAMS = ["--optimizer", "adam", "--dropout", "0.5", "--augment", "elastic", "--halve-after", "2"]


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "flags"), [(150, []), (40, ALL_STREAMS)], ids=["plain", "all random streams"])
def test_run_killed_at_random_instants_and_resumed_ends_like_an_uninterrupted_one(
    epochs: int, flags: list[str]
) -> None:
    result = soak(5, epochs, Path(), flags=flags)
    assert result.kills
    assert result.checkpoints > 1
    assert result.unreadable == []
    assert result.identical
