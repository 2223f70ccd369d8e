"""`make replay`: the book's recorded curves through netlearn's own training. In full it takes minutes of CPU time."""

import itertools
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from netlearn.book import mnist_loader
from scripts import recorded
from scripts.page import with_replay
from scripts.recorded import Data, Outcome
from scripts.replay import section
from tests.pages import blocks


@pytest.fixture
def mnist(full_mnist: Path) -> Data:
    return mnist_loader.load_data_wrapper()


@pytest.mark.parametrize("record", ["overfitting", "regularized"])
def test_first_ten_epochs_of_the_books_curves_come_out_number_by_number(mnist: Data, record: str) -> None:
    (outcome,) = recorded.overfitting(mnist, record, 10)
    assert outcome.same == (20, 20)
    assert outcome.difference is not None
    assert outcome.difference < 1e-12


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.usefixtures("full_mnist")
def test_page_shows_the_figures_of_the_first_epoch_that_full_mnist_gives() -> None:
    names: dict[str, Any] = {}
    checked = 0
    for block in (block for block in blocks("docs/book.md") if block.kind == "python"):
        with redirect_stdout(StringIO()) as stdout:
            exec(compile(block.content, "docs/book.md", "exec"), names)  # noqa: S102 (the page's own code)
        shown = block.output.partition("\nEpoch 1")[0].splitlines()  # later, rounding differs by processor
        printed = stdout.getvalue().splitlines()
        assert [line for line in shown if line not in {*printed, "..."}] == []
        checked += len(shown)
    assert checked > 12


def test_figure_that_is_not_the_books_is_counted(mnist: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = recorded.load("overfitting")
    changed[1][1] += 1
    changed[2][0] *= 1.01
    monkeypatch.setattr(recorded, "load", lambda record: changed)
    (outcome,) = recorded.overfitting(mnist, "overfitting", 2)
    assert outcome.same == (3, 4)
    assert outcome.difference == pytest.approx(0.01, rel=0.02)


def test_section_takes_the_place_of_an_older_one_and_a_new_page_keeps_it(tmp_path: Path) -> None:
    outcomes = [Outcome("more_data", "accuracy", (9, 9)), Outcome("overfitting", "cost", (800, 800), 2e-14, "all")]
    text = section(outcomes, "MNIST", 90)
    assert "| `more_data` | accuracy | 9 of 9 |  |  |" in text
    assert "| `overfitting` | cost | 800 of 800 | 2e-14 | all |" in text
    stored = tmp_path / "replay.md"
    page = "# Page\n\nAn experiment.\n\n"
    assert with_replay(page, stored) == page
    stored.write_text(text)
    once = with_replay(page, stored)
    assert once == page + text
    stored.write_text(section(outcomes[:1], "MNIST", 90))
    twice = with_replay(once, stored)
    assert twice.startswith(page)
    assert "more_data" in twice
    assert "overfitting" not in twice


@pytest.mark.parametrize("record", recorded.REPLAYS)
def test_every_record_is_there_and_holds_numbers(record: str) -> None:
    held = recorded.load(record)
    lists = list(held.values()) if isinstance(held, dict) else held
    assert lists
    while isinstance(lists[0], list):
        lists = list(itertools.chain(*lists))
    assert all(isinstance(number, int | float) for number in lists)
