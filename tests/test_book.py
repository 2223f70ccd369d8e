"""`netlearn.book`: what the book prints is typed, and prints what the book's programs print."""

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn.book import mnist_loader, network, network2
from netlearn.errors import SettingsError
from netlearn.numerics import Array


def by_example(net: Any, delta: Callable[[Array, Array, Array], Array], x: Array, y: Array) -> tuple[Any, Any]:
    """Return the gradient for one example as chapter 2 derives it: slow, and obvious."""
    activations, zs = [x], []
    for w, b in zip(net.weights, net.biases, strict=True):
        zs.append(w @ activations[-1] + b)
        activations.append(1 / (1 + np.exp(-zs[-1])))
    error = delta(zs[-1], activations[-1], y)
    nabla_b, nabla_w = [error], [error @ activations[-2].T]
    for layer in range(2, len(net.sizes)):
        a = activations[-layer]
        error = (net.weights[-layer + 1].T @ error) * a * (1 - a)
        nabla_b.insert(0, error)
        nabla_w.insert(0, error @ activations[-layer - 1].T)
    return nabla_b, nabla_w


def quadratic(z: Array, a: Array, y: Array) -> Array:
    return (a - y) * a * (1 - a)


def fourth_power(z: Array, a: Array, y: Array) -> Array:
    return (a - y) ** 3 * a * (1 - a)


class OwnBackprop(network.Network):
    def backprop(self, x: Array, y: Array) -> tuple[Any, Any]:  # type: ignore[override]
        return by_example(self, quadratic, x, y)


class OwnUpdate(network.Network):
    def update_mini_batch(self, mini_batch: Any, eta: float) -> None:  # type: ignore[override]
        slow_epoch(self, quadratic, mini_batch, len(mini_batch), eta)


class OwnDerivative(network.Network):
    def cost_derivative(self, output_activations: Array, y: Array) -> Array:
        return (output_activations - y) ** 3


class OwnBackprop2(network2.Network):
    def backprop(self, x: Array, y: Array) -> tuple[Any, Any]:  # type: ignore[override]
        return by_example(self, self.cost.delta, x, y)


class FourthPower:
    """A reader's cost in the book's form."""

    @staticmethod
    def fn(a: Array, y: Array) -> float:
        return float(((a - y) ** 4).sum() / 4)

    delta = staticmethod(fourth_power)


@pytest.fixture
def data() -> list[Any]:
    rng = np.random.default_rng(5)
    return [(rng.random((6, 1)), np.eye(3)[j % 3][:, None]) for j in range(20)]


@pytest.fixture
def digits(data: list[Any]) -> list[Any]:
    return [(x, int(y.argmax())) for x, y in data]


