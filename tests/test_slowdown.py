import math

import numpy as np
import pytest

from netlearn.costs import COSTS
from netlearn.datasets import Examples, targets
from netlearn.network import Network
from netlearn.numerics import Array, numerics
from netlearn.predictions import BLOCK, predict
from netlearn.slowdown import Speed, measure_speed
from tests.files import small_dataset
from tests.reference import ReferenceNetwork


def speed_of(network: Network, x: Array, y: Array) -> Speed:
    with numerics():
        return measure_speed(network.backward(x, y), y)


@pytest.mark.parametrize("cost", COSTS)
def test_speed_equals_the_equations(cost: str) -> None:
    data = small_dataset()
    network = Network([6, 5, 3], cost, initializer="large", rng=np.random.default_rng(0), dtype=np.float64)
    x, y = data.train.x.astype(np.float64), targets(data.train.labels, 3).astype(np.float64)
    speed = speed_of(network, x.T, y.T)

    slow = ReferenceNetwork(network.weights, network.biases, cost, "sigmoid")
    passes = [slow.forward(row) for row in x]
    error = np.array([abs(activations[-1] - target) for (_, activations), target in zip(passes, y, strict=True)])
    gradients = [slow.backprop(row, target)[0] for row, target in zip(x, y, strict=True)]
    delta = abs(np.array([nabla[-1] for nabla in gradients]))
    assert speed.output_error == pytest.approx(error.mean(), rel=1e-12)
    assert speed.learning_speed == pytest.approx(delta.sum() / error.sum(), rel=1e-12)
    assert speed.stuck == (error > 0.9).mean()
    means = [np.mean([nabla[layer] for nabla in gradients], axis=0) for layer in range(2)]
    assert speed.speeds == pytest.approx([np.linalg.norm(mean) for mean in means], rel=1e-12)


def test_stuck_neurons_are_wrong_by_more_than_nine_tenths() -> None:
    network = Network([1, 2], initializer=(0, 3), dtype=np.float64)  # both outputs are σ(3) = 0.953
    speed = speed_of(network, np.ones((1, 1)), np.array([[1.0], [0.0]]))
    assert speed.stuck == 0.5
    assert speed.output_error == pytest.approx(0.5)


def test_learning_speed_without_error_is_nan() -> None:
    network = Network([1, 1], initializer=(0, -1000))
    x, y = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    assert math.isnan(speed_of(network, x, y).learning_speed)


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
def test_evaluation_in_blocks_counts_every_example_once(n: int) -> None:
    data = small_dataset(train=n)
    network = Network([6, 5, 3], rng=np.random.default_rng(1), dtype=np.float64)
    x, y = data.train.x.astype(np.float64), targets(data.train.labels, 3).astype(np.float64)
    slow = ReferenceNetwork(network.weights, network.biases, "cross-entropy", "sigmoid")
    passes = [slow.forward(row) for row in x]
    evaluation = predict(network, data.train)
    np.testing.assert_allclose(evaluation.outputs, [a[-1] for _, a in passes])
    assert evaluation.cost == pytest.approx(
        np.mean([slow.cost(zs[-1], row) for (zs, _), row in zip(passes, y, strict=True)])
    )
    assert evaluation.accuracy == np.mean([a[-1].argmax() for _, a in passes] == data.train.labels)


@pytest.mark.parametrize(("bias", "label", "accuracy"), [(1, 1, 1), (1, 0, 0), (-1, 0, 1), (-1, 1, 0)])
def test_single_output_means_1_above_one_half(bias: float, label: int, accuracy: float) -> None:
    network = Network([1, 1], initializer=(0, bias), dtype=np.float64)
    examples = Examples(np.ones((1, 1), np.float32), np.array([label]))
    assert predict(network, examples).accuracy == accuracy


def test_recall_is_the_fraction_of_each_class_that_is_recognized() -> None:
    data = small_dataset(train=300)
    network = Network([6, 5, 3], rng=np.random.default_rng(1))
    answers = network.feedforward(data.train.x.T).argmax(axis=0)
    labels = np.minimum(data.train.labels, 1)  # no example of class 2
    recall = predict(network, Examples(data.train.x, labels)).recall
    assert recall == (np.mean(answers[labels == 0] == 0), np.mean(answers[labels == 1] == 1), None)
