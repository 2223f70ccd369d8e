import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from netlearn.costs import COSTS, CrossEntropy
from netlearn.datasets import Dataset, Examples, targets
from netlearn.errors import DivergenceError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.slowdown import Record
from netlearn.training import Schedule, Trainer, batches
from netlearn.training import trainer as trainer_module
from tests.files import small_dataset
from tests.messages import has_facts
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
    return [array.copy() for array in (*trainer.network.weights, *trainer.network.biases)]


def figures(trainer: Trainer, examples: Examples) -> tuple[float, float]:
    evaluation = trainer.probe.evaluate(examples)
    return evaluation.cost, evaluation.accuracy


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(record, seconds=0.0) for record in records]


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


def test_probes_are_at_1_2_5_10_in_the_first_epoch_and_at_the_end_of_every_epoch() -> None:
    records = list(make(small_dataset(train=235)))
    assert [record.update for record in records] == [0, 1, 2, 5, 10, 20, 24, 48, 72]
    assert [record.epoch for record in records] == pytest.approx(
        [0, 1 / 24, 1 / 12, 5 / 24, 10 / 24, 20 / 24, 1, 2, 3]
    )
    assert all(before.seconds <= after.seconds for before, after in itertools.pairwise(records))


@pytest.mark.parametrize(
    ("updates", "probes"),
    [
        (1, [0, 1]),
        (2, [0, 1, 2]),
        (5, [0, 1, 2, 5]),
        (12, [0, 1, 2, 5, 10, 12]),
        (5000, [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]),
    ],
)
def test_early_probes_stop_after_the_first_epoch(updates: int, probes: list[int]) -> None:
    schedule = Schedule(last=3 * updates, updates_per_epoch=updates)
    assert [update for update in range(updates + 1) if schedule.probe_due(update)] == probes
    stops = [0]
    while stops[-1] < 3 * updates:
        stops.append(schedule.next_stop(stops[-1]))
    assert stops == [*probes, 2 * updates, 3 * updates]


def test_later_probes_have_a_fixed_distance_whatever_the_length_of_the_run() -> None:
    for last in (24, 100, 77):
        schedule = Schedule(last, updates_per_epoch=12, probe_every=3)
        assert [update for update in range(13, 101) if schedule.probe_due(update)] == [36, 72]
        assert schedule.next_stop(60) == min(72, last)
    assert [update for update in range(30) if Schedule(30, 12).epoch_ends(update)] == [12, 24]


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
    between = trainer.batches.between

    def watched(update: int, stop: int) -> list[tuple[Array, Array]]:
        mini_batches = between(update, stop)
        seen.extend(row.tobytes() for x, _ in mini_batches for row in x.T)
        return mini_batches

    trainer.batches.between = watched  # type: ignore[method-assign]
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


