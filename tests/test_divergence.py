"""A cost or weights that are no longer finite end the training."""

import numpy as np
import pytest

from netlearn.costs import CrossEntropy
from netlearn.errors import DivergenceError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.slowdown import Record
from netlearn.training import Trainer
from tests.files import small_dataset
from tests.messages import has_facts
from tests.trainers import make


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
