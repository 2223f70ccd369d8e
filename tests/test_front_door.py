"""What a stranger meets first: schema, completion, links, the page of an index, the wheel, the API's page, layers."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from netlearn import __version__
from netlearn.api.arguments import GivenSettings, Variant
from netlearn.comparison.outputs import PICTURES
from netlearn.settings import FIELDS
from scripts import api_page, schema, site
from tests.commands import call

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def validator() -> Any:
    import jsonschema  # noqa: PLC0415 (its import takes a second)

    content = json.loads(schema.TARGET.read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_schema_is_current() -> None:
    assert schema.TARGET.read_text() == schema.text(), "python -m scripts.schema writes it"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.stem)
def test_schema_accepts_each_shipped_file_and_each_names_it(path: Path, validator: Any) -> None:
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
def test_schema_refuses_what_netlearn_refuses(valid: dict[str, Any], mistake: dict[str, Any], validator: Any) -> None:
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_has_the_version_the_data_the_licences_and_the_types(wheel: Path) -> None:
    assert wheel.name == f"netlearn-{__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    images = "datasets/mnist_5k/train-images-idx3-ubyte.gz"
    for part in ("py.typed", "__main__.py", "cli/train.py", images, "configs/depth.toml"):
        assert f"netlearn/{part}" in names
    licences = {name.rpartition("licenses/")[2] for name in names if "licenses/" in name}
    assert licences == {"LICENSE", "netlearn/datasets/mnist_5k/LICENSE-mnist-5k.txt"}
    assert not any(name.startswith(("tests", "scripts")) for name in names)


@pytest.mark.slow
def test_wheel_trains_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "netlearn", "train", "--data", "mnist-5k", "--epochs", "1"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"from {tmp_path / 'site' / 'netlearn' / 'datasets' / 'mnist_5k'}" in result.stderr
    command = [sys.executable, "-m", "netlearn", "compare", "--list"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for path in (ROOT / "configs").glob("*.toml"):
        assert re.search(rf"^ *{path.stem} +\w", listed.stdout, re.MULTILINE), path


REVERSED = {"costs": "network", "runs/files": "plotting", "training/state": "cli"}


def test_contract_is_broken_by_reversed_imports_and_by_nothing_else() -> None:
    shutil.copytree(ROOT / "netlearn", "netlearn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", ".")
    for module, imported in REVERSED.items():
        with Path("netlearn", f"{module}.py").open("a") as file:
            file.write(f"\nfrom netlearn import {imported}\n")
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    result = subprocess.run([program, "--no-cache"], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout + result.stderr
    found = set(re.findall(r"netlearn\.(\S+) -> netlearn\.(\S+) \(l\.", result.stdout))
    assert found == {(module.replace("/", "."), imported) for module, imported in REVERSED.items()}


def test_page_of_python_names_every_figure() -> None:
    described = api_page.PAGE.read_text("utf-8").partition("`Result.figure`")[2].partition("**Raises")[0]
    assert set(re.findall(r'"([a-z-]+)"', described)) == set(PICTURES)


@pytest.mark.slow
def test_page_is_current() -> None:
    assert api_page.render() == api_page.PAGE.read_text("utf-8"), "make api writes it"


def test_types_of_settings_are_those_of_the_schema() -> None:
    assert Variant.__annotations__.keys() == FIELDS.keys()
    assert Variant.__annotations__.keys() - GivenSettings.__annotations__.keys() == {"cost", "data"}
