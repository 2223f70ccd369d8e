import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from netlearn import batches, training
from netlearn.activations import Array
from netlearn.costs import COSTS, CrossEntropy
from netlearn.datasets import Dataset, targets
from netlearn.errors import DivergenceError
from netlearn.network import Network
from netlearn.slowdown import Record, probe_updates
from netlearn.training import Trainer
from tests.files import small_dataset
from tests.reference import ReferenceNetwork


def make(
    data: Dataset | None = None, *, cost: str = "cross-entropy", activation: str = "sigmoid", **given: Any
) -> Trainer:
    network = Network([6, 5, 3], cost, activation, rng=np.random.default_rng(0), dtype=np.float64)
    arguments: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 10,
        "learning_rate": 0.5,
        "rng": np.random.default_rng(1),
    } | given
    return Trainer(network, data or small_dataset(), **arguments)


def parameters(trainer: Trainer) -> list[np.ndarray]:
    return [array.copy() for array in trainer.network.weights + trainer.network.biases]


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(record, seconds=0.0) for record in records]


@pytest.mark.parametrize("batch_size", [1, 10, 47])
@pytest.mark.parametrize("cost", COSTS)
def test_weights_equal_the_references_after_50_mini_batches_with_l2(cost: str, batch_size: int) -> None:
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


def test_probes_come_in_the_first_epoch_at_1_2_5_10_and_at_every_epochs_end() -> None:
    records = list(make(small_dataset(train=235)))
    assert [record.update for record in records] == [0, 1, 2, 5, 10, 20, 24, 48, 72]
    assert [record.epoch for record in records] == pytest.approx(
        [0, 1 / 24, 1 / 12, 5 / 24, 10 / 24, 20 / 24, 1, 2, 3]
    )
    assert all(before.seconds <= after.seconds for before, after in itertools.pairwise(records))


@pytest.mark.parametrize(("updates", "probes"), [(1, [1]), (2, [1, 2]), (5, [1, 2, 5]), (12, [1, 2, 5, 10, 12])])
def test_probe_updates_end_with_the_epoch(updates: int, probes: list[int]) -> None:
    assert probe_updates(updates) == probes


def test_probe_of_an_epoch_of_5000_updates() -> None:
    assert probe_updates(5000) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]


def test_costs_of_a_record_have_the_l2_term_with_the_training_sets_size() -> None:
    plain, regularized = (next(iter(make(l2=l2))) for l2 in (0.0, 3.0))
    squares = sum((w**2).sum() for w in make().network.weights)
    for cost in ("train_cost", "validation_cost"):
        difference = getattr(regularized, cost) - getattr(plain, cost)
        assert difference == pytest.approx(3.0 / (2 * 47) * squares, rel=1e-12)


def test_every_epoch_sees_every_example_once_in_a_new_order() -> None:
    data = small_dataset()
    trainer = make(data, epochs=2)
    seen: list[bytes] = []
    update = trainer._update_mini_batch

    def watched(x: Array, y: Array) -> None:
        seen.extend(row.tobytes() for row in x.T)
        update(x, y)

    trainer._update_mini_batch = watched  # type: ignore[method-assign]
    list(trainer)
    first, second = seen[:47], seen[47:]
    assert (
        sorted(first) == sorted(second) == sorted(row.tobytes() for row in data.train.x.astype(trainer.network.dtype))
    )
    assert first != second


def test_same_seed_gives_the_same_bytes() -> None:
    one, other = make(), make()
    assert without_seconds(list(one)) == without_seconds(list(other))
    for a, b in zip(parameters(one), parameters(other), strict=True):
        assert a.tobytes() == b.tobytes()


def test_measuring_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = make(batch_size=1)
    list(probed)
    monkeypatch.setattr(training, "probe_updates", lambda updates: [updates])
    unprobed = make(batch_size=1)
    assert len(list(unprobed)) == 4
    for a, b in zip(parameters(probed), parameters(unprobed), strict=True):
        assert a.tobytes() == b.tobytes()


def test_training_learns() -> None:
    records = list(make(epochs=30))
    assert records[0].validation_accuracy < 0.6
    assert records[-1].validation_accuracy > 0.9
    assert records[-1].train_cost < records[0].train_cost / 3


