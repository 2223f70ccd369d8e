"""The picture that ranks the costs of the literature in docs/costs.md."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from netlearn.comparison.claims import values_by_seed
from netlearn.numerics import Array
from netlearn.plotting.marks import cost_styles
from netlearn.plotting.style import Figure, finish, plain
from netlearn.runs import Groups

BASELINE = "cross-entropy"
ACCURACIES = (10, 20, 40, 60, 70, 80, 85, 90, 92, 94, 95, 96, 97, 98, 99)  # of which an axis shows some, in %
LEAST_ERROR = 0.01  # in %
MARGIN = 0.06  # of the width of a panel, beside its marks
GAP = 0.17  # of the width of a panel, between two ticks


def ranking(
    groups: Mapping[str, Groups], order: Sequence[str], measures: Mapping[str, str], conditions: Mapping[str, str]
) -> Figure:
    """Return a picture with a row for each cost and a panel for each measure: mean, lowest and highest seed.

    Right is better in each panel. Test accuracies are on a log scale of the error, which tells good costs apart even
    where another one fails.

    Args:
        groups: the runs of each condition, by cost.
        order: the costs from top to bottom.
        measures: their titles.
        conditions: their titles.
    """
    panels = (
        ("large", "early_accuracy"), ("large", "test_accuracy"), ("scaled", "test_accuracy"),
        ("noise-60", "test_accuracy"), ("scaled", "calibration_error"),
    )  # fmt: skip
    figure = Figure(figsize=(11.5, 5.2), layout="constrained")
    styles = cost_styles(order)
    for axes, (condition, measure) in zip(figure.subplots(1, len(panels), sharey=True), panels, strict=True):
        plain(axes)
        sign = -1 if measure == "calibration_error" else 1  # the errors are stored as negative numbers
        values = {
            name: [100 * sign * value for value in by_seed.values()]
            for name, by_seed in values_by_seed(groups[condition], measure).items()
        }
        for place, name in enumerate(order):
            if found := values[name]:
                axes.plot([min(found), max(found)], [place, place], color=styles[name].colour, linewidth=2)
                axes.plot(np.mean(found), place, "o", color=styles[name].colour)
        if found := values[BASELINE]:
            axes.axvline(float(np.mean(found)), color=styles[BASELINE].colour, linewidth=1, linestyle=":", zorder=0)
        axes.set_title(f"{measures[measure]}\n{conditions[condition]}", fontsize="small")
        scale = " (0 is best)" if sign < 0 else " (scale widens towards 100 %)" if measure == "test_accuracy" else ""
        axes.set_xlabel(f"%{scale}", fontsize="small")
        if sign < 0:
            axes.invert_xaxis()
        elif measure == "test_accuracy":
            _log_of_error(axes, [value for found in values.values() for value in found])
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    seeds = len(next(iter(groups["scaled"].values())))
    return finish(
        figure,
        f"Eleven costs from {seeds} seeds, ordered by test accuracy from scaled weights; right is better\n"
        f"point: mean; bar: lowest to highest seed; dotted line: mean of {BASELINE}",
    )


def _log_of_error(axes: Axes, values: Sequence[float]) -> None:
    """Give a horizontal axis of accuracies in % the scale of the logarithm of the error."""

    def forward(accuracy: Array) -> Array:
        return -np.log(np.maximum(100 - accuracy, LEAST_ERROR))

    axes.set_xscale("function", functions=(forward, lambda scaled: 100 - np.exp(-scaled)))
    low, high = forward(np.array([min(values), max(values)]))
    margin = MARGIN * max(high - low, 0.1)
    low, high = low - margin, high + margin
    axes.set_xlim(100 - np.exp(-low), 100 - np.exp(-high))
    ticks = list[int]()
    for accuracy in ACCURACIES:
        place = float(forward(np.array(accuracy)))
        if low <= place <= high and (not ticks or place - forward(np.array(ticks[-1])) > GAP * (high - low)):
            ticks.append(accuracy)
    axes.set_xticks(ticks, map(str, ticks))
    axes.minorticks_off()
