"""Runs what the README and the files in configs/ show."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def shown() -> list[list[tuple[str, list[str]]]]:
    """Return for each block of the README its commands, each with the output that it shows."""
    found = []
    for block in blocks("console"):
        commands: list[tuple[str, list[str]]] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        found.append(commands)
    return found


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", command], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )


def skeleton(line: str) -> str:
    """Return a line of output without what differs by machine: its numbers, its data, a table's cells."""
    first = re.split(r"(?<=\S)  +", re.sub(r"^data: .*", "data:", line.strip()))[0]
    return re.sub(r"[\d.,]+", "#", first)


@pytest.fixture
def reader(tmp_path: Path) -> None:
    """Stand where a reader of the README stands."""
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for code in blocks("python"):
        if name := re.match(r"# (\w+\.py)\n", code):
            (tmp_path / name[1]).write_text(code)


MAKE, NETLEARN = ([block for block in shown() if block[0][0].startswith("make ") == made] for made in (True, False))


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("block", NETLEARN, ids=lambda block: block[0][0][:50])
def test_commands_in_the_readme_run_and_print_what_is_shown(block: list[tuple[str, list[str]]]) -> None:
    for command, output in block:
        result = shell(command)
        assert result.returncode == 0, result.stderr
        printed = {skeleton(line) for line in (result.stdout + result.stderr).splitlines()}
        assert {skeleton(line) for line in output} - {skeleton("...")} <= printed


def test_readme_shows_the_two_commands_of_the_set_up_and_they_are_targets() -> None:
    ((demo, _), (test, _)) = MAKE[0]
    assert (len(MAKE), demo, test) == (1, "make demo", "make test")
    for command in (demo, test):
        result = shell(f"cd '{ROOT}' && {command} --dry-run --always-make")
        assert result.returncode == 0, result.stderr
        assert "pip" in result.stdout


def test_python_example_of_the_readme_trains_a_network() -> None:
    (example,) = [code for code in blocks("python") if not code.startswith("# ")]
    assert len(example.strip().splitlines()) <= 10
    result = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    update, speed, accuracy = map(float, result.stdout.splitlines()[-1].split())
    assert update == 5 * 350
    assert speed == pytest.approx(1, abs=1e-4)
    assert accuracy > 0.85


def test_pictures_of_the_readme_exist() -> None:
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")


def test_table_of_the_house_names_every_package_in_the_order_of_the_layers() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", README.partition("## The house")[2], re.MULTILINE)
    (contract,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert sorted(rows) == sorted(contract["layers"])
    modules = {path.stem for path in (ROOT / "netlearn").glob("[!_]*") if path.suffix in {"", ".py"}}
    assert set(rows) == modules - {"configs"}


def test_commands_that_check_what_can_be_relied_on_exist() -> None:
    rows = README.partition("## What you can rely on")[2].partition("## ")[0]
    commands = [command for row in re.findall(r"^\| [^|]+ \| (`.+`) \|$", rows, re.MULTILINE)
                for command in re.findall(r"`(.+?)`", row)]  # fmt: skip
    assert len(commands) >= 9
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "make":
            assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        elif program == ".venv/bin/pytest":
            chosen, _, words = " ".join(arguments).partition("-k ")
            paths = [ROOT / path for path in chosen.split()] or list((ROOT / "tests").glob("test_*.py"))
            tests = "\n".join(re.findall(r"def (test_.*?)\(", "".join(path.read_text() for path in paths)))
            assert all(word in tests for word in words.split(" or ")), command
        else:
            assert shell(f"{program} {arguments[0]} --help").returncode == 0, command
