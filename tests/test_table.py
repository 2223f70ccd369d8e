"""The table of a comparison: which lines it has, how it fits a terminal, and how it ranks many variants."""

import re
from typing import Any

import pytest
from wcwidth import wcswidth

from netlearn.cli.table import paragraphs, table
from netlearn.comparison.analysis import analyse
from netlearn.comparison.findings import MOST_TEXTS, cells, points, shortened
from netlearn.comparison.statistics import Reached, Row
from netlearn.runs import name_of
from tests.comparisons import HIGH, LOW, analysed, grid, many_rows, only, outcomes_of, row, run


@pytest.fixture
def rows() -> list[Row]:
    reached = (
        Reached(0.8, (100, 200, 300), 3, (50, 100, 200)),
        Reached(0.9, (1000, 2000), 3, (500, 1000)),
        Reached(0.95, (), 3),
    )
    failed: dict[str, Any] = {"problems": ("seed 1: it diverged",), "finished": 0, "learning_speed_0": None}
    return [row("quadratic", 0.772, 0.1, reached=reached), row("mine", None, None, **failed)]


def test_table_has_a_column_for_each_variant_and_no_line_that_says_nothing(rows: list[Row]) -> None:
    found = {line[0].strip(): line[1:] for line in cells(only(*rows))}
    assert found == {
        "": ["quadratic", "mine"],
        "learning rate η": ["0.5", "0.5"],
        "seeds finished": ["3 of 3", "0 of 3"],
        "test accuracy": ["77.20 ± 10.00 %", "-"],
        "lowest seed": ["77.20 %", "-"],
        "best validation accuracy": ["77.20 %", "-"],
        "updates to 80 % validation": ["100 to 200", "never"],
        "updates to 90 % validation": ["1,000 to 2,000 (in 2 of 3)", "never"],
        "learning speed at update 0": ["1", "-"],
        "learning speed at update 100": ["0.5", "0.5"],
        "badly wrong outputs after epoch 1": ["1.00 %", "1.00 %"],
        "seconds per epoch": ["0.25", "0.25"],
    }
    assert "lowest seed" not in table(only(row("a", 0.9, None, seeds=1), row("b", 0.8, None, seeds=1)), 100)


def test_calibration_is_compared_seed_by_seed_and_claims_nothing() -> None:
    errors = {"a": 0.05, "b": 0.01}
    runs = [run(name, i, calibration_error=error + 0.001 * i) for name, error in errors.items() for i in range(6)]
    analysis = analyse("t", runs)
    lines = [[cell.strip() for cell in line] for line in cells(analysis)]
    place = next(i for i, line in enumerate(lines) if line[0] == "calibration error")
    assert lines[place][1:] == ["5.25 ± 0.19 %", "1.25 ± 0.19 %"]
    assert lines[place + 1] == ["points behind the best (seeds)", "4.00 (6 of 6)", "-"]
    assert not analysis.claims
    assert "calibration" not in analysis.conclusion


def test_differences_stand_below_their_measures() -> None:
    analysis = analysed(a=HIGH, b=LOW)
    found = {line[0].strip(): line[1:] for line in cells(analysis)}
    assert found["points behind the best (seeds)"] == ["-", "5.97 (6 of 6)"]
    assert found["later than the first (seeds)"] == ["-", "6 of 6, p = 0.031"]
    (pair,) = [pair for pair in analysis.pairs if pair.measure == "test_accuracy"]
    assert found["interval"][1] == f"{points(pair.low or 0)} to {points(pair.high or 0)}"
    baseline = analysed("a", a=HIGH, b=LOW)
    found = {line[0].strip(): line[1:] for line in cells(baseline)}
    assert found["points ahead of the baseline (seeds)"] == ["-", "−5.97 (0 of 6)"]
    assert found["interval"][1] == f"{points(-(pair.high or 0))} to {points(-(pair.low or 0))}"


def test_equal_variants_are_tied_without_a_sign() -> None:
    for baseline in (None, "a"):
        found = [line[1:] for line in cells(analysed(baseline, a=HIGH, b=HIGH)) if "points" in line[0]]
        assert found == [["-", "0.00 (tied in 6 of 6)"]] * 2


def test_variants_without_a_shared_seed_are_in_no_race() -> None:
    alone = analyse("", [*outcomes_of("a", HIGH[:1]), *outcomes_of("b", LOW[:1], first=1)])
    labels = [line[0].strip() for line in cells(alone)]
    assert "updates to 90 % validation" in labels
    assert "later than the first (seeds)" not in labels
    one_of_three = [*alone.runs, *outcomes_of("c", LOW[:1])]
    found = {line[0].strip(): line[1:] for line in cells(analyse("", one_of_three))}
    assert found["later than the first (seeds)"] == ["-", "", "1 of 1"]


