import numpy as np
import pytest
from threadpoolctl import threadpool_info

from netlearn.costs import COSTS, CrossEntropy
from netlearn.datasets import targets
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.training import Trainer, batches
from tests.files import small_dataset
from tests.reference import ReferenceNetwork
from tests.trainers import make, parameters, without_seconds


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


def test_training_learns() -> None:
    records = list(make(epochs=30))
    assert records[0].validation_accuracy < 0.6
    assert records[-1].validation_accuracy > 0.9
    assert records[-1].train_cost < records[0].train_cost / 3


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


def test_training_uses_one_blas_thread_and_restores_the_others() -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, inside = threads(), []
    trainer = make(on_progress=lambda: inside.append(threads()))
    for _ in trainer:
        assert threads() == before
    assert inside
    assert all(set(found) == {1} for found in inside)
