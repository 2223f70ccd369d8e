"""How well trained networks do: scores over all examples, and McNemar's exact test between two networks."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.calibration import Calibration, calibrate
from netlearn.custom_cost import NO_COSTS, NamedCosts
from netlearn.datasets import Dataset, targets
from netlearn.errors import SettingsError
from netlearn.inspection.trained import check_data, load_network
from netlearn.optimizers import Penalty
from netlearn.predictions import Predictions, predict
from netlearn.runs import Run
from netlearn.runs.setup import training_part
from netlearn.text import html_table, printable

SPLITS = ("test", "validation", "train")
SIGNIFICANT = 0.05
SMALLEST = 1e-4  # p value that is printed; "< 0.0001" below


class ClassScores(msgspec.Struct, frozen=True, kw_only=True):
    """How well one class is recognized.

    Attributes:
        label: the class.
        examples: how many have this label.
        precision: fraction of the answers with this class that are correct; None if there are none.
        recall: fraction of the examples of this class that are recognized; None if there are none.
        f1: harmonic mean of the two, 2 TP / (2 TP + FP + FN); None if there are neither answers nor examples.
    """

    label: int
    examples: int
    precision: float | None
    recall: float | None
    f1: float | None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How well a run's network does on a part of a data set.

    Attributes:
        folder: of the run.
        weights: the file with the weights.
        data: the data set.
        split: "test", "validation" or "train".
        examples: how many there are.
        cost: mean cost per example, with the run's L2 term as in its summary.
        accuracy: fraction classified correctly.
        accuracy_interval: its 95 % confidence interval (Wilson's score interval).
        classes: the scores of each class.
        answer: whether the largest output is the probability that the answer is right.
        outputs: whether each output neuron, read as (a, 1 − a), gives the probability of its class.
    """

    folder: str
    weights: str
    data: str
    split: str
    examples: int
    cost: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    classes: tuple[ClassScores, ...]
    answer: Calibration
    outputs: Calibration

    def __repr__(self) -> str:
        """Return one line: what was evaluated, and how well it did."""
        low, high = self.accuracy_interval
        accuracy = f"accuracy {100 * self.accuracy:.2f} % (95 % interval {100 * low:.2f} to {100 * high:.2f})"
        return f"<Evaluation on {self.examples:,} {self.split} examples: {accuracy}, cost {self.cost:.4f}>"

    def _repr_html_(self) -> str:
        lines = [["class", "examples", "precision", "recall", "F1"]]
        for each in self.classes:
            scores = (
                "-" if score is None else f"{100 * score:.2f} %" for score in (each.precision, each.recall, each.f1)
            )
            lines.append([str(each.label), f"{each.examples:,}", *scores])
        return html_table(lines, [repr(self).strip("<>")])


class Evaluated(NamedTuple):
    """A run with its evaluation and the predictions behind it."""

    run: Run
    evaluation: Evaluation
    predictions: Predictions


def evaluate(
    runs: Sequence[Run], data: Dataset, split: str = "test", *, best: bool | None = None, costs: NamedCosts = NO_COSTS
) -> list[Evaluated]:
    """Evaluate the networks of runs on the same part of a data set.

    Args:
        runs: as `read_run` returns them.
        data: their data set, or any that fits their networks.
        split: one of `SPLITS`. The training examples of a run's own data are those that it was trained on.
        best: which weights, see `load_network`.
        costs: the user's own costs, whose code may be imported.

    Raises:
        RunError: a run diverged, has no such weights, or a file was changed.
        SettingsError: the data does not fit a network, the training examples of the runs differ, there is no such
            split, or a run's own cost must be given.
        CostError: a run's own cost cannot be loaded or fails its gradient check.
    """
    if split not in SPLITS:
        raise SettingsError(f"split {split}: must be {', '.join(SPLITS)}")
    evaluated = [_evaluate(run, data, split, best, costs) for run in runs]
    counts = sorted({each.evaluation.examples for each in evaluated})
    if len(counts) > 1:
        raise SettingsError(f"split {split}: must be the same examples in each run, not {counts[0]} and {counts[-1]}")
    return evaluated


