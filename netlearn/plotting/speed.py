"""Pictures of learning speed: the slowdown itself, and how fast each layer learns."""

from collections.abc import Sequence

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
from netlearn.plotting.marks import DASHES, GREY, LABEL, LineStyle, readable, shades, short, variant_styles
from netlearn.plotting.style import Figure, finish, label_lines, plain
from netlearn.runs import Groups, Run, selection

MOST_LINES = 8  # of layers in one panel


def slowdown(groups: Groups, title: str) -> Figure | None:
    """Return learning speed, fraction of badly wrong outputs and the speed of each layer against updates."""
    if not measured(groups) or of_the_neuron(groups):
        return None
    shown = selection.select(groups)
    heights = (1, 0.8, 1.2) if fit_one_panel(shown) else (1, 0.8)
    figure = Figure(figsize=(8, 2.8 * sum(heights) + 0.4), layout="constrained")
    speed, wrong, *last = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    lines.share_update_axis((speed, wrong, *last), groups)
    scales.log_axis(speed, "learning speed, log scale\nΣ|δ| / Σ|a − y|")
    if any(run.settings.cost == "quadratic" for run in measured(groups)):
        speed.axhline(0.25, color=GREY, linewidth=1, linestyle=":")
        speed.annotate(
            "¼: at most with the quadratic cost, since σ'(z) ≤ ¼", (0.01, 0.25), color=GREY, fontsize="small",
            xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
    labels = draw(speed, groups, "learning_speed")
    speed.set_ylim(top=max(1.5, speed.get_ylim()[1]))
    label_lines(speed, labels)
    draw_badly_wrong(wrong, groups, log=len(shown) > lines.MOST_BANDS)
    for axes in last:
        plain(axes)
        scales.log_axis(axes, "speed of each layer, log scale\n‖∂C/∂b‖")
        labels = []
        for name, mark in variant_styles(shown).items():
            labels += draw_layers(axes, shown[name], mark, f"{mark.label(short(name, shown))}, ")
        label_lines(axes, labels)
    add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def layers(groups: Groups, title: str) -> Figure | None:
    """Return the mean speed of each layer in a panel for each variant, if one panel cannot hold them all."""
    title, groups = selection.titled(title, groups), selection.select(groups)
    if not measured(groups) or fit_one_panel(groups):
        return None
    figure, panels, _ = style.tiled(len(groups), (4.75, 2.5), (0, 1.2), 2, sharex=True, sharey=True)
    labels = []
    for axes, (name, mark) in zip(panels, variant_styles(groups).items(), strict=True):
        plain(axes)
        scales.log_axis(axes, "")
        labels.append(_draw_each_layer(axes, groups[name]))
        heading = style.wrapped(short(name, groups, 2 * LABEL), 2 * LABEL)
        axes.set_title(heading, fontsize="medium", color=readable(mark.colour), loc="left", pad=18)
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
