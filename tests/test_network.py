import itertools
import tracemalloc
from typing import Literal

import numpy as np
import pytest

from netlearn.activations import ACTIVATIONS
from netlearn.costs import COSTS
from netlearn.errors import SettingsError
from netlearn.network import Network
from tests.messages import has_facts
from tests.reference import ReferenceNetwork

DEPTHS = {0: [4, 3], 1: [4, 5, 3], 3: [4, 5, 6, 5, 3]}
CASES = list(itertools.product(COSTS, ACTIVATIONS, DEPTHS))


def make(cost: str, activation: str, sizes: list[int], batch: int = 7) -> tuple[Network, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    network = Network(sizes, cost, activation, rng=rng, dtype=np.float64)
    x = rng.normal(size=(sizes[0], batch))
    y = rng.dirichlet(np.ones(sizes[-1]), batch).T
    y[:, 0] = np.eye(sizes[-1])[0]  # one target of exactly 0 and 1
    return network, x, y


@pytest.mark.parametrize("sizes", [*DEPTHS.values(), [200, 40, 10], [200, 40, 40, 40, 10]], ids=str)
@pytest.mark.parametrize(("cost", "activation"), list(itertools.product(COSTS, ACTIVATIONS)))
def test_gradient_equals_that_of_the_reference(cost: str, activation: str, sizes: list[int]) -> None:
    network, x, y = make(cost, activation, sizes)
    reference = ReferenceNetwork(network.weights, network.biases, cost, activation)
    slow = [reference.backprop(x[:, j], y[:, j]) for j in range(x.shape[1])]
    fast_b, fast_w = network.backprop(x, y)
    for layer in range(len(sizes) - 1):
        mean_b, mean_w = (np.mean([nabla[part][layer] for nabla in slow], axis=0) for part in (0, 1))
        np.testing.assert_allclose(fast_b[layer][:, 0], mean_b, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(fast_w[layer], mean_w, rtol=1e-9, atol=1e-14)


def test_initializers_draw_the_same_numbers_at_two_scales() -> None:
    scaled, large, single = (
        Network([400, 30, 10], initializer=name, rng=np.random.default_rng(1), dtype=dtype)
        for name, dtype in (("scaled", np.float64), ("large", np.float64), ("large", np.float32))
    )
    np.testing.assert_allclose(large.weights[0], scaled.weights[0] * 20, rtol=1e-12)
    np.testing.assert_array_equal(large.biases[0], scaled.biases[0])
    np.testing.assert_array_equal(large.weights[1].astype(np.float32), single.weights[1])
    assert large.weights[0].std() == pytest.approx(1, abs=0.05)
    assert large.biases[0].std() == pytest.approx(1, abs=0.5)


def test_returned_arrays_belong_to_the_caller() -> None:
    network = Network([3, 4, 2], rng=np.random.default_rng(0))
    x, y = np.ones((3, 5)), np.zeros((2, 5))
    arrays = [network.feedforward(x), *itertools.chain(*network.backprop(x, y))]
    kept = [array.copy() for array in arrays]
    network.feedforward(2 * x)
    network.backprop(2 * x, y)
    for array, copy in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert array.dtype == np.float32


@pytest.mark.parametrize("size", [1e3, 1e20, 3e38])
@pytest.mark.parametrize("cost", COSTS)
def test_overflow_gives_no_warnings(cost: str, size: float) -> None:
    network = Network([3, 4, 2], cost, "relu", initializer=(-size, size))
    network.feedforward(np.full((3, 1), -1.0))
    network.backprop(np.full((3, 1), -1.0), np.array([[1.0], [0.0]]))


def test_memory_for_many_batch_sizes_is_limited() -> None:
    network = Network([3, 1000], rng=np.random.default_rng(0))
    tracemalloc.start()
    for batch in range(1, 100):
        network.feedforward(np.ones((3, batch)))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    arrays = 4 * 1000 * 4  # bytes for one example
    assert 0 < kept < 9 * 100 * arrays < sum(range(1, 100)) * arrays


@pytest.mark.parametrize("cost", COSTS)
def test_gradient_allocates_no_layer_sized_array_once_its_buffers_exist(cost: str) -> None:
    network = Network([784, 100, 10], cost, rng=np.random.default_rng(0))
    batch = 4000
    x, y = np.random.default_rng(1).random((batch, 784), np.float32).T, np.zeros((batch, 10), np.float32).T
    network.descend(x, y, 0.1)
    tracemalloc.start()
    network.descend(x, y, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    per_example = 8 if cost == "log-likelihood" else 0  # the softmax finds a maximum and a sum for each example
    numpy_iterator = 40_000  # numpy's own buffer for an operand that it broadcasts, whatever the size
    assert peak < numpy_iterator + batch * per_example < 10 * batch * 4


@pytest.mark.parametrize("decay", [1.0, 0.9])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("cost", "activation", "depth"), CASES)
def test_descend_adds_the_gradient_to_the_decayed_weights(
    cost: str, activation: str, depth: int, order: Literal["C", "F"], decay: float
) -> None:
    network, x, y = make(cost, activation, DEPTHS[depth])
    x, y = np.asarray(x, order=order), np.asarray(y, order=order)
    nabla_b, nabla_w = network.backprop(x, y)
    weights, biases = [w.copy() for w in network.weights], [b.copy() for b in network.biases]
    network.descend(x, y, 0.7, decay)
    for now, w, nabla in zip(network.weights, weights, nabla_w, strict=True):
        np.testing.assert_allclose(now, decay * w - 0.7 * nabla, rtol=1e-12, atol=1e-14)
    for now, b, nabla in zip(network.biases, biases, nabla_b, strict=True):
        np.testing.assert_allclose(now, b - 0.7 * nabla, rtol=1e-12, atol=1e-14)


def test_parameters_lie_on_cache_lines_and_cannot_be_replaced() -> None:
    network = Network([784, 30, 10], rng=np.random.default_rng(0))
    assert network.parameters.vector.ctypes.data % 64 == 0
    assert network.weights[0].base is not None
    with pytest.raises(TypeError):
        network.weights[0] = np.zeros((30, 784))  # type: ignore[index]
    with pytest.raises(AttributeError):
        network.weights = ()  # type: ignore[misc]


def test_parameters_are_set_by_copying() -> None:
    network, x = Network([3, 4, 2], rng=np.random.default_rng(0)), np.ones((3, 5))
    weights, biases = [np.ones((4, 3)), np.ones((2, 4))], [np.zeros((4, 1)), np.full((2, 1), 3.0)]
    network.set_parameters(weights, biases)
    before = network.feedforward(x)
    np.testing.assert_allclose(before, 1 / (1 + np.exp(-4 / (1 + np.exp(-3)) - 3)), rtol=1e-6)
    network.backprop(x, np.zeros((2, 5)))
    network.descend(np.ones((3, 5), np.float32), np.zeros((2, 5), np.float32), 0.5)
    assert (weights[0] == 1).all()
    assert not np.array_equal(network.feedforward(x), before)


@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        ([(4, 3)], [(4, 1), (2, 1)]),
        ([(4, 3), (2, 4)], [(4,), (2, 1)]),
        ([(3, 4), (4, 2)], [(4, 1), (2, 1)]),
        ([(4, 3), (2, 4), (4, 1)], [(2, 1)]),
    ],
)
def test_parameters_of_other_shapes_are_refused_and_change_nothing(
    weights: list[tuple[int, ...]], biases: list[tuple[int, ...]]
) -> None:
    network = Network([3, 4, 2], rng=np.random.default_rng(0))
    before = network.parameters.vector.copy()
    with pytest.raises(SettingsError, match=r"must be .*\(4, 3\), \(2, 4\), \(4, 1\), \(2, 1\)"):
        network.set_parameters([np.ones(shape) for shape in weights], [np.ones(shape) for shape in biases])
    np.testing.assert_array_equal(network.parameters.vector, before)