def test_patience_ends_training_that_many_epochs_after_the_best_and_keeps_its_weights() -> None:
    trainer = make(small_dataset(train=300), epochs=200, patience=4)
    ends: dict[int, tuple[float, list[np.ndarray]]] = {}
    for record in trainer:
        if record.update and record.epoch.is_integer():
            ends[int(record.epoch)] = (record.validation_accuracy, parameters(trainer))
    assert trainer.best is not None
    assert trainer.update / trainer.updates_per_epoch == trainer.best.epoch + 4 < 200
    accuracies = [accuracy for accuracy, _ in ends.values()]
    assert trainer.best.accuracy == max(accuracies)
    assert trainer.best.epoch == accuracies.index(max(accuracies)) + 1
    trainer.restore_best()
    for restored, kept in zip(parameters(trainer), ends[trainer.best.epoch][1], strict=True):
        np.testing.assert_array_equal(restored, kept)


def test_without_patience_every_epoch_is_done_and_the_best_is_known() -> None:
    trainer = make(epochs=5)
    list(trainer)
    assert trainer.update == 25
    assert trainer.best is not None
    assert 1 <= trainer.best.epoch <= 5


def test_divergence_stops_at_once_and_names_update_and_learning_rate() -> None:
    trainer = make(learning_rate=10, l2=47 * 10, epochs=100)  # each update multiplies the weights by 1 − 100
    records: list[Record] = []
    with pytest.raises(DivergenceError) as caught:
        records.extend(trainer)
    assert str(caught.value) == (
        f"the cost is no longer finite after update {trainer.update} with learning rate 10; "
        "a smaller one, such as 1, may help"
    )
    assert records[0].update == 0
    assert all(np.isfinite(record.train_cost) for record in records)
    assert trainer.update < 100


def test_weights_that_l2_blows_up_are_noticed_as_soon_as_the_cost_overflows() -> None:
    data = small_dataset(train=9400)
    trainer = make(
        data, learning_rate=1.0, l2=9400 * 12, batch_size=200, epochs=50
    )  # each update multiplies by 1 − 12
    with pytest.raises(DivergenceError):
        list(trainer)
    w = trainer.network.weights[-1]
    assert not np.isfinite(np.vdot(w, w))
    assert np.isfinite(np.vdot(w / 11, w / 11))
    assert trainer.seconds > 0


def test_training_figures_of_a_record_are_those_of_the_first_1000_examples() -> None:
    data = small_dataset(train=1500)
    trainer = make(data)
    record = next(iter(trainer))
    assert (record.train_cost, record.train_accuracy) == pytest.approx(trainer.probe.evaluate(data.train.first(1000)))


@pytest.mark.parametrize(("batch_size", "noticed"), [(1, 47), (50, 36), (30, 36), (200, 34)])
def test_divergence_inside_an_epoch_is_noticed_before_mini_batches_are_gathered_again(
    batch_size: int, noticed: int
) -> None:
    trainer = make(small_dataset(train=47 * batch_size), batch_size=batch_size)
    trainer.on_update = lambda: trainer.network.weights[0].fill(np.nan) if trainer.update == 33 else None
    with pytest.raises(DivergenceError, match=f"no longer finite after update {noticed} "):
        list(trainer)


def stop_at(trainer: Trainer, update: int) -> None:
    if trainer.update == update:
        trainer.stop()


class Weighted(CrossEntropy):
    """A cost whose error sums over the targets, whose last digits depend on their order in memory."""

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        weights = np.linspace(0.1, 0.7, len(y), dtype=y.dtype)[:, np.newaxis]
        np.subtract(a, y, out)
        out *= ((1 - y) * weights).sum(axis=0)
        return out


def test_end_does_not_depend_on_where_training_was_broken_off_or_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "TOGETHER", 20)
    data = small_dataset(train=100, outputs=9)

    def begin() -> Trainer:
        network = Network([6, 9], Weighted(), rng=np.random.default_rng(0))
        return Trainer(network, data, epochs=2, batch_size=3, learning_rate=0.5, rng=np.random.default_rng(1))

    whole = begin()
    list(whole)
    for update in range(1, whole.update):
        part, rest = begin(), begin()
        part.on_update = partial(stop_at, part, update)
        list(part)
        rest.restore(part.state())
        list(rest)
        assert rest.network.parameters.tobytes() == whole.network.parameters.tobytes(), update
    monkeypatch.setattr(batches, "TOGETHER", 1)
    singly = begin()
    list(singly)
    assert singly.network.parameters.tobytes() == whole.network.parameters.tobytes()