def seed() -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 (the generator of the book's programs)


def slow_epoch(net: Any, delta: Any, examples: list[Any], size: int, eta: float, decay: float = 1.0) -> None:
    for start in range(0, len(examples), size):
        batch = examples[start : start + size]
        gradients = [by_example(net, delta, x, y) for x, y in batch]
        nabla_b = [sum(layer) for layer in zip(*(b for b, _ in gradients), strict=True)]
        nabla_w = [sum(layer) for layer in zip(*(w for _, w in gradients), strict=True)]
        net.weights = [decay * w - eta / len(batch) * n for w, n in zip(net.weights, nabla_w, strict=True)]
        net.biases = [b - eta / len(batch) * n for b, n in zip(net.biases, nabla_b, strict=True)]


def parameters(net: Any) -> Array:
    return np.concatenate([array.ravel() for array in net.weights + net.biases])


@pytest.mark.parametrize(
    ("kind", "delta"),
    [
        (network.Network, quadratic),
        (OwnBackprop, quadratic),
        (OwnUpdate, quadratic),
        (OwnDerivative, fourth_power),
    ],
)
def test_network_learns_as_chapter_2_derives_it_whatever_a_reader_replaces(
    kind: Any, delta: Any, data: list[Any], digits: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seed()
    net, expected = kind([6, 4, 3]), network.Network([6, 4, 3])
    expected.weights, expected.biases = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    for given, own in zip(net.backprop(*data[0]), by_example(expected, delta, *data[0]), strict=True):
        for nabla, reference in zip(given, own, strict=True):
            np.testing.assert_allclose(nabla, reference, atol=1e-14)
    net.SGD(data, 2, 7, 3.0, test_data=digits)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == f"Epoch 1: {net.evaluate(digits)} / 20"
    seed()
    order = list(range(20))
    examples = [(x, np.eye(3)[y][:, None]) for x, y in digits]
    for _ in range(2):
        for i in reversed(range(1, 20)):
            j = int(random.random() * (i + 1))  # noqa: S311
            order[i], order[j] = order[j], order[i]
        slow_epoch(expected, delta, [examples[row] for row in order], 7, 3.0)
    np.testing.assert_allclose(parameters(net), parameters(expected), atol=1e-12)
    assert [id(x) for x, _ in data] == [id(digits[row][0]) for row in order]  # the caller's list is shuffled


@pytest.mark.parametrize("kind", [network2.Network, OwnBackprop2])
@pytest.mark.parametrize("cost", [network2.QuadraticCost, network2.CrossEntropyCost, FourthPower])
def test_network2_learns_with_weight_decay_and_measures_as_the_book_does(
    cost: Any, kind: Any, data: list[Any], digits: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seed()
    net = kind([6, 4, 3], cost=cost)
    net.large_weight_initializer()
    expected = network2.Network([6, 4, 3], cost=cost)
    expected.weights, expected.biases = net.weights, net.biases
    net.update_mini_batch(data[:5], 0.5, 0.1, 20)
    slow_epoch(expected, cost.delta, data[:5], 5, 0.5, 1 - 0.5 * 0.1 / 20)
    np.testing.assert_allclose(parameters(net), parameters(expected), atol=1e-12)
    lists = net.SGD(data, 2, 10, 0.5, 0.1, digits, True, True, True, True)
    measured = net.total_cost(digits, 0.1, convert=True), net.accuracy(digits)
    own = sum(float(cost.fn(net.feedforward(x), y)) for x, y in data) / 20
    own += 0.1 / 2 / 20 * sum(float((w**2).sum()) for w in net.weights)
    assert measured[0] == pytest.approx(own, rel=1e-12)
    on_training = net.total_cost(data, 0.1), net.accuracy(data, convert=True)
    assert [figures[1] for figures in lists] == pytest.approx([*measured, *on_training], rel=1e-12)
    assert capsys.readouterr().out.split("\n\n")[1].splitlines() == [
        "Epoch 1 training complete",
        f"Cost on training data: {lists[2][1]:.12g}",
        f"Accuracy on training data: {lists[3][1]} / 20",
        f"Cost on evaluation data: {lists[0][1]:.12g}",
        f"Accuracy on evaluation data: {lists[1][1]} / 20",
    ]
    assert network2.Network([6, 3]).SGD(data, 1, 10, 0.5) == ([], [], [], [])


def test_weights_are_drawn_after_all_biases_and_the_large_ones_after_the_default_ones() -> None:
    numpy = np.random.RandomState(7)
    drawn = [numpy.randn(*shape) for _ in range(2) for shape in ((3, 1), (2, 1), (3, 4), (2, 3))]
    seed()
    net = network2.Network([4, 3, 2])
    np.testing.assert_array_equal(net.biases[1], drawn[1])
    np.testing.assert_array_equal(net.weights[0], drawn[2] / 2)
    net.large_weight_initializer()
    np.testing.assert_array_equal(net.biases[0], drawn[4])
    np.testing.assert_array_equal(net.weights[1], drawn[7])

    class Zeros(network2.Network):
        def default_weight_initializer(self) -> None:
            self.weights, self.biases = [np.zeros((2, 4))], [np.zeros((2, 1))]

    np.testing.assert_array_equal(Zeros([4, 2]).feedforward([1, 2, 3, 4]), network.sigmoid([[0], [0]]))


def test_save_and_load_are_those_of_the_book(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    content = {"sizes": [1, 1], "weights": [[[2.0]]], "biases": [[[-2.0]]], "cost": "QuadraticCost"}
    path.write_text(json.dumps(content))  # as the book's program writes it
    net = network2.load(str(path))
    assert net.feedforward([[1.0]]) == 0.5
    assert net.cost is network2.QuadraticCost
    net.save(str(path))
    assert json.loads(path.read_text()) == content
    changes: list[dict[str, Any]] = [{"cost": "Own"}, {"biases": []}, {"weights": [[[1.0, 2.0]]]}]
    for changed in changes:
        path.write_text(json.dumps(content | changed))
        with pytest.raises(SettingsError, match=r"net\.json: must be a network .* QuadraticCost"):
            network2.load(str(path))


def test_pixels_are_whole_256ths_and_examples_are_columns(capsys: pytest.CaptureFixture[str]) -> None:
    training_data, validation_data, _ = mnist_loader.load_data_wrapper()
    assert capsys.readouterr().err.startswith(
        "mnist_loader: mnist-5k, 3,500 training images, used because mnist is not"
    )
    (images, labels), *_ = mnist_loader.load_data()
    assert images.dtype == np.float32
    assert images.max() == 255 / 256
    np.testing.assert_array_equal(images * 256, np.rint(images * 256))
    x, y = training_data[3]
    assert (x.shape, y.shape) == ((784, 1), (10, 1))
    np.testing.assert_array_equal(y, mnist_loader.vectorized_result(labels[3]))
    assert validation_data[0][0].shape == (784, 1)
    assert 0 <= validation_data[0][1] <= 9


def test_inputs_may_be_written_as_lists_or_vectors(data: list[Any]) -> None:
    net = network.Network([6, 4, 3])
    x, _ = data[0]
    expected = net.feedforward(x)
    for written in (x[:, 0], x.tolist(), x[:, 0].tolist()):
        np.testing.assert_array_equal(net.feedforward(written), expected)
    net.SGD([(x[:, 0].tolist(), y) for x, y in data], 1, 10, 3.0)


SLIPS: list[tuple[Callable[[Any, Any, Any], object], str]] = [
    (lambda net, data, digits: net.SGD(zip(*data, strict=True), 1, 10, 0.5), "training_data, a zip: must"),
    (lambda net, data, digits: net.SGD(tuple(data), 1, 10, 0.5), "training_data, a tuple: must be a list of pairs"),
    (lambda net, data, digits: net.SGD([], 1, 10, 0.5), "training_data.*pairs.*not empty"),
    (lambda net, data, digits: net.SGD(data[0], 1, 10, 0.5), "training_data, a tuple: must be a list of pairs"),
    (lambda net, data, digits: net.SGD(digits, 1, 10, 0.5), r"training_data: .* y 1: must be .*\(3, 1\)"),
    (lambda net, data, digits: net.SGD([(x[:5], y) for x, y in data], 1, 10, 0.5), r"x has 5 .* must be .*\(6, 1\)"),
    (lambda net, data, digits: net.SGD([*data, (data[0][0], 3)], 1, 10, 0.5), "training_data.*one shape"),
    (lambda net, data, digits: net.SGD(data, 1, 10, 0.5, digits), "lmbda.*number.*evaluation_data="),
    (lambda net, data, digits: net.SGD(data, 1, 10, 0.5, 0.1, None, True), "evaluation_data.*monitored"),
    (lambda net, data, digits: net.SGD(data, 1, 10, 0.5, 0.1, data), "evaluation_data: .* y 3: must be .* a digit"),
    (lambda net, data, digits: net.accuracy(iter(digits)), "data, a list_iterator: must be a list of pairs"),
    (lambda net, data, digits: net.accuracy(data), "y 3: must be .* and a digit.*convert=True"),
    (lambda net, data, digits: net.total_cost(digits, 0.0), r"y 1: must be .*\(3, 1\).*convert=True"),
    (lambda net, data, digits: net.update_mini_batch(digits, 0.5, 0, 1), r"mini_batch: .* must be .*\(3, 1\)"),
    (lambda net, data, digits: net.feedforward(np.ones(5)), r"\(5, 1\): must be \(6, batch\)"),
    (lambda net, data, digits: net.backprop(data[0][0], 2), r"\(1, 1\): must be \(3, batch\)"),
    (lambda net, data, digits: network2.load("none.json"), "none.json: must be a network .*No such file"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "facts"), SLIPS, ids=[facts for _, facts in SLIPS])
def test_slips_end_in_a_line_that_says_what_the_book_expects(
    call: Callable[..., Any], facts: str, data: list[Any], digits: list[Any]
) -> None:
    given = data[:]
    with pytest.raises(SettingsError, match=facts) as caught:
        call(network2.Network([6, 4, 3]), data, digits)
    assert "\n" not in str(caught.value)
    assert [id(pair) for pair in data] == [id(pair) for pair in given]  # nothing is shuffled


NETWORK, NETWORK2 = "network.Network([784, 30, 10])", "network2.Network([784, 30, 10])"
TESTED, EVALUATED = "Epoch #: # / #", "Epoch # training complete, Accuracy on evaluation data: # / #, "
EVERYTHING = (
    "Epoch # training complete, Cost on training data: #, Accuracy on training data: # / #, "
    "Cost on evaluation data: #, Accuracy on evaluation data: # / #, "
)
ACCURACY = "monitor_evaluation_accuracy=True"
TYPED = [  # what the book types, and the lines that its programs print after an epoch
    (NETWORK, "30, 10, 3.0, test_data=test_data", TESTED),
    ("network.Network([784, 10])", "30, 10, 3.0", "Epoch # complete"),
    (
        "network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)",
        "400, 10, 0.5, evaluation_data=test_data, lmbda=0.1, monitor_evaluation_cost=True, "
        f"{ACCURACY}, monitor_training_cost=True, monitor_training_accuracy=True",
        EVERYTHING,
    ),
    (NETWORK2, f"30, 10, 10.0, lmbda=1000.0, evaluation_data=validation_data[:100], {ACCURACY}", EVALUATED),
]


@pytest.mark.parametrize(("made", "arguments", "told"), TYPED)
def test_calls_of_the_book_print_its_lines(
    made: str, arguments: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = zip(("training_data", "validation_data", "test_data"), mnist_loader.load_data_wrapper(), strict=True)
    here = {"network": network, "network2": network2, **dict(names)}
    capsys.readouterr()
    few = arguments.partition(",")[2]  # of as few epochs and images as make its lines
    eval(f"{made}.SGD(training_data[:100], 2,{few})", here)  # noqa: S307 (what the book types)
    printed = [re.sub(r"[\d.]+(e-?\d+)?", "#", line) for line in capsys.readouterr().out.splitlines()]
    assert printed == told.split(", ") * 2


def test_folder_can_be_put_in_place_of_the_books_src(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import mnist_loader, network, network2\n"
        "training_data, validation_data, test_data = mnist_loader.load_data_wrapper()\n"
        "network.np.mean = None\n"  # of which only the loop over examples makes use
        "for each in network.Network([784, 10]), network2.Network([784, 10]):\n"
        "    each.SGD(training_data[:20], 1, 10, 3.0)\n"
    )
    folder = str(Path(network.__file__).parent)
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": folder}, check=True)
    assert capfd.readouterr().out == "Epoch 0 complete\nEpoch 0 training complete\n\n"


def test_interpreter_knows_the_three_modules_also_as_the_book_imports_them() -> None:
    lines = (
        "import network2\nprint(network2.Network([2, 1]).num_layers, mnist_loader.vectorized_result(1)[1], network)\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "netlearn.book"], input=lines, capture_output=True, text=True, check=True
    )
    assert "2 [1.]" in result.stdout
    assert "netlearn.book.network" in result.stdout
