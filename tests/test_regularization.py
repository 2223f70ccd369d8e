"""Dropout, max-norm and the halving of the learning rate."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netlearn.activations import ACTIVATIONS
from netlearn.network import Network
from netlearn.numerics import numerics
from netlearn.training import Dropout
from netlearn.training.regularize import MaxNorm
from tests.reference import differences
from tests.runs import begin_run


def dropped(rate: float, sizes: list[int], **given: Any) -> tuple[Network, Dropout]:
    dropout = Dropout(ACTIVATIONS["sigmoid"], rate, np.random.default_rng(7))
    return Network(sizes, activation=dropout, rng=np.random.default_rng(0), **given), dropout


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_mean_activation_with_dropout_is_the_undropped_one_within_its_standard_error(rate: float) -> None:
    network, dropout = dropped(rate, [6, 40, 3])
    x = np.random.default_rng(1).random((6, 50), dtype=np.float32)
    with numerics():
        plain = network.forward(x)[0].a.copy()
        with dropout.training():
            passes = np.stack([network.forward(x)[0].a.copy() for _ in range(400)])
    kept = (passes != 0).mean()
    assert kept == pytest.approx(1 - rate, abs=0.003)
    standard_error = passes.std(axis=0, ddof=1) / np.sqrt(len(passes))
    gaps = (passes.mean(axis=0) - plain) / standard_error
    assert abs(gaps.mean()) < 0.1
    assert gaps.std() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(passes[passes != 0].reshape(-1), np.broadcast_to(plain, passes.shape)[passes != 0]
                               / np.float32(1 - rate), rtol=1e-5)  # fmt: skip


def test_gradient_with_dropout_equals_differences_of_the_cost_with_the_same_neurons_dropped() -> None:
    network, dropout = dropped(0.4, [6, 5, 4, 3], dtype=np.float64)
    rng = np.random.default_rng(2)
    x, y = rng.random((6, 8)), rng.random((3, 8))
    state = dropout.rng.bit_generator.state

    def cost() -> float:
        dropout.rng.bit_generator.state = state
        output = network.forward(x)[-1]
        return float(network.cost.value(output.z, output.a, y).mean())

    with numerics(), dropout.training():
        network.gradient(x, y)
        assert any((layer.a == 0).any() for layer in network.forward(x)[:-1])
        numeric = differences(cost, network.parameters.vector, step=1e-5)
    np.testing.assert_allclose(network.nabla.vector, numeric, rtol=1e-6, atol=1e-9)


def test_probes_and_evaluation_drop_nothing_and_leave_the_stream_alone() -> None:
    plain = begin_run(dropout=0.0)
    trainer = begin_run(dropout=0.5)
    assert trainer.dropout is not None
    before = trainer.dropout.rng.bit_generator.state
    records = [next(iter(each)) for each in (plain, trainer)]
    assert replace(records[0], seconds=0) == replace(records[1], seconds=0)
    one, other = (each.probe.evaluate(each.data.test) for each in (plain, trainer))
    np.testing.assert_array_equal(one.outputs, other.outputs)
    np.testing.assert_array_equal(one.costs, other.costs)
    assert trainer.dropout.rng.bit_generator.state == before


def test_dropout_changes_neither_initial_weights_nor_mini_batches() -> None:
    plain, trainer = begin_run(dropout=0.0), begin_run(dropout=0.5)
    assert plain.initial_sha256 == trainer.initial_sha256
    list(plain)
    list(trainer)
    assert plain.batches.sha256 == trainer.batches.sha256
    assert not np.array_equal(plain.network.parameters.vector, trainer.network.parameters.vector)


@pytest.mark.parametrize("limit", [0.5, 1.5])
def test_max_norm_shortens_only_hidden_rows_that_are_too_long(limit: float) -> None:
    network = Network([6, 5, 4, 3], rng=np.random.default_rng(0), dtype=np.float64)
    before = [w.copy() for w in network.weights]
    MaxNorm(network, limit).apply()
    for w, old in zip(network.weights[:-1], before[:-1], strict=True):
        norms = np.linalg.norm(old, axis=1, keepdims=True)
        np.testing.assert_allclose(w, np.where(norms > limit, old * limit / norms, old), rtol=1e-14)
    np.testing.assert_array_equal(network.weights[-1], before[-1])


def test_max_norm_holds_after_every_epoch() -> None:
    free, limited = begin_run(), begin_run(max_norm=0.8)
    list(free)
    list(limited)
    longest = [np.linalg.norm(trainer.network.weights[0], axis=1).max() for trainer in (free, limited)]
    assert longest[0] > 0.9
    assert longest[1] <= 0.8 * (1 + 1e-6)
