"""`netlearn weights`: what the neurons of a trained network respond to."""

from pathlib import Path

import click

from netlearn import datasets
from netlearn.cli.options import BEST, EXISTING, JSON, PATH, QUIET, Command
from netlearn.cli.progress import download_bar, note
from netlearn.cli.terminal import echo_files
from netlearn.inspection.files import draw_weights, write_files
from netlearn.inspection.trained import read_trained, results_of
from netlearn.runs.setup import initial_network


@click.command("weights", cls=Command)
@click.argument("folder", type=EXISTING, metavar="RUN")
@click.option("--data", metavar="NAME|PATH", help="data set with the size of the images.  [default: that of the run]")
@BEST
@click.option("--out", type=PATH, metavar="FOLDER", help="folder for the files.  [default: the run folder]")
@QUIET
@JSON
def command(folder: Path, data: str | None, best: bool | None, out: Path | None, quiet: bool, as_json: bool) -> None:
    """Draw the weights of the first layer as images, before and after training.

    Each image shows the weights from the pixels to one neuron: ink excites the neuron where the image is bright, and
    inhibits it where it is dark. Without hidden layers these are the output neurons. The initial weights are drawn
    again from the seed of the run and checked by their SHA-256. Writes weights.png and weights.svg.
    """
    (run,) = read_trained([folder])
    dataset = datasets.load(run.settings.data if data is None else data, None if quiet else download_bar)
    results = results_of(run)
    initial = initial_network(run.settings, results.sizes)
    repeated = initial.parameters.sha256() == results.initial_weights_sha256
    if not (repeated or quiet):
        note(f"{folder}: its initial weights are left out: seed {results.seed} gives other ones here (by SHA-256)")
    figure = draw_weights(run, dataset, initial if repeated else None, best=best)
    echo_files(write_files(run, out, {"weights": figure}), as_json=as_json)
