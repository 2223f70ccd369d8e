"""The book's recorded curves, each made again with netlearn's network, mini-batches and gradient descent.

The book's programs seed two generators, Python's for the order of the examples and numpy's for the weights, and
compute in float64. Its pixels are whole 256ths. Its L2 term takes n of the examples that it measures, not of the
training set.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from netlearn.datasets import Dataset, Examples, targets
from netlearn.network import Network
from netlearn.numerics import Array, numerics
from netlearn.optimizers import SGD
from netlearn.penalty import Penalty
from netlearn.slowdown import evaluate
from netlearn.training import Batches, Descent, Schedule

RECORDS = Path(__file__).with_name("records")
SEED = 12345678
SIZES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)  # of more_data
NORM_SEEDS = 20  # the book's own is not known


@dataclass(frozen=True)
class Outcome:
    """How a record compares with its replay.

    Attributes:
        record: the file, without its suffix.
        what: the network, settings and figures.
        same: how many of how many figures are the same, or lie in a range.
        difference: the largest difference of a cost, relative to the book's; None if no costs are recorded.
        note: what else is to be said.
    """

    record: str
    what: str
    same: tuple[int, int]
    difference: float | None = None
    note: str = ""


def book_pixels(data: Dataset) -> tuple[Examples, Examples, Examples]:
    """Return the training, validation and test examples with the book's pixels, k/256 where netlearn has k/255."""

    def rescaled(part: Examples) -> Examples:
        return Examples(np.rint(255 * part.x.astype(np.float64)) / 256, part.labels)

    return rescaled(data.train), rescaled(data.validation), rescaled(data.test)


class Book:
    """The two generators of the book's programs, from their seed on, and what is drawn from them."""

    def __init__(self) -> None:
        self._python = random.Random(SEED)  # noqa: S311 (no cryptography)
        self._numpy = np.random.RandomState(SEED)  # the generator that the book used

    def network(self, sizes: Sequence[int]) -> Network:
        """Return a new network with the default weights, N(0, 1/n_in)."""
        network = Network(sizes, initializer=(0, 0), dtype=np.float64)
        self._draw(network, scaled=True)
        return network

    def large_weights(self, network: Network) -> None:
        """Draw all weights and biases of a network anew from N(0, 1)."""
        self._draw(network, scaled=False)

    def _draw(self, network: Network, *, scaled: bool) -> None:
        biases = [self._numpy.randn(n, 1) for n in network.sizes[1:]]
        weights = [
            self._numpy.randn(n_out, n_in) / (np.sqrt(n_in) if scaled else 1)
            for n_in, n_out in pairwise(network.sizes)
        ]
        network.set_parameters(weights, biases)

    def order(self, n: int) -> Callable[[int], list[int]]:
        """Return the order of n examples: one list, shuffled in place for each epoch as Python 2 does."""
        rows = list(range(n))

        def shuffled(epoch: int) -> list[int]:
            for i in reversed(range(1, n)):
                j = int(self._python.random() * (i + 1))
                rows[i], rows[j] = rows[j], rows[i]
            return rows

        return shuffled


def epochs(
    network: Network, train: Examples, order: Callable[[int], list[int]], count: int, *,
    eta: float, lmbda: float, batch_size: int = 10,
) -> Iterator[int]:  # fmt: skip
    """Train a network, yielding the number of epochs done at the end of each."""
    x, y = train.x, targets(train.labels, network.sizes[-1]).astype(np.float64)
    batches = Batches(x, y, batch_size, np.random.default_rng(), order)
    schedule = Schedule(count * batches.per_epoch, batches.per_epoch)
    with numerics():
        for update in Descent(SGD(network, eta, Penalty(lmbda, n=len(train))).step, batches, schedule):
            if schedule.epoch_ends(update):
                yield update // batches.per_epoch


def measured(network: Network, examples: Examples, lmbda: float) -> tuple[float, int]:
    """Return the book's cost and its accuracy, which is a count."""
    evaluation = evaluate(network, examples)
    cost = evaluation.cost + Penalty(lmbda, n=len(examples)).value(network.weights)
    return cost, round(evaluation.accuracy * len(examples))


def load(record: str) -> Any:
    """Return what a record holds."""
    return json.loads((RECORDS / f"{record}.json").read_text())


def largest_difference(ours: Sequence[float], book: Sequence[float]) -> float:
    """Return the largest relative difference of two lists of costs."""
    return float(np.max(np.abs(np.array(ours) / np.array(book[: len(ours)]) - 1)))


def overfitting(data: Dataset, record: str, count: int | None = None) -> Iterator[Outcome]:
    """Replay the overfitting of 784-30-10 on 1,000 or all images, without regularization or with it.

    Args:
        data: MNIST.
        record: overfitting, regularized, overfitting_full or regularized_full.
        count: only the first so many epochs.
    """
    test_cost, test_accuracy, train_cost, train_accuracy = load(record)
    full = record.endswith("_full")
    lmbda = 0.0 if record.startswith("overfitting") else 5.0 if full else 0.1
    train, _, test = book_pixels(data)
    train = train if full else train.first(1000)
    count = count or len(test_cost)
    book = Book()
    network = book.network([784, 30, 10])
    book.large_weights(network)
    ours: list[tuple[float, int]] = []
    for _ in epochs(network, train, book.order(len(train)), count, eta=0.5, lmbda=lmbda):
        ours += measured(network, test, lmbda), measured(network, train, lmbda)
    costs, accuracies = zip(*ours, strict=True)
    book_costs, book_accuracies = (
        [figure for pair in zip(*lists, strict=True) for figure in pair][: len(ours)]
        for lists in ((test_cost, train_cost), (test_accuracy, train_accuracy))
    )
    agreeing = np.equal(accuracies, book_accuracies)
    what = f"784-30-10, {len(train):,} images, λ = {lmbda:g}: test and training accuracy of {{}}"
    if full:
        first = largest_difference(costs[:2], book_costs[:2])
        note = f"{agreeing.sum()} of all {count} epochs' {agreeing.size}; rounding grows, and takes over"
        yield Outcome(record, what.format("epoch 1"), (int(agreeing[:2].sum()), 2), first, note)
    else:
        same = int(agreeing.sum()), agreeing.size
        yield Outcome(record, what.format(f"{count} epochs"), same, largest_difference(costs, book_costs))


