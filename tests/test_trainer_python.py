"""The trainer called from Python: given weights, given order, no probes, fixed settings."""

from typing import Any

import numpy as np
import pytest

from netlearn.datasets import targets
from netlearn.errors import SettingsError
from netlearn.network import Network
from netlearn.training import Trainer
from tests.files import small_dataset
from tests.messages import has_facts


def make(sizes: tuple[int, ...] = (6, 5, 3), **given: Any) -> Trainer:
    network = Network(sizes, rng=np.random.default_rng(0))
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": 10, "learning_rate": 0.5} | given
    return Trainer(network, small_dataset(), **arguments)


def test_own_weights_and_own_order_give_the_run_that_drew_them() -> None:
    drawn = make(rng=np.random.default_rng(1))
    own = make()
    own.network.set_parameters(
        [w.astype(np.float64) for w in drawn.network.weights], [b.tolist() for b in drawn.network.biases]
    )
    rng = np.random.default_rng(1)
    orders = [rng.permutation(47).tolist() for _ in range(2)]
    own = Trainer(own.network, small_dataset(), epochs=2, batch_size=10, learning_rate=0.5, order=orders.__getitem__)
    records = [len(list(trainer)) for trainer in (drawn, own)]
    assert records[0] == records[1]
    assert own.initial_sha256 == drawn.initial_sha256
    assert own.batches.sha256 == drawn.batches.sha256
    assert own.network.parameters.vector.tobytes() == drawn.network.parameters.vector.tobytes()


def test_order_may_leave_out_and_repeat_examples() -> None:
    trainer = make(order=lambda epoch: np.zeros(47, int))
    list(trainer)
    assert trainer.update == 10


def test_without_probes_the_same_is_learned_and_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = make(rng=np.random.default_rng(1))
    assert len(list(probed)) > 2
    saved: list[int] = []
    unprobed = make(
        rng=np.random.default_rng(1), probe_every=0, on_checkpoint=lambda state: saved.append(state.update)
    )
    monkeypatch.setattr(unprobed.probe, "measure", None)
    assert list(unprobed) == []
    assert unprobed.update == 10
    assert saved[-1] == 10
    assert unprobed.network.parameters.vector.tobytes() == probed.network.parameters.vector.tobytes()


@pytest.mark.parametrize("name", ["learning_rate", "l2", "batch_size"])
def test_settings_of_a_trainer_cannot_be_assigned(name: str) -> None:
    trainer = make(l2=0.25)
    assert getattr(trainer, name) == {"learning_rate": 0.5, "l2": 0.25, "batch_size": 10}[name]
    for thing in (trainer, trainer.batches):
        if hasattr(thing, name):
            with pytest.raises(AttributeError):
                setattr(thing, name, 1)


def test_learning_rate_of_the_optimizer_changes_every_later_update() -> None:
    trainer = make(l2=0.25)
    trainer.optimizer.learning_rate = 0.0
    before = trainer.network.parameters.vector.copy()
    list(trainer)
    assert trainer.learning_rate == 0
    np.testing.assert_array_equal(trainer.network.parameters.vector, before)


@pytest.mark.parametrize("sizes", [(6, 5, 4), (6, 2), (5, 3), (7, 4, 3)])
def test_network_that_does_not_fit_the_data_is_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        make(sizes)
    assert has_facts(str(caught.value), f"sizes {list(sizes)}: must be 6 inputs 3 outputs of small")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size 0: must be 1 or more"),
        ({"probe_every": 0, "patience": 1}, "probe_every 0: must be 1"),
    ],
)
def test_invalid_training_settings_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make(**given)
    assert has_facts(str(caught.value), message)


@pytest.mark.parametrize(("outputs", "label"), [(1, 2), (3, 3)])
def test_labels_without_an_output_neuron_are_refused(outputs: int, label: int) -> None:
    with pytest.raises(SettingsError) as caught:
        targets(np.array([0, label]), outputs)
    assert has_facts(str(caught.value), f"outputs {outputs}: must be {label + 1} for labels up to {label}")
