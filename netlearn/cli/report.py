"""`netlearn report`: the page of a comparison."""

import webbrowser
from pathlib import Path

import click

from netlearn.cli.options import COST, PATH, Command
from netlearn.cli.progress import note
from netlearn.cli.terminal import echo
from netlearn.comparison.existing import report
from netlearn.errors import SettingsError


@click.command("report", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=PATH, metavar="FOLDER...")
@click.option(
    "--out", type=PATH, metavar="FILE.html", help="file.  [default: report.html in the comparison's folder]"
)
@click.option("--open", "opened", is_flag=True, help="open the page in the browser.")
@COST
def command(folders: tuple[Path, ...], out: Path | None, opened: bool, costs: tuple[str, ...]) -> None:
    """Make the page of a comparison, report.html, to explore in a browser.

    It is one file that needs no network: the results, a neuron to play with, curves, gradients, a canvas to draw
    digits for the trained networks, mistakes and settings. FOLDER is a comparison, whose page is made again, or
    several are runs, which are compared as in netlearn compare RUN...; their page is runs/report.html.
    """
    if out is not None and out.suffix != ".html":
        raise SettingsError(f"--out {out}: must end in .html")
    path = report(folders, out, dict.fromkeys(costs))
    echo(path)
    if opened and not webbrowser.open(path.resolve().as_uri()):
        note(f"no browser found; open {path}")
