"""What the experiments of docs/cures.md gave, from their runs or the file of earlier ones, and what that answers."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
from matplotlib.lines import Line2D

from netlearn.comparison.analysis import analyse
from netlearn.comparison.compare import Comparison
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.findings import with_spread
from netlearn.comparison.statistics import group
from netlearn.comparison.tasks import is_done, tasks_of
from netlearn.plotting import drawing
from netlearn.plotting.pictures import DRAWN
from netlearn.plotting.style import legend_below, render
from netlearn.runs import SUMMARY, SUMS, Run, read_run
from scripts.recorded import load

EARLY = 500  # updates
UNTREATED = "quadratic"  # the variant of `cures` without a remedy
RECORDED = 500  # epochs of the norms that the book recorded
RINGS: dict[str, Any] = {"color": "black", "marker": "o", "markersize": 4, "fillstyle": "none", "linestyle": ""}
# error rates of fully connected networks on MNIST: network, source, error in %, experiment and variant most like it
PUBLISHED = (
    ("300 hidden, squared error", "LeCun's table", "4.7", "", ""),
    ("500-300 hidden, softmax, cross-entropy, weight decay", "LeCun's table", "1.53", "", ""),
    ("800 hidden, cross-entropy", "Simard 2003", "1.6", "", ""),
    ("ReLU", "Hinton 2012", "1.60", "", ""),
    ("ReLU, dropout", "Hinton 2012", "about 1.10", "best", "dropout"),
    ("three layers of 1024, dropout, logistic", "Srivastava 2014", "1.35", "", ""),
    ("three layers of 1024, dropout, ReLU", "Srivastava 2014", "1.25", "best", "dropout"),
    ("three layers of 1024, dropout, ReLU, max-norm", "Srivastava 2014", "1.06", "best", "dropout"),
    ("800 hidden, elastic deformations, squared error", "Simard 2003", "0.9", "simard", "quadratic"),
    ("800 hidden, elastic deformations, cross-entropy", "Simard 2003", "0.7", "simard", "cross-entropy"),
    ("800-800 hidden, elastic deformations, ReLU", "", "", "best", "elastic"),
)
Figures: TypeAlias = dict[str, dict[int, float]]  # by variant and seed, without runs that diverged


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The results of an experiment.

    Attributes:
        variants: the settings of each, without the data set.
        seeds: of each variant.
        comparison: the content of its summary.json.
        early: validation accuracy after `EARLY` updates, if it was probed there.
        last: validation accuracy after the last epoch.
        test: accuracy on the test set.
    """

    variants: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]
    comparison: Comparison
    early: Figures
    last: Figures
    test: Figures


def of_runs(experiment: Experiment, folder: Path) -> Results | None:
    """Return the results of an experiment, None if its runs are not all done."""
    tasks = tasks_of(experiment, folder)
    if not all(map(is_done, tasks)) or not (folder / SUMS).is_file():
        return None
    runs = [run for task in tasks if not (run := read_run(task.folder, task.variant)).problem]
    return Results(
        variants=variants_of(experiment),
        seeds=experiment.seeds,
        comparison=msgspec.json.decode((folder / SUMMARY).read_bytes(), type=Comparison),
        early=_by_variant(runs, lambda run: run.at_update("validation_accuracy", EARLY)),
        last=_by_variant(runs, lambda run: float(run.metrics["validation_accuracy"][-1])),
        test=_by_variant(runs, lambda run: run.summary.test_accuracy if run.summary else None),
    )


def stored(experiment: Experiment, path: Path) -> Results | None:
    """Return the results in a file, None if there are none of that experiment as it is now."""
    if not path.is_file():
        return None
    found = msgspec.json.decode(path.read_bytes(), type=Results)
    return found if (found.variants, found.seeds) == (variants_of(experiment), experiment.seeds) else None


