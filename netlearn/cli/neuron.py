"""`netlearn neuron`: the book's single neuron, as a table or as an animation for slides."""

import shutil
from pathlib import Path

import click

from netlearn.cli.options import PATH, QUIET, Command, check_suffix, remembered, setting
from netlearn.cli.progress import bar, tell
from netlearn.cli.table import aligned
from netlearn.cli.terminal import AS_JSON, echo_results
from netlearn.comparison.neuron import neuron_curves
from netlearn.errors import NetlearnError
from netlearn.numerics import Array
from netlearn.plotting import drawing
from netlearn.runs import temporary_of, writing

COSTS = ("quadratic", "cross-entropy")
ROWS = 6  # of the table, after the first


@click.command("neuron", cls=Command)
@click.option("--weight", type=float, default=2.0, show_default=True, metavar="W", help="initial weight.")
@click.option("--bias", type=float, default=2.0, show_default=True, metavar="B", help="initial bias.")
@click.option(
    "--learning-rate",
    type=setting("learning_rate"),
    default=0.15,
    show_default=True,
    metavar="X",
    help="step size η.",
)
@click.option(
    "--epochs", type=setting("epochs"), default=300, show_default=True, metavar="N", help="steps of gradient descent."
)
@click.option("--gif", type=PATH, metavar="FILE", help="write an animation as a .gif file.")
@click.option("--mp4", type=PATH, metavar="FILE", help="write an animation as an .mp4 file; needs ffmpeg.")
@QUIET
@remembered(AS_JSON, "--json", "as_json", text="print the curves as JSON, a value for each epoch.")
def command(
    weight: float, bias: float, learning_rate: float, epochs: int, gif: Path | None, mp4: Path | None
) -> None:
    """Train one neuron with both costs: input 1, desired output 0.

    From the default start, w = b = 2, the neuron is badly wrong: with the quadratic cost it hardly learns for 150
    epochs, with cross-entropy it learns at once. --weight 0.6 --bias 0.9 is the book's milder start.
    """
    check_suffix(gif, "--gif", ".gif")
    check_suffix(mp4, "--mp4", ".mp4")
    if mp4 is not None and shutil.which("ffmpeg") is None:
        raise NetlearnError(f"--mp4 {mp4}: needs ffmpeg, which is not installed; --gif needs nothing else")
    curves = neuron_curves(COSTS, weight, bias, learning_rate, epochs)
    plain = {cost: {name: values.tolist() for name, values in each.items()} for cost, each in curves.items()}
    echo_results(plain, _table(curves, epochs))
    for path in filter(None, (gif, mp4)):
        title = f"One neuron, start w = {weight:g}, b = {bias:g}, η = {learning_rate:g}"
        _draw(curves, title, path)
        tell(f"animation: {path}")


def _table(curves: dict[str, dict[str, Array]], epochs: int) -> str:
    """Return output, cost and gradient of each cost at a few epochs."""
    columns = [(cost, name, values) for cost, each in curves.items() for name, values in each.items()]
    shown = sorted({epochs * row // ROWS for row in range(ROWS + 1)})
    lines = [
        ["", *(cost if name == "gradient" else "" for cost, name, _ in columns)],
        ["epoch", *(name for _, name, _ in columns)],
        *([f"{epoch:5}", *(f"{values[epoch]:.4f}" for *_, values in columns)] for epoch in shown),
    ]
    return aligned(lines)


@drawing()
def _draw(curves: dict[str, dict[str, Array]], title: str, path: Path) -> None:
    from netlearn.plotting.single import animation, save  # noqa: PLC0415 (matplotlib is slow to import)

    temporary = temporary_of(path).with_suffix(path.suffix)
    with writing(path), bar(unit=" frames", leave=False) as drawn:

        def show(frame: int, frames: int) -> None:
            if not frame and drawn.disable:
                tell(f"drawing {frames} frames to {path}")
            drawn.total = frames
            drawn.update(frame + 1 - drawn.n)

        try:
            save(animation(curves, title), temporary, show)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
