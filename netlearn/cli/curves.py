"""`netlearn curves`: the learning curves of runs that exist."""

from pathlib import Path

import click

from netlearn.cli.options import EXISTING, JSON, QUIET, Command
from netlearn.cli.terminal import echo_files
from netlearn.comparison.curves import draw_curves


@click.command("curves", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="RUN...")
@QUIET
@JSON
def command(folders: tuple[Path, ...], quiet: bool, as_json: bool) -> None:
    """Draw the learning curves of runs, as netlearn train does.

    The runs of a comparison have none until they are asked for; its folder stands for all runs in it. Writes
    curves.png and curves.svg to each run folder.
    """
    echo_files((path for folder in folders for path in draw_curves(folder)), as_json=as_json)
