import numpy as np
import pytest

from netlearn.errors import SettingsError
from netlearn.training.batches import TOGETHER, Batches
from tests.messages import has_facts

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


def test_full_mini_batches_are_gathered_into_the_same_memory_each_time() -> None:
    batches = make(10)
    first = batches.between(0, 70)
    again = batches.between(20, 70)
    assert all(one is other for one, other in zip(first, again, strict=True))


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


def test_given_order_is_used_and_hashed_like_a_drawn_one() -> None:
    orders = [np.random.default_rng(seed).permutation(700) for seed in (5, 6)]
    own, drawn = Batches(X, Y, 10, np.random.default_rng(1), orders.__getitem__), make(10)
    np.testing.assert_array_equal(np.vstack(epoch_of(own)), np.vstack(epoch_of(drawn)))
    assert own.sha256 == drawn.sha256
    np.testing.assert_array_equal(np.vstack(epoch_of(own, 1)), np.hstack([X, Y])[orders[1]])


def test_batches_of_a_given_order_are_restored_inside_an_epoch() -> None:
    orders = [np.random.default_rng(seed).permutation(700) for seed in (5, 6)]
    whole, rest = (Batches(X, Y, 10, np.random.default_rng(1), orders.__getitem__) for _ in range(2))
    whole.begin(0)
    whole.begin(100)
    rest.restore(whole.start(100), 100)
    assert rest.sha256 == whole.sha256
    np.testing.assert_array_equal(rest.between(100, 140)[0][0], whole.between(100, 140)[0][0])


@pytest.mark.parametrize("rows", [range(699), range(1, 701), range(-1, 699), np.arange(700.0), [range(700)]])
def test_order_with_invalid_rows_is_refused(rows: object) -> None:
    batches = Batches(X, Y, 10, np.random.default_rng(1), lambda epoch: rows)  # type: ignore[arg-type,return-value]
    with pytest.raises(SettingsError) as caught:
        batches.begin(0)
    assert has_facts(str(caught.value), "order of epoch 0: must be 700 row numbers from 0 to 699")


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batch_size_below_1_is_refused(batch_size: int) -> None:
    with pytest.raises(SettingsError) as caught:
        make(batch_size)
    assert has_facts(str(caught.value), f"batch_size {batch_size}: must be 1 or more")


def test_rng_state_that_is_not_valid_is_refused_and_changes_nothing() -> None:
    batches, other = make(10), make(10)
    state, sha256 = batches.start(0)
    with pytest.raises(ValueError, match="state"):
        batches.restore(({**state, "bit_generator": "dice"}, sha256), 0)
    np.testing.assert_array_equal(np.vstack(epoch_of(batches)), np.vstack(epoch_of(other)))
    assert batches.sha256 == other.sha256