def test_interval_has_no_difference_that_accuracies_cannot_have() -> None:
    analysis = analysed(a=[0.96, 0.90], b=[0.80, 0.90])
    found = {line[0].strip(): line[1:] for line in cells(analysis)}
    assert found["interval"] == ["-", "too wide to tell"]
    (pair,) = [pair for pair in analysis.pairs if pair.measure == "test_accuracy"]
    assert pair.low is not None
    assert pair.low < -1  # as stored


def test_variant_that_was_not_compared_has_no_difference() -> None:
    outcomes = {
        cost: [accuracy for accuracy, _ in each] for cost, each in (("quadratic", LOW), ("cross-entropy", HIGH))
    }
    analysis = analyse("", grid({"quadratic": 1.0, "cross-entropy": 1.0}, outcomes))
    found = {line[0].strip(): line[1:] for line in cells(analysis)}
    names = [row.variant for row in analysis.rows]
    shown = dict(zip(names, found["points behind the best (seeds)"], strict=True))
    assert shown.pop("cross-entropy η = 1") == "-"
    assert shown.pop("quadratic η = 1").endswith("(4 of 4)")
    assert set(shown.values()) == {""}


@pytest.mark.parametrize(("width", "parts"), [(80, 1), (60, 2)])
def test_three_variants_stay_beside_each_other_on_a_narrow_terminal(width: int, parts: int) -> None:
    names = ("quadratic", "cross-entropy", "focal")
    analysis = analysed(**dict(zip(names, (HIGH, LOW, [(x - 0.3, y) for x, y in LOW]), strict=True)))
    blocks = table(analysis, width).split("\n\n")
    assert [name for block in blocks for name in block.splitlines()[0].split()] == list(names)
    assert len(blocks) == parts
    for lines in map(str.splitlines, blocks):
        assert max(map(wcswidth, lines)) <= width
        assert [line[:8] for line in lines if "points" in line or "behind" in line] == ["  points"] * 2


NAME = "quadratic + momentum with scaled weights"


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("count", [2, 3, 5, 8, 60])
def test_table_and_sentences_fit_the_terminal_with_words_whole(width: int, count: int) -> None:
    variants = {f"{NAME} {i}": [(x - 0.001 * i, y) for x, y in HIGH] for i in range(count)}
    analysis = analysed(**variants)
    text = table(analysis, width)
    assert max(map(wcswidth, text.splitlines())) <= width
    assert "validation" in text
    for word in NAME.split():
        assert word in text
    for line in paragraphs(analysis.sentences, width):
        assert max(map(wcswidth, line.splitlines())) <= width
        assert line.startswith("- ")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_variants_below_each_other_have_a_line_each_with_the_measures_that_decide(width: int) -> None:
    analysis = analysed(**{name: [(x - 0.01 * i, y) for x, y in HIGH] for i, name in enumerate("abcde")})
    beside = [line.split() for line in table(analysis, 400).splitlines()]
    whole, left = table(analysis, width).split("\n\n")
    lines = [line.split() for line in whole.splitlines()]
    for place, name in enumerate("abcde"):
        (line,) = [each for each in lines if each[0] == name]
        for measure in (["early", "accuracy"], ["test", "accuracy"]):
            (figures,) = [each[2:] for each in beside if each[:2] == measure]
            mean, _, spread, _ = figures[4 * place : 4 * place + 4]
            assert f"{mean} ± {spread} %" in " ".join(line)
    count, every = map(int, re.findall(r"\d+", left))
    assert every == len(beside) - 1
    assert len(lines[-1]) > count
    assert max(map(wcswidth, left.splitlines())) <= width
    assert "--markdown" in left


def test_wider_terminals_have_more_measures_of_variants_below_each_other_and_no_room_has_all_in_parts() -> None:
    analysis = analysed(**{name: [(x - 0.01 * i, y) for x, y in HIGH] for i, name in enumerate("abcdefgh")})
    shown = [int(table(analysis, width).split("\n\n")[-1].split()[0]) for width in (60, 80, 100)]
    assert shown == sorted(set(shown))
    assert len(table(analysis, 20).split("\n\n")) > 5


def test_seeds_that_diverged_come_before_all_other_measures() -> None:
    rows = [row(name, 0.9, 0.1, diverged=int(name == "c")) for name in "abcde"]
    assert "diverged" in table(only(*rows), 60)