def variants_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return the settings of each variant, without the data set, as JSON has them."""
    settings = msgspec.json.decode(msgspec.json.encode(experiment.variants))
    return {name: {key: value for key, value in own.items() if key != "data"} for name, own in settings.items()}


def _by_variant(runs: Sequence[Run], value: Callable[[Run], float | None]) -> Figures:
    found = {name: {run.settings.seed: value(run) for run in members} for name, members in group(runs).items()}
    return {
        name: {seed: figure for seed, figure in figures.items() if figure is not None}
        for name, figures in found.items()
    }


def conclusion(found: Results) -> list[str]:
    """Return the conclusion of the comparison and what is ahead in each seed, a line for each sentence."""
    return ["\n".join(f"- {sentence}" for sentence in [*found.comparison.sentences, *_ahead(found)])]


def _ahead(found: Results) -> list[str]:
    """Return what is ahead in each seed although no difference in test accuracy is claimed."""
    if any(claim.measure == "test_accuracy" for claim in found.comparison.claims):
        return []
    ahead: dict[str, list[str]] = {}
    for measure, figures in {"test accuracy": found.test, "validation accuracy at the end": found.last}.items():
        for name, own in figures.items():
            others = [figures[other] for other in figures.keys() - {name}]
            if others and all(own.get(seed, 0) > other.get(seed, 1) for other in others for seed in found.seeds):
                ahead.setdefault(name, []).append(measure)
    often = len(found.variants) ** (len(found.seeds) - 1)
    return [
        f"In each of {len(found.seeds)} seeds {name} is ahead of the others in {' and in '.join(measures)}; where "
        f"nothing differs, one variant is in 1 of {often:,} comparisons."
        for name, measures in ahead.items()
        if often > 1
    ]


def cures(found: Results) -> list[str]:
    """Return the order of the remedies, early and at the end, and which of them help."""
    return [
        f"**{when[0].upper()}{when[1:]}** in validation accuracy: {_order(figures)}. {_against(figures)}"
        for when, figures in ((f"after {EARLY} updates", found.early), ("at the end", found.last))
        if any(figures.values())
    ]


def rates(found: Results) -> list[str]:
    """Return the best learning rate of each cost, and with which rates one is better than the other's best."""
    means = {name: statistics.fmean(values.values()) for name, values in found.last.items() if values}
    costs: dict[str, dict[float, str]] = {}
    for name in means:
        settings = found.variants[name]
        costs.setdefault(settings["cost"], {})[settings["learning_rate"]] = name
    best = {cost: max(names, key=lambda rate: means[names[rate]]) for cost, names in costs.items()}
    said = [
        f"The best η of the {cost} cost is {rate:g}, with {spread(found.last[costs[cost][rate]])} at the end."
        for cost, rate in best.items()
    ]
    for cost, names in costs.items():
        for other in costs.keys() - {cost}:
            above = [rate for rate, name in names.items() if means[name] > means[costs[other][best[other]]]]
            listed = ", ".join(f"{rate:g}" for rate in sorted(above)) or "none"
            said.append(f"Values of η with which the {cost} cost is ahead of the {other} cost at its best: {listed}.")
    return [" ".join(said)]


ANSWERS: Mapping[str, Callable[[Results], list[str]]] = {"cures": cures, "rates": rates}  # others have a conclusion


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
    sides: dict[str, list[str]] = {side: [] for side in ("better in every seed", "worse in every seed", "neither")}
    base = figures[UNTREATED]
    for name, own in figures.items():
        seeds = own.keys() & base.keys()
        if name != UNTREATED and seeds:
            better, worse = (
                all(own[seed] > base[seed] for seed in seeds),
                all(own[seed] < base[seed] for seed in seeds),
            )
            side = "better in every seed" if better else "worse in every seed" if worse else "neither"
            sides[side].append(name)
    listed = "; ".join(f"{side}: {', '.join(names)}" for side, names in sides.items() if names)
    return f"Beside {UNTREATED}, {listed}."


