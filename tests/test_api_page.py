"""docs/api.md is what the docstrings say."""

import pytest

from netlearn.api.given import GivenSettings, Variant
from netlearn.settings import FIELDS
from scripts import api_page


@pytest.mark.slow
def test_page_is_current() -> None:
    assert api_page.render() == api_page.PAGE.read_text("utf-8"), "make api writes it"


def test_types_of_settings_are_those_of_the_schema() -> None:
    assert Variant.__annotations__.keys() == FIELDS.keys()
    assert Variant.__annotations__.keys() - GivenSettings.__annotations__.keys() == {"cost", "data"}
