"""The lab's engine in Chromium against netlearn's own network in float64, weights and order handed over."""

import base64
import re
from itertools import product
from typing import TypeAlias

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from netlearn import datasets
from netlearn.datasets import Examples
from netlearn.network import Network
from netlearn.numerics import Array, numerics
from netlearn.report.assets import part
from netlearn.report.lab import COSTS as LAB_COSTS
from tests.pages import ROOT

pytestmark = pytest.mark.browser

N, SINGLE = 500, (0, 10, 50)  # single updates, beside the last one
UPDATES = {1: 1000, 10: 200, 100: 60}  # by the size of the mini-batch
Rows: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"
DATA = datasets.load("mnist-5k").train[:N]
TARGETS = datasets.targets(DATA.labels, 10).astype(np.float64)
EXAMPLES = """([name, pixels, labels]) => {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  globalThis[name] = sparse(Float32Array.from(bytes, (byte) => byte / 255), labels, 784);
}"""
LEARN = """([sizes, cost, activation, eta, parameters, batches]) => {
  const network = new Network(sizes, cost, activation);
  const bytes = Uint8Array.from(atob(parameters), (character) => character.charCodeAt(0));
  network.parameters.set(new Float64Array(bytes.buffer));
  for (const rows of batches) network.learn(examples, rows, eta);
  const learned = new Uint8Array(Float64Array.from(network.parameters).buffer);
  return btoa(Array.from(learned, (byte) => String.fromCharCode(byte)).join(""));
}"""  # numbers as base64: as text they take longer than the training


def give(page: Page, name: str, examples: Examples) -> None:
    """Give examples to the engine, under a name."""
    pixels = base64.b64encode(np.rint(examples.x * 255).astype(np.uint8).tobytes()).decode()
    page.evaluate(EXAMPLES, [name, pixels, examples.labels.tolist()])


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    page = browser.new_page()
    page.add_script_tag(content=part("lab/engine.js"))
    give(page, "examples", DATA)
    return page


def flat(network: Network) -> Array:
    """Return the parameters in the order of the engine: each layer's weights by their input, then its biases."""
    parts = [part for w, b in zip(network.weights, network.biases, strict=True) for part in (w.T.ravel(), b.ravel())]
    return np.concatenate(parts)


def trajectory(network: Network, x: Array, batches: Rows, eta: float) -> list[Array]:
    """Train, and return the parameters before and after each of the single updates, the last of all among them."""
    kept = []
    with numerics():
        for update, rows in enumerate(batches):
            single = update in {*SINGLE, len(batches) - 1}
            kept += [flat(network)] if single else []
            network.descend(x[rows].T.copy(order="F"), TARGETS[rows].T.copy(order="F"), eta)
            kept += [flat(network)] if single else []
    return kept


@pytest.mark.parametrize(
    ("cost", "activation", "batch_size", "hidden"),
    [
        *((*each, (30,)) for each in product(LAB_COSTS, ("sigmoid", "tanh", "relu"), (1, 10, 100))),
        ("quadratic", "sigmoid", 10, ()),
        ("cross-entropy", "tanh", 10, (30, 20)),
    ],
)
def test_updates_agree_with_netlearns_own(
    cost: str, activation: str, batch_size: int, hidden: tuple[int, ...], page: Page
) -> None:
    rng = np.random.default_rng(7)
    updates = UPDATES[batch_size]
    batches = rng.integers(N, size=(updates + 1, batch_size))
    sizes, eta = [784, *hidden, 10], {"quadratic": 3.0, "cross-entropy": 0.5, "log-likelihood": 0.1}[cost]
    initializer = "large" if activation == "sigmoid" else "scaled"
    network, permuted = (
        Network(sizes, cost, activation, initializer, np.random.default_rng(1), np.float64) for _ in range(2)
    )
    x, order = DATA.x.astype(np.float64), rng.permutation(784)
    permuted.weights[0][:] = permuted.weights[0][:, order]
    kept = trajectory(network, x, batches, eta)
    again = trajectory(permuted, x[:, order], batches, eta)[-2]
    assert all(np.isfinite(parameters).all() for parameters in kept)

    def learned(parameters: Array, rows: Rows) -> Array:
        encoded = base64.b64encode(parameters.tobytes()).decode()
        found = page.evaluate(LEARN, [sizes, cost, activation, eta, encoded, rows.tolist()])
        return np.frombuffer(base64.b64decode(found))

    for i, update in enumerate((*SINGLE, updates)):
        np.testing.assert_allclose(
            learned(kept[2 * i], batches[update : update + 1]), kept[2 * i + 1], rtol=0, atol=1e-12
        )

    first = again[: 784 * sizes[1]].reshape(784, -1)
    again[: 784 * sizes[1]] = first[np.argsort(order)].ravel()
    rounding = np.abs(again - kept[-2]).max()
    if rounding < 1e-12:  # elsewhere rounding grows in both
        np.testing.assert_allclose(learned(kept[0], batches[:updates]), kept[-2], rtol=0, atol=1e-9)
    else:
        assert cost == "quadratic" or activation != "sigmoid" or batch_size == 1, rounding


