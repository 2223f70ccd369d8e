import csv
import io
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn.calibration import calibrate
from netlearn.datasets import Dataset, Examples
from netlearn.errors import NetlearnError, RunError
from netlearn.inspection.evaluate import (
    Disagreement,
    Evaluated,
    Evaluation,
    class_scores,
    disagreements,
    evaluate,
    mcnemar,
    wilson_interval,
)
from netlearn.inspection.trained import load_network
from netlearn.network import Network
from netlearn.predictions import Predictions, predict
from netlearn.runs import Run, read_run
from netlearn.settings import resolve
from tests.comparisons import run as any_run
from tests.files import small_dataset
from tests.messages import has_facts
from tests.runs import do_run

LABELS = [3, 0, 0, 0, 0, 3, 3, 2, 0, 0, 1, 1, 2, 1, 1, 0, 2, 2, 0, 0, 1, 1, 3, 2, 1, 1, 2, 2, 0, 2]
ANSWERS = [2, 0, 0, 2, 0, 2, 1, 2, 0, 1, 1, 1, 1, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 2, 2]


def predictions(labels: list[int], answers: list[int], classes: int) -> Predictions:
    """Return predictions whose costs are 0, 1, 2, …"""
    n = len(labels)
    examples = Examples(np.zeros((n, 2), np.float32), np.array(labels))
    return Predictions(examples, np.eye(classes)[answers], np.arange(n, dtype=float), 0.0)


