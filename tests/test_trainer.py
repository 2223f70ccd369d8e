"""Training: what is learned, where it is measured, and what is refused."""

import itertools
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from netlearn.costs import COSTS, CrossEntropy
from netlearn.datasets import targets
from netlearn.errors import SettingsError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.slowdown import Schedule
from netlearn.training import Trainer, descent
from tests.files import small_dataset
from tests.messages import has_facts
from tests.reference import ReferenceNetwork
from tests.trainers import figures, make, parameters


@pytest.mark.parametrize("batch_size", [1, 10, 47])
@pytest.mark.parametrize("cost", COSTS)
def test_weights_equal_the_reference_after_50_mini_batches_with_l2(cost: str, batch_size: int) -> None:
    data = small_dataset()
    updates_per_epoch = -(-47 // batch_size)  # the last mini-batch of 10 has 7 examples
    epochs = -(-50 // updates_per_epoch)
    trainer = make(data, cost=cost, batch_size=batch_size, epochs=epochs, learning_rate=0.8, l2=0.5)
    slow = ReferenceNetwork(trainer.network.weights, trainer.network.biases, cost, "sigmoid")
    list(trainer)

    rng = np.random.default_rng(1)
    x, y = data.train.x.astype(np.float64), targets(data.train.labels, 3).astype(np.float64)
    for _ in range(epochs):
        order = rng.permutation(47)
        for first in range(0, 47, batch_size):
            rows = order[first : first + batch_size]
            slow.update_mini_batch(x[rows], y[rows], eta=0.8, lmbda=0.5, n=47)
    assert trainer.update >= 50
    for fast, exact in zip(trainer.network.weights, slow.weights, strict=True):
        np.testing.assert_allclose(fast, exact, rtol=1e-12)
    for fast, exact in zip(trainer.network.biases, slow.biases, strict=True):
        np.testing.assert_allclose(fast[:, 0], exact, rtol=1e-12)


class Weighted(CrossEntropy):
    """A cost whose error sums over the targets, whose last digits depend on their order in memory."""

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        weights = np.linspace(0.1, 0.7, len(y), dtype=y.dtype)[:, np.newaxis]
        np.subtract(a, y, out)
        out *= ((1 - y) * weights).sum(axis=0)
        return out


def test_result_does_not_depend_on_interruptions_or_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "TOGETHER", 20)
    data = small_dataset(train=100, outputs=9)

    def begin(last: int | None = None) -> Trainer:
        network, rng = Network([6, 9], Weighted(), rng=np.random.default_rng(0)), np.random.default_rng(1)
        return Trainer(network, data, epochs=2, batch_size=3, learning_rate=0.5, rng=rng, last=last)

    whole = begin()
    list(whole)
    for update in range(1, whole.update):
        part, rest = begin(update), begin()
        list(part)
        rest.restore(part.state())
        list(rest)
        assert rest.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes(), update
    monkeypatch.setattr(descent, "TOGETHER", 1)
    singly = begin()
    list(singly)
    assert singly.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()


def test_training_uses_one_blas_thread_and_restores_the_others() -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, inside = threads(), []
    trainer = make()
    trainer.on_progress = lambda: inside.append(threads())
    for _ in trainer:
        assert threads() == before
    assert inside
    assert all(set(found) == {1} for found in inside)


def test_probes_are_at_1_2_5_10_in_the_first_epoch_and_at_the_end_of_every_epoch() -> None:
    records = list(make(small_dataset(train=235)))
    assert [record.update for record in records] == [0, 1, 2, 5, 10, 20, 24, 48, 72]
    assert [record.epoch for record in records] == pytest.approx(
        [0, 1 / 24, 1 / 12, 5 / 24, 10 / 24, 20 / 24, 1, 2, 3]
    )
    assert all(before.seconds <= after.seconds for before, after in itertools.pairwise(records))


def test_costs_of_a_record_have_the_l2_term_with_the_training_sets_size() -> None:
    plain, regularized = (next(iter(make(l2=l2))) for l2 in (0.0, 3.0))
    squares = sum((w**2).sum() for w in make().network.weights)
    for cost in ("train_cost", "validation_cost"):
        difference = getattr(regularized, cost) - getattr(plain, cost)
        assert difference == pytest.approx(3.0 / (2 * 47) * squares, rel=1e-12)


def test_measuring_does_not_change_training(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = make(batch_size=1)
    list(probed)
    monkeypatch.setattr(Schedule, "probe_due", lambda self, update: False)
    unprobed = make(batch_size=1)
    assert len(list(unprobed)) == 1
    for a, b in zip(parameters(probed), parameters(unprobed), strict=True):
        assert a.tobytes() == b.tobytes()


def test_figures_of_a_record_are_those_of_its_examples() -> None:
    trainer = make(small_dataset(train=1500), epochs=1, track_test=True, l2=2.0)
    *_, last = trainer
    assert (last.train_cost, last.train_accuracy) == pytest.approx(figures(trainer, trainer.data.train[:1000]))
    assert (last.validation_cost, last.validation_accuracy) == figures(trainer, trainer.data.validation)
    assert (last.test_cost, last.test_accuracy) == figures(trainer, trainer.data.test)
    assert next(iter(make())).test_cost is None


@pytest.mark.parametrize("sizes", [(6, 5, 4), (6, 2), (5, 3), (7, 4, 3)])
def test_network_that_does_not_fit_the_data_is_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        make(sizes=sizes)
    assert has_facts(str(caught.value), f"sizes {list(sizes)}: must be 6 inputs 3 outputs of small")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size 0"),
        ({"max_norm": -1.0}, "max_norm -1.0"),
        ({"beta1": 0.5}, "beta1 0.5: optimizer adam, not sgd"),
        ({"batchsize": 3}, "batchsize: batch_size"),
        ({"dropout": 0.5}, "dropout: the network"),
        ({"hidden": 30}, "hidden: the network"),
    ],
)
def test_invalid_training_settings_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make(**given)
    for part in message.split(": "):
        assert part in str(caught.value)


@pytest.mark.parametrize(("cost", "eta"), [("quadratic", 3.0), ("log-likelihood", 0.1)])
def test_learning_rate_has_the_default_of_the_networks_cost(cost: str, eta: float) -> None:
    network = Network([6, 5, 3], cost)
    assert Trainer(network, small_dataset()).learning_rate == eta
    assert Trainer(network, small_dataset(), optimizer="adam").learning_rate == 0.001


def test_learning_rate_of_the_optimizer_changes_every_later_update() -> None:
    trainer = make(l2=0.25)
    trainer.optimizer.learning_rate = 0.0
    before = parameters(trainer)
    list(trainer)
    assert trainer.learning_rate == 0
    assert all((now == then).all() for now, then in zip(parameters(trainer), before, strict=True))


@pytest.mark.parametrize(("outputs", "label"), [(1, 2), (3, 3)])
def test_labels_without_an_output_neuron_are_refused(outputs: int, label: int) -> None:
    with pytest.raises(SettingsError) as caught:
        targets(np.array([0, label]), outputs)
    assert has_facts(str(caught.value), f"outputs {outputs}: must be {label + 1} for labels up to {label}")
