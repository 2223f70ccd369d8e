"""Pictures of learning speed: the slowdown itself, and how fast each layer learns."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from netlearn.plotting import lines, scales, style
from netlearn.plotting.lines import (
    Labels,
    add_key,
    draw,
    draw_badly_wrong,
    draw_line,
    layers_of,
    measured,
    of_the_neuron,
)
from netlearn.plotting.marks import DASHES, GREY, LABEL, LineStyle, shades, short, variant_styles
from netlearn.plotting.style import Figure, finish, label_lines, plain
from netlearn.runs import Groups, Run, selection

MOST_LINES = 8  # of layers in one panel


def slowdown(groups: Groups, title: str) -> Figure | None:
    """Return learning speed, fraction of badly wrong outputs and the speed of each layer against updates.

    A learning speed of 1 throughout, as with cross-entropy, is left out.
    """
    if not measured(groups) or of_the_neuron(groups):
        return None
    shown = selection.select(groups)
    varies = not np.allclose(lines.values_from(0, groups, "learning_speed"), 1, atol=1e-3)
    heights = {"speed": 1.0} if varies else {}
    heights |= {"wrong": 0.8} | ({"layers": 1.2} if fit_one_panel(shown) else {})
    figure = Figure(figsize=(8, 2.8 * sum(heights.values()) + 0.8), layout="constrained")
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=[*heights.values()])
    panels = dict(zip(heights, grid.ravel(), strict=True))
    lines.share_update_axis([*panels.values()], groups)
    if varies:
        _draw_speed(panels["speed"], groups)
    draw_badly_wrong(panels["wrong"], groups, log=len(shown) > lines.MOST_BANDS)
    if "layers" in panels:
        plain(panels["layers"])
        scales.log_axis(panels["layers"], "speed of each layer, log scale\n‖∂C/∂b‖")
        labels = []
        for name, mark in variant_styles(shown).items():
            labels += draw_layers(panels["layers"], shown[name], mark, f"{mark.label(short(name, shown))}, ")
        label_lines(panels["layers"], labels)
    add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_speed(speed: Axes, groups: Groups) -> None:
    """Draw the learning speed, with its bound where a cost is quadratic."""
    scales.log_axis(speed, "learning speed\nΣ|δ| / Σ|a − y|\nlog scale")
    if any(run.settings.cost == "quadratic" for run in measured(groups)):
        speed.axhline(0.25, color=GREY, linewidth=1, linestyle=":")
        speed.annotate(
            "¼: at most with the quadratic cost, since σ'(z) ≤ ¼", (0.01, 0.25), color=GREY, fontsize="small",
            xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points", path_effects=style.HALO,
        )  # fmt: skip
    labels = draw(speed, groups, "learning_speed")
    speed.set_ylim(top=max(1.5, speed.get_ylim()[1]))
    label_lines(speed, labels)


def layers(groups: Groups, title: str) -> Figure | None:
    """Return the mean speed of each layer in a panel for each variant, if one panel cannot hold them all."""
    title, groups = selection.titled(title, groups), selection.select(groups)
    if not measured(groups) or fit_one_panel(groups):
        return None
    figure, panels, _ = style.tiled(len(groups), (4.75, 2.5), (0, 1.2), 2, sharex=True, sharey=True)
    labels = []
    for axes, (name, runs) in zip(panels, groups.items(), strict=True):
        plain(axes)
        scales.log_axis(axes, "")
        labels.append(_draw_each_layer(axes, runs))
        heading = style.wrapped(short(name, groups, 2 * LABEL), 2 * LABEL)
        axes.set_title(heading, fontsize="medium", loc="left", pad=18)
    for axes, own in zip(panels, labels, strict=True):
        lines.share_update_axis([axes], groups)
        label_lines(axes, own, inside=True)
        axes.tick_params(labelbottom=True, labelleft=True)
    mean = ", mean of the seeds" if max(map(len, groups.values())) > 1 else ""
    figure.supylabel(f"speed of each layer, log scale: ‖∂C/∂b‖{mean}", fontsize="medium")
    for axes in panels[:-2]:
        axes.set_xlabel("")
    return finish(figure, title)


def _draw_each_layer(axes: Axes, runs: Sequence[Run]) -> Labels:
    """Draw the mean speed of each layer, from the first in the darkest shade on, each in its dashes."""
    count = layers_of(runs)
    labels: Labels = []
    for layer, colour in enumerate(shades(runs[0].settings.cost, count), 1):
        places, (mean, *_) = lines.band(runs, f"speed_{layer}")
        line = axes.plot(places, mean, color=colour, linestyle=DASHES[(count - layer) % len(DASHES)], linewidth=1.8)
        labels += [(each, _layer(layer, count)) for each in line]
    return labels


def _layer(number: int, count: int) -> str:
    return "output layer" if number == count else f"layer {number}"


def draw_layers(axes: Axes, runs: Sequence[Run], mark: LineStyle, name: str = "") -> Labels:
    """Draw the speed of each layer, that of the output layer as the thickest line; return the lines, labelled."""
    count = layers_of(runs)
    labels: Labels = []
    for layer in range(1, count + 1):
        width = 2.2 * 0.62 ** (count - layer)
        line = draw_line(axes, runs, f"speed_{layer}", "update", mark, width=width)
        labels += [(each, f"{name}{_layer(layer, count)}") for each in line]
    return labels


def fit_one_panel(groups: Groups) -> bool:
    """Return whether one panel can hold the layers of all variants."""
    return sum(layers_of(runs) for runs in groups.values()) <= MOST_LINES
