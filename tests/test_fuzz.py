"""The short form of `make fuzz`."""

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.fuzzing import CASES, Case, feed

EXAMPLES = 150


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_corrupted_file_is_refused_in_one_line_or_valid(case: Case, data: st.DataObject, tmp_path: Path) -> None:
    with warnings.catch_warnings(action="error"):
        feed(case, data.draw(case.contents), tmp_path)
