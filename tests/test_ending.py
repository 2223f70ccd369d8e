"""How training ends: after its epochs, early, when it is stopped, or since it diverges; what is saved then."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from netlearn.costs import CrossEntropy
from netlearn.errors import DivergenceError, SettingsError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.slowdown import Record
from netlearn.training import MOST_HALVINGS, Trainer
from netlearn.training import trainer as trainer_module
from netlearn.training.state import Improvement
from tests.files import small_dataset
from tests.messages import has_facts
from tests.trainers import make, parameters


def test_patience_stops_training_after_the_best_epoch_and_keeps_its_weights() -> None:
    trainer = make(small_dataset(train=300), epochs=200, patience=4)
    ends: dict[int, tuple[float, list[np.ndarray]]] = {}
    for record in trainer:
        if record.update and record.epoch.is_integer():
            ends[int(record.epoch)] = (record.validation_accuracy, parameters(trainer))
    assert trainer.improvement.best is not None
    assert trainer.update / trainer.schedule.updates_per_epoch == trainer.improvement.best.epoch + 4 < 200
    accuracies = [accuracy for accuracy, _ in ends.values()]
    assert trainer.improvement.best.accuracy == max(accuracies)
    assert trainer.improvement.best.epoch == accuracies.index(max(accuracies)) + 1
    trainer.restore_best()
    for restored, kept in zip(parameters(trainer), ends[trainer.improvement.best.epoch][1], strict=True):
        np.testing.assert_array_equal(restored, kept)


@pytest.mark.parametrize(("last", "batch_size"), [(7, 10), (15, 10), (1, 1), (47, 1)])
def test_limited_training_ends_with_a_record_and_a_checkpoint(last: int, batch_size: int) -> None:
    trainer, seen = make(probe_every=2, last=last, batch_size=batch_size), []
    trainer.on_checkpoint = lambda state: seen.append(state.update)
    assert list(trainer)[-1].update == seen[-1] == trainer.update == last


def test_checkpoints_are_at_the_end_of_epochs_and_without_a_probe_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def checkpoints(**given: Any) -> list[int]:
        seen: list[int] = []
        trainer = make(epochs=7, **given)
        trainer.on_checkpoint = lambda state: seen.append(state.update)
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


def test_stop_at_the_last_probe_of_an_epoch_counts_that_epoch() -> None:
    trainer = make(epochs=2)
    for record in trainer:
        if record.epoch == 2:
            trainer.stop()
    assert trainer.improvement.best is not None
    assert trainer.improvement.best.accuracy >= record.validation_accuracy


def test_stop_between_two_probes_ends_with_a_last_record() -> None:
    trainer = make(epochs=50, probe_every=20)
    trainer.on_progress = lambda: trainer.stop() if trainer.update > 30 else None
    assert list(trainer)[-1].update == trainer.update == 35


def test_patience_counts_epochs_and_is_checked_at_probes() -> None:
    trainer = make(learning_rate=1e-9, epochs=100, probe_every=4, patience=6)
    assert [record.epoch for record in trainer if record.epoch >= 1] == [1, 4, 8]


def test_learning_rate_is_halved_after_epochs_without_improvement_until_1_128() -> None:
    improvement, network = Improvement("off", 2), Network([1, 1])
    accuracies = [0.1, 0.2, 0.2, 0.1, 0.3, *[0.3] * 35]
    halved = [
        epoch
        for epoch, accuracy in enumerate(accuracies, 1)
        if not improvement.exhausted() and improvement.note(epoch, accuracy, network)
    ]
    assert halved == [4, 7, 9, 11, 13, 15, 17]
    assert improvement.halvings == (MOST_HALVINGS, 17)
    assert improvement.exhausted()
    assert 2.0**-MOST_HALVINGS == 1 / 128


def test_run_that_does_not_improve_records_each_halving_and_ends() -> None:
    trainer = make(halve_after=1, learning_rate=1e-9, epochs=100)
    records = list(trainer)
    rates = [record.learning_rate for record in records if record.epoch >= 1]
    assert rates == [1e-9] * 2 + [1e-9 / 2**times for times in range(1, MOST_HALVINGS)]
    assert trainer.learning_rate == 1e-9 / 128
    assert trainer.ended_early()
    assert trainer.update < trainer.schedule.last


@pytest.mark.parametrize("name", ["halve_after", "patience"])
def test_waiting_for_a_better_validation_accuracy_needs_a_validation_set(name: str) -> None:
    data = small_dataset()
    nothing = data.validation[:0]
    with pytest.raises(SettingsError, match=rf"^{name} 3: must be off, since small has no validation set$"):
        make(replace(data, validation=nothing), **cast(dict[str, Any], {name: 3}))


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
