"""Long names of variants: labels stay short, and tell the variants apart."""

import numpy as np
import pytest

from netlearn.cli.table import table
from netlearn.comparison.statistics import group, summarize
from netlearn.plotting.marks import LABEL, short
from netlearn.plotting.pictures import digits
from tests.comparisons import only, run

LONG = "a name that says all that there is to say about a variant"
FAMILIES = [
    [f"{LONG} {end}" for end in ("0.1", "0.5", "1.5")],
    [f"{start} {LONG}" for start in ("one", "two")],
    [f"{LONG} {middle} {LONG}" for middle in ("with", "without")],
    [f"quadratic, learning_rate {rate}, hidden (100, 30), initializer large, data mnist" for rate in (0.1, 0.25)],
    ["x" * 300, "x" * 299 + "y", "short"],
]


@pytest.mark.parametrize("names", FAMILIES, ids=range(len(FAMILIES)))
def test_labels_are_short_and_differ(names: list[str]) -> None:
    labels = [short(name, names) for name in names]
    assert len(set(labels)) == len(names)
    assert max(map(len, labels)) <= LABEL


def test_label_leaves_out_what_the_names_share() -> None:
    assert short(FAMILIES[3][0], FAMILIES[3]) == "learning_rate 0.1"
    assert short("cross-entropy", FAMILIES[3]) == "cross-entropy"


def test_long_names_leave_room_for_the_digits() -> None:
    runs = [run(name, recall=(0.5,) * 10) for name in FAMILIES[0] + FAMILIES[4]]
    figure = digits(group(runs), "title")
    assert figure is not None
    figure.canvas.draw()
    assert figure.axes[0].get_position().width > 0.45


def test_run_that_finished_with_an_exploded_cost_is_diverging_in_the_table_and_below_it() -> None:
    runs = [run("a", 0), run("a", 1), run("b", 0)]
    runs[1].metrics["train_cost"] = np.array([2.3, 2.5, 30, 1e4, 1e6, 4e8])
    rows = [summarize(name, members) for name, members in group(runs).items()]
    assert [row.diverging for row in rows] == [1, 0]
    (line,) = [line for line in table(only(*rows), 100).splitlines() if "diverging" in line]
    assert line.split()[-2:] == ["1", "0"]
    (problem,) = only(*rows).problems
    assert problem.startswith("a, seed 1: diverging: its cost grew from 2.3 to 4e+08")
    assert "diverging" not in table(only(rows[1], rows[1]), 100)


def test_cost_that_falls_or_grows_a_little_is_not_diverging() -> None:
    steady = run("a")
    assert steady.diverging is None
    steady.metrics["train_cost"] = np.array([2.0, 1, 1, 2, 3, 5])
    assert steady.diverging is None
