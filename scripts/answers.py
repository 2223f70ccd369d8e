"""What the figures of an experiment answer, in sentences; none of them knows the outcome beforehand."""

import statistics
from collections.abc import Callable, Mapping

from netlearn.comparison.findings import with_spread
from scripts.findings import EARLY, Figures, Findings

UNTREATED = "quadratic"  # the variant of `cures` without a remedy


def conclusion(found: Findings) -> list[str]:
    """Return the conclusion of the comparison."""
    return [found.comparison.conclusion]


def cures(found: Findings) -> list[str]:
    """Return the order of the remedies, early and at the end, and which of them help."""
    return [
        f"**{when[0].upper()}{when[1:]}** in validation accuracy: {_order(figures)}. {_against(figures)}"
        for when, figures in ((f"after {EARLY} updates", found.early), ("at the end", found.last))
        if any(figures.values())
    ]


def rates(found: Findings) -> list[str]:
    """Return the best learning rate of each cost, and with which rates one is better than the other's best."""
    means = {name: statistics.fmean(values.values()) for name, values in found.last.items() if values}
    costs: dict[str, dict[float, str]] = {}
    for name in means:
        settings = found.variants[name]
        costs.setdefault(settings["cost"], {})[settings["learning_rate"]] = name
    best = {cost: max(names, key=lambda rate: means[names[rate]]) for cost, names in costs.items()}
    said = [
        f"The best η of the {cost} cost is {rate:g}: {spread(found.last[costs[cost][rate]])}."
        for cost, rate in best.items()
    ]
    for cost, names in costs.items():
        for other in costs.keys() - {cost}:
            above = [rate for rate, name in names.items() if means[name] > means[costs[other][best[other]]]]
            listed = ", ".join(f"{rate:g}" for rate in sorted(above)) or "none"
            said.append(
                f"Of the rates of the {cost} cost, these are better than the best of the {other} cost: {listed}."
            )
    return [" ".join(said)]


ANSWERS: Mapping[str, Callable[[Findings], list[str]]] = {"cures": cures, "rates": rates}  # others have a conclusion


def spread(figures: Mapping[int, float]) -> str:
    """Return the mean ± standard deviation of accuracies by seed, "-" if there are none."""
    values = list(figures.values())
    if not values:
        return "-"
    return with_spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def _order(figures: Figures) -> str:
    means = {name: statistics.fmean(values.values()) for name, values in figures.items() if values}
    return ", ".join(f"{name} {spread(figures[name])}" for name in sorted(means, key=lambda name: -means[name]))


def _against(figures: Figures) -> str:
    """Return which variants are better than the untreated one in every seed, which worse, and which neither."""
    sides: dict[str, list[str]] = {"better": [], "worse": [], "neither": []}
    base = figures[UNTREATED]
    for name, own in figures.items():
        seeds = own.keys() & base.keys()
        if name != UNTREATED and seeds:
            better, worse = (
                all(own[seed] > base[seed] for seed in seeds),
                all(own[seed] < base[seed] for seed in seeds),
            )
            sides["better" if better else "worse" if worse else "neither"].append(name)
    listed = "; ".join(f"{side}: {', '.join(names) or 'none'}" for side, names in sides.items())
    return f"Compared with {UNTREATED} in every seed, {listed}."
