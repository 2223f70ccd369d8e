"""`netlearn predict`: what a trained network makes of people's own pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from netlearn.cli.options import BEST, COST, JSON, PATH, QUIET, RUN, Command, check_suffix
from netlearn.cli.progress import bar, tell
from netlearn.cli.table import aligned
from netlearn.cli.terminal import AS_JSON, asked, echo, echo_results
from netlearn.datasets import Appearance
from netlearn.datasets.pictures import MOST_BYTES, read_file
from netlearn.errors import NetlearnError, SettingsError
from netlearn.inspection.prediction import Prepared, appearance_of, draw_prepared, predict_pictures, prepare_file
from netlearn.inspection.trained import load_network, read_trained
from netlearn.plotting.marks import strongest
from netlearn.runs import write_whole


@click.command("predict", cls=Command)
@RUN
@click.argument("images", nargs=-1, required=True, type=PATH, metavar="IMAGE...")
@BEST
@COST
@click.option("--show", type=PATH, metavar="FILE", help="draw what the network saw, as .png or .svg.")
@QUIET
@JSON
@click.pass_context
def command(
    ctx: click.Context, folder: Path, images: tuple[Path, ...], best: bool | None, costs: tuple[str, ...],
    show: Path | None,
) -> None:  # fmt: skip
    """Classify pictures of digits with the trained network of a run.

    An IMAGE is a photo, a scan or a drawing of one digit (PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF), of any size,
    grey or colour, dark on light or light on dark; "-" reads one from stdin. It is prepared as the run's training
    images were, for MNIST: the ink is found, scaled to fit 20 × 20 pixels and centred by mass in 28 × 28. Where those
    fill their frame, the whole picture is scaled to their size.

    Prints each file, the answer and the two strongest outputs. A picture that cannot be read, or plainly shows no
    digit, is reported, the others are answered, and the exit code is 1. Any other picture, such as a letter, gets an
    answer, often a sure one: the network knows its own classes only.
    """
    check_suffix(show, "--show", ".png", ".svg")
    if show is not None and show.resolve() in {image.resolve() for image in images}:
        raise SettingsError(f"--show {show}: is one of the images: must be another file")
    (run,) = read_trained([folder])
    network = load_network(run, best=best, costs=dict.fromkeys(costs))
    appearance = appearance_of(run)
    if appearance.kind == "scenes":
        size = f"{appearance.width} × {appearance.height}"
        tell(f"{folder}: takes images of {size} pixels: each picture is scaled as a whole")
    prepared, refused = _prepare_all(images, appearance)
    predictions = predict_pictures(network, prepared, appearance)
    if show is not None and prepared:
        from netlearn.plotting.style import render  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

        write_whole(show, render(draw_prepared(prepared, predictions, f"What {folder} saw"), show.suffix[1:]))
        tell(f"picture: {show}")
    if prepared or asked(AS_JSON):
        results = {"folder": str(folder), "weights": run.weights_file(best=best), "predictions": predictions}
        rows = [[each.file, str(each.answer), strongest(np.array(each.outputs)), each.remark] for each in predictions]
        text = aligned([["", "answer", "strongest outputs", ""], *rows])
        echo_results(results | {"refused": refused}, text)
    for each in refused:
        echo(f"Error: {each['file']}: {each['error']}", err=True)
    ctx.exit(1 if refused else 0)


def _prepare_all(images: Sequence[Path], appearance: Appearance) -> tuple[list[Prepared], list[dict[str, str]]]:
    """Return what the network sees of each picture, and the files that were refused, each with its error."""
    prepared, refused = [], []
    for image in bar(iterable=images, unit=" images", leave=False):
        file = click.format_filename(image)
        try:
            content = sys.stdin.buffer.read(MOST_BYTES + 1) if file == "-" else read_file(image)
            prepared.append(prepare_file(file, content, appearance))
        except NetlearnError as error:
            refused.append({"file": file, "error": str(error)})
    return prepared, refused