WRONG = {"x": [(3,), (4, 2), (2, 3), (3, 0), (3, 2, 1)], "y": [(2,), (2, 4), (3, 5), (5, 2)]}


@pytest.mark.parametrize(("name", "shape"), [(name, shape) for name, shapes in WRONG.items() for shape in shapes])
def test_examples_and_targets_of_another_shape_are_refused(name: str, shape: tuple[int, ...]) -> None:
    network = Network([3, 4, 2], rng=np.random.default_rng(0))
    given = {"x": np.ones((3, 5)), "y": np.ones((2, 5))} | {name: np.ones(shape)}
    for call in (network.backprop, lambda x, y: network.feedforward(x)) if name == "x" else (network.backprop,):
        with pytest.raises(SettingsError) as caught:
            call(**given)
        assert has_facts(str(caught.value), f"{name} of shape {shape}: must be ({3 if name == 'x' else 2}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [784]}, "sizes [784]: must be 2 layers or more, each of 1 neuron or more"),
        ({"sizes": [4, 0, 2]}, "sizes [4, 0, 2]: must be 2 layers or more, each of 1 neuron or more"),
        ({"activation": "step"}, "activation 'step': must be sigmoid, tanh, relu"),
        ({"initializer": "huge"}, "initializer 'huge': must be scaled, large or a pair of numbers w,b"),
        ({"dtype": np.int32}, "dtype 'int32': must be float32 or float64"),
        (
            {"sizes": [2, 1], "cost": "log-likelihood"},
            "outputs 1: must be 2 or more with softmax",
        ),
    ],
)
def test_invalid_networks_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Network(**({"sizes": [4, 3]} | arguments))  # type: ignore[arg-type]
    assert has_facts(str(caught.value), message)