def test_markdown_table_has_the_same_cells(rows: list[Row]) -> None:
    lines = table(only(*rows), 100, markdown=True).splitlines()
    assert lines[:2] == ["|  | quadratic | mine |", "| --- | ---: | ---: |"]
    assert "| updates to 90 % validation | 1,000 to 2,000 (in 2 of 3) | never |" in lines
    plain = [line.split() for line in table(only(*rows), 100).splitlines()[1:]]
    assert [line.replace("|", " ").split() for line in lines[2:]] == plain


def test_bar_in_the_name_of_a_variant_adds_no_column_to_the_markdown_table(rows: list[Row]) -> None:
    head, *lines = table(only(row("a|b", 0.9, 0.01), rows[0]), 100, markdown=True).splitlines()
    assert head == r"|  | a\|b | quadratic |"
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in (head, *lines)} == {4}


def test_columns_of_wide_characters_are_aligned() -> None:
    lines = table(only(row("交差エントロピー誤差関数", 0.9, 0.01), row("b", 0.9, 0.01)), 100).splitlines()
    assert len({wcswidth(line) for line in lines}) == 1


def test_different_data_of_variants_is_stated() -> None:
    lines = table(only(row("a", 0.9, 0.1), row("b", 0.9, 0.1, data="other")), 100).splitlines()
    assert lines[1].split() == ["data", "(not", "the", "same)", "small", "other"]


def test_problems_name_variant_and_seed(rows: list[Row]) -> None:
    assert only(*rows).problems == ["mine, seed 1: it diverged"]


def test_many_variants_are_ranked_by_validation_accuracy_with_a_column_for_each_setting() -> None:
    many = many_rows(21)
    many[3] = row("hidden=3", 0.99, 0.001, settings={"hidden": "3"}, best_validation_accuracy=0.5)
    head, *lines, _, left = table(only(*many), 200).splitlines()
    assert head.split()[:2] == ["hidden", "best"]
    assert [line.split()[:2] for line in lines] == [
        [str(place), hidden]
        for place, hidden in enumerate(["10", "9", "11", "8", "12", "7", "13", "6", "14", "5"], 1)
    ]
    assert "10 of 21" in left
    assert [line.split()[1] for line in table(only(*many), 200, top=99).splitlines()[-2:]] == ["3", "20"]


def test_ranking_keeps_settings_and_what_it_goes_by_on_a_narrow_terminal() -> None:
    settings = [{"cost": "quadratic", "learning_rate": f"{i}", "l2": "10"} for i in range(21)]
    many = [row(name_of(each), 0.9, 0.1, settings=each) for each in settings]
    for width in (60, 80):
        text = table(only(*many), width)
        assert max(map(wcswidth, text.splitlines())) <= width
        lines = [line.split() for line in text.splitlines() if "quadratic" in line]
        assert len(lines) == 10
        assert all("90.00" in line for line in lines)
        assert "measures" in text


def test_top_ranks_few_variants_too_also_in_markdown() -> None:
    few = [row("a", 0.5, 0.1), row("b | c", 0.6, 0.1)]
    ranked = table(only(*few), 100, top=2, markdown=True).splitlines()
    assert len(ranked) == 4
    assert r"b \| c" in ranked[2]
    assert "60.00 %" in ranked[2]
    assert "--top" in table(only(*few), 100, top=1)


@pytest.mark.parametrize("width", [40, 60])
def test_ranking_fits_a_narrow_terminal(width: int) -> None:
    some = [(0.91, 500), (0.92, 500), (0.93, None)]
    analysis = analysed(**{f"a variant with a long name, number {i}": some for i in range(12)})
    text = table(analysis, width)
    assert max(map(wcswidth, text.splitlines())) <= width


def test_no_line_of_a_sentence_begins_with_a_percent_sign() -> None:
    sentence = "In test accuracy the means are from 95.49 % to 96.26 %, which is 4 % more."
    for width in range(10, 60):
        (text,) = paragraphs([sentence], width)
        assert " ".join(text.split("\n")) == sentence
        assert not any(line.startswith("%") for line in text.split("\n"))


def test_of_many_problems_some_are_shown_and_the_others_counted() -> None:
    assert shortened(["x"] * MOST_TEXTS, "there") == ["x"] * MOST_TEXTS
    *shown, last = shortened(["x"] * 400, "there")
    assert shown == ["x"] * MOST_TEXTS
    assert str(400 - MOST_TEXTS) in last
