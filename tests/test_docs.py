"""The README and the pages in docs/: their commands run, and their tables match the program."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from netlearn.comparison import catalogue
from netlearn.costs import COSTS
from netlearn.runs import RUN_FILES, SUMS
from netlearn.runs.formats import COLUMNS, TEST_COLUMNS
from netlearn.settings import CHOICES, FIELDS
from scripts.cures import SHORT
from scripts.cures_page import LONG
from scripts.reproduce import EXPERIMENTS
from tests.pages import GENERATED, ROOT, blocks, code, follow, pages, rows, run_here, section, shell, text

NAMES = [str(page.relative_to(ROOT)) for page in pages()]
NAMED = ("momentum", "Adam", "scaled weights")  # remedies that the README names
TAKE_LONG = {"docs/book.md", "docs/guide.md"}


def defaults() -> dict[str, Any]:
    return {name: field.default for name, field in FIELDS.items() if name != "learning_rate"}


def in_tables(heading: str) -> list[str]:
    """Return the names in the first column of the tables below a heading of the reference."""
    return [name for row in rows(section("docs/reference.md", heading)) for name in code(row[0])]


@pytest.fixture
def reader(tmp_path: Path) -> None:
    """Stand where a reader of the pages stands."""
    for name in ("configs", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)


@pytest.mark.slow
@pytest.mark.usefixtures("reader", "in_this_process")
def test_readme_runs_as_shown_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlearn.plotting.single.FRAMES", 3)
    monkeypatch.setattr("netlearn.plotting.single.HELD", 1)
    last = follow("README.md", run_here).splitlines()[-1]
    update, speed, accuracy = map(float, last.split())
    assert update == 5 * 350
    assert speed == pytest.approx(1, abs=1e-4)
    assert accuracy > 0.85


@pytest.mark.slow
@pytest.mark.usefixtures("reader", "in_this_process")
@pytest.mark.parametrize(
    "page", [pytest.param(name, marks=[pytest.mark.long] if name in TAKE_LONG else []) for name in NAMES[1:]]
)
def test_pages_run_as_shown_in_the_order_given(page: str) -> None:
    follow(page, run_here)


def test_readme_shows_its_two_commands_first_and_they_are_targets() -> None:
    commands = [command for command, _ in blocks("README.md")[0].commands()]
    assert commands == ["make demo", "make test"]
    for command in commands:
        result = shell(f"cd '{ROOT}' && {command} --dry-run --always-make")
        assert result.returncode == 0, result.stderr
        assert "pip" in result.stdout


def test_readme_is_short_and_names_every_page() -> None:
    assert len(text("README.md").splitlines()) <= 150
    linked = re.findall(r"\]\((docs/[\w-]+\.md)\)", text("README.md"))
    assert set(linked) == {str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")}


def minutes(names: tuple[str, ...]) -> float:
    """Return how long experiments take together, by what their files say."""
    times = (catalogue.read_about(catalogue.files()[name]).run_time.split()[:2] for name in names)
    return sum(float(number) / (60 if unit.startswith("second") else 1) for number, unit in times)


def test_reproductions_take_the_half_an_hour_that_pages_and_make_help_say() -> None:
    for names in ((*EXPERIMENTS, *SHORT), LONG):
        assert 20 <= minutes(names) <= 40
    guide = " ".join(text("docs/guide.md").split())
    assert "`make reproduce` runs these experiments on full MNIST (half an hour on 2 cores" in guide
    assert "`make reproduce-long` trains what takes longest, another half an hour" in guide
    assert re.search(r"^reproduce-long: .* take half an hour", text("Makefile"), re.MULTILINE)


def test_readme_has_the_accuracies_of_the_page_on_cures() -> None:
    table = rows(section("docs/cures.md", "## What cures the slowdown?"))
    early, last = ({row[0]: f"{float(row[place].split()[0]):.0f} %" for row in table} for place in (-2, -1))
    quadratic, momentum, adam, scaled = ("quadratic", *(f"quadratic + {name}" for name in NAMED))
    readme = " ".join(text("README.md").split())
    assert (
        f"quadratic cost is at {early[quadratic]} validation accuracy, with momentum at {early[momentum]}, with Adam "
        f"at {early[adam]}, with scaled initial weights at {early[scaled]}; cross-entropy is at "
        f"{early['cross-entropy']}. After 20 epochs Adam has {last[adam]}, plain gradient descent "
        f"{last[quadratic]}, momentum {last[momentum]}"
    ) in readme


@pytest.mark.parametrize("page", [*NAMES, "CONTRIBUTING.md", *(f"docs/{name}" for name in sorted(GENERATED))])
def test_links_and_pictures_of_a_page_exist(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        if linked.suffix == ".png":
            assert linked.read_bytes().startswith(b"\x89PNG")
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*NAMES, "CONTRIBUTING.md"])
def test_files_of_the_repository_that_a_page_names_exist(page: str) -> None:
    for name in re.findall(r"`((?:netlearn|scripts|tests|configs|docs)/[\w./-]+)`", text(page)):
        assert (ROOT / name).exists(), name


def test_reference_lists_every_setting_with_its_default() -> None:
    shown = {code(name)[0]: default for name, default, _ in rows(section("docs/reference.md", "## Settings"))}
    assert shown.pop("learning_rate") == "the cost's own"
    assert shown == {
        name: f"`{','.join(map(str, default)) if isinstance(default, tuple) else str(default).lower()}`"
        for name, default in defaults().items()
    }


def test_reference_names_every_choice_and_every_cost() -> None:
    table = rows(section("docs/reference.md", "## Settings"))
    meanings = {code(name)[0]: code(meaning) for name, _, meaning in table}
    for name, choices in CHOICES.items():
        assert set(choices) <= set(meanings[name])
    assert in_tables("## Costs") == list(COSTS)


def test_reference_lists_every_file_of_a_run_and_every_column() -> None:
    assert sorted(in_tables("## Files of a run")) == sorted([*RUN_FILES, SUMS])
    columns = sorted([*COLUMNS, *TEST_COLUMNS, "speed_1", "speed_2"])
    assert sorted(in_tables("## Columns of metrics.csv")) == columns


def test_table_of_the_architecture_names_every_package_in_the_order_of_the_layers() -> None:
    names = [code(row[0])[0] for row in rows(section("docs/development.md", "## Architecture"))]
    (contract,) = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    assert names == contract["layers"][::-1]
    modules = {path.stem for path in (ROOT / "netlearn").glob("[!_]*") if path.suffix in {"", ".py"}}
    assert set(names) == modules - {"configs"}


def test_commands_that_check_the_guarantees_exist() -> None:
    commands = [command for _, cell in rows(text("docs/guarantees.md")) for command in code(cell)]
    assert len(commands) >= 9
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "make":
            assert re.search(rf"^{arguments[0]}:", text("Makefile"), re.MULTILINE), command
        elif program == ".venv/bin/pytest":
            chosen, _, words = " ".join(arguments).partition("-k ")
            paths = [ROOT / path for path in chosen.split()] or list((ROOT / "tests").glob("test_*.py"))
            tests = "\n".join(re.findall(r"def (test_.*?)\(", "".join(path.read_text() for path in paths)))
            assert all(word in tests for word in words.split(" or ")), command
        else:
            assert shell(f"{program} {arguments[0]} --help").returncode == 0, command