def beside_the_book(runs: Sequence[Run]) -> list[str]:
    """Return the speed of each hidden layer, first and last, as a table beside the book's, and what it shows.

    The book recorded the norms before each of 500 epochs, of networks whose seed is not known.
    """
    lines = [["hidden layers", "layer", "update 0", "the book", f"update {RECORDED - 1}", "the book", "in our range"]]
    lines += [["---:"] * len(lines[0])]
    inside, figures, slower = 0, 0, []
    for members in group(runs).values():
        layers = len(members[0].settings.hidden)
        epochs = min(RECORDED, members[0].settings.epochs)
        book = np.array(load(f"norms_during_training_{layers}_layers"))[:epochs]
        ours = np.array(
            [[run.metrics[f"speed_{layer}"][: len(book)] for layer in range(1, layers + 1)] for run in members]
        )
        for layer, (recorded, speeds) in enumerate(zip(book.T, ours.transpose(1, 0, 2), strict=True), start=1):
            within = (speeds.min(axis=0) <= recorded) & (recorded <= speeds.max(axis=0))
            inside, figures = inside + within.sum(), figures + within.size
            ends = (f"{figure:.2g}" for at in (0, -1) for figure in (speeds[:, at].mean(), recorded[at]))
            lines.append([str(layers), str(layer), *ends, f"{within.sum()} of {within.size}"])
        first, last = ours[:, 0].mean(axis=0), ours[:, -1].mean(axis=0)
        at_start, at_end = (f"{float(f'{last[at] / first[at]:.2g}'):g}" for at in (0, -1))
        slower.append(
            f"of {layers} hidden layers {at_start} times at update 0, {at_end} times at update {epochs - 1}"
        )
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = (
        "Speed is the norm of ∂C/∂b of a layer over the 1,000 images, ours the mean of the seeds. Of the "
        f"{figures:,} norms that the book recorded, one for each hidden layer and update, {inside:,} lie between our "
        "lowest and our highest seed; its runs are not seeded."
    )
    return [f"The first hidden layer learns more slowly than the last: {'; '.join(slower)}.", table, said]


def drawn_beside_the_book(runs: Sequence[Run], title: str) -> bytes:
    """Return the picture `layers` of runs as a .png file, with the speeds that the book recorded as rings."""
    comparison = analyse(title, runs)
    with drawing():
        figure = DRAWN["layers"](comparison.groups, comparison.caption)
        if figure is None:
            raise ValueError("layers: too few to be drawn")
        for axes, members in zip(figure.axes, comparison.groups.values(), strict=False):  # an empty panel may follow
            book = np.array(load(f"norms_during_training_{len(members[0].settings.hidden)}_layers"))
            book = book[: members[0].settings.epochs]
            places = np.unique(np.geomspace(1, len(book), 25).astype(int)) - 1
            axes.plot(places, book[places], **RINGS)
        legend_below(figure, {"the book's hidden layers, one run": Line2D([], [], **RINGS)})
        return render(figure, "png")


def published(found: Mapping[str, Results]) -> str:
    """Return the last section of the page, with the errors of those experiments that are among the results."""
    rows = [
        [network, source, error and f"{error} %", *_errors_of(found, name, variant)]
        for network, source, error, name, variant in PUBLISHED
    ]
    lines = [["network", "source", "published", "ours", "lowest to highest seed", "variant"], ["---"] * 6, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"""## Published error rates on MNIST

Fully connected networks, errors on the test set. Ours are those of the variant that is most like the published
network; it has its own number of neurons and epochs, learns from 50,000 images, and takes 10,000 others to choose its
weights and settings. Where "ours" is empty, no variant is like that network.

{table}
"""


def _errors_of(found: Mapping[str, Results], name: str, variant: str) -> list[str]:
    errors = [100 * (1 - accuracy) for accuracy in found[name].test[variant].values()] if name in found else []
    if not errors:
        return ["not run yet" if name else "", "", f"`{name}`, {variant}" if name else ""]
    deviation = f" ± {statistics.stdev(errors):.2f}" if len(errors) > 1 else ""
    range_of = f"{min(errors):.2f} to {max(errors):.2f} %"
    return [f"{statistics.fmean(errors):.2f}{deviation} %", range_of, f"`{name}`, {variant}"]
