"""Commands that make pages for a browser: `netlearn report` and `netlearn lab`."""

import webbrowser
from pathlib import Path

import click

from netlearn.cli.options import COST, EXISTING, JSON, OPEN, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import tell
from netlearn.cli.terminal import echo_files


@click.command("report", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="FOLDER...")
@click.option(
    "--out", type=PATH, metavar="FILE.html", help="file.  [default: report.html in the comparison's folder]"
)
@OPEN
@COST
@QUIET
@JSON
def report_command(folders: tuple[Path, ...], out: Path | None, opened: bool, costs: tuple[str, ...]) -> None:
    """Make the page of a comparison, report.html, to explore in a browser.

    It is one file that needs no network: the results, a neuron to play with, curves, gradients, a canvas to draw
    digits for the trained networks, mistakes and settings. FOLDER is a comparison, whose page is made again, or
    several are runs, which are compared as in netlearn compare RUN...; their page is runs/report.html.
    """
    from netlearn.comparison.outputs import report  # noqa: PLC0415 (imports everything, which takes half a second)

    check_suffix(out, "--out", ".html")
    _show(report(folders, out, dict.fromkeys(costs)), opened=opened)


@click.command("lab", cls=Command)
@click.argument("folder", required=False, type=EXISTING, metavar="[FOLDER]")
@click.option("--data", metavar="NAME|PATH", help="what they learn from.  [default: that of FOLDER, or mnist-5k]")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="a variant of FOLDER; give two.")
@click.option("--out", type=PATH, default="lab.html", metavar="FILE.html", help="file.  [default: lab.html]")
@OPEN
@QUIET
@JSON
def lab_command(folder: Path | None, data: str | None, variants: tuple[str, ...], out: Path, opened: bool) -> None:
    """Make the lab, a page in which two networks learn while you watch.

    They start from the same weights and see the same mini-batches; each has its own cost. The file holds 2,000
    training examples and needs no network, so it can be put on a web server or a USB stick for a class. With FOLDER,
    a comparison, both begin with the settings of its two variants.
    """
    from netlearn.api import lab  # noqa: PLC0415 (likewise)

    check_suffix(out, "--out", ".html")
    _show(lab(folder, data=data, variants=variants).save(out), opened=opened)


def _show(path: Path, *, opened: bool) -> None:
    """Print the path of a page, and open it in the browser if that was asked for."""
    echo_files([path])
    if opened and not webbrowser.open(path.resolve().as_uri()):
        tell(f"no browser found; open {path}")
