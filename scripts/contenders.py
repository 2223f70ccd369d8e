"""Trains one network with one of several programs, for the benchmark: `python -m scripts.contenders NAME FILE.npz`.

All start from the same weights, see the same mini-batches and do the same number of updates of the same equations, in
float32 (the loop in float64, as the book has it; scikit-learn brings its own weights, order and softmax). The seconds
of the training alone and the accuracy on the test set are printed as JSON.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets import Dataset, Examples, targets
from netlearn.network import Network
from netlearn.training import Trainer

Array = NDArray[Any]
Problem = Mapping[str, Array]
SEED = 1  # of the order of the examples
Result = tuple[float, list[Array]]


def netlearn(problem: Problem) -> Result:
    """Train with netlearn, its finite-cost check and its mini-batches' SHA-256 included."""
    train = Examples(problem["x"], problem["labels"])
    some = Examples(problem["x"][:1000], problem["labels"][:1000])
    data = Dataset("benchmark", "", train, some, some, outputs=10, image=None, sha256={})
    network = Network([784, len(problem["b1"]), 10], rng=np.random.default_rng(0))
    for array, name in zip((*network.weights, *network.biases), ("w1", "w2", "b1", "b2"), strict=True):
        np.copyto(array, problem[name])
    trainer = Trainer(
        network, data, epochs=int(problem["epochs"]), batch_size=int(problem["batch"]),
        learning_rate=float(problem["eta"]), rng=np.random.default_rng(SEED),
    )  # fmt: skip
    for _ in trainer:
        pass
    return trainer.seconds, [network.weights[0], network.biases[0], network.weights[1], network.biases[1]]


def sigmoid(z: Array) -> Array:
    """Return σ(z)."""
    return np.asarray(1 / (1 + np.exp(-z)))


def loop(problem: Problem) -> Result:
    """Train as the book's program does: one example at a time, in float64."""
    w1, w2, b1, b2 = (problem[name].astype(np.float64) for name in ("w1", "w2", "b1", "b2"))
    x, y = problem["x"].astype(np.float64), targets(problem["labels"], 10).astype(np.float64)
    batch, eta = int(problem["batch"]), float(problem["eta"])
    begun = perf_counter()
    for order in problem["order"]:
        for first in range(0, len(x), batch):
            rows = order[first : first + batch]
            nabla = [np.zeros_like(p) for p in (w1, b1, w2, b2)]
            for row in rows:
                a0 = x[row, :, np.newaxis]
                a1 = sigmoid(w1 @ a0 + b1)
                delta2 = sigmoid(w2 @ a1 + b2) - y[row, :, np.newaxis]
                delta1 = (w2.T @ delta2) * a1 * (1 - a1)
                found = (delta1 @ a0.T, delta1, delta2 @ a1.T, delta2)
                nabla = [total + part for total, part in zip(nabla, found, strict=True)]
            w1, b1, w2, b2 = (p - eta / len(rows) * n for p, n in zip((w1, b1, w2, b2), nabla, strict=True))
    return perf_counter() - begun, [w1, b1, w2, b2]


def compile_floor(program: Path) -> None:
    """Compile the C program."""
    source = Path(__file__).with_name("floor.c")
    compiler = ["cc", "-O3", "-march=native", "-ffast-math", str(source), "-o", str(program), "-lopenblas", "-lm"]
    subprocess.run(compiler, check=True, capture_output=True)  # noqa: S603 (our own source)


