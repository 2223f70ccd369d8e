"""What a stranger meets first: the schema for editors, completion, the site's links, the page of a package index."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from netlearn import __version__
from scripts import schema, site
from tests.commands import call

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    content = json.loads(schema.TARGET.read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_schema_is_current() -> None:
    assert schema.TARGET.read_text() == schema.text(), "python -m scripts.schema writes it"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.stem)
def test_schema_accepts_each_shipped_file_and_each_names_it(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    text = path.read_text()
    validator.validate(tomllib.loads(text))
    assert text.startswith("#:schema ./experiment.schema.json\n")


@pytest.mark.parametrize(
    ("valid", "mistake"),
    [
        ({"variants": {"a": {"cost": "quadratic"}}}, {"variants": {"a": {"costs": "quadratic"}}}),
        ({"variants": {"a": {"cost": "my.costs:Own(gamma=2)"}}}, {"variants": {"a": {"cost": "mse"}}}),
        ({"variants": {"a": {}}, "seeds": [3, 5]}, {"variants": {"a": {}}, "seeds": 0}),
        ({"variants": {"a": {}}, "baseline": "a"}, {"variant": {"a": {}}}),
        ({"epochs": 1}, {"epochs": 0}),
        ({"hidden": 30}, {"hidden": [0]}),
        ({"dropout": 0.5}, {"dropout": 1.0}),
        ({"optimizer": "sgd"}, {"optimizer": "sdg"}),
        ({"learning_rate": 0.1}, {"learning_rate": "0.1"}),
        ({"vary": {"learning_rate": "0.1:1:log3"}}, {"vary": {"learning_rate": "0.1-1"}}),
        ({"vary": {"learning_rate": [0.1, 1]}}, {"vary": {"eta": [0.1, 1]}}),
        ({"initializer": [0.6, 0.9]}, {"initializer": [0.6]}),
    ],
)
def test_schema_refuses_what_netlearn_refuses(
    valid: dict[str, Any], mistake: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    assert validator.is_valid(valid)
    assert not validator.is_valid(mistake)


@pytest.mark.parametrize(
    ("shell", "mark"), [("bash", "complete -o"), ("zsh", "#compdef netlearn"), ("fish", "function")]
)
def test_completion_prints_what_a_shell_sources(shell: str, mark: str) -> None:
    result = call("completion", shell)
    assert result.exit_code == 0
    assert mark in result.stdout
    assert "_NETLEARN_COMPLETE" in result.stdout


def test_links_of_a_page_stay_inside_the_site() -> None:
    text = "[a](docs/guide.md#x) ![b](docs/curves.png) [c](CONTRIBUTING.md) [d](#below) [e](https://x.org/y.md)"
    moved = "[a](guide.md#x) ![b](curves.png) [c](CONTRIBUTING.md) [d](#below) [e](https://x.org/y.md)"
    assert site.moved(text, ROOT) == moved
    assert site.moved("[a](../README.md#see) [b](cures.md)", ROOT / "docs") == "[a](index.md#see) [b](cures.md)"
    with pytest.raises(Exception, match=r"pyproject\.toml: must be a page"):
        site.moved("[a](pyproject.toml)", ROOT)


def test_package_index_shows_a_readme_without_links_to_files() -> None:
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    shown = json.loads(subprocess.run([*command[:-1]], cwd=ROOT, capture_output=True, text=True, check=True).stdout)[
        "readme"
    ]["text"]
    targets = re.findall(r"\]\(([^)\s]+)\)", shown)
    assert targets
    assert all("://" in target for target in targets)


def test_citation_names_this_version() -> None:
    assert re.search(rf"^version: {re.escape(__version__)}$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
