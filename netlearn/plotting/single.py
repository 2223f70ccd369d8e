"""Pictures of one thing: a run's learning curves, the book's neuron, a cost's equation, a network's probabilities."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.artist import Artist
from matplotlib.layout_engine import ConstrainedLayoutEngine

from netlearn.numerics import Array
from netlearn.plotting import scales, style
from netlearn.plotting.lines import add_key, draw, last_epoch, of_the_neuron
from netlearn.plotting.marks import BLUE, GREY, ORANGE, cost_styles, readable, short
from netlearn.plotting.scales import LONG
from netlearn.plotting.style import Figure, finish, plain
from netlearn.runs import Groups, selection
from netlearn.slowdown import PROBE_EXAMPLES

HIGHEST = 1.5  # |δ| in the picture: steeper costs leave it
PANEL = (2.6, 2.3)  # inches, of a panel with a curve of the theory
FRAMES, HELD = 75, 15  # while the neuron learns, and at the end before the animation starts again
PER_SECOND = 12
LABELS = {
    "output": "output a\n(0 is wanted)",
    "cost": "cost C",
    "gradient": "size of the gradient\n|∂C/∂b| = |∂C/∂w|",
}
COLUMNS = dict(zip(("output_error", "train_cost", "speed_1"), LABELS.values(), strict=True))  # of metrics.csv


def run_curves(metrics: Mapping[str, Array], updates_per_epoch: int, title: str, train_size: int) -> Figure:
    """Return the learning curves of one run, given the columns of its metrics.csv: cost above, accuracy below.

    They are drawn against updates on a log axis, which shows the first ones; from `LONG` epochs on against epochs,
    which shows overfitting.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    cost, accuracy = figure.subplots(2, 1, sharex=True)
    first = f" (its first {PROBE_EXAMPLES:,} examples)" if train_size > PROBE_EXAMPLES else ""
    long = metrics["epoch"][-1] >= LONG
    places = metrics["epoch" if long else "update"]
    for axes, quantity in ((cost, "cost"), (accuracy, "accuracy")):
        axes.plot(places, metrics[f"train_{quantity}"], color=BLUE, label=f"training set{first}", linewidth=2)
        axes.plot(places, metrics[f"validation_{quantity}"], "--", color=ORANGE, label="validation set", linewidth=2)
        plain(axes)
    cost.set_ylabel("mean cost per example")
    cost.set_ylim(bottom=min(0, *cost.get_ylim()))
    scales.percent_axis(accuracy, "classified correctly")
    if long:
        scales.epoch_axis((cost, accuracy), float(metrics["epoch"][-1]))
        later = np.concatenate([metrics[f"{part}_cost"][metrics["epoch"] >= 1] for part in ("train", "validation")])
        cost.set_ylim(min(0, 1.1 * later.min()), max(1e-9, 1.1 * later.max()))  # the first costs are much higher
        first_costs = " and ".join(f"{metrics[f'{part}_cost'][0]:.3g}" for part in ("train", "validation"))
        where: dict[str, Any] = {"xytext": (4, 2), "textcoords": "offset points", "xycoords": "axes fraction"}
        cost.annotate(f"↑ at the start {first_costs}", (0, 1), va="bottom", color=GREY, fontsize="small", **where)
    else:
        scales.update_axis((cost, accuracy), updates_per_epoch, int(metrics["update"][-1]))
    style.legend_below(figure, {str(line.get_label()): line for line in cost.get_lines()[:2]})
    return finish(figure, title)


