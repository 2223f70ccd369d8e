"""What each remedy does about the learning slowdown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from netlearn.plotting.seeds import colours_of, draw, finish, measured, share_update_axis, short
from netlearn.plotting.style import GREY, MARKS, Figure, label_ends, literal, percent_axis, plain
from netlearn.runs import Groups, Run, selection

LEVELS = (0.8, 0.9, 0.95)  # of validation accuracy


def cures(groups: Groups, title: str) -> Figure | None:
    """Return stuck outputs and validation accuracy against updates, beside the updates to 80, 90 and 95 %.

    It is drawn where the variants differ in their optimizers.
    """
    if len({run.settings.optimizer for run in measured(groups)}) < 2:
        return None
    figure = Figure(figsize=(13, 7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1), squeeze=False)[0]
    stuck, accuracy = left.subplots(2, 1, sharex=True)
    share_update_axis((stuck, accuracy), groups)
    percent_axis(stuck, "stuck outputs, |a − y| > 0.9")
    ends = draw(stuck, groups, "stuck")
    stuck.set_ylim(0, 1.1 * max(float(run.metrics["stuck"].max()) for run in measured(groups)))
    label_ends(stuck, ends)
    percent_axis(accuracy, "validation accuracy")
    label_ends(accuracy, draw(accuracy, groups, "validation_accuracy"))
    _draw_updates(right.subplots(), selection.select(groups))
    return finish(figure, selection.titled(title, groups, selection.IN_GREY))


def _draw_updates(axes: Axes, groups: Groups) -> None:
    """Draw the updates to each level, a row for each variant: the mean, from the fastest seed to the slowest."""
    plain(axes)
    axes.set_xscale("log")
    never = 2.5 * max(int(run.metrics["update"][-1]) for run in measured(groups))
    for row, (name, colour) in enumerate(colours_of(groups).items()):
        for number, level in enumerate(LEVELS):
            reached, runs = _updates_to(groups[name], level)
            style: dict[str, Any] = {"marker": MARKS[number][0], "color": colour, "markersize": 7}
            height = row + 0.22 * (number - 1)
            if len(reached) == runs:
                axes.plot([min(reached), max(reached)], [height, height], color=colour, linewidth=1.5)
                axes.plot(np.mean(reached), height, **style)
            else:
                axes.plot(never, height, **style, fillstyle="none")
                axes.annotate(
                    f"in {runs - len(reached)} of {runs}", (never, height), xytext=(7, 0), va="center",
                    textcoords="offset points", fontsize="x-small", color=colour, annotation_clip=False,
                )  # fmt: skip
    axes.set_yticks(range(len(groups)), [literal(short(name, groups)) for name in groups])
    axes.invert_yaxis()
    axes.axvline(never / 1.4, color=GREY, linewidth=0.8, linestyle=":")
    places = [10**power for power in range(1, 9) if 10**power < never / 4]
    axes.set_xticks([*places, never])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "never" if value == never else f"{value:,.0f}"))
    axes.set_xlabel("updates (mini-batches), log scale")
    keys = ", ".join(f"{MARKS[number][1]} {100 * level:.0f} %" for number, level in enumerate(LEVELS))
    axes.set_title(f"updates to a validation accuracy of {keys}", fontsize="medium", loc="right")


def _updates_to(runs: Sequence[Run], level: float) -> tuple[list[int], int]:
    """Return the updates of the runs that reached a level, and the number of all runs."""
    found = [run.updates_to(level) for run in runs]
    return [updates for updates in found if updates is not None], len(found)
