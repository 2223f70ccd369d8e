"""One neuron: its picture in a comparison, an animation for slides, and what costs do to it by their equations."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.artist import Artist

from netlearn.numerics import Array
from netlearn.plotting.lines import add_key, draw, of_the_neuron
from netlearn.plotting.marks import GREY, cost_styles, short
from netlearn.plotting.style import Figure, finish, label_ends, plain
from netlearn.runs import Groups, selection

HIGHEST = 1.5  # |δ| in the picture: steeper costs leave it
FRAMES, HELD = 75, 15  # while the neuron learns, and at the end before the animation starts again
PER_SECOND = 12
LABELS = {
    "output": "output a (0 is wanted)",
    "cost": "cost C",
    "gradient": "size of the gradient |∂C/∂b|",
}


def neuron(groups: Groups, title: str) -> Figure | None:
    """Return output, cost and size of the gradient of the book's single neuron against epochs."""
    if not of_the_neuron(groups):
        return None
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    columns = {
        "output_error": "output a\n(target 0)",
        "train_cost": "cost",
        "speed_1": "size of the gradient\n|∂C/∂b| = |∂C/∂w|",
    }
    for axes, (column, label) in zip(panels, columns.items(), strict=True):
        ends = draw(axes, groups, column, against="epoch")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        label_ends(axes, ends)
    panels[-1].set_xlabel("epochs")
    add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def animation(curves: Mapping[str, Mapping[str, Array]], title: str) -> FuncAnimation:
    """Return the animation of the curves, epochs + 1 values each, that `neuron_curves` returns for each cost.

    A frame shows what has happened up to its epoch, and nothing of what will.
    """
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    epochs = len(next(iter(curves.values()))["output"]) - 1
    panels = dict(zip(LABELS, figure.subplots(1, 3), strict=True))
    moving = []
    for quantity, axes in panels.items():
        plain(axes)
        axes.set_title(LABELS[quantity], fontsize="medium")
        axes.set_xlabel("epochs")
        axes.set_xlim(0, epochs * 1.02)
        axes.set_ylim(0, 1.06 * max(float(each[quantity].max()) for each in curves.values()))
        for cost, style in cost_styles(curves).items():
            (line,) = axes.plot([], [], linestyle=style.dashes, color=style.colour, linewidth=2.5, label=cost)
            (dot,) = axes.plot([], [], "o", color=style.colour, markersize=8)
            moving.append((curves[cost][quantity], line, dot))
    figure.suptitle(title, fontsize="medium")
    handles, labels = panels["output"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(curves), frameon=False)
    counter = panels["output"].text(
        0.97, 0.97, "", transform=panels["output"].transAxes, color=GREY, ha="right", va="top"
    )

    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the layout is the same in all frames, and takes longer than drawing one

    def show(epoch: int) -> list[Artist]:
        for values, line, dot in moving:
            line.set_data(np.arange(epoch + 1), values[: epoch + 1])
            dot.set_data([epoch], [values[epoch]])
        counter.set_text(f"epoch {epoch}")
        return [counter, *(line for _, line, _ in moving), *(dot for *_, dot in moving)]

    steps = dict.fromkeys(math.ceil(epochs * frame / FRAMES) for frame in range(FRAMES + 1))
    return FuncAnimation(figure, show, frames=[*steps, *[epochs] * HELD], interval=1000 / PER_SECOND, blit=False)


def save(movie: FuncAnimation, path: Path, on_frame: Callable[[int, int], object]) -> None:
    """Write an animation as the kind of file that the path's suffix names, .gif or .mp4.

    `on_frame` is called with the number of each frame, from 0, and with how many there are.
    """
    writer: AbstractMovieWriter = {".gif": PillowWriter, ".mp4": FFMpegWriter}[path.suffix](fps=PER_SECOND)
    movie.save(path, writer=writer, dpi=100, progress_callback=on_frame)


def theory_curves(errors: Array, curves: Mapping[str, Array], title: str) -> Figure:
    """Return |δ| of the output neuron of the right class against its error.

    Args:
        errors: 1 − a, from 0 to 1, (n,).
        curves: |δ| of each cost at them, (n,).
        title: of the picture.
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    plain(axes)
    styles = cost_styles(curves)
    for name, delta in curves.items():
        axes.plot(errors, delta, color=styles[name].colour, linestyle=styles[name].dashes, linewidth=1.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, min(HIGHEST, 1.05 * max(float(delta.max()) for delta in curves.values())))
    axes.set_xlabel("error e = 1 − a of the output neuron of the right class")
    axes.set_ylabel("gradient |δ|")
    label_ends(axes, [(float(delta[-1]), short(name, curves), styles[name].colour) for name, delta in curves.items()])
    return finish(figure, title)
