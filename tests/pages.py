"""README.md and the pages in docs/: their blocks of commands and code, which run in order in one folder."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from tests.commands import call

ROOT = Path(__file__).parents[1]
GENERATED = {
    "costs.md",
    "cross-entropy.md",
    "cures.md",
    "performance.md",
    "reproduction.md",
}  # by make reproduce-costs, notebook, reproduce, bench
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([\w-]+\.\w+)\n")  # the first line of a block that is to be saved


def pages() -> list[Path]:
    """Return the pages that people write."""
    return [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in GENERATED)]


def text(page: str) -> str:
    return (ROOT / page).read_text()


def section(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next of the same level."""
    level = heading.split(maxsplit=1)[0]
    _, found, rest = f"\n{text(page)}".partition(f"\n{heading}\n")
    assert found, heading
    return rest.partition(f"\n{level} ")[0]


def rows(section: str) -> list[list[str]]:
    r"""Return the cells of the tables in a section, without headings; \| in a cell is a bar."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rules = [i for i, row in enumerate(cells) if set(row[0]) <= set("-: ")]
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@dataclass(frozen=True)
class Block:
    """A block of a page: its kind, its text, and the text of the block of output after it."""

    kind: str
    content: str
    output: str

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each command of a console block with the lines of output that it shows."""
        for command in re.split(r"^\$ ", self.content, flags=re.MULTILINE)[1:]:
            first, *output = command.splitlines()
            yield first, output


def blocks(page: str) -> list[Block]:
    found = BLOCK.findall(text(page))
    after = [*found[1:], ("", "")]
    return [Block(kind, content, after[i][1] if after[i][0] == "text" else "")
            for i, (kind, content) in enumerate(found)]  # fmt: skip


def run_here(command: str) -> tuple[int, str]:
    """Run a command in this process if it is one of netlearn; return its exit code and its output."""
    program, *arguments = shlex.split(command)
    if program != "netlearn" or {"|", ">", "&&"} & {*arguments}:
        return run_in_shell(command)
    result = call(*arguments)
    return result.exit_code, result.output


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", command], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )


def skeleton(line: str) -> str:
    """Return a line of output without what differs by machine and data: numbers, cells, what is in parentheses."""
    first = re.split(r"(?<=\S)  +", re.sub(r"^data: .*", "data:", line.strip()))[0]
    return re.sub(r"[\d.,]+", "#", re.sub(r"\(.*?\)", "()", first))


def check_output(shown: list[str], printed: str) -> None:
    """Check that each line that a page shows was printed, but for its numbers."""
    lines = {skeleton(line) for line in printed.splitlines()}
    missing = [line for line in shown if line != "..." and skeleton(line) not in lines]
    assert not missing, f"not printed: {missing}\nprinted: {printed}"


def run_in_shell(command: str) -> tuple[int, str]:
    """Run a command as a reader does; return its exit code and its output."""
    result = shell(command)
    return result.returncode, result.stdout + result.stderr


def follow(page: str, run: Callable[[str], tuple[int, str]]) -> str:
    """Do what a page shows, block by block, in the current folder, and return what its last Python block printed.

    Blocks that begin with a comment of a file's name are saved; the Python blocks of a page share their names.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    printed = ""
    for block in blocks(page):
        if file := FILE.match(block.content):
            Path(file[1]).write_text(block.content)
        elif block.kind == "console":
            for command, output in block.commands():
                if not command.startswith("make "):
                    exit_code, printed = run(command)
                    assert exit_code == 0, f"{command}\n{printed}"
                    check_output(output, printed)
        elif block.kind == "python" and not ("torch" in block.content and find_spec("torch") is None):
            with redirect_stdout(StringIO()) as stdout:
                exec(compile(block.content, page, "exec"), names)  # noqa: S102  the page's own code is what is tested
            printed = stdout.getvalue()
            check_output(block.output.splitlines(), printed)
    return printed