class Forgiving(CrossEntropy):
    """A cost that takes what is not a number for no error."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        value: Array = np.nan_to_num(super().value(z, a, y))
        return value

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        out[:] = np.nan_to_num(super().delta(z, a, y, out))
        return out


def test_weights_that_are_not_finite_are_noticed_though_the_cost_is() -> None:
    data = small_dataset()
    network = Network([6, 5, 3], Forgiving(), rng=np.random.default_rng(0))
    trainer = Trainer(network, data, epochs=1, batch_size=10, learning_rate=0.1, rng=np.random.default_rng(1))
    trainer.on_update = lambda: network.weights[0].fill(np.nan) if trainer.update == 3 else None
    with pytest.raises(DivergenceError, match="no longer finite after update 5 "):
        list(trainer)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_cost_of_a_probe_that_is_not_finite_is_noticed(part: str) -> None:
    data = small_dataset()
    if part == "training":
        data.train.x[:] = np.nan
    else:
        data.validation.x[0] = np.nan
    with pytest.raises(DivergenceError, match="no longer finite after update 0 "):
        list(make(data))


def test_checkpoints_are_written_where_training_stops_and_where_it_ends() -> None:
    for stop, last in ((7, 7), (0, 15)):
        seen: list[int] = []
        trainer = make(probe_every=2, on_checkpoint=lambda state, seen=seen: seen.append(state.update))
        trainer.on_update = partial(stop_at, trainer, stop)
        list(trainer)
        assert seen[-1] == trainer.update == last


def test_checkpoints_come_at_each_epochs_end_and_without_a_probe_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def checkpoints(**given: Any) -> list[int]:
        seen: list[int] = []
        trainer = make(epochs=7, on_checkpoint=lambda state: seen.append(state.update), **given)
        list(trainer)
        return [update // trainer.updates_per_epoch for update in seen]

    assert checkpoints() == [1, 2, 3, 4, 5, 6, 7]
    monkeypatch.setattr(training, "UNPROBED_CHECKPOINT_EVERY", 60.0)
    assert checkpoints(probe_every=3) == [1, 3, 6, 7]
    monkeypatch.setattr(training, "UNPROBED_CHECKPOINT_EVERY", 0.0)
    assert checkpoints(probe_every=3) == [1, 2, 3, 4, 5, 6, 7]


def test_stop_ends_after_the_mini_batch_under_way_with_a_last_record() -> None:
    trainer = make(batch_size=1, epochs=50)
    trainer.on_update = lambda: trainer.stop() if trainer.update == 33 else None
    records = list(trainer)
    assert (trainer.update, records[-1].update) == (33, 33)
    assert records[-1].epoch == pytest.approx(33 / 47)
    assert trainer.stopping


def test_training_uses_one_blas_thread_and_gives_the_others_back() -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, inside = threads(), []
    trainer = make(on_update=lambda: inside.append(threads()))
    for _ in trainer:
        assert threads() == before
    assert inside
    assert all(set(found) == {1} for found in inside)


def test_stop_at_the_last_probe_of_an_epoch_keeps_that_epoch_in_mind() -> None:
    trainer = make(epochs=2)
    for record in trainer:
        if record.epoch == 2:
            trainer.stop()
    assert trainer.best is not None
    assert trainer.best.accuracy >= record.validation_accuracy


def test_evaluation_of_a_part_equals_the_records() -> None:
    trainer = make()
    records = list(trainer)
    cost, accuracy = trainer.probe.evaluate(trainer.data.validation)
    assert (cost, accuracy) == (records[-1].validation_cost, records[-1].validation_accuracy)


def test_probes_may_be_some_epochs_apart_and_change_nothing_of_what_is_learned() -> None:
    often, seldom = make(epochs=8), make(epochs=8, probe_every=3)
    list(often)
    assert [record.epoch for record in seldom if record.epoch >= 1] == [1, 3, 6, 8]
    for one, other in zip(parameters(often), parameters(seldom), strict=True):
        np.testing.assert_array_equal(one, other)


def test_stop_between_two_probes_ends_with_a_last_record() -> None:
    trainer = make(epochs=50, probe_every=20)
    trainer.on_update = lambda: trainer.stop() if trainer.update == 33 else None
    assert list(trainer)[-1].update == trainer.update == 33


def test_patience_counts_epochs_and_is_looked_at_when_there_is_a_probe() -> None:
    trainer = make(learning_rate=1e-9, epochs=100, probe_every=4, patience=6)
    assert [record.epoch for record in trainer if record.epoch >= 1] == [1, 4, 8]


def test_test_set_is_measured_by_each_probe_where_it_is_tracked() -> None:
    trainer = make(track_test=True, l2=2.0)
    last = list(trainer)[-1]
    assert (last.test_cost, last.test_accuracy) == trainer.probe.evaluate(trainer.data.test)
    assert next(iter(make())).test_cost is None
