"""What people type by habit is answered with netlearn's own word, and what is no word with none."""

from pathlib import Path

import numpy as np
import pytest

import netlearn
from netlearn import datasets
from netlearn.errors import RunError, SettingsError
from netlearn.inspection.trained import read_trained
from tests.commands import call, one_line

OPTIONS = {
    "--eta": "--learning-rate", "--lr": "--learning-rate", "--alpha": "--learning-rate", "--lmbda": "--l2",
    "--lambda": "--l2", "--weight-decay": "--l2", "--mini-batch-size": "--batch-size", "--epoch": "--epochs",
}  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_others_suggest_ours(option: str) -> None:
    result = call("train", option, "1")
    assert result.exit_code == 2
    assert f"Did you mean {OPTIONS[option]}?" in result.stderr


@pytest.mark.parametrize("option", ["--gpu", "--device", "--verbose"])
def test_no_option_is_suggested_where_none_is_near(option: str) -> None:
    result = call("train", option)
    assert result.exit_code == 2
    assert "ean" not in result.stderr.partition("No such option")[2].replace("\n", " ")


@pytest.mark.parametrize(("typed", "meant"), [("trian", "train"), ("eval", None), ("comapre", "compare")])
def test_misspelt_commands(typed: str, meant: str | None) -> None:
    result = call(typed)
    assert result.exit_code == 2
    assert (f"Did you mean '{meant}'?" in result.stderr) == (meant is not None)


COSTS = {
    "mse": "quadratic", "bce": "cross-entropy", "softmax": "log-likelihood", "nll": "log-likelihood",
    "MSE": "quadratic", "crossentropy": "cross-entropy",
}  # fmt: skip


@pytest.mark.parametrize("cost", COSTS)
def test_costs_of_others_suggest_ours(cost: str) -> None:
    assert f"did you mean {COSTS[cost]}?" in call("train", "--cost", cost).stderr


def test_keys_of_others_suggest_ours() -> None:
    Path("own.toml").write_text("lmbda = 5.0\n")
    assert one_line(call("train", "--config", "own.toml"), 2, "own.toml: lmbda did you mean l2")
    with pytest.raises(SettingsError, match="did you mean learning_rate"):
        netlearn.train(eta=3.0)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        ("epochs = 3\n".encode("utf-16"), "UTF-16 UTF-8"),
        ("cost = “quadratic”\n".encode(), "line 1 curly quotes"),
        (b"epochs = 3\nlearning_rate = 0,5\n", "line 2 decimal comma"),
        (b"[variants.a]\ncost = 'quadratic'\n", "variants netlearn compare own.toml"),
    ],
)
def test_what_editors_and_habits_do_to_a_file_of_settings_is_named(content: bytes, facts: str) -> None:
    Path("own.toml").write_bytes(content)
    assert one_line(call("train", "--config", "own.toml"), 2, f"own.toml: {facts}")


def test_inputs_and_outputs_are_not_hidden() -> None:
    result = call("train", "--data", "mnist-5k", "--hidden", "784,30,10", "--epochs", "1", "-q")
    assert one_line(result, 2, "hidden 784,30,10 784 inputs 10 outputs 30")
    with pytest.raises(SettingsError, match="must be without the 784 inputs"):
        netlearn.train(data="mnist-5k", hidden=[784, 10], epochs=1)


def write_xor() -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    np.savez("xor.npz", x_train=x, y_train=[0, 1, 1, 0], x_test=x, y_test=[0, 1, 1, 0])


def test_xor_is_trained_on_all_of_its_examples() -> None:
    write_xor()
    data = datasets.load("xor.npz")
    assert (len(data.train), len(data.validation), len(data.test)) == (4, 4, 4)
    run = netlearn.train(
        data="xor.npz", hidden=(8,), epochs=500, batch_size=4, learning_rate=5.0, probe_every=500, progress=False
    )
    assert run.test_accuracy == 1


def test_network_that_learned_nothing_says_so() -> None:
    x = np.tile(np.linspace(0, 255, 16), (60, 1)) * (1 + np.arange(60)[:, np.newaxis] % 3)
    np.savez("large.npz", x_train=x, y_train=np.arange(60) % 3, x_test=x, y_test=np.arange(60) % 3)
    result = call("train", "--data", "large.npz", "--epochs", "2", "--learning-rate", "1e-12", "--out", "run")
    assert result.exit_code == 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert "its inputs run from 0 to 765, but should lie in [0, 1]" in line


def test_network_takes_no_unscaled_pixels() -> None:
    network = netlearn.train(data="mnist-5k", epochs=1, hidden=(), train_size=100, progress=False).network()
    x = datasets.load("mnist-5k").test.x[:5].T
    for dtype in (np.uint8, np.uint16, np.int64):
        with pytest.raises(SettingsError, match="such as x / 255"):
            network.feedforward(np.rint(255 * x).astype(dtype))
    assert network.feedforward(x).shape == (10, 5)


@pytest.mark.usefixtures("runs")
def test_evaluation_says_that_data_is_scaled_unlike_that_of_the_run() -> None:
    data = datasets.load("mnist-5k")
    x, y = 255 * data.test.x, data.test.labels
    np.savez("wide.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    result = call("evaluate", "ce", "--data", "wide.npz", "--out", "shown")
    assert result.exit_code == 0
    assert "its inputs run from 0 to 255, but ce was trained with 0 to 1" in result.stderr


def test_test_set_that_is_scaled_unlike_the_training_set_is_noted() -> None:
    x = np.random.default_rng(0).random((60, 9))
    np.savez("own.npz", x_train=x, y_train=np.arange(60) % 3, x_test=255 * x, y_test=np.arange(60) % 3)
    assert "scaled unlike each other" in datasets.load("own.npz").note


def test_evaluation_of_a_comparison_names_its_runs() -> None:
    netlearn.compare(data="mnist-5k", epochs=1, seeds=1, hidden=(), train_size=100, out="two", jobs=1, progress=False)
    with pytest.raises(RunError, match=r"two: is a comparison, .*two/cross-entropy-0"):
        read_trained([Path("two")])
