"""The short form of `make interleave`."""

from pathlib import Path

import pytest

from scripts.interleave import interleave


@pytest.mark.slow
@pytest.mark.long
def test_two_commands_at_one_folder_lose_nothing_and_give_no_wrong_result(tmp_path: Path) -> None:
    assert [problem for problems in interleave(1, tmp_path) for problem in problems] == []
