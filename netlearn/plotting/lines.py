"""Pictures of lines: what was measured against updates or epochs, with a band over the seeds of each variant."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from netlearn.custom_cost import short_name
from netlearn.numerics import Array
from netlearn.plotting import scales, style
from netlearn.plotting.marks import GREY, LABEL, LineStyle, cost_styles, short, variant_styles
from netlearn.plotting.scales import LONG
from netlearn.plotting.style import Figure, finish, label_lines, plain
from netlearn.runs import GROWTH, Groups, Run, selection
from netlearn.slowdown import PROBE_EXAMPLES

Labels: TypeAlias = list[tuple[Line2D, str]]
MOST_BANDS = 3  # of variants in one panel; more have bars
MOST_MARKED = 12  # places of a line


def measured(groups: Groups) -> list[Run]:
    """Return the runs that have metrics."""
    return [run for group in groups.values() for run in group if run.metrics]


def of_the_neuron(groups: Groups) -> bool:
    """Return whether there are measured runs, and all are of the book's single neuron."""
    runs = measured(groups)
    return bool(runs) and all(run.settings.data == "neuron" and not run.settings.hidden for run in runs)


def layers_of(runs: Sequence[Run]) -> int:
    """Return the number of layers of a variant."""
    return max(sum(column.startswith("speed_") for column in run.metrics) for run in runs)


def share_update_axis(panels: Sequence[Axes], groups: Groups) -> None:
    """Give panels, one below the other, a common log axis of updates."""
    runs = measured(groups)
    last = max(int(run.metrics["update"][-1]) for run in runs)
    lengths = {run.updates_per_epoch for run in runs}
    scales.update_axis(panels, lengths.pop() if len(lengths) == 1 else None, last)


def last_epoch(groups: Groups) -> float:
    """Return the epoch at which the longest run ended."""
    return max((float(run.metrics["epoch"][-1]) for run in measured(groups)), default=0.0)


def against_epochs(groups: Groups) -> bool:
    """Return whether the axis is one of epochs: of long runs, whose epochs have the same length.

    Epochs show what happens late, such as overfitting, and updates on a log axis what happens in the first ones.
    """
    return last_epoch(groups) >= LONG and len({run.updates_per_epoch for run in measured(groups)}) == 1


def share_axis(panels: Sequence[Axes], groups: Groups) -> str:
    """Give panels, one below the other, an axis of epochs or updates, see `against_epochs`; return its column."""
    if not against_epochs(groups):
        share_update_axis(panels, groups)
        return "update"
    scales.epoch_axis(panels, last_epoch(groups))
    return "epoch"


def values_from(epoch: int, groups: Groups, column: str) -> Array:
    """Return the finite values of a column in all runs from the end of an epoch on."""
    values: Array = np.concatenate([run.metrics[column][run.metrics["epoch"] >= epoch] for run in measured(groups)])
    return values[np.isfinite(values)]


def band(runs: Sequence[Run], column: str, against: str = "update") -> tuple[Array, Array]:
    """Return where a column was measured, (n,), and its mean, lowest and highest value over the seeds, (3, n)."""
    values: dict[float, list[float]] = {}
    for run in runs:
        nothing = np.empty(0)
        for place, value in zip(run.metrics.get(against, nothing), run.metrics.get(column, nothing), strict=False):
            if np.isfinite(value):
                values.setdefault(float(place), []).append(float(value))
    places = sorted(values)
    figures = [(np.mean(values[place]), min(values[place]), max(values[place])) for place in places]
    return np.array(places), np.array(figures, np.float64).reshape(-1, 3).T


def draw(axes: Axes, groups: Groups, column: str, against: str = "update") -> Labels:
    """Draw a line and a band for each variant; return the lines with their labels.

    Of many variants the best, the median and the worst are drawn so, above thin lines of the others.
    """
    plain(axes)
    labels: Labels = []
    shown = selection.select(groups)
    if shown is not groups:
        _draw_thin(axes, groups, column, against)
    for place, (name, mark) in enumerate(variant_styles(shown).items()):
        line = draw_line(axes, shown[name], column, against, mark, bars=bars_at(place, shown))
        labels += [(each, mark.label(short(name, shown, 2 * LABEL))) for each in line]
    return labels


def bars_at(place: int, groups: Groups) -> tuple[int, int] | None:
    """Return what `draw_line` takes as `bars` for one of these variants: None where they are few enough for bands."""
    return (place, len(groups)) if len(groups) > MOST_BANDS else None


