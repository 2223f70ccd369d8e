import numpy as np
import pytest

from netlearn.batches import TOGETHER, Batches, Shuffling

RNG = np.random.default_rng(3)
X, Y = RNG.random((700, 4)).astype(np.float32), np.eye(3, dtype=np.float32)[RNG.integers(3, size=700)]


@pytest.mark.parametrize("batch_size", [1, 7, 10, TOGETHER - 1, TOGETHER, 300])
def test_mini_batches_hold_the_rows_in_their_order_and_the_last_may_be_shorter(batch_size: int) -> None:
    batches = Batches(X, Y, batch_size)
    most = batches.together * batch_size
    for count in {most, most - 1, most - batch_size + 1, batch_size, 1} & set(range(1, len(X) + 1)):
        rows = RNG.permutation(len(X))[:count]
        gathered = batches.gather(rows, 0, -(-count // batch_size))
        assert [x.shape[1] for x, _ in gathered[:-1]] == [batch_size] * (len(gathered) - 1)
        np.testing.assert_array_equal(np.hstack([x for x, _ in gathered]), X[rows].T)
        np.testing.assert_array_equal(np.hstack([y for _, y in gathered]), Y[rows].T)


def test_full_mini_batches_are_gathered_into_the_same_memory_each_time() -> None:
    batches = Batches(X, Y, 10)
    order = np.arange(len(X))
    first = batches.gather(order, 0, 70)
    again = batches.gather(order, 20, 70)
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_targets_lie_in_memory_alike_whether_all_are_gathered_or_some() -> None:
    batches = Batches(X, Y, 10)
    order = np.arange(len(X))
    for first, last in ((0, 70), (5, 9), (20, 70), (60, 70)):
        assert all(y.flags.c_contiguous for _, y in batches.gather(order, first, last))


def test_mini_batches_gathered_at_once_begin_at_the_same_ones_wherever_training_stands() -> None:
    batches = Batches(X, Y, 10)
    order = np.arange(len(X))
    assert batches.together == 20
    assert [len(batches.gather(order, first, 70)) for first in (0, 3, 19, 20, 59, 60, 69)] == [
        20,
        17,
        1,
        20,
        1,
        10,
        1,
    ]
    assert len(batches.gather(order, 3, 8)) == 5


def test_shuffling_draws_once_an_epoch_and_again_what_it_drew_after_restore() -> None:
    shuffling = Shuffling(np.random.default_rng(5), 50, 10)
    start, unbegun = shuffling.start, shuffling.sha256
    first = shuffling.order()
    assert shuffling.order() is first
    assert sorted(first) == list(range(50))
    assert shuffling.start == start
    shuffling.end_epoch()
    middle, after = shuffling.start, shuffling.sha256
    second = shuffling.order()
    assert not np.array_equal(first, second)
    assert len({unbegun, after, shuffling.sha256}) == 3
    other = Shuffling(np.random.default_rng(99), 50, 10)
    other.restore(*middle)
    np.testing.assert_array_equal(other.order(), second)
    assert other.sha256 == shuffling.sha256


def test_fingerprint_tells_order_and_size_of_the_mini_batches() -> None:
    def fingerprint(seed: int, batch_size: int) -> bytes:
        shuffling = Shuffling(np.random.default_rng(seed), 50, batch_size)
        shuffling.order()
        return shuffling.sha256

    assert fingerprint(5, 10) == fingerprint(5, 10)
    assert len({fingerprint(5, 10), fingerprint(6, 10), fingerprint(5, 5)}) == 3


def test_a_state_that_is_none_is_refused_and_changes_nothing() -> None:
    shuffling, other = (Shuffling(np.random.default_rng(5), 50, 10) for _ in range(2))
    with pytest.raises(ValueError, match="state"):
        shuffling.restore(shuffling.start[0] | {"bit_generator": "dice"}, b"")
    np.testing.assert_array_equal(shuffling.order(), other.order())
    assert shuffling.sha256 == other.sha256
