"""`make replay`: the book's recorded curves through netlearn's own training. In full it takes minutes of CPU time."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from netlearn import datasets
from netlearn.datasets import Dataset
from scripts import recorded
from scripts.page import with_replay
from scripts.recorded import Book, Outcome, book_pixels
from scripts.replay import section
from tests.files import small_dataset


@pytest.fixture
def mnist(full_mnist: Path) -> Dataset:
    return datasets.load("mnist")


@pytest.mark.parametrize("record", ["overfitting", "regularized"])
def test_first_ten_epochs_of_the_books_curves_come_out_number_by_number(mnist: Dataset, record: str) -> None:
    (outcome,) = recorded.overfitting(mnist, record, 10)
    assert outcome.same == (20, 20)
    assert outcome.difference is not None
    assert outcome.difference < 1e-12


def test_figure_that_is_not_the_books_is_counted(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = recorded.load("overfitting")
    changed[1][1] += 1
    changed[2][0] *= 1.01
    monkeypatch.setattr(recorded, "load", lambda record: changed)
    (outcome,) = recorded.overfitting(mnist, "overfitting", 2)
    assert outcome.same == (3, 4)
    assert outcome.difference == pytest.approx(0.01, rel=0.02)


def test_order_is_one_list_that_is_shuffled_on_and_on() -> None:
    order = Book().order(10)
    first, second = list(order(0)), list(order(1))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert list(Book().order(10)(0)) == first


def test_weights_are_drawn_after_all_biases_and_the_large_ones_after_the_default_ones() -> None:
    numpy = np.random.RandomState(recorded.SEED)
    drawn = [numpy.randn(*shape) for _ in range(2) for shape in ((3, 1), (2, 1), (3, 4), (2, 3))]
    book = Book()
    network = book.network([4, 3, 2])
    np.testing.assert_array_equal(network.biases[1], drawn[1])
    np.testing.assert_array_equal(network.weights[0], drawn[2] / 2)
    book.large_weights(network)
    np.testing.assert_array_equal(network.biases[0], drawn[4])
    np.testing.assert_array_equal(network.weights[1], drawn[7])


def test_pixels_are_whole_256ths() -> None:
    x = np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis]
    part = datasets.Examples(x, np.array([0]))
    data = Dataset("d", "", part, part, part, outputs=1, image=None, sha256={})
    for pixels in book_pixels(data):
        np.testing.assert_array_equal(pixels.x[0], np.arange(256) / 256)


def test_section_takes_the_place_of_an_older_one_and_a_new_page_keeps_it(tmp_path: Path) -> None:
    outcomes = [Outcome("more_data", "accuracy", (9, 9)), Outcome("overfitting", "cost", (800, 800), 2e-14, "all")]
    text = section(outcomes, small_dataset(), 90)
    assert "| `more_data` | accuracy | 9 of 9 |  |  |" in text
    assert "| `overfitting` | cost | 800 of 800 | 2e-14 | all |" in text
    stored = tmp_path / "replay.md"
    page = "# Page\n\nAn experiment.\n\n"
    assert with_replay(page, stored) == page
    stored.write_text(text)
    once = with_replay(page, stored)
    assert once == page + text
    stored.write_text(section(outcomes[:1], small_dataset(), 90))
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