def draw_line(
    axes: Axes, runs: Sequence[Run], column: str, against: str, mark: LineStyle, *, width: float = 2.0,
    bars: tuple[int, int] | None = None,
) -> list[Line2D]:  # fmt: skip
    """Draw the mean of a column over a variant's seeds, in a band from the lowest to the highest; return the line.

    Many lines have bars at a few places instead of bands, which do not meet those of the others: `bars` is the place
    of the line among them, and their number. What a log axis cannot show, a mean or an end of 0, is left out.
    """
    places, (mean, lowest, highest) = band(runs, column, against)
    if axes.get_yscale() == "log":
        mean = np.where(mean > 0, mean, np.nan)
        lowest = np.where(lowest > 0, lowest, mean)
    line: dict[str, Any] = {"color": mark.colour, "linestyle": mark.dashes, "linewidth": width}
    if mark.marker and np.isfinite(mean).any():
        line |= {"marker": mark.marker, "markersize": 5, "markevery": 1 / MOST_MARKED}  # of the panel, along the line
    if not places.size:
        return []
    if bars is None:
        axes.fill_between(places, lowest, highest, color=mark.colour, alpha=0.18, linewidth=0)
        return axes.plot(places, mean, **line)
    between = max(1, len(places) // MOST_MARKED)  # places from one marker to the next
    step = between * max(1, math.ceil(min(bars[1], len(places) // 3) / between))
    first = bars[0] * step // bars[1]
    line["markevery"] = first % between, between
    errors = np.maximum(0, (mean - lowest, highest - mean))
    line |= {"errorevery": (first, step), "elinewidth": 1.2, "capsize": 2}
    return [axes.errorbar(places, mean, errors, **line).lines[0]]


def _draw_thin(axes: Axes, groups: Groups, column: str, against: str) -> None:
    """Draw the mean of each of many variants as a thin line, in the colour of its cost; of very many, some."""
    some = list(groups.values())[:: -(-len(groups) // selection.MOST_GREY)]
    costs = cost_styles(runs[0].settings.cost for runs in groups.values())
    curves = [band(runs, column, against) for runs in some]
    lines = [np.stack([places, mean], axis=1) for places, (mean, *_) in curves]
    opacity = min(0.5, max(0.15, 20 / len(lines)))
    colours = [costs[runs[0].settings.cost].colour for runs in some]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.6, alpha=opacity, zorder=0.9))
    axes.autoscale_view()


def add_key(
    figure: Figure, groups: Groups, more: Mapping[str, Artist] | None = None,
    *, thin: bool = True, named: bool = False,
) -> None:  # fmt: skip
    """Add what labels leave out: learning rates where they differ, names of the few shown of many, bands, and more.

    Of many variants the thin lines, if there are any, are explained by their cost. All that is shown is `named` where
    lines have no labels.
    """
    shown = selection.select(groups)
    styles = variant_styles(shown)
    differ = len({runs[0].settings.learning_rate for runs in groups.values()}) > 1
    entries: dict[str, Artist] = {**(more or {})}
    differ &= not all(names_its_rate(name, runs) for name, runs in shown.items())
    if named or differ or shown is not groups:
        for name, text in described(groups).items():
            mark = styles[name]
            entries[text] = Line2D([], [], color=mark.colour, linestyle=mark.dashes, marker=mark.marker, linewidth=2)
    if shown is not groups and thin:
        for cost, mark in cost_styles(runs[0].settings.cost for runs in groups.values()).items():
            entries[f"the others, {short_name(cost)}"] = Line2D([], [], color=mark.colour, linewidth=0.8)
    style.legend_below(figure, entries | key_of_seeds(shown, bars=len(shown) > MOST_BANDS))


def key_of_seeds(groups: Groups, *, bars: bool = False) -> dict[str, Artist]:
    """Return what a legend says of the seeds: how far from each other their lowest and highest values are."""
    if max(map(len, groups.values())) < 2:
        return {}
    if bars:
        return {"bar: lowest to highest seed": Line2D([], [], color=GREY, marker="|", markersize=9, linestyle="")}
    return {"band: lowest to highest seed": Patch(color=GREY, alpha=0.25, linewidth=0)}


def titles(groups: Groups) -> dict[str, str]:
    """Return the name of each variant shown as a heading has room for it, of many variants also its place."""
    shown = selection.select(groups)
    return described(groups) if shown is not groups else {name: short(name, shown, 2 * LABEL) for name in shown}


def described(groups: Groups) -> dict[str, str]:
    """Return what a legend says of each variant shown: its learning rate, or of many variants its place and name."""
    shown = selection.select(groups)
    accuracies, names = selection.ranked(groups), selection.chosen(groups)
    if names:
        return {word: f"{word}, {100 * accuracies[name]:.2f} %: {name}" for word, name in names.items()}
    return {
        name: name if names_its_rate(name, runs) else f"{name}: η = {runs[0].settings.learning_rate:g}"
        for name, runs in shown.items()
    }


def names_its_rate(name: str, runs: Sequence[Run]) -> bool:
    """Return whether the name of a variant has its learning rate."""
    rate = runs[0].settings.learning_rate
    return any(f"{before}{rate:g}" in name for before in ("η = ", "learning_rate="))


def plot_column(axes: Axes, groups: Groups, column: str) -> None:
    """Draw a column of metrics.csv against updates or epochs, with everything that the axes need to be read."""
    if column == "stuck":
        share_update_axis([axes], groups)
        return draw_badly_wrong(axes, groups)
    labels = draw(axes, groups, column, share_axis([axes], groups))
    name = column.replace("_", " ")
    axes.set_ylabel(name)
    if column.endswith("accuracy"):
        scales.percent_axis(axes, name)
    return label_lines(axes, labels)


def curves(groups: Groups, title: str) -> Figure | None:
    """Return validation accuracy and training cost; costs that grow without bound are cut off.

    A single neuron has no accuracy, and a picture of its own.
    """
    if not measured(groups) or of_the_neuron(groups):
        return None
    figure = Figure(figsize=(8, 6.8), layout="constrained")
    accuracy, cost = figure.subplots(2, 1, sharex=True)
    own = ("cost", len({run.settings.cost for run in measured(groups)})), ("penalty", len(penalties(groups)))
    differ = " and ".join(what for what, count in own if count > 1)
    penalty = "with the penalty on weights" if any(map(any, penalties(groups))) else ""
    whose = f"each variant has its own {differ}" if differ else ",\n".join(filter(None, [probed(groups), penalty]))
    scales.log_axis(cost, f"training cost, log scale\n({whose})" if whose else "training cost, log scale")
    against = share_axis((accuracy, cost), groups)
    draw_accuracy(accuracy, groups, against)
    labels = draw(cost, groups, "train_cost", against)
    costs = values_from(int(against == "epoch"), groups, "train_cost")
    bottom = 0.85 * costs[costs > 0].min(initial=math.inf)
    top = min(
        1.2 * costs.max(initial=0), GROWTH * max(float(run.metrics["train_cost"][0]) for run in measured(groups))
    )
    if 0 < bottom < top and (against == "epoch" or top < cost.get_ylim()[1]):
        cost.set_ylim(bottom, top)
    label_lines(cost, labels)
    add_key(figure, groups)
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def with_gap(run: Run) -> Run:
    """Return a run with how far its test cost is above its training cost, in which a penalty cancels."""
    metrics = run.metrics
    gap = {"gap": metrics["test_cost"] - metrics["train_cost"]} if "test_cost" in metrics else {}
    return replace(run, metrics=metrics | gap)


def penalties(groups: Groups) -> set[tuple[float, float]]:
    """Return the regularization of the variants, L2 and L1, which their costs include."""
    return {(run.settings.l2, run.settings.l1) for run in measured(groups)}


def probed(groups: Groups) -> str:
    """Return of which training examples costs and accuracies are, "" if of all."""
    largest = max((run.summary.data.train for run in measured(groups) if run.summary), default=0)
    return f"first {PROBE_EXAMPLES:,} training examples" if largest > PROBE_EXAMPLES else ""


def draw_accuracy(axes: Axes, groups: Groups, against: str = "update") -> None:
    """Draw the validation accuracy, against epochs from that after the first one on."""
    labels = draw(axes, groups, "validation_accuracy", against)
    lowest = values_from(1, groups, "validation_accuracy").min(initial=1) if against == "epoch" else 0.0
    ends = [float(np.asarray(line.get_ydata())[-1]) for line, _ in labels]
    scales.accuracy_axis(axes, "validation accuracy", ends, float(lowest))
    label_lines(axes, labels)


def draw_badly_wrong(axes: Axes, groups: Groups, *, log: bool = False) -> None:
    """Draw the fraction of badly wrong outputs."""
    name = "badly wrong outputs\n|a − y| > 0.9"
    fractions = values_from(0, groups, "stuck")
    zero = "" if fractions.all() else "; 0 % is not drawn"
    top = max(0.05, 1.1 * fractions.max(initial=0))
    if log:
        scales.log_axis(axes, f"{name}\nlog scale{zero}")
        axes.yaxis.set_major_formatter(scales.percent())
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        scales.percent_axis(axes, name)
    labels = draw(axes, groups, "stuck")
    axes.set_ylim(0.7 * fractions[fractions > 0].min(initial=top) if log else 0, top)
    label_lines(axes, labels)
