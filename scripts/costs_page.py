"""The page on the costs of the literature, docs/costs.md; all of its figures and verdicts are those of the runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np

from netlearn.cli.table import in_markdown
from netlearn.comparison.claims import Family, Pair, compare_pair, values_by_seed
from netlearn.comparison.compare import Comparison
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.findings import interval, percent, points, with_spread
from netlearn.comparison.statistics import Row, group
from netlearn.comparison.tasks import tasks_of
from netlearn.cost_profile import CURVE, ERRORS, profile, theory_curve
from netlearn.custom_cost import load_cost
from netlearn.plotting.single import theory_curves
from netlearn.plotting.style import render
from netlearn.runs import SUMMARY, Groups, read_run, write_whole
from netlearn.runs.setup import environment
from scripts.costs_picture import ranking

CONDITIONS: dict[str, tuple[str, dict[str, Any]]] = {  # the experiment of each comparison, and what it changes
    "large": ("costs", {}),
    "scaled": ("costs", {"initializer": "scaled"}),
    **{f"noise-{percent}": ("label-noise", {"label_noise": percent / 100}) for percent in (0, 20, 40, 60)},
}
NAMES = {"large": "large initial weights", "scaled": "scaled initial weights"} | {
    name: f"{name.partition('-')[2]} % wrong labels" for name in CONDITIONS if name.startswith("noise")
}
FACTORS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # of the learning rates that are tried, times the default
NEVER = 0.01  # recall of a class that was not learned
LOG, ABSOLUTE, GENERALIZED = "log-likelihood", "absolute-error", "generalized-cross-entropy"
MEASURES = {
    "early_accuracy": "early accuracy",
    "test_accuracy": "test accuracy",
    "calibration_error": "calibration error",
}

Rows: TypeAlias = Mapping[str, Mapping[str, Row]]  # by condition and cost


class Planned(NamedTuple):
    """A planned test: that one cost is better than another one in a measure, in the comparison of a condition."""

    condition: str
    measure: str
    better: str
    worse: str


ORDERINGS: dict[str, tuple[Planned, ...]] = {  # each published ordering, and the tests of its parts
    "Under label noise the absolute error is better than cross-entropy (Ghosh 2017)": (
        Planned("noise-60", "test_accuracy", ABSOLUTE, LOG),),
    "Generalized cross-entropy is between the two: better than cross-entropy under label noise, and easier to train "
    "than the absolute error (Zhang 2018)": (
        Planned("noise-60", "test_accuracy", GENERALIZED, LOG),
        Planned("noise-0", "test_accuracy", GENERALIZED, ABSOLUTE),
    ),
    "The square loss is as good as cross-entropy, or better (Hui 2020)": (
        Planned("scaled", "test_accuracy", "square-loss", LOG),),
    "From random weights the squared error of softmax outputs fails where cross-entropy does not (Golik 2013)": (
        Planned("large", "test_accuracy", LOG, "brier"),
        Planned("scaled", "test_accuracy", LOG, "brier"),
    ),
    "Squentropy is better calibrated than cross-entropy (Hui 2023)": (
        Planned("scaled", "calibration_error", "squentropy", LOG),),
    "The flat-spot fix learns faster than the quadratic cost (Fahlman 1988)": (
        Planned("large", "early_accuracy", "flat-spot", "quadratic"),
        Planned("scaled", "early_accuracy", "flat-spot", "quadratic"),
    ),
}  # fmt: skip
TESTS = tuple(test for tests in ORDERINGS.values() for test in tests)


def judge(test: Planned, groups: Groups, level: float) -> tuple[Pair | None, str]:
    """Return the pair of a test, and whether the ordering is reproduced by the rule of every comparison's claims."""
    diverged = {name for name, runs in groups.items() if any(run.diverged for run in runs)}
    pair = compare_pair(test.measure, test.better, test.worse, values_by_seed(groups, test.measure), level, diverged)
    if pair is None or not pair.claimed:
        return pair, "undecided"
    return pair, "reproduced" if pair.leader == test.better else "not reproduced"


