"""The short forms of `make soak`, `make interleave` and `make partial`."""

from pathlib import Path

import pytest

from scripts.interleave import interleave
from scripts.partial import make_states
from scripts.soak import soak

ALL_STREAMS = ["--optimizer", "adam", "--dropout", "0.5", "--augment", "elastic", "--halve-after", "2"]
SMALL = ["--train-size", "700", "--hidden", "10"]


@pytest.mark.slow
def test_run_killed_at_random_instants_and_resumed_ends_like_an_uninterrupted_one() -> None:
    result = soak(2, 32, Path(), flags=[*ALL_STREAMS, *SMALL])
    assert result.kills
    assert result.unreadable == []
    assert result.identical


@pytest.mark.slow
@pytest.mark.long
def test_two_commands_at_one_folder_lose_nothing_and_give_no_wrong_result(tmp_path: Path) -> None:
    assert [problem for problems in interleave(1, tmp_path) for problem in problems] == []


@pytest.mark.slow
def test_random_partial_states_are_resumed_to_the_undisturbed_result(tmp_path: Path) -> None:
    assert [wrong for _, wrong in make_states(5, tmp_path, seed=3) if wrong] == []