def neuron(groups: Groups, title: str) -> Figure | None:
    """Return output, cost and size of the gradient of the book's single neuron against epochs."""
    if not of_the_neuron(groups):
        return None
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    last = last_epoch(groups)
    for axes, (column, label) in zip(figure.subplots(1, 3), COLUMNS.items(), strict=True):
        draw(axes, groups, column, against="epoch")
        if column == "train_cost":
            scales.log_axis(axes, f"{label}, log scale")  # costs of the two kinds differ much
        else:
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
        scales.epoch_axis([axes], last, 6)
    add_key(figure, groups, named=True)
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
        for cost, mark in cost_styles(curves).items():
            (line,) = axes.plot([], [], linestyle=mark.dashes, color=mark.colour, linewidth=2.5, label=cost)
            (dot,) = axes.plot([], [], "o", color=mark.colour, markersize=8)
            moving.append((curves[cost][quantity], line, dot))
    figure.suptitle(title, fontsize="medium")
    output = panels["output"]
    style.legend_below(figure, {str(line.get_label()): line for line in output.get_lines()[::2]})
    counter = output.text(0.97, 0.97, "", transform=output.transAxes, color=GREY, ha="right", va="top")
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
    """Return |δ| of the output neuron of the right class, (n,) for each cost, against its error 1 − a, (n,).

    Costs with the same curve share a panel, which has the curves of the others in grey.
    """
    same: dict[str, list[str]] = {}
    for name, delta in curves.items():
        first = next((one for one in same if np.allclose(curves[one], delta, atol=1e-6)), name)
        same.setdefault(first, []).append(name)
    columns = min(4, len(same))
    figure, panels, _ = style.tiled(len(same), PANEL, (0.4, 0.8), columns, sharex=True, sharey=True)
    for axes, (name, names) in zip(panels, same.items(), strict=True):
        for other in same:
            axes.plot(errors, curves[other], color="#cccccc", linewidth=1)
        mark = cost_styles(curves)[name]
        axes.plot(errors, curves[name], color=mark.colour, linestyle=mark.dashes, linewidth=2)
        heading = style.wrapped(", ".join(short(each, curves) for each in names), 11 * PANEL[0])
        axes.set_title(heading, fontsize="medium", loc="left", color=readable(mark.colour))
        plain(axes)
    panels[0].set_xlim(0, 1)
    panels[0].set_ylim(0, min(HIGHEST, 1.05 * max(float(delta.max()) for delta in curves.values())))
    figure.supxlabel("error e = 1 − a of the output neuron of the right class", fontsize="medium")
    figure.supylabel("gradient |δ|", fontsize="medium")
    return finish(figure, title)


def reliability(panels: Mapping[str, tuple[Array, str]], title: str) -> Figure:
    """Return a panel for each kind of forecast: the share that came true against p, above how many there are.

    A grey bar is the consistency band: where 95 % of the shares would be if each event happened with its p
    (J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams", 2007). Each kind has its bins,
    with columns for the mean of p, the share, the ends of the band and how many forecasts, and a line about them.
    """
    figure = Figure(figsize=(4.6 * len(panels), 5.6), layout=ConstrainedLayoutEngine(wspace=0.05))
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
    for (above, below), (name, (bins, text)) in zip(grid.T, panels.items(), strict=True):
        p, share, low, high, forecasts = bins.T
        outside = (share < low) | (share > high)
        (exact,) = above.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        band = above.vlines(p, low, high, color=GREY, alpha=0.45, linewidth=6)
        above.plot(p, share, color=BLUE, linewidth=1)
        (inside,) = above.plot(p[~outside], share[~outside], "o", color=BLUE, markersize=6)
        (outlier,) = above.plot(p[outside], share[outside], "D", color=ORANGE, markersize=6)
        for x, y, side, which in ((0.03, 0.95, "left", "above: more"), (0.97, 0.03, "right", "below: less")):
            where: dict[str, Any] = {"ha": side, "color": GREY, "fontsize": "small", "transform": above.transAxes}
            above.text(x, y, f"{which} often than p", **where)
        above.set_title(f"{name}\n{text}", fontsize="medium")
        below.bar(p, forecasts, width=0.05, color=BLUE)
        below.set_xlabel("output, as a probability p")
        above.set_xlim(0, 1)
        above.set_ylim(-0.02, 1.02)
        for axes in (above, below):
            plain(axes)
            axes.xaxis.set_major_formatter(scales.percent())
    grid[0, 0].yaxis.set_major_formatter(scales.percent())
    grid[0, 0].set_ylabel("how often it is so")
    scales.log_axis(grid[1, 0], "how many outputs,\nlog scale")
    probabilities = "95 % of dots, if outputs were probabilities"
    key = {"as often as p": exact, probabilities: band, "within": inside, "outside": outlier}
    style.legend_below(figure, key)
    return finish(figure, title)
