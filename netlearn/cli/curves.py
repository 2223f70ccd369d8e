"""`netlearn curves`: the learning curves of runs that exist."""

from pathlib import Path

import click

from netlearn.cli.options import PATH
from netlearn.cli.terminal import echo
from netlearn.comparison.curves import draw_curves


@click.command("curves")
@click.argument("folders", nargs=-1, required=True, type=PATH, metavar="RUN...")
def command(folders: tuple[Path, ...]) -> None:
    """Draw the learning curves of runs, as netlearn train does.

    The runs of a comparison have none until they are asked for; its folder stands for all runs in it. Writes
    curves.png and curves.svg to each run folder.
    """
    for folder in folders:
        for path in draw_curves(folder):
            echo(path)
