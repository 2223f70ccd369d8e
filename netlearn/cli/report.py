"""`netlearn report`: the page of a comparison."""

import webbrowser
from pathlib import Path

import click

from netlearn.cli.options import COST, EXISTING, JSON, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import note
from netlearn.cli.terminal import echo_files
from netlearn.comparison.existing import report


@click.command("report", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="FOLDER...")
@click.option(
    "--out", type=PATH, metavar="FILE.html", help="file.  [default: report.html in the comparison's folder]"
)
@click.option("--open", "opened", is_flag=True, help="open the page in the browser.")
@COST
@QUIET
@JSON
def command(
    folders: tuple[Path, ...], out: Path | None, opened: bool, costs: tuple[str, ...], quiet: bool, as_json: bool
) -> None:
    """Make the page of a comparison, report.html, to explore in a browser.

    It is one file that needs no network: the results, a neuron to play with, curves, gradients, a canvas to draw
    digits for the trained networks, mistakes and settings. FOLDER is a comparison, whose page is made again, or
    several are runs, which are compared as in netlearn compare RUN...; their page is runs/report.html.
    """
    if out is not None:
        check_suffix(out, "--out", ".html")
    path = report(folders, out, dict.fromkeys(costs))
    echo_files([path], as_json=as_json)
    if opened and not webbrowser.open(path.resolve().as_uri()) and not quiet:
        note(f"no browser found; open {path}")
