"""The book's recorded curves, each made again with the calls that the book prints, through `netlearn.book`."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from netlearn.book import network2


class Outcome(NamedTuple):
    """How a record, a file without its suffix, compares with its replay."""

    record: str
    what: str  # the network, settings and figures
    same: tuple[int, int]  # how many of how many figures are the same
    difference: float | None = None  # the largest one of a cost, relative to the book's; None if none is recorded
    note: str = ""


Data = tuple[list[Any], list[Any], list[Any]]  # what mnist_loader.load_data_wrapper returns


def load(record: str) -> Any:
    """Return what a record holds."""
    return json.loads(Path(__file__).with_name("records").joinpath(f"{record}.json").read_text())


def _seeded(hidden: int) -> network2.Network:
    random.seed(12345678)
    np.random.seed(12345678)
    return network2.Network([784, hidden, 10])


def overfitting(data: Data, record: str, epochs: int | None = None) -> Iterator[Outcome]:
    """Replay 784-30-10 with 1,000 or all images, regularized or not: all epochs or the first so many."""
    full = record.endswith("_full")
    lmbda = 0.0 if record.startswith("overfitting") else 5.0 if full else 0.1
    net, train, book = _seeded(30), data[0][: None if full else 1000], np.array(load(record))[:, :epochs]
    net.large_weight_initializer()
    ours = np.array(net.SGD(train, book.shape[1], 10, 0.5, lmbda, data[2], True, True, True, True))
    same = ours[1::2] == book[1::2]
    shown = 1 if full else book.shape[1]  # of all images, rounding takes over within the second epoch
    difference = float(np.abs(ours[::2, :shown] / book[::2, :shown] - 1).max())
    note = f"{same.sum()} of all {len(same.T)} epochs' {same.size}; rounding grows, and takes over" if full else ""
    of = "epoch 1" if full else f"{shown} epochs"
    what = f"784-30-10, {len(train):,} images, λ = {lmbda:g}: test and training accuracy of {of}"
    yield Outcome(record, what, (int(same[:, :shown].sum()), 2 * shown), difference, note)


def weight_initialization(data: Data, record: str) -> Iterator[Outcome]:
    """Replay the default weights and then, with the streams and the order going on, the large ones."""
    net, train, same = _seeded(int(record.rpartition("_")[2])), data[0][:], 0
    for initializer, (_, counts, *_) in load(record).items():
        if initializer.startswith("large"):
            net.large_weight_initializer()
        ours = net.SGD(train, len(counts), 10, 0.1, 5.0, data[1], monitor_evaluation_accuracy=True)[1]
        same += int(np.equal(ours, counts).sum())
    what = f"784-{net.sizes[1]}-10, both initializers, λ = 5: validation accuracy of 30 epochs each"
    yield Outcome(record, what, (same, 2 * len(counts)))


def multiple_eta(data: Data, record: str) -> Iterator[Outcome]:
    """Replay three learning rates, a new network for each while the streams and the order go on."""
    net, train = _seeded(30), data[0][:]
    for eta, (_, _, costs, _) in zip((0.025, 0.25, 2.5), load(record), strict=True):
        ours = net.SGD(train, len(costs), 10, eta, 5.0, monitor_training_cost=True)[2]
        differences = np.abs(np.divide(ours, costs) - 1)
        what = f"784-30-10, η = {eta:g}, λ = 5: training cost of {len(costs)} epochs, to 1e-11"
        note = "" if eta < 1 else "rounding grows within the first epoch"
        yield Outcome(record, what, (int((differences < 1e-11).sum()), len(costs)), float(differences.max()), note)
        net.default_weight_initializer()


def more_data(data: Data, record: str) -> Iterator[Outcome]:
    """Replay training with 100 to all images; one network, whose weights are drawn anew for each."""
    net, same = _seeded(30), 0
    sizes = 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000
    for n, accuracy in zip(sizes, load(record), strict=True):
        net.large_weight_initializer()
        net.SGD(data[0][:n], 1_500_000 // n, 10, 0.5, 5.0 * n / 50_000)
        same += net.accuracy(data[1]) == round(100 * accuracy)
    yield Outcome(record, "784-30-10, 100 to 50,000 images: validation accuracy at the end", (same, len(sizes)))


REPLAYS: dict[str, Callable[[Data, str], Iterator[Outcome]]] = {
    **dict.fromkeys(("overfitting", "regularized"), overfitting),
    **dict.fromkeys(("weight_initialization_30", "weight_initialization_100"), weight_initialization),
    "more_data": more_data,
    "multiple_eta": multiple_eta,
    **dict.fromkeys(("overfitting_full", "regularized_full"), overfitting),
}
