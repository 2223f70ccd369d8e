"""Where a network is measured, and what a record holds."""

import itertools

import numpy as np
import pytest

from netlearn.training import Schedule
from tests.files import small_dataset
from tests.trainers import figures, make, parameters


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


def test_measuring_does_not_change_training(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = make(batch_size=1)
    list(probed)
    monkeypatch.setattr(Schedule, "probe_due", lambda self, update: False)
    unprobed = make(batch_size=1)
    assert len(list(unprobed)) == 1
    for a, b in zip(parameters(probed), parameters(unprobed), strict=True):
        assert a.tobytes() == b.tobytes()


def test_training_figures_of_a_record_are_those_of_the_first_1000_examples() -> None:
    data = small_dataset(train=1500)
    trainer = make(data)
    record = next(iter(trainer))
    assert (record.train_cost, record.train_accuracy) == pytest.approx(figures(trainer, data.train.first(1000)))


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


def test_test_set_is_measured_by_each_probe_where_it_is_tracked() -> None:
    trainer = make(track_test=True, l2=2.0)
    last = list(trainer)[-1]
    assert (last.test_cost, last.test_accuracy) == figures(trainer, trainer.data.test)
    assert next(iter(make())).test_cost is None
