"""The site: README.md and docs/ as pages with a search, the lab and a report among them: `make site`.

MkDocs takes one folder, whose links stay inside it. This puts the folder together in `build/site`, with the README as
its first page, and lets MkDocs write `site/`, strictly: a link to nothing is an error.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "site"
BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md")  # pages outside docs/ that others link
LINK = re.compile(r"(\]\()([^)#\s]*)(#[^)\s]*)?(\))")
EXAMPLE = ("compare", "--data=mnist-5k", "--seeds=3", "--epochs=3", "--quiet")  # of which the site has the report
LAB = "lab.html"


def moved(text: str, folder: Path) -> str:
    """Return a page with its links as they are in the site, where README.md and docs/ lie in one folder."""

    def link(match: re.Match[str]) -> str:
        before, target, anchor, after = match.group(1), match.group(2), match.group(3) or "", match.group(4)
        if not target or "://" in target:
            return match.group()
        path = (folder / target).resolve().relative_to(ROOT)
        if path.parts[0] == "docs":
            new = Path(*path.parts[1:])
        elif path.name in BESIDE or path.name == "LICENSE":
            new = Path(path.name)
        elif path.name == "README.md":
            new = Path("index.md")
        else:
            raise click.ClickException(f"{target}: must be a page or a file in docs/ to be linked in the site")
        return f"{before}{new.as_posix()}{anchor}{after}"

    return LINK.sub(link, text)


def gather() -> None:
    """Put the pages, their files, the lab and an example's report together."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    shutil.copy(ROOT / "LICENSE", SOURCE)
    pages = {ROOT / "README.md": "index.md"} | {ROOT / name: name for name in BESIDE}
    pages |= {path: path.name for path in (ROOT / "docs").glob("*.md")}
    for path, name in pages.items():
        (SOURCE / name).write_text(moved(path.read_text("utf-8"), path.parent), "utf-8")
    example = SOURCE.with_name("example")
    shutil.rmtree(example, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "netlearn", *EXAMPLE, "--out", str(example)], check=True)  # noqa: S603
    shutil.copy(example / "report.html", SOURCE / "example.html")


@click.command()
@click.argument("mkdocs", type=click.Path(path_type=Path, exists=True))
def main(mkdocs: Path) -> None:
    """Build the site with the program MKDOCS."""
    gather()
    command = [str(mkdocs), "build", "--strict", "--quiet", "--config-file", str(ROOT / "mkdocs.yml")]
    subprocess.run(command, check=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})  # noqa: S603
    (ROOT / "site" / "404.html").unlink()  # its links are right at the root of a server only


if __name__ == "__main__":
    main()