def page(plans: Mapping[str, Experiment], runs: Path, pictures: Path, command: str) -> str:
    """Return the page that a command makes, and draw its pictures into a folder.

    `plans` has the comparison of each condition, whose runs are done and have a folder each below `runs`.
    """
    found = {name: msgspec.json.decode((runs / name / SUMMARY).read_bytes(), type=Comparison) for name in plans}
    groups = {
        condition: group([read_run(task.folder, task.variant) for task in tasks_of(plan, runs / condition)])
        for condition, plan in plans.items()
    }
    rows = {name: {row.variant: row for row in comparison.rows} for name, comparison in found.items()}
    order = [row.variant for row in sorted(found["scaled"].rows, key=lambda row: -(row.test_accuracy or 0))]
    curves = {name: theory_curve(load_cost(name), 10, CURVE) for name in order}
    theory = theory_curves(CURVE, curves, "The gradient of each cost at each error, from its equations")
    write_whole(pictures / "theory.png", render(theory, "png"))
    write_whole(pictures / "ranking.png", render(ranking(groups, order, MEASURES, NAMES), "png"))
    tried = ", ".join(f"{factor:g}" for factor in FACTORS)
    machine, first = environment(), plans["scaled"].variants[order[0]]
    noisy = plans["noise-60"].variants[order[0]]
    sizes = "784-" + "-".join(map(str, first.hidden)) + "-10"
    return f"""# Eleven costs, ranked

Made by `{command}` (data: {first.data}, {len(plans["scaled"].seeds)} seeds), with {machine["blas"]} on
{machine["cpu"]}.

Every cost trains the same network, {sizes} with sigmoid hidden neurons and plain gradient descent, for
{first.epochs} epochs, or with wrong labels for {noisy.epochs} epochs of {noisy.train_size:,} images. Runs with the
same seed start from identical weights. **This is no ResNet**: the papers train networks that are deeper by orders of
magnitude, with other optimizers, for much longer, on harder data. An ordering that is not reproduced here is not
refuted, and one that is reproduced is not confirmed for theirs. Figures are mean ± standard deviation over the
seeds; the costs, their equations and their sources are in `netlearn/costs.py` and `netlearn/literature.py`.

## What their equations say

![|δ| against the error, for each cost]({pictures.name}/theory.png)

The neuron is that of the right class; its error is 1 − a, and |δ| = |∂C/∂z| is the gradient that it receives. Each
panel has one curve in colour and those of the other costs in grey. At the right the neuron is badly wrong: costs
whose curves fall to 0 there learn slowly.

In the curves and in the table the other nine neurons have z = 0. Cross-entropy, square loss, log-likelihood and
squentropy share a curve: the first three have δ = a − y, each with its own kind of output, and squentropy differs
only in the neurons of the wrong classes. A proper score is smallest, on average, where the outputs are the
probabilities of the classes. `netlearn check COST` prints a row of this table, for your own cost too.

{_equations(order)}

## Learning rates

{tried} times the default of each cost were tried, in whole runs from a seed that is not
compared, and the rate with the best validation accuracy at the end was taken. The rates for wrong labels were chosen
with 40 % of the labels wrong. Validation and test labels are always right.

{_rates(plans, order)}

## Which learns fastest, and which ends best?

![The costs by five measures]({pictures.name}/ranking.png)

In each panel right is better. Test accuracies are on a log scale of the error, so that costs whose means differ by a
few tenths of a point are told apart even where another cost fails.

Early accuracy is the mean validation accuracy over the probes of the first epoch. An output is badly wrong if it is
more than 0.9 from its target; the table has the share of such outputs after the first epoch. The calibration error
takes the largest output as the probability that the answer is right, and leaves out what chance alone adds to it.

Costs are in the order of test accuracy from scaled weights. {_neighbours(rows["scaled"], order)}

That the quadratic cost ends level with cross-entropy from large weights, where [the README](../README.md) has 80
against 96 %, is due to the network: 30 hidden neurons instead of 100, so that the sums z start closer to 0 and fewer
outputs stay badly wrong. [Trained for 30 epochs](reproduction.md), the quadratic cost reaches 95 % with 30 hidden
neurons and 89 % with 100.

{_results(rows, order)}

## Wrong labels

Test accuracy after training with a share of the labels replaced by another class:

{_under_noise(rows, order, lambda row: with_spread(row.test_accuracy, row.test_spread))}

Early accuracy of the same runs. The rates chosen for wrong labels are small for most costs, so this says more about
the rate than about the cost:

{_under_noise(rows, order, lambda row: with_spread(row.early_accuracy, row.early_spread))}

{_without_a_class(groups)}

## Where cross-entropy wins, and where it does not

Each row compares ten costs with cross-entropy. A difference is named if it is claimed by the rule of every
comparison: where nothing differs, the probability of any claim at all is at most 4 %. (All looks at a comparison
share 5 %; this was the first, and the rest is kept for looks after [adding seeds](statistics.md#adding-seeds).)

{_conclusions(found)}

## Published orderings

These {len(TESTS)} tests were planned. They are paired t-tests, as in every comparison, each at the level
{Family(tests=len(TESTS)).level:.2g}, so that the probability of any wrong verdict is at most 4 %. Where a paper with
softmax outputs says cross-entropy, the cost is the log-likelihood here. A test whose interval includes 0 is
undecided, whatever the order of the means.

{_orderings(groups)}
"""


