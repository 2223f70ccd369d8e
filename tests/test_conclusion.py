import re

import pytest
from wcwidth import wcswidth

from netlearn.comparison.conclusion import conclusion
from netlearn.comparison.statistics import Reached, Row
from netlearn.comparison.table import problems, table
from tests.comparisons import row

TABLE = [
    "                                           quadratic             mine",
    "learning rate η                                  0.5              0.5",
    "seeds finished                                3 of 3           3 of 3",
    "test accuracy                        77.20 ± 10.00 %                -",
    "  lowest seed                                77.20 %                -",
    "best validation accuracy                     77.20 %                -",
    "updates to 80 % validation                       200  never in 3 of 3",
    "updates to 90 % validation   2,000 (never in 1 of 3)  never in 3 of 3",
    "updates to 95 % validation           never in 3 of 3  never in 3 of 3",
    "learning speed at update 0                         1                1",
    "  at update 100                                  0.5              0.5",
    "stuck outputs after epoch 1                   1.00 %           1.00 %",
    "seconds per epoch                               0.25             0.25",
]


def test_conclusion_states_a_difference_beyond_the_spread_and_who_was_first() -> None:
    rows = [
        row("quadratic", 0.772, 0.1, (9_000, 20_000, 40_000)),
        row("cross-entropy", 0.9626, 0.0005, (500, 500, 1000)),
    ]
    assert conclusion(rows) == (
        "In test accuracy cross-entropy ends 19.06 points above quadratic, more than the spread of the seeds "
        "(cross-entropy 96.26 ± 0.05 %, quadratic 77.20 ± 10.00 %); "
        "cross-entropy reached 90 % validation accuracy first, after 500 updates, 40 times sooner than quadratic."
    )


def test_conclusion_says_when_the_difference_lies_within_the_spread() -> None:
    rows = [
        row("quadratic", 0.9777, 0.0011, (500, 2000, 2000)),
        row("cross-entropy", 0.9779, 0.001, (500, 500, 1000)),
    ]
    assert conclusion(rows) == (
        "There is no difference in test accuracy beyond the spread of the seeds "
        "(cross-entropy 97.79 ± 0.10 %, quadratic 97.77 ± 0.11 %); "
        "no variant reached 90 % validation accuracy clearly before the others."
    )


def test_quadratic_can_win() -> None:
    rows = [row("quadratic", 0.98, 0.001, (100, 100, 100)), row("cross-entropy", 0.97, 0.001, (200, 200, 200))]
    assert conclusion(rows).startswith("In test accuracy quadratic ends 1.00 points above cross-entropy")
    assert conclusion(rows).endswith(
        "quadratic reached 90 % validation accuracy first, after 100 updates, 2 times sooner than cross-entropy."
    )


def test_conclusion_on_three_variants_says_which_are_level_and_which_behind() -> None:
    rows = [row("a", 0.98, 0.002, (100,) * 3), row("b", 0.979, 0.002, (100,) * 3), row("c", 0.9, 0.01, ())]
    assert conclusion(rows) == (
        "In test accuracy a ends 8.00 points above c, more than the spread of the seeds and level with b within it "
        "(a 98.00 ± 0.20 %, b 97.90 ± 0.20 %, c 90.00 ± 1.00 %); "
        "a reached 90 % validation accuracy first, level with b, after 100 updates, "
        "which c did not reach in 3 of 3 seeds."
    )


def test_variant_is_not_called_first_if_a_seed_of_a_failing_variant_was_faster() -> None:
    mixed = tuple(Reached(accuracy, (100,), 3) for accuracy in (0.8, 0.9, 0.95))
    rows = [row("a", 0.9, 0.01, (500, 500, 500)), row("b", 0.5, 0.01, reached=mixed), row("c", 0.5, 0.01, ())]
    assert conclusion(rows).endswith("no variant reached 90 % validation accuracy clearly before the others.")


