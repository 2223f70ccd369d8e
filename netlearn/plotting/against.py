"""Variants that differ in one numeric setting, drawn against that setting."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from netlearn.plotting.seeds import colours_of, finish, measured, short
from netlearn.plotting.style import DASHES, GREY, MARKS, Figure, literal, percent_axis, plain
from netlearn.runs import Groups, Run, varied
from netlearn.settings import Settings

FEWEST = 3  # values of the setting, in each line
LABELS = {  # the settings to draw against: the first one that fits, since others may be adjusted to it
    "train_size": "training examples", "learning_rate": "learning rate η", "l2": "λ of L2 regularization",
    "l1": "λ of L1 regularization", "dropout": "dropout", "max_norm": "max-norm", "momentum": "momentum μ",
    "beta1": "β₁", "beta2": "β₂", "epsilon": "ε", "batch_size": "mini-batch size",
    "halve_after": "halve after epochs", "patience": "patience", "epochs": "epochs",
}  # fmt: skip
NOT_LEARNED = ("probe_every", "track_test")
Points: TypeAlias = Mapping[float, Sequence[Run]]


def against(groups: Groups, title: str) -> Figure | None:
    """Return validation accuracy after epoch 1 and at the end against the setting in which the variants differ.

    There is a line for each combination of the settings that are not numbers, such as the cost, with a band over the
    seeds. Runs that diverged are left out.
    """
    found = _setting(groups)
    if found is None:
        return None
    setting, lines = found
    first_epoch = len({run.updates_per_epoch for run in measured(groups)}) == 1 and setting != "epochs"
    panels = {"after epoch 1": 1.0} if first_epoch else {}  # the epoch whose end is drawn
    panels["after the last epoch"] = np.inf
    figure = Figure(figsize=(4.2 * len(panels) + 1.6, 4.6), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (when, epoch) in zip(grid, panels.items(), strict=True):
        plain(axes)
        percent_axis(axes, "validation accuracy" if axes is grid[0] else "")
        lowest = _draw(axes, lines, epoch)
        _scale(axes, sorted({value for points in lines.values() for value in points}))
        axes.set_xlabel(LABELS[setting] + (", log scale" if axes.get_xscale() == "log" else ""))
        axes.set_title(when, fontsize="medium")
    grid[0].set_ylim(max(0.0, np.floor(20 * lowest) / 20 - 0.025), 1.01)
    if len(lines) > 1:
        figure.legend(
            *grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False,
            labelcolor="linecolor",
        )  # fmt: skip
    return finish(figure, title)


def _setting(groups: Groups) -> tuple[str, dict[str, Points]] | None:
    """Return the setting to draw against, and the runs of each line by its value."""
    variants = [runs[0].settings for runs in groups.values()]
    names = _told_apart(variants)
    for setting in LABELS:
        if len({getattr(settings, setting) for settings in variants}) < FEWEST:
            continue
        lines: dict[str, dict[float, Sequence[Run]]] = {}
        for runs, settings in zip(groups.values(), variants, strict=True):
            value = getattr(settings, setting)
            if isinstance(value, str):
                break
            points = lines.setdefault(_line(settings, names), {})
            if value in points:
                break
            points[float(value)] = runs
        else:
            if all(len(points) >= FEWEST for points in lines.values()):
                return setting, dict(lines)
    return None


def _told_apart(variants: Sequence[Settings]) -> list[str]:
    """Return the settings that tell lines apart: those that differ and are no numbers."""
    names = [name for name in varied(variants) if name not in NOT_LEARNED]
    return [name for name in names if len({str(_kind(getattr(each, name))) for each in variants}) > 1]


def _line(settings: Settings, names: Sequence[str]) -> str:
    """Return the name of the line that a variant belongs to, given the settings that tell lines apart."""
    values = {name: getattr(settings, name) for name in names}
    return ", ".join(str(value) if isinstance(value, str) else name for name, value in values.items())


def _kind(value: object) -> object:
    """Return a value as far as it distinguishes lines: numbers do not."""
    return "number" if isinstance(value, int | float) else value


def _draw(axes: Axes, lines: Mapping[str, Points], epoch: float) -> float:
    """Draw a line and a band for each entry; return the lowest value."""
    lowest = 1.0
    for number, (name, colour) in enumerate(colours_of(dict.fromkeys(lines, ())).items()):
        values = {value: [accuracy for run in runs if (accuracy := _accuracy(run, epoch)) is not None]
                  for value, runs in sorted(lines[name].items())}  # fmt: skip
        values = {value: accuracies for value, accuracies in values.items() if accuracies}
        places = list(values)
        mean = [float(np.mean(accuracies)) for accuracies in values.values()]
        axes.plot(
            places, mean, linewidth=2, color=colour, linestyle=DASHES[number % len(DASHES)],
            marker=MARKS[number % len(MARKS)][0], label=literal(short(name, lines)),
        )  # fmt: skip
        axes.fill_between(
            places, list(map(min, values.values())), list(map(max, values.values())), color=colour, alpha=0.18,
            linewidth=0,
        )  # fmt: skip
        lowest = min([lowest, *map(min, values.values())])
        if len(lines) == 1:
            for place, value in zip(places, mean, strict=True):
                axes.annotate(
                    literal(f"{100 * value:.2f} %"), (place, value), xytext=(6, -11), textcoords="offset points",
                    color=GREY, fontsize="small",
                )  # fmt: skip
    return lowest


def _accuracy(run: Run, epoch: float) -> float | None:
    """Return the validation accuracy at the end of an epoch, or in the last one; None if the run diverged before."""
    if not run.metrics or run.problem is not None:
        return None
    at = len(run.metrics["epoch"]) - 1 if epoch == np.inf else int(np.searchsorted(run.metrics["epoch"], epoch))
    return float(run.metrics["validation_accuracy"][at]) if at < len(run.metrics["epoch"]) else None


def _scale(axes: Axes, places: Sequence[float]) -> None:
    """Put a tick at each value, on a log axis where the values span a power of ten."""
    if min(places) > 0 and max(places) >= 10 * min(places):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(places)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