def _equations(order: Sequence[str]) -> str:
    deltas = (f"|δ| at {error:g}" for error in ERRORS)
    lines = [["cost", "output", *deltas, "when badly wrong", "value", "proper score"]]
    for name in order:
        cost = load_cost(name)
        each = profile(cost, 10)
        slow, bounded = "slow" if each.is_slow else "fast", "bounded" if each.is_bounded else "grows"
        figures = [f"{delta:.3f}" for delta in each.deltas]
        output, proper = type(cost.output).__name__.lower(), "yes" if each.is_proper else "no"
        lines.append([name, output, *figures, slow, bounded, proper])
    return in_markdown(lines)


def _rates(plans: Mapping[str, Experiment], order: Sequence[str]) -> str:
    shown = {"large": "large weights", "scaled": "scaled weights", "noise-40": "wrong labels"}
    lines = [["cost", "default", *shown.values()]]
    for name in order:
        default = load_cost(name).learning_rate
        edges = np.multiply(default, [min(FACTORS), max(FACTORS)])
        rates = [plans[condition].variants[name].learning_rate for condition in shown]
        marked = [f"{rate:g}{'†' if np.isclose(rate, edges, rtol=0.01).any() else ''}" for rate in rates]
        lines.append([name, f"{default:g}", *marked])
    table = in_markdown(lines)
    edge = "† the smallest or the largest rate that was tried: there may be a better one."
    return f"{table}\n\n{edge}" if "†" in table else table


def _results(rows: Rows, order: Sequence[str]) -> str:
    measures = ("early accuracy", "test accuracy", "badly wrong", "calibration error")
    lines = [["cost", *(f"{weights}: {what}" for weights in ("large", "scaled") for what in measures)]]
    for name in order:
        line = [name]
        for row in (rows[condition][name] for condition in ("large", "scaled")):
            line += [
                with_spread(row.early_accuracy, row.early_spread),
                with_spread(row.test_accuracy, row.test_spread),
                percent(row.stuck_after_epoch_1),
                with_spread(row.calibration_error, row.calibration_spread),
            ]
        lines.append(line)
    return in_markdown(lines)