def floor_is_there() -> bool:
    """Return whether a compiler and OpenBLAS are found."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            compile_floor(Path(folder, "floor"))
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def floor(problem: Problem) -> Result:
    """Train with the C program."""
    with tempfile.TemporaryDirectory() as folder:
        program, file = Path(folder, "floor"), Path(folder, "problem")
        compile_floor(program)
        x, hidden = problem["x"], len(problem["b1"])
        sizes = np.array([len(x), 784, hidden, 10, problem["batch"], problem["epochs"]], np.int32)
        parts = [sizes, x, targets(problem["labels"], 10), *(problem[name] for name in ("w1", "b1", "w2", "b2"))]
        parts += [problem["eta"].astype(np.float32), problem["order"].astype(np.int32)]
        with file.open("wb") as stream:
            for part in parts:
                stream.write(np.ascontiguousarray(part).tobytes())
        done = subprocess.run([str(program), str(file)], check=True, capture_output=True, text=True)  # noqa: S603
        trained = np.fromfile(file, np.float32)
    shapes = [(hidden, 784), (hidden, 1), (10, hidden), (10, 1)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    arrays = [part.reshape(shape) for part, shape in zip(np.split(trained, ends), shapes, strict=True)]
    return float(done.stdout), arrays


def torch(problem: Problem) -> Result:
    """Train with PyTorch, eager, autograd and its own optimizer."""
    import torch as library  # noqa: PLC0415 (an optional peer)

    hidden = len(problem["b1"])
    model = library.nn.Sequential(library.nn.Linear(784, hidden), library.nn.Sigmoid(), library.nn.Linear(hidden, 10))
    names = ("w1", "b1", "w2", "b2")
    with library.no_grad():
        for parameter, name in zip(model.parameters(), names, strict=True):
            parameter.copy_(library.from_numpy(problem[name].reshape(parameter.shape)))
    x, y = library.from_numpy(problem["x"]), library.from_numpy(targets(problem["labels"], 10))
    cost = library.nn.BCEWithLogitsLoss(reduction="sum")
    optimizer = library.optim.SGD(model.parameters(), lr=float(problem["eta"]))
    batch = int(problem["batch"])
    begun = perf_counter()
    for order in library.from_numpy(problem["order"]):
        for rows in order.split(batch):
            optimizer.zero_grad()
            (cost(model(x[rows]), y[rows]) / batch).backward()
            optimizer.step()
    seconds = perf_counter() - begun
    return seconds, [parameter.detach().numpy() for parameter in model.parameters()]


def jax(problem: Problem) -> Result:
    """Train with JAX: one compiled scan over the mini-batches of an epoch; compiling is not timed."""
    import jax as library  # noqa: PLC0415 (an optional peer)
    import jax.numpy as jnp  # noqa: PLC0415

    x, y = jnp.asarray(problem["x"]), jnp.asarray(targets(problem["labels"], 10))
    batch, eta = int(problem["batch"]), float(problem["eta"])

    def cost(parameters: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = parameters
        z = library.nn.sigmoid(x @ w1.T + b1) @ w2.T + b2
        return jnp.sum(jnp.logaddexp(0, z) - y * z) / batch

    def update(parameters: Any, rows: Any) -> Any:
        gradient = library.grad(cost)(parameters, x[rows], y[rows])
        return [p - eta * g for p, g in zip(parameters, gradient, strict=True)], None

    epoch = library.jit(lambda parameters, order: library.lax.scan(update, parameters, order)[0])
    parameters = [jnp.asarray(problem[name].squeeze()) for name in ("w1", "b1", "w2", "b2")]
    orders = jnp.asarray(problem["order"].reshape(len(problem["order"]), -1, batch))
    library.block_until_ready(epoch(parameters, orders[0]))
    begun = perf_counter()
    for order in orders:
        parameters = epoch(parameters, order)
    library.block_until_ready(parameters)
    return perf_counter() - begun, [np.asarray(parameter) for parameter in parameters]


def sklearn(problem: Problem) -> Result:
    """Train with scikit-learn's MLPClassifier, plain gradient descent."""
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415 (an optional peer)

    model = MLPClassifier(
        (len(problem["b1"]),), activation="logistic", solver="sgd", alpha=0.0, momentum=0.0, random_state=0,
        batch_size=int(problem["batch"]), learning_rate_init=float(problem["eta"]), max_iter=int(problem["epochs"]),
        tol=0.0, n_iter_no_change=1000,
    )  # fmt: skip
    begun = perf_counter()
    model.fit(problem["x"], problem["labels"])
    seconds = perf_counter() - begun
    (w1, w2), (b1, b2) = model.coefs_, model.intercepts_
    return seconds, [w1.T, b1.reshape(-1, 1), w2.T, b2.reshape(-1, 1)]


def is_there(module: str) -> bool:
    """Return whether a peer is installed."""
    return importlib.util.find_spec(module) is not None


CONTENDERS: dict[str, tuple[Callable[[Problem], Result], Callable[[], bool]]] = {  # and whether it can run here
    "netlearn": (netlearn, lambda: True),
    "C with OpenBLAS (the floor)": (floor, floor_is_there),
    "JAX, jit and scan": (jax, lambda: is_there("jax")),
    "scikit-learn": (sklearn, lambda: is_there("sklearn")),
    "PyTorch, eager": (torch, lambda: is_there("torch")),
    "per-example loop": (loop, lambda: True),
}


def accuracy(problem: Problem, weights: list[Array]) -> float:
    """Return the fraction of the test set that trained weights classify correctly."""
    w1, b1, w2, b2 = weights
    z1 = w1 @ problem["test_x"].T + b1.reshape(-1, 1)
    answers = (w2 @ (1 / (1 + np.exp(-z1))) + b2.reshape(-1, 1)).argmax(axis=0)
    return float((answers == problem["test_labels"]).mean())


def main() -> None:
    """Train with the contender that the command line names."""
    name, path = sys.argv[1:]
    problem = dict(np.load(path, allow_pickle=False))
    seconds, weights = CONTENDERS[name][0](problem)
    json.dump({"seconds": seconds, "accuracy": accuracy(problem, weights)}, sys.stdout)


if __name__ == "__main__":
    main()