def test_precision_recall_and_f1_are_those_of_scikit_learn() -> None:
    # sklearn.metrics.precision_recall_fscore_support(LABELS, ANSWERS, labels=range(5), zero_division=nan), 1.9.1
    expected = [
        (10, 0.6, 0.6, 0.6), (8, 0.461538461538, 0.75, 0.571428571429), (8, 0.428571428571, 0.375, 0.4),
        (4, None, 0.0, 0.0), (0, None, None, None),
    ]  # fmt: skip
    counts = predictions(LABELS, ANSWERS, 5).confusion()
    assert counts.tolist() == [
        [6, 2, 2, 0, 0], [2, 6, 0, 0, 0], [2, 3, 3, 0, 0], [0, 2, 2, 0, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip
    for label, (scores, figures) in enumerate(zip(class_scores(counts), expected, strict=True)):
        assert (scores.label, scores.examples) == (label, figures[0])
        assert (scores.precision, scores.recall, scores.f1) == tuple(
            None if figure is None else pytest.approx(figure, abs=1e-11) for figure in figures[1:]
        )


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [  # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_is_the_published_one(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(n - correct, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [(6, 16, 0.052478790283203125), (20, 8, 0.03569813817739487), (0, 5, 2 / 2**5), (7, 7, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int, p: float) -> None:
    assert mcnemar(one, other) == pytest.approx(p, rel=1e-12)
    n, tail = one + other, min(one, other)
    assert mcnemar(other, one) == pytest.approx(min(1, 2 * sum(math.comb(n, k) for k in range(tail + 1)) / 2**n))


def evaluated(name: str, correct: list[bool]) -> Evaluated:
    """Return a run that answers those of some examples correctly."""
    found = predictions([0] * len(correct), [int(not each) for each in correct], 2)
    scores = calibrate(np.full(len(correct), 0.5), np.array(correct))
    evaluation = Evaluation(
        folder=name, weights="", data="", split="test", examples=len(correct), cost=0.0, accuracy=0.0,
        accuracy_interval=(0.0, 1.0), classes=(), answer=scores, outputs=scores,
    )  # fmt: skip
    return Evaluated(any_run(), evaluation, found)


def pair_of(first: list[bool], second: list[bool]) -> Disagreement:
    (pair,) = disagreements([evaluated("a", first), evaluated("b", second)])
    return pair


def test_sentence_names_the_better_run_with_counts_and_p_only_if_significant() -> None:
    pair = pair_of([True] * 2 + [False] * 12 + [True] * 3, [False] * 2 + [True] * 12 + [True] * 3)
    assert (pair.only_first, pair.only_second) == (2, 12)
    assert pair.p == pytest.approx(0.012939453125)
    assert pair.describe().startswith("b is significantly better than a:")
    assert has_facts(pair.describe(), "12 2 McNemar's p = 0.013")
    tie = pair_of([True, True, False], [False, True, False])
    assert tie.describe().startswith("No significant difference between a and b:")
    assert has_facts(tie.describe(), "1 0 p = 1")
    assert has_facts(pair_of([True] * 30, [False] * 30).describe(), "30 0 p < 0.0001")


def test_worst_are_the_mistakes_with_the_largest_cost() -> None:
    worst = predictions([0, 1, 0, 1, 0], [0, 0, 1, 1, 1], 2).worst(2)
    assert [(each.index, each.label, each.answer) for each in worst] == [(4, 0, 1), (2, 0, 1)]
    assert predictions([0, 1], [0, 1], 2).worst(2) == []


def test_csv_has_index_label_answer_and_outputs_that_read_back_exactly() -> None:
    network = Network([6, 3], rng=np.random.default_rng(0))
    data = small_dataset(train=12)
    found = predict(network, data.train)
    rows = list(csv.DictReader(io.StringIO(found.encode().decode())))
    assert list(rows[0]) == ["index", "label", "answer", "output_0", "output_1", "output_2"]
    assert [int(row["index"]) for row in rows] == list(range(12))
    assert [int(row["label"]) for row in rows] == data.train.labels.tolist()
    assert [int(row["answer"]) for row in rows] == found.answers.tolist()
    outputs = [[row[f"output_{j}"] for j in range(3)] for row in rows]
    np.testing.assert_array_equal(np.array(outputs, np.float32), found.outputs)


def small_run(path: Path, data: Dataset | None = None, **settings: Any) -> Run:
    do_run(resolve({"data": "small", "hidden": (4,), "epochs": 6, "batch_size": 4, **settings}), path, data=data)
    return read_run(path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"l2": 5.0, "cost": "quadratic"},
        {"patience": 1, "learning_rate": 30.0},
        {"train_size": 17, "dtype": "float64", "cost": "log-likelihood"},
    ],
)
def test_evaluation_equals_the_summary_of_the_run(tmp_path: Path, settings: dict[str, Any]) -> None:
    run = small_run(tmp_path / "run", **settings)
    assert run.summary is not None
    ((_, test, _),) = evaluate([run], small_dataset())
    assert (test.accuracy, test.cost) == (run.summary.test_accuracy, run.summary.test_cost)
    assert tuple(each.recall for each in test.classes) == run.summary.recall
    ((_, train, _),) = evaluate([run], small_dataset(), "train")
    assert (train.examples, train.split) == (run.summary.data.train, "train")
    assert (train.accuracy, train.cost) == (run.summary.train_accuracy, run.summary.train_cost)
    ((_, validation, _),) = evaluate(
        [run], small_dataset(), "validation", best=None if "patience" in settings else False
    )
    accuracy = run.summary.best_validation_accuracy if "patience" in settings else run.summary.validation_accuracy
    assert validation.accuracy == accuracy


def test_best_and_last_weights_are_chosen_where_a_run_has_both(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", patience=1, learning_rate=30.0)
    best, last, default = (load_network(run, best=which).weights[0] for which in (True, False, None))
    np.testing.assert_array_equal(best, run.weights("best.safetensors")["weights.1"])
    np.testing.assert_array_equal(last, run.weights("weights.safetensors")["weights.1"])
    np.testing.assert_array_equal(default, best)
    assert not np.array_equal(best, last)
    ((_, evaluation, _),) = evaluate([run], small_dataset(), best=False)
    assert evaluation.weights == "weights.safetensors"
    plain = small_run(tmp_path / "plain")
    with pytest.raises(RunError) as caught:
        load_network(plain, best=True)
    assert has_facts(str(caught.value), f"{tmp_path / 'plain'}: best.safetensors --patience")


def refusal(runs: list[Run], data: Dataset, **given: Any) -> str:
    with pytest.raises(NetlearnError) as caught:
        evaluate(runs, data, **given)
    return str(caught.value)


def test_training_examples_of_runs_must_be_the_same(tmp_path: Path) -> None:
    runs = [small_run(tmp_path / str(size), train_size=size) for size in (47, 17)]
    assert has_facts(refusal(runs, small_dataset(), split="train"), "split train 17 47")


def test_data_with_fewer_classes_can_be_evaluated(tmp_path: Path) -> None:
    ((_, evaluation, _),) = evaluate([small_run(tmp_path / "run")], small_dataset(outputs=2))
    assert [each.examples > 0 for each in evaluation.classes] == [True, True, False]


def test_other_data_is_not_cut_to_the_training_size(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", train_size=17)
    other = replace(small_dataset(), sha256={"file": "other"})
    ((_, evaluation, _),) = evaluate([run], other, "train")
    assert evaluation.examples == 47


OWN = "from netlearn.costs import CrossEntropy\nclass Mine(CrossEntropy):\n    pass\n"


def test_own_cost_is_imported_only_if_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evaluated_cost.py").write_text(OWN)
    run = small_run(tmp_path / "run", cost="evaluated_cost:Mine")
    (tmp_path / "evaluated_cost.py").write_text("raise SystemExit('imported')")
    monkeypatch.delitem(sys.modules, "evaluated_cost")
    assert has_facts(refusal([run], small_dataset()), f"{run.folder} evaluated_cost:Mine --cost")
    (tmp_path / "evaluated_cost.py").write_text(OWN)
    assert run.summary is not None
    ((_, evaluation, _),) = evaluate([run], small_dataset(), costs={"evaluated_cost:Mine": None})
    assert evaluation.accuracy == run.summary.test_accuracy
