"""The optimizers, compared with their formulas in float64, and the requirements on every entry of the table."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from netlearn.costs import COSTS
from netlearn.network import Network
from netlearn.numerics import Array, numerics
from netlearn.optimizers import OPTIMIZERS, Penalty
from netlearn.settings import resolve
from netlearn.training import Trainer
from tests.files import small_dataset
from tests.reference import differences

Gradient = Callable[[Array], Array]
SIZES = [6, 5, 3]


def sgd(w: Array, gradient: Gradient, eta: float) -> Iterator[Array]:
    while True:
        w = w - eta * gradient(w)
        yield w


def momentum(w: Array, gradient: Gradient, eta: float, momentum: float = 0.9) -> Iterator[Array]:
    v = np.zeros_like(w)
    while True:
        v = momentum * v - eta * gradient(w)
        w = w + v
        yield w


def nesterov(w: Array, gradient: Gradient, eta: float, momentum: float = 0.9) -> Iterator[Array]:
    b = np.zeros_like(w)
    while True:
        g = gradient(w)
        b = momentum * b + g
        w = w - eta * (g + momentum * b)
        yield w


def rmsprop(w: Array, gradient: Gradient, eta: float, beta2: float = 0.99, epsilon: float = 1e-8) -> Iterator[Array]:
    v = np.zeros_like(w)
    while True:
        g = gradient(w)
        v = beta2 * v + (1 - beta2) * g**2
        w = w - eta * g / (np.sqrt(v) + epsilon)
        yield w


def adam(
    w: Array, gradient: Gradient, eta: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> Iterator[Array]:
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        t, g = t + 1, gradient(w)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        w = w - eta * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        yield w


FORMULAS = {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam}
OWN = {"momentum": 0.7, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}


def network_of(vector: Array) -> Network:
    network = Network(SIZES, "cross-entropy", dtype=np.float64)
    network.parameters.vector[:] = vector
    return network


def mini_batches() -> Iterator[tuple[Array, Array]]:
    rng = np.random.default_rng(3)
    while True:
        yield rng.random((6, 8)), rng.random((3, 8))


def regularized(l2: float, l1: float, n: int) -> Gradient:
    """Return the gradient of each mini-batch's mean cost plus λ/2n Σw² plus λ/n Σ|w|, by the book's own backprop."""
    batches = mini_batches()

    def gradient(vector: Array) -> Array:
        network = network_of(vector)
        nabla_b, nabla_w = network.backprop(*next(batches))
        weights = [
            nabla + l2 / n * w + l1 / n * np.sign(w) for nabla, w in zip(nabla_w, network.weights, strict=True)
        ]
        return np.concatenate([array.ravel() for array in (*weights, *nabla_b)])

    return gradient


def test_every_optimizer_has_a_reference_formula() -> None:
    assert FORMULAS.keys() == OPTIMIZERS.keys()


@pytest.mark.parametrize("own", [False, True], ids=["defaults", "own settings"])
@pytest.mark.parametrize(("l2", "l1"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.2), (0.5, 0.2)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_200_updates_equal_the_formula(name: str, l2: float, l1: float, own: bool) -> None:
    start = Network(SIZES, rng=np.random.default_rng(0), dtype=np.float64).parameters.vector
    settings = {key: OWN[key] for key in OPTIMIZERS[name].settings} if own else {}
    network = network_of(start)
    optimizer = OPTIMIZERS[name](network, 0.05, Penalty(l2, l1, 40), **settings)
    batches = mini_batches()
    formula = FORMULAS[name](start.copy(), regularized(l2, l1, 40), 0.05, **settings)
    for _ in range(200):
        with numerics():
            optimizer.step(*next(batches))
        expected = next(formula)
    np.testing.assert_allclose(network.parameters.vector, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(("l2", "l1"), [(3.0, 0.0), (0.0, 3.0), (3.0, 2.0)])
def test_gradient_with_penalty_equals_differences_of_the_probed_cost(cost: str, l2: float, l1: float) -> None:
    data = small_dataset()
    network = Network(SIZES, cost, rng=np.random.default_rng(5), dtype=np.float64)
    trainer = Trainer(network, data, epochs=1, batch_size=47, learning_rate=1.0, rng=np.random.default_rng(1),
                      l2=l2, l1=l1)  # fmt: skip
    vector, before = network.parameters.vector, network.parameters.vector.copy()
    numeric = differences(lambda: trainer.probe.evaluate(data.train).cost, vector, step=1e-5)
    list(trainer)  # one update with η = 1 on the whole training set
    np.testing.assert_allclose(before - vector, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_step_allocates_no_arrays(name: str) -> None:
    import tracemalloc  # noqa: PLC0415

    network = Network([300, 100, 10], rng=np.random.default_rng(0))
    optimizer = OPTIMIZERS[name](network, 0.01, Penalty(1.0, 1.0, 100))
    x, y = (np.asfortranarray(np.full((n, 10), 0.5, np.float32)) for n in (300, 10))
    with numerics():
        optimizer.step(x, y)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            for _ in range(5):
                optimizer.step(x, y)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert peak < network.parameters.vector.nbytes / 10


def test_default_rates_depend_on_cost_and_optimizer() -> None:
    rates = {
        name: [resolve({"optimizer": name, "cost": cost}).learning_rate for cost in ("quadratic", "cross-entropy")]
        for name in OPTIMIZERS
    }
    assert rates == {
        "sgd": [3.0, 0.5], "momentum": [0.3, 0.05], "nesterov": [0.3, 0.05],
        "rmsprop": [0.001, 0.001], "adam": [0.001, 0.001],
    }  # fmt: skip
    assert resolve({"optimizer": "momentum", "momentum": 0.0}).learning_rate == 0.5


def test_restored_state_continues_identically() -> None:
    x, y = next(mini_batches())
    for name, cls in OPTIMIZERS.items():
        network = Network(SIZES, rng=np.random.default_rng(0), dtype=np.float64)
        optimizer = cls(network, 0.05)
        with numerics():
            for _ in range(3):
                optimizer.step(x, y)
            again = network_of(network.parameters.vector)
            other = cls(again, 0.05)
            other.restore(tuple(vector.copy() for vector in optimizer.state), 3)
            optimizer.step(x, y)
            other.step(x, y)
        assert np.array_equal(network.parameters.vector, again.parameters.vector), name


def test_penalty_is_the_books_for_weights_of_all_layers() -> None:
    weights = [np.array([[1.0, -2.0]]), np.array([[3.0]])]
    assert Penalty(l2=2.0, n=4).value(weights) == pytest.approx(2 / 8 * 14)
    assert Penalty(l1=2.0, n=4).value(weights) == pytest.approx(2 / 4 * 6)
    assert Penalty(1.0, 1.0, 2).value(weights) == pytest.approx(14 / 4 + 6 / 2)
