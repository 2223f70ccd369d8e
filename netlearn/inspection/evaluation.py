"""How well a trained network does: its answer to each example, and scores over all of them."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import Dataset, Examples, Labels
from netlearn.errors import SettingsError
from netlearn.inspection.trained import check_fit, load_network, results_of, weights_file
from netlearn.network import Network
from netlearn.numerics import Array, numerics
from netlearn.penalty import Penalty
from netlearn.plotting.answers import Answer
from netlearn.runs import Run
from netlearn.runs.identity import of_data
from netlearn.slowdown import answers, outputs
from netlearn.text import html_table, printable

SPLITS = ("test", "validation", "train")


@dataclass(frozen=True)
class Predictions:
    """The outputs of a network for some examples.

    Attributes:
        examples: the examples, n rows.
        outputs: activations of the output layer, (n, n_out).
        answers: the class that the network gives, (n,).
        costs: cost of each example, (n,).
        cost: their mean.
    """

    examples: Examples
    outputs: Array
    answers: Labels
    costs: Array
    cost: float

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer is the label, (n,)."""
        correct: NDArray[np.bool_] = self.answers == self.examples.labels
        return correct

    def worst(self, most: int) -> list[Answer]:
        """Return at most `most` wrong answers, those with the largest cost first."""
        wrong = np.flatnonzero(~self.correct)
        return self.select(wrong[np.argsort(-self.costs[wrong], kind="stable")[:most]])

    def select(self, indices: Iterable[int]) -> list[Answer]:
        """Return the answers to the examples with those indices."""
        x, labels = self.examples.x, self.examples.labels
        return [Answer(int(i), x[i], int(labels[i]), int(self.answers[i]), self.outputs[i]) for i in indices]

    def confusion(self) -> NDArray[np.int64]:
        """Return the confusion matrix: how often each label (row) got each answer (column)."""
        classes = max(2, self.outputs.shape[1])
        pairs = self.examples.labels * classes + self.answers
        counts: NDArray[np.int64] = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        return counts

    def encode(self) -> bytes:
        """Return the content of predictions.csv: index, label, answer and outputs of each example."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["index", "label", "answer", *(f"output_{j}" for j in range(self.outputs.shape[1]))])
        rows = zip(self.examples.labels.tolist(), self.answers.tolist(), self.outputs.tolist(), strict=True)
        for i, (label, answer, a) in enumerate(rows):
            writer.writerow([i, label, answer, *(f"{output:.9g}" for output in a)])
        return text.getvalue().encode()


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
        run: the run folder.
        weights: the file with the weights.
        data: the data set.
        split: "test", "validation" or "train".
        examples: how many there are.
        cost: mean cost per example, with the run's L2 term as in its summary.
        accuracy: fraction classified correctly.
        accuracy_interval: its 95 % confidence interval (Wilson's score interval).
        classes: the scores of each class.
    """

    run: str
    weights: str
    data: str
    split: str
    examples: int
    cost: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    classes: tuple[ClassScores, ...]

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


def predict(network: Network, examples: Examples) -> Predictions:
    """Return the outputs of a network for some examples."""
    n = len(examples)
    a, costs = np.empty((n, network.sizes[-1]), network.dtype), np.empty(n, network.dtype)
    given, total = np.empty(n, np.int64), 0.0
    with numerics():
        for part, a_part, costs_part in outputs(network, examples):
            a[part], costs[part], given[part] = a_part.T, costs_part, answers(a_part)
            total += float(costs_part.sum(dtype=np.float64))
    return Predictions(examples, a, given, costs, total / n)


def evaluate(
    runs: Sequence[Run], data: Dataset, split: str = "test", *, best: bool | None = None, costs: Collection[str] = ()
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
            split, a cost is not that of a run, or a run's own cost must be given.
        CostError: a run's own cost cannot be loaded or fails its gradient check.
    """
    if split not in SPLITS:
        raise SettingsError(f"split {split}: must be {', '.join(SPLITS)}")
    for unused in set(costs) - {run.settings.cost for run in runs}:
        raise SettingsError(
            f"cost {unused}: must be the cost of a run, {', '.join(run.settings.cost for run in runs)}"
        )
    evaluated = [
        _evaluate(run, data, split, best, run.settings.cost if run.settings.cost in costs else None) for run in runs
    ]
    counts = sorted({each.evaluation.examples for each in evaluated})
    if len(counts) > 1:
        raise SettingsError(f"split {split}: must be the same examples in each run, not {counts[0]} and {counts[-1]}")
    return evaluated


def _evaluate(run: Run, data: Dataset, split: str, best: bool | None, cost: str | None) -> Evaluated:
    check_fit(run, data)
    size = run.settings.train_size
    if size != "all" and is_data_of(run, data):
        data = data.with_train_size(size)
    network = load_network(run, best=best, cost=cost)
    predictions = predict(network, {"test": data.test, "validation": data.validation, "train": data.train}[split])
    correct = predictions.correct
    penalty = Penalty(run.settings.l2, run.settings.l1, results_of(run).data.train)
    evaluation = Evaluation(
        run=printable(str(run.folder)),
        weights=weights_file(run, best=best),
        data=data.name,
        split=split,
        examples=len(correct),
        cost=predictions.cost + penalty.value(network.weights),
        accuracy=float(correct.mean()),
        accuracy_interval=wilson_interval(int(correct.sum()), len(correct)),
        classes=class_scores(predictions.confusion()),
    )
    return Evaluated(run, evaluation, predictions)


def is_data_of(run: Run, data: Dataset) -> bool:
    """Return whether a data set has the same files as that of a run, according to their hashes."""
    return run.data == of_data(data.name, data.sha256)


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion (E. B. Wilson, 1927)."""
    from scipy.stats import binomtest  # noqa: PLC0415 (takes half a second to import)

    interval = binomtest(correct, n).proportion_ci(0.95, "wilson")
    return float(interval.low), float(interval.high)


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
