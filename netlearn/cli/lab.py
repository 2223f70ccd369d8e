"""`netlearn lab`: two networks that learn live in a page."""

import webbrowser
from pathlib import Path

import click

from netlearn.cli.options import EXISTING, JSON, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import note
from netlearn.cli.terminal import echo_files


@click.command("lab", cls=Command)
@click.argument("folder", required=False, type=EXISTING, metavar="[FOLDER]")
@click.option("--data", metavar="NAME|PATH", help="what they learn from.  [default: that of FOLDER, or mnist-5k]")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="a variant of FOLDER; give two.")
@click.option("--out", type=PATH, default="lab.html", metavar="FILE.html", help="file.  [default: lab.html]")
@click.option("--open", "opened", is_flag=True, help="open the page in the browser.")
@QUIET
@JSON
def command(
    folder: Path | None,
    data: str | None,
    variants: tuple[str, ...],
    out: Path,
    opened: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make the lab, a page in which two networks learn while you watch.

    They start from the same weights and see the same mini-batches; each has its own cost. The file holds 2,000
    training examples and needs no network, so it can be put on a web server or a USB stick for a class. With FOLDER,
    a comparison, both begin with the settings of its two variants.
    """
    from netlearn.api.lab_page import lab  # noqa: PLC0415 (imports everything, which takes half a second)

    check_suffix(out, "--out", ".html")
    page = lab(folder, data=data, variants=variants)
    echo_files([page.save(out)], as_json=as_json)
    if opened and not webbrowser.open(out.resolve().as_uri()) and not quiet:
        note(f"no browser found; open {out}")