def weight_initialization(data: Dataset, record: str) -> Iterator[Outcome]:
    """Replay the default weights and then, with the streams and the order going on, the large ones."""
    hidden = int(record.rpartition("_")[2])
    train, validation, _ = book_pixels(data)
    book = Book()
    network, order = book.network([784, hidden, 10]), book.order(len(train))
    same = 0
    for initializer in ("default", "large"):
        if initializer == "large":
            book.large_weights(network)
        counts = load(record)[f"{initializer}_weight_initialization"][1]
        for epoch in epochs(network, train, order, len(counts), eta=0.1, lmbda=5.0):
            same += measured(network, validation, 5.0)[1] == counts[epoch - 1]
    what = f"784-{hidden}-10, both initializers, λ = 5: validation accuracy of 30 epochs each"
    yield Outcome(record, what, (same, 2 * len(counts)))


def multiple_eta(data: Dataset, record: str) -> Iterator[Outcome]:
    """Replay three learning rates, a new network for each while the streams and the order go on."""
    train, _, _ = book_pixels(data)
    book = Book()
    order = book.order(len(train))
    for eta, (_, _, costs, _) in zip((0.025, 0.25, 2.5), load(record), strict=True):
        network = book.network([784, 30, 10])
        ours = [
            measured(network, train, 5.0)[0] for _ in epochs(network, train, order, len(costs), eta=eta, lmbda=5.0)
        ]
        differences = np.abs(np.array(ours) / np.array(costs) - 1)
        what = f"784-30-10, η = {eta:g}, λ = 5: training cost of {len(costs)} epochs, to 1e-11"
        note = "" if eta < 1 else "rounding grows within the first epoch"
        yield Outcome(record, what, (int((differences < 1e-11).sum()), len(costs)), float(differences.max()), note)


def more_data(data: Dataset, record: str) -> Iterator[Outcome]:
    """Replay training with 100 to all images; one network, whose weights are drawn anew for each."""
    train, validation, _ = book_pixels(data)
    book = Book()
    network = book.network([784, 30, 10])
    same = 0
    for n, accuracy in zip(SIZES, load(record), strict=True):
        book.large_weights(network)
        for _ in epochs(network, train.first(n), book.order(n), 1_500_000 // n, eta=0.5, lmbda=5.0 * n / 50_000):
            pass
        same += measured(network, validation, 0.0)[1] == round(100 * accuracy)
    yield Outcome(record, "784-30-10, 100 to 50,000 images: validation accuracy at the end", (same, len(SIZES)))


def norms(data: Dataset, record: str) -> Iterator[Outcome]:
    """Compare the speeds of the hidden layers with their range over seeds, as the book's seed is not known.

    They are the norms of the mean δ of 1,000 images before each epoch of one mini-batch.
    """
    recorded = np.array(load(record))
    train = book_pixels(data)[0].first(1000)
    x, y = train.x.T, targets(train.labels, 10).astype(np.float64).T
    layers = recorded.shape[1]
    ours = np.empty((NORM_SEEDS, *recorded.shape))
    for seed, speeds in enumerate(ours):
        network = Network([784, *[30] * layers, 10], rng=np.random.default_rng(seed), dtype=np.float64)

        def look(epoch: int, network: Network = network, speeds: Array = speeds) -> None:
            nabla_b, _ = network.backprop(x, y)
            speeds[epoch] = [np.linalg.norm(nabla) for nabla in nabla_b[:-1]]

        look(0)
        last = len(recorded) - 1
        for done in epochs(network, train, lambda _: [*range(1000)], last, eta=0.1, lmbda=5.0, batch_size=1000):
            look(done)
    inside = (ours.min(axis=0) <= recorded) & (recorded <= ours.max(axis=0))
    what = f"784{'-30' * layers}-10, 1,000 images at once: speed of each hidden layer before each of 500 epochs"
    shares = ", ".join(f"{share:.0%}" for share in inside.mean(axis=0))
    note = f"in the range of {NORM_SEEDS} seeds; by layer {shares}"
    yield Outcome(record, what, (int(inside.sum()), inside.size), None, note)


REPLAYS: dict[str, Callable[[Dataset, str], Iterator[Outcome]]] = {
    "overfitting": overfitting,
    "regularized": overfitting,
    "weight_initialization_30": weight_initialization,
    "weight_initialization_100": weight_initialization,
    "more_data": more_data,
    "multiple_eta": multiple_eta,
    "overfitting_full": overfitting,
    "regularized_full": overfitting,
    **{f"norms_during_training_{layers}_layers": norms for layers in (2, 3, 4)},
}
