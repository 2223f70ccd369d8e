import numpy as np
import pytest

from netlearn.batches import TOGETHER, Batches

RNG = np.random.default_rng(3)
X, Y = RNG.random((700, 4)).astype(np.float32), np.eye(3, dtype=np.float32)[RNG.integers(3, size=700)]


@pytest.mark.parametrize("batch_size", [1, 7, 10, TOGETHER - 1, TOGETHER, 300])
def test_mini_batches_hold_the_rows_in_their_order_and_the_last_may_be_shorter(batch_size: int) -> None:
    batches = Batches(X, Y, batch_size)
    most = batches.together * batch_size
    for count in {most, most - 1, most - batch_size + 1, batch_size, 1} & set(range(1, len(X) + 1)):
        rows = RNG.permutation(len(X))[:count]
        gathered = batches.gather(rows)
        assert [x.shape[1] for x, _ in gathered[:-1]] == [batch_size] * (len(gathered) - 1)
        np.testing.assert_array_equal(np.hstack([x for x, _ in gathered]), X[rows].T)
        np.testing.assert_array_equal(np.hstack([y for _, y in gathered]), Y[rows].T)


def test_full_mini_batches_are_gathered_into_the_same_memory_each_time() -> None:
    batches = Batches(X, Y, 10)
    first = batches.gather(np.arange(TOGETHER))
    again = batches.gather(np.arange(TOGETHER, 2 * TOGETHER))
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert all(y.flags.c_contiguous for _, y in again)