REPEAT = """(settings) => {
  const data = { train: examples, heldOut: { ...examples, count: 100 } };
  const trainings = [0, 1].map(() => new Training(settings, data));
  return trainings.map((training) => [training.learnTo(120), [...training.network.parameters]]);
}"""
SETTINGS = {
    "sizes": [784, 10, 10], "cost": "cross-entropy", "activation": "sigmoid", "initializer": "large",
    "learningRate": 0.5, "batchSize": 10, "seed": 3,
}  # fmt: skip


def test_seed_and_settings_alone_repeat_to_the_bit_and_seeds_differ(page: Page) -> None:
    once, again = page.evaluate(REPEAT, SETTINGS)
    assert once == again
    other = page.evaluate(REPEAT, SETTINGS | {"seed": 4})[0]
    assert other[1] != once[1]
    assert [probe["update"] for probe in once[0]] == [*range(1, 41), *range(42, 101, 2), 105, 110, 115, 120]


def test_initial_weights_are_those_of_their_distribution(page: Page) -> None:
    draw = """([initializer, seed]) => {
      const network = new Network([784, 30, 10], "quadratic", "sigmoid");
      network.initialize(initializer, seed);
      return network.layers.map(({ w, b }) => [[...w], [...b]]);
    }"""
    for initializer, sigma in (("large", 1.0), ("scaled", 1 / 28)):
        (w, b), _ = page.evaluate(draw, [initializer, 0])
        w = np.array(w) / sigma
        assert abs(w.mean()) < 4 / np.sqrt(w.size)
        assert abs(w.std() - 1) < 4 / np.sqrt(2 * w.size)
        assert abs((w**4).mean() - 3) < 4 * np.sqrt(96 / w.size)
        assert np.abs(b).max() > sigma
    assert page.evaluate(draw, [[0.5, -1], 0])[0] == [[0.5] * 23520, [-1] * 30]
    assert page.evaluate(draw, ["large", 1]) != page.evaluate(draw, ["large", 2])


LEARNED = """([settings, updates]) => {
  const training = new Training(settings, { train, heldOut });
  return [training.measure(), ...training.learnTo(updates)];
}"""
OUTPUTS = """(settings) => {
  const { network, data } = new Training(settings, { train, heldOut });
  return [...network.forward(data.heldOut, 0).last.a];
}"""


