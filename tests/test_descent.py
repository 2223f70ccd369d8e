"""Mini-batches and the schedule of probes."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from netlearn.slowdown import Schedule
from netlearn.training import Batches
from netlearn.training.descent import TOGETHER

RNG = np.random.default_rng(3)
X, Y = RNG.random((700, 4)).astype(np.float32), np.eye(3, dtype=np.float32)[RNG.integers(3, size=700)]


def make(batch_size: int, seed: int = 5, n: int = 700) -> Batches:
    return Batches(X[:n], Y[:n], batch_size, np.random.default_rng(seed))


def epoch_of(batches: Batches, epoch: int = 0) -> list[np.ndarray]:
    """Return copies of the examples of an epoch, mini-batch by mini-batch."""
    found: list[np.ndarray] = []
    end = (epoch + 1) * batches.per_epoch
    update = epoch * batches.per_epoch
    while update < end:
        mini_batches = batches.between(update, end)
        found += [np.vstack([x, y]).T.copy() for x, y in mini_batches]
        update += len(mini_batches)
    assert update == end
    return found


@pytest.mark.parametrize("n", [700, 693, 200])
@pytest.mark.parametrize("batch_size", [1, 7, 10, TOGETHER - 1, TOGETHER, 300])
def test_an_epoch_holds_every_row_once_in_the_drawn_order(batch_size: int, n: int) -> None:
    mini_batches = epoch_of(make(min(batch_size, n), n=n))
    assert {len(part) for part in mini_batches[:-1]} <= {min(batch_size, n)}
    order = np.random.default_rng(5).permutation(n)
    np.testing.assert_array_equal(np.vstack(mini_batches), np.hstack([X, Y])[order])


def test_every_epoch_has_a_new_order_and_starts_at_its_first_update() -> None:
    batches = make(10)
    first, second = np.vstack(epoch_of(batches)), np.vstack(epoch_of(batches, 1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first, axis=0), np.sort(second, axis=0))


@pytest.mark.parametrize("inputs", [np.uint8, np.float32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_memory_is_allocated_for_mini_batches(inputs: Any, dtype: Any) -> None:
    batches = Batches(np.ones((1000, 784), inputs), np.ones((1000, 1), dtype), 10, np.random.default_rng())
    batches.between(0, 100)
    tracemalloc.start()
    for update in range(20, 100, 20):
        batches.between(update, 100)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < TOGETHER * 784


def test_examples_are_contiguous_columns_in_aligned_memory() -> None:
    batches = make(10)
    for start, stop in ((0, 70), (5, 9), (20, 70), (60, 70)):
        for x, y in batches.between(start, stop):
            assert x.flags.f_contiguous
            assert y.flags.f_contiguous
    assert batches.between(0, 70)[0][0].ctypes.data % 64 == 0


def test_gathered_groups_end_at_the_same_updates_wherever_they_start() -> None:
    batches = make(10)
    counts = [len(batches.between(start, 70)) for start in (0, 3, 19, 20, 59, 60, 69)]
    assert counts == [20, 17, 1, 20, 1, 10, 1]
    assert len(batches.between(3, 8)) == 5


@pytest.mark.parametrize("update", [0, 1, 35, 69, 70, 71, 150])
def test_restored_batches_continue_as_if_never_interrupted(update: int) -> None:
    whole, part, rest = make(10), make(10), make(10, seed=99)
    for start in range(0, 210, 70):
        whole.begin(start)
    for start in range(0, update, 70):  # the epochs begun by then
        part.begin(start)
    rest.restore(part.start(update), update)
    for start in range(-(-update // 70) * 70, 210, 70):
        rest.begin(start)
    assert rest.sha256 == whole.sha256
    np.testing.assert_array_equal(np.vstack(epoch_of(rest, 2)), np.vstack(epoch_of(whole, 2)))


def test_hash_depends_on_the_order_and_on_the_size_of_the_mini_batches() -> None:
    def sha256(seed: int, batch_size: int) -> bytes:
        batches = make(batch_size, seed)
        batches.begin(0)
        return batches.sha256

    assert sha256(5, 10) == sha256(5, 10)
    assert len({sha256(5, 10), sha256(6, 10), sha256(5, 5)}) == 3


def test_rng_state_that_is_not_valid_is_refused_and_changes_nothing() -> None:
    batches, other = make(10), make(10)
    state, sha256 = batches.start(0)
    with pytest.raises(ValueError, match="state"):
        batches.restore(({**state, "bit_generator": "dice"}, sha256), 0)
    np.testing.assert_array_equal(np.vstack(epoch_of(batches)), np.vstack(epoch_of(other)))
    assert batches.sha256 == other.sha256


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
