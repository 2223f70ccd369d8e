"""How training ends, and what is saved then."""

from typing import Any

import numpy as np
import pytest

from netlearn.training import trainer as trainer_module
from tests.files import small_dataset
from tests.trainers import make, parameters


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


def test_stop_at_the_last_probe_of_an_epoch_counts_that_epoch() -> None:
    trainer = make(epochs=2)
    for record in trainer:
        if record.epoch == 2:
            trainer.stop()
    assert trainer.patience.best is not None
    assert trainer.patience.best.accuracy >= record.validation_accuracy


def test_stop_between_two_probes_ends_with_a_last_record() -> None:
    trainer = make(epochs=50, probe_every=20)
    trainer.on_progress = lambda: trainer.stop() if trainer.update > 30 else None
    assert list(trainer)[-1].update == trainer.update == 35


def test_patience_counts_epochs_and_is_checked_at_probes() -> None:
    trainer = make(learning_rate=1e-9, epochs=100, probe_every=4, patience=6)
    assert [record.epoch for record in trainer if record.epoch >= 1] == [1, 4, 8]