def test_measuring_does_not_change_training(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = make(batch_size=1)
    list(probed)
    monkeypatch.setattr(Schedule, "probe_due", lambda self, update: False)
    unprobed = make(batch_size=1)
    assert len(list(unprobed)) == 1
    for a, b in zip(parameters(probed), parameters(unprobed), strict=True):
        assert a.tobytes() == b.tobytes()


def test_training_learns() -> None:
    records = list(make(epochs=30))
    assert records[0].validation_accuracy < 0.6
    assert records[-1].validation_accuracy > 0.9
    assert records[-1].train_cost < records[0].train_cost / 3


def test_patience_stops_training_after_the_best_epoch_and_keeps_its_weights() -> None:
    trainer = make(small_dataset(train=300), epochs=200, patience=4)
    ends: dict[int, tuple[float, list[np.ndarray]]] = {}
    for record in trainer:
        if record.update and record.epoch.is_integer():
            ends[int(record.epoch)] = (record.validation_accuracy, parameters(trainer))
    assert trainer.patience.best is not None
    assert trainer.update / trainer.schedule.updates_per_epoch == trainer.patience.best.epoch + 4 < 200
    accuracies = [accuracy for accuracy, _ in ends.values()]
    assert trainer.patience.best.accuracy == max(accuracies)
    assert trainer.patience.best.epoch == accuracies.index(max(accuracies)) + 1
    trainer.restore_best()
    for restored, kept in zip(parameters(trainer), ends[trainer.patience.best.epoch][1], strict=True):
        np.testing.assert_array_equal(restored, kept)


def test_without_patience_all_epochs_run_and_the_best_is_known() -> None:
    trainer = make(epochs=5)
    list(trainer)
    assert trainer.update == 25
    assert trainer.patience.best is not None
    assert 1 <= trainer.patience.best.epoch <= 5


def test_divergence_stops_at_once_and_names_update_and_learning_rate() -> None:
    trainer = make(learning_rate=10, l2=47 * 10, epochs=100)  # each update multiplies the weights by 1 − 100
    records: list[Record] = []
    with pytest.raises(DivergenceError) as caught:
        records.extend(trainer)
    assert has_facts(str(caught.value), f"update {trainer.update} with learning rate 10; such as 1,")
    assert records[0].update == 0
    assert all(np.isfinite(record.train_cost) for record in records)
    assert trainer.update < 100


def test_weights_enlarged_by_l2_are_noticed_as_soon_as_the_cost_overflows() -> None:
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
    assert (record.train_cost, record.train_accuracy) == pytest.approx(figures(trainer, data.train.first(1000)))


@pytest.mark.parametrize("batch_size", [1, 30, 50, 200])
def test_divergence_inside_an_epoch_is_noticed_after_the_gathered_group(batch_size: int) -> None:
    trainer = make(small_dataset(train=47 * batch_size), batch_size=batch_size)
    broken: list[int] = []

    def break_weights() -> None:
        if trainer.update > 20 and not broken:
            broken.append(trainer.update)
            trainer.network.weights[0].fill(np.nan)

    trainer.on_progress = break_weights
    with pytest.raises(DivergenceError):
        list(trainer)
    assert broken[0] <= trainer.update <= broken[0] + max(1, 200 // batch_size)


class Weighted(CrossEntropy):
    """A cost whose error sums over the targets, whose last digits depend on their order in memory."""

    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        weights = np.linspace(0.1, 0.7, len(y), dtype=y.dtype)[:, np.newaxis]
        np.subtract(a, y, out)
        out *= ((1 - y) * weights).sum(axis=0)
        return out


def test_result_does_not_depend_on_interruptions_or_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "TOGETHER", 20)
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
    monkeypatch.setattr(batches, "TOGETHER", 1)
    singly = begin()
    list(singly)
    assert singly.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()


class Forgiving(CrossEntropy):
    """A cost that is 0 where it should be NaN."""

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
    trainer.on_progress = lambda: network.weights[0].fill(np.nan) if trainer.update == 2 else None
    with pytest.raises(DivergenceError, match="after update 2 "):
        list(trainer)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_cost_of_a_probe_that_is_not_finite_is_noticed(part: str) -> None:
    data = small_dataset()
    if part == "training":
        data.train.x[:] = np.nan
    else:
        data.validation.x[0] = np.nan
    with pytest.raises(DivergenceError, match="not finite at update 0"):
        list(make(data))


def test_checkpoints_are_written_where_training_stops_and_where_it_ends() -> None:
    for last in (7, 15):
        seen: list[int] = []
        trainer = make(probe_every=2, last=last, on_checkpoint=lambda state, seen=seen: seen.append(state.update))
        list(trainer)
        assert seen[-1] == trainer.update == last


def test_checkpoints_are_at_the_end_of_epochs_and_without_a_probe_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def checkpoints(**given: Any) -> list[int]:
        seen: list[int] = []
        trainer = make(epochs=7, on_checkpoint=lambda state: seen.append(state.update), **given)
        list(trainer)
        return [update // trainer.schedule.updates_per_epoch for update in seen]

    assert checkpoints() == [1, 2, 3, 4, 5, 6, 7]
    monkeypatch.setattr(trainer_module, "CHECKPOINT_AT_END", 60.0)
    assert checkpoints(probe_every=3) == [1, 3, 6, 7]
    monkeypatch.setattr(trainer_module, "CHECKPOINT_AT_END", 0.0)
    assert checkpoints(probe_every=3) == [1, 2, 3, 4, 5, 6, 7]


def test_stop_ends_within_a_gathered_group_with_a_last_record() -> None:
    trainer = make(small_dataset(train=1000), batch_size=1, epochs=50)
    trainer.on_progress = lambda: trainer.stop() if trainer.update > 600 else None
    records = list(trainer)
    assert 600 < trainer.update == records[-1].update <= 800
    assert trainer.stopping


@pytest.mark.parametrize("last", [1, 33, 47, 94])
def test_training_limited_to_an_update_ends_there_with_a_record(last: int) -> None:
    trainer = make(batch_size=1, epochs=50, last=last)
    assert list(trainer)[-1].update == trainer.update == last


def test_training_uses_one_blas_thread_and_restores_the_others() -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, inside = threads(), []
    trainer = make(on_progress=lambda: inside.append(threads()))
    for _ in trainer:
        assert threads() == before
    assert inside
    assert all(set(found) == {1} for found in inside)


def test_stop_at_the_last_probe_of_an_epoch_counts_that_epoch() -> None:
    trainer = make(epochs=2)
    for record in trainer:
        if record.epoch == 2:
            trainer.stop()
    assert trainer.patience.best is not None
    assert trainer.patience.best.accuracy >= record.validation_accuracy


def test_evaluation_of_a_part_equals_the_records() -> None:
    trainer = make()
    records = list(trainer)
    assert figures(trainer, trainer.data.validation) == (records[-1].validation_cost, records[-1].validation_accuracy)


def test_probes_may_be_some_epochs_apart_without_changing_training() -> None:
    often, seldom = make(epochs=8), make(epochs=8, probe_every=3)
    list(often)
    assert [record.epoch for record in seldom if record.epoch >= 1] == [1, 3, 6, 8]
    for one, other in zip(parameters(often), parameters(seldom), strict=True):
        np.testing.assert_array_equal(one, other)


def test_stop_between_two_probes_ends_with_a_last_record() -> None:
    trainer = make(epochs=50, probe_every=20)
    trainer.on_progress = lambda: trainer.stop() if trainer.update > 30 else None
    assert list(trainer)[-1].update == trainer.update == 35


def test_patience_counts_epochs_and_is_checked_at_probes() -> None:
    trainer = make(learning_rate=1e-9, epochs=100, probe_every=4, patience=6)
    assert [record.epoch for record in trainer if record.epoch >= 1] == [1, 4, 8]


def test_test_set_is_measured_by_each_probe_where_it_is_tracked() -> None:
    trainer = make(track_test=True, l2=2.0)
    last = list(trainer)[-1]
    assert (last.test_cost, last.test_accuracy) == figures(trainer, trainer.data.test)
    assert next(iter(make())).test_cost is None