def _evaluate(run: Run, data: Dataset, split: str, best: bool | None, costs: NamedCosts) -> Evaluated:
    check_data(run, data)
    if run.has_data(data):
        data = training_part(run.settings, data)
    network = load_network(run, best=best, costs=costs)
    predictions = predict(network, {"test": data.test, "validation": data.validation, "train": data.train}[split])
    correct = predictions.correct
    penalty = Penalty(run.settings.l2, run.settings.l1, run.results.data.train)
    evaluation = Evaluation(
        folder=printable(str(run.folder)),
        weights=run.weights_file(best=best),
        data=data.name,
        split=split,
        examples=len(correct),
        cost=predictions.cost + penalty.value(network.weights),
        accuracy=predictions.accuracy,
        accuracy_interval=wilson_interval(int(correct.sum()), len(correct)),
        classes=class_scores(predictions.confusion()),
        answer=calibrate(predictions.confidence, correct),
        outputs=calibrate(predictions.outputs, targets(predictions.examples.labels, network.sizes[-1]) > 0),
    )
    return Evaluated(run, evaluation, predictions)


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Return the scores of each class, from the counts of labels (rows) and answers (columns)."""
    labelled, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassScores(
            label=label,
            examples=int(labelled[label]),
            precision=_ratio(right, answered[label]),
            recall=_ratio(right, labelled[label]),
            f1=_ratio(2 * right, answered[label] + labelled[label]),
        )
        for label, right in enumerate(confusion.diagonal())
    )


def _ratio(count: np.int64, of: np.int64) -> float | None:
    return float(count / of) if of else None


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion (E. B. Wilson, 1927)."""
    from scipy.stats import binomtest  # noqa: PLC0415 (takes half a second to import)

    interval = binomtest(correct, n).proportion_ci(0.95, "wilson")
    return float(interval.low), float(interval.high)


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs on the same examples.

    Attributes:
        first, second: the run folders.
        only_first, only_second: how many examples only this run answers correctly.
        p: p value of McNemar's exact two-sided test; the null hypothesis is that both are equally good.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p: float

    def describe(self) -> str:
        """Return the result in one sentence."""
        test = f"McNemar's exact test, p {f'= {self.p:.2g}' if self.p >= SMALLEST else f'< {SMALLEST:.4f}'}"
        if self.p >= SIGNIFICANT:
            return (
                f"No significant difference between {self.first} and {self.second}: only the first is correct on "
                f"{self.only_first:,} examples, only the second on {self.only_second:,} ({test})."
            )
        ranked = sorted([(self.only_second, self.second), (self.only_first, self.first)])
        (fewer, worse), (more, better) = ranked
        return (
            f"{better} is significantly better than {worse}: only the former is correct on {more:,} examples, only "
            f"the latter on {fewer:,} ({test})."
        )


def disagreements(evaluated: Sequence[Evaluated]) -> tuple[Disagreement, ...]:
    """Return the result for each pair of runs that were evaluated on the same examples."""
    pairs = []
    for first, second in combinations(evaluated, 2):
        a, b = first.predictions.correct, second.predictions.correct
        only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
        pairs.append(
            Disagreement(
                first=first.evaluation.folder,
                second=second.evaluation.folder,
                only_first=only_first,
                only_second=only_second,
                p=mcnemar(only_first, only_second),
            )
        )
    return tuple(pairs)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p value of McNemar's exact test.

    If both are equally good, an example that only one answers correctly is like the toss of a fair coin (Q. McNemar,
    "Note on the sampling error of the difference between correlated proportions or percentages", 1947).
    """
    from scipy.stats import binomtest  # noqa: PLC0415 (takes half a second to import)

    tosses = only_first + only_second
    return float(binomtest(only_first, tosses).pvalue) if tosses else 1.0