@pytest.mark.parametrize("seeds", [1, pytest.param(5, marks=pytest.mark.long)])
def test_the_lesson_has_the_numbers_of_the_lab(seeds: int, page: Page) -> None:
    data, text = datasets.load("mnist-5k"), (ROOT / "docs" / "lesson.md").read_text("utf-8")
    for name, examples in (("train", data.train[:2000]), ("heldOut", data.validation[:500])):
        give(page, name, examples)

    def learned(cost: str, updates: int, **changed: object) -> list[dict[str, float]]:
        start = SETTINGS | {"sizes": [784, 30, 10], "seed": 0, "cost": cost}
        rates = {"learningRate": {"quadratic": 3.0, "cross-entropy": 0.5}[cost]}
        found: list[dict[str, float]] = page.evaluate(LEARNED, [start | rates | changed, updates])
        return found

    def at(probes: list[dict[str, float]], update: int) -> str:
        return f"{100 * next(probe['accuracy'] for probe in probes if probe['update'] == update):.1f} %"

    def passed(probes: list[dict[str, float]]) -> float:
        return next((probe["update"] for probe in probes if probe["accuracy"] >= 0.8), np.inf)

    rows = re.findall(
        r"^\| (\d) \| ([\d.]+ %) \| ([\d.]+ %) \| ([\d.]+ %) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE
    )
    assert [row[0] for row in rows] == list("01234")
    for seed, start, slow_500, fast_500, slow_passed, fast_passed in rows[:seeds]:
        never = slow_passed.startswith("more than")
        slow_end, fast_end = (int(re.sub(r"\D", "", said)) for said in (slow_passed, fast_passed))
        slow, fast = (
            learned("quadratic", slow_end, seed=int(seed)),
            learned("cross-entropy", fast_end, seed=int(seed)),
        )
        assert (at(slow, 0), at(fast, 0), at(slow, 500), at(fast, 500)) == (start, start, slow_500, fast_500)
        assert passed(fast) == fast_end < passed(slow) == (np.inf if never else slow_end)

    a = page.evaluate(OUTPUTS, SETTINGS | {"sizes": [784, 30, 10], "seed": 0})
    assert (int(np.argmax(a)), f"{a[8]:.3f}", f"{a[3]:.3f}", f"{a[6]:.3f}") == (8, "0.997", "0.879", "0.000")
    for rate, end in ((3.0, "70.4 %"), (30.0, "13.6 %")):
        assert at(learned("quadratic", 800, learningRate=rate), 800) == end
        assert end in text
    assert at(learned("quadratic", 500, learningRate=0.5), 500) == "42.8 %"
    assert "42.8 % after\n  500 updates" in text
    slow_passed, fast_passed = (
        [passed(learned(cost, 200, seed=seed, initializer="scaled")) for seed in range(5)]
        for cost in ("quadratic", "cross-entropy")
    )
    later = [slow - fast for slow, fast in zip(slow_passed, fast_passed, strict=True)]
    assert (slow_passed[0], later[0], later[3], min(fast_passed), max(fast_passed)) == (150, 0, 0, 105, 160)
    assert sorted(later)[2::2] == [5, 55]
    assert "As the lab opens both do after 150 updates" in text
    assert "cross-entropy does after\n   105 to 160" in text
    assert "in the same update (seeds 0 and 3) or 5 to 55 later" in text
    for cost, end in (("quadratic", "13.4 %"), ("cross-entropy", "24.6 %")):
        assert at(learned(cost, 500, initializer=[0, 0]), 500) == end
        assert end in text


def test_every_example_is_seen_once_in_an_epoch(page: Page) -> None:
    rows = page.evaluate("""() => {
      const training = new Training({ sizes: [784, 10], cost: "quadratic", activation: "sigmoid",
        initializer: "scaled", learningRate: 1, batchSize: 100, seed: 0 },
        { train: examples, heldOut: { ...examples, count: 1 } });
      return [0, 1].map((epoch) => { training.shuffle(epoch); return [...training.rows]; });
    }""")
    assert sorted(rows[0]) == sorted(rows[1]) == list(range(N))
    assert rows[0] != rows[1]


def test_measures_are_netlearns_own(page: Page) -> None:
    rng = np.random.default_rng(0)
    for cost in LAB_COSTS:
        network = Network([784, 10, 10], cost, "sigmoid", "large", rng, np.float64)
        x, y = DATA.x.astype(np.float64).T, TARGETS.T
        with numerics():
            output = network.backward(np.asfortranarray(x), np.asfortranarray(y))[-1]
            z, a, delta = output.z, output.a, output.delta
            expected = {
                "accuracy": float((a.argmax(axis=0) == DATA.labels).mean()),
                "cost": float(network.cost.value(z, a, y).mean()),
                "speed": float(np.abs(delta).sum() / np.abs(a - y).sum()),
                "wrong": float((np.abs(a - y) > 0.9).mean()),
            }
        found = page.evaluate(
            """([cost, parameters]) => {
              const network = new Network([784, 10, 10], cost, "sigmoid");
              network.parameters.set(parameters);
              return network.measure(examples);
            }""",
            [cost, flat(network).tolist()],
        )
        assert found == pytest.approx(expected, rel=1e-12)