def test_means_of_fewer_seeds_than_were_run_say_so() -> None:
    rows = [row("a", 0.98, 0.002, finished=2), row("b", 0.5, 0.002)]
    assert "(a 98.00 ± 0.20 % from 2 of 3 seeds, b 50.00 ± 0.20 %)" in conclusion(rows)


def test_one_seed_gives_no_conclusion_about_accuracy() -> None:
    rows = [row("a", 0.98, None, (100,), seeds=1), row("b", 0.5, None, (), seeds=1)]
    assert conclusion(rows).startswith(
        "One seed cannot tell a difference in test accuracy from chance (a 98.00 %, b 50.00 %); "
    )


def test_variant_that_never_finished_is_not_judged() -> None:
    rows = [row("a", 0.98, 0.1, ()), row("b", None, None, ())]
    assert conclusion(rows) == (
        "Fewer than two variants finished, so their accuracies cannot be compared; "
        "no variant reached 80 % validation accuracy in most of its seeds."
    )


def test_80_percent_counts_where_no_variant_reaches_90() -> None:
    reached = (Reached(0.8, (50, 50, 50), 3), Reached(0.9, (), 3), Reached(0.95, (), 3))
    rows = [row("a", 0.85, 0.01, reached=reached), row("b", 0.5, 0.01)]
    assert conclusion(rows).endswith(
        "a reached 80 % validation accuracy first, after 50 updates, which b did not reach in 3 of 3 seeds."
    )


@pytest.fixture
def rows() -> list[Row]:
    reached = (Reached(0.8, (100, 200, 300), 3), Reached(0.9, (1000, 2000), 3), Reached(0.95, (), 3))
    return [row("quadratic", 0.772, 0.1, reached=reached), row("mine", None, None, problems=("seed 1: it diverged",))]


def test_table_has_a_column_for_each_variant(rows: list[Row]) -> None:
    assert table(rows).splitlines() == TABLE


def test_markdown_table_has_the_same_cells(rows: list[Row]) -> None:
    lines = table(rows, markdown=True).splitlines()
    assert lines[:2] == ["|  | quadratic | mine |", "| --- | ---: | ---: |"]
    assert "| updates to 90 % validation | 2,000 (never in 1 of 3) | never in 3 of 3 |" in lines
    assert "| test accuracy | 77.20 ± 10.00 % | - |" in lines
    plain = [line.split() for line in table(rows).splitlines()[1:]]
    assert [line.replace("|", " ").split() for line in lines[2:]] == plain


def test_bar_in_the_name_of_a_variant_adds_no_column_to_the_markdown_table(rows: list[Row]) -> None:
    head, *lines = table([row("a|b", 0.9, 0.01), rows[0]], markdown=True).splitlines()
    assert head == r"|  | a\|b | quadratic |"
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in (head, *lines)} == {4}


def test_columns_of_wide_characters_are_aligned() -> None:
    lines = table([row("交差エントロピー誤差関数", 0.9, 0.01), row("b", 0.9, 0.01)]).splitlines()
    widths = {wcswidth(line) for line in lines if line.split()[-1] != "-"}
    assert len(widths) == 1


def test_different_data_of_variants_is_stated() -> None:
    lines = table([row("a", 0.9, 0.1), row("b", 0.9, 0.1, data="other")]).splitlines()
    assert lines[1].split() == ["data", "(not", "the", "same)", "small", "other"]


def test_problems_name_variant_and_seed(rows: list[Row]) -> None:
    assert problems(rows) == ["mine, seed 1: it diverged"]


def test_conclusion_on_one_variant_gives_its_figures() -> None:
    assert conclusion([row("a", 0.9626, 0.0005, (500, 500, 1000))]) == (
        "a 96.26 ± 0.05 % in test accuracy; it reached 90 % validation accuracy after 500 updates."
    )
    assert conclusion([row("a", 0.2, 0.01)]) == (
        "a 20.00 ± 1.00 % in test accuracy; it reached 90 % validation accuracy in fewer than half of its seeds."
    )
    assert conclusion([row("a", None, None, finished=0)]) == "No run of a finished."
