"""The choice among many variants: the best of each cost, made on seeds that are then not compared."""

import statistics
from collections import Counter
from collections.abc import Collection

import msgspec

from netlearn.runs import Groups, text_of, varied


class Choice(msgspec.Struct, frozen=True):
    """The best variant of each cost.

    Attributes:
        variants: the chosen ones.
        seeds: by which they were chosen.
        edges: their settings that lie at the edge of what was tried, such as "learning_rate=10 of quadratic".
    """

    variants: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    edges: tuple[str, ...] = ()


def choose_by_cost(groups: Groups, diverged: Collection[str]) -> Choice:
    """Choose the best variant of each cost on a third of the seeds, where every cost was tried with several others.

    The best has the highest mean of the best validation accuracy. The choice is empty where the variants are no such
    grid, or a cost has no finished run.

    """
    first = {name: runs[0].settings for name, runs in groups.items()}
    costs = Counter(settings.cost for settings in first.values())
    if len(costs) < 2 or min(costs.values()) < 2:
        return Choice()
    seeds = sorted({run.settings.seed for runs in groups.values() for run in runs})
    chosen_on = tuple(seeds[: max(1, len(seeds) // 3)])
    best: dict[str, tuple[float, str]] = {}
    for name, runs in groups.items():
        accuracies = [
            run.summary.best_validation_accuracy
            for run in runs
            if run.settings.seed in chosen_on and run.shortfall is None and run.summary is not None
        ]
        found = [accuracy for accuracy in accuracies if accuracy is not None]
        cost = first[name].cost
        if len(found) == len(chosen_on) and name not in diverged:
            best[cost] = max(best.get(cost, (-1.0, "")), (statistics.fmean(found), name), key=lambda each: each[0])
    if len(best) < len(costs) or len(seeds) < 2:
        return Choice()
    chosen = tuple(best[cost][1] for cost in costs)
    edges = [
        f"{setting}={text_of(value)} of {first[name].cost}"
        for setting, values in varied(first.values()).items()
        for name in chosen
        if len(values) > 2 and all(isinstance(each, int | float) for each in values)
        if (value := getattr(first[name], setting)) in {min(values), max(values)}
    ]
    return Choice(chosen, chosen_on, tuple(edges))