def _neighbours(rows: Mapping[str, Row], order: Sequence[str]) -> str:
    """Return between how many neighbours of an order the seeds vary more than the means differ."""
    pairs = [(rows[one], rows[other]) for one, other in pairwise(order)]
    close = sum(
        abs((one.test_accuracy or 0) - (other.test_accuracy or 0)) < max(one.test_spread or 0, other.test_spread or 0)
        for one, other in pairs
    )
    what = f"Of {len(pairs)} pairs of neighbours {close} differ by less\nthan the standard deviation of one of them"
    return f"{what}: there the order means nothing."


def _under_noise(rows: Rows, order: Sequence[str], figure: Callable[[Row], str]) -> str:
    levels = [condition for condition in rows if condition.startswith("noise")]
    lines = [["cost", *(NAMES[condition] for condition in levels)]]
    lines += [[name, *(figure(rows[condition][name]) for condition in levels)] for name in order]
    return in_markdown(lines)


def _without_a_class(groups: Mapping[str, Groups]) -> str:
    """Return in how many runs of each cost a class is never answered, or hardly ever."""
    every = [(name, run) for condition in groups.values() for name, runs in condition.items() for run in runs]
    runs, gone = Counter(name for name, _ in every), Counter[str]()
    for name, run in every:
        recall = run.summary.recall if run.summary else ()
        gone[name] += any(share is not None and share < NEVER for share in recall)
    listed = ", ".join(f"{count} of {runs[name]} of {name}" for name, count in gone.most_common() if count)
    return f"Runs that recognize less than 1 % of a class, in all conditions: {listed or 'none'}."


def _conclusions(found: Mapping[str, Comparison]) -> str:
    """Return a table for each measure, what each comparison claims, and when an accuracy was reached."""
    parts = []
    for measure in ("early_accuracy", "test_accuracy"):
        lines = [["", "ahead of cross-entropy, by points", "behind it, by points", "cannot be told from it"]]
        lines += [[f"**{NAMES[name]}**", *_standings(each, measure)] for name, each in found.items()]
        parts.append(f"### {MEASURES[measure].capitalize()}\n\n{_in_lists(lines)}")
    speeds = "\n".join(f"- {NAMES[name].capitalize()}: {each.sentences[-1]}" for name, each in found.items())
    return "\n\n".join([*parts, f"### Updates to an accuracy\n\n{speeds}"])


def _standings(comparison: Comparison, measure: str) -> list[str]:
    """Return which costs are claimed to be ahead of the baseline, which behind it, and which neither."""
    baseline, ahead, behind, unclear = comparison.family.baseline, list[str](), list[str](), list[str]()
    pairs = [pair for pair in comparison.pairs if pair.measure == measure and baseline in pair.names]
    for pair in sorted(pairs, key=lambda pair: -pair.mean):
        other = pair.other if pair.leader == baseline else pair.leader
        place = ahead if other == pair.leader else behind
        (place if pair.claimed else unclear).append(f"{other} {points(pair.mean)}" if pair.claimed else other)
    return [", ".join(names) or "none" for names in (ahead, behind, unclear)]


def _in_lists(lines: list[list[str]]) -> str:
    """Return a table in Markdown whose cells are text, to the left."""
    return in_markdown(lines).replace("---:", "---")


def _orderings(groups: Mapping[str, Groups]) -> str:
    lines = [["published", "test", "difference in points", "p", "verdict"]]
    level = Family(tests=len(TESTS)).level
    for published, tests in ORDERINGS.items():
        for place, test in enumerate(tests):
            pair, verdict = judge(test, groups[test.condition], level)
            what = f"{test.better} better than {test.worse} in {MEASURES[test.measure]}, {NAMES[test.condition]}"
            difference, p = "-", "-"
            if pair is not None and pair.p is not None:
                sign = 1 if pair.leader == test.better else -1
                difference, p = f"{points(sign * pair.mean)} ({interval(pair, sign)})", f"{pair.p:.2g}"
                if verdict == "undecided" and pair.detectable is not None:
                    least = points(pair.detectable)
                    verdict += f": {pair.seeds} seeds cannot tell differences below {least} from chance"
            lines.append(["" if place else published, what, difference, p, verdict])
    return _in_lists(lines)
