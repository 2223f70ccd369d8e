"""Bad input gets one clear line, and no half-written files; what people type by habit is answered with our word."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import netlearn
from netlearn import datasets
from netlearn.errors import RunError, SettingsError
from netlearn.inspection.trained import read_trained
from tests.commands import call, compare, done, one_line, train
from tests.files import write_folder
from tests.messages import has_facts

COUNT = "a whole number, at least 1"


WRONG = [
    (["--cost", "hinge"], 2, "--cost hinge: must be quadratic, cross-entropy, log-likelihood or "
     "package.module:ClassName"),
    (["--cost", "nowhere:Huber"], 1, "cost 'nowhere:Huber': cannot be loaded: ModuleNotFoundError: No module named "
     "'nowhere'"),
    (["--data", "mnst"], 2, "data 'mnst': did you mean mnist? must be auto, mnist, mnist-5k, "
     "fashion-mnist, neuron, a folder of IDX "
     "files or an .npz file"),
    (["--learning-rate", "fast"], 2, "--learning-rate fast: must be a number above 0"),
    (["--hidden", "30,"], 2, "--hidden 30,: must be whole numbers above 0, such as 30 or 100+30, or none"),
    (["--epochs", "2.5"], 2, f"--epochs 2.5: must be {COUNT}"),
    (["--batch-size", "99999"], 2, "batch_size 99999: must be 1 to 3500, the training examples of mnist-5k"),
    (["--label-noise", "1"], 2, "--label-noise 1: must be a number, at least 0 and less than 1"),
    (["--train-size", "99999"], 2, "train_size 99999: must be from 1 to 3500, the training examples of mnist-5k"),
    (["--optimizer", "adam", "--momentum", "0.9"], 2,
     "momentum 0.9: applies only to optimizer momentum or nesterov, not adam"),
    (["--config", "own.toml"], 2, "momentum 0.9: applies only to optimizer momentum or nesterov, not adam"),
    (["--dropout", "0.5", "--hidden", "none"], 2, "dropout 0.5: must be 0 without hidden layers"),
    (["--augment", "elastic", "--data", "neuron", "--batch-size", "1"], 2,
     "augment elastic: must be none, since neuron has no images"),
    (["--config", "broken.toml"], 2, "broken.toml: not a TOML file: Invalid value (at line 1, column 9)"),
    (["--config", "key.toml"], 2, "unknown key key.toml: lerning_rate: did you mean learning_rate?"),
    (["--config", "value.toml"], 2, f"value.toml: epochs 'many': must be {COUNT}"),
    (["--force"], 2, "--force: must be given with --out"),
    (["--out", "file"], 1, "file: must be a folder, not a file"),
    (["--out", "file/run"], 1, "file/run: cannot be written: Not a directory"),
    (["--out", "thesis"], 1, "thesis: must be an empty folder or hold a run"),
    (["--data", "log-likelihood.npz"], 2, "data 'log-likelihood.npz': no such file or folder"),
    (["--data", "neuron", "--batch-size", "1", "--cost", "log-likelihood"], 2,
     "a softmax over one output neuron is always 1; must be 2 outputs or more"),
    (["--data", "cut"], 1, "cut/t10k-images-idx3-ubyte.gz: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_bad_input_gets_one_line_and_leaves_nothing(arguments: list[str], code: int, message: str) -> None:
    Path("broken.toml").write_text("epochs =\n")
    Path("own.toml").write_text('optimizer = "adam"\nmomentum = 0.9\n')
    Path("key.toml").write_text("lerning_rate = 1\n")
    Path("value.toml").write_text('epochs = "many"\n')
    Path("file").touch()
    Path("thesis").mkdir()
    Path("thesis/chapter-1.txt").touch()
    cut = write_folder(Path("cut")) / "t10k-images-idx3-ubyte.gz"
    cut.write_bytes(cut.read_bytes()[:40])
    before = sorted(Path().rglob("*"))
    result = train(*arguments)
    assert has_facts(result.stderr, f"Error: {message}\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "100000,100000,100000"],
         "hidden [100000, 100000, 100000]: a network [784, 100000, 100000, 100000, 10] does not fit in memory"),
        (["--data", "caf\udce9"], "--data 'caf\\udce9': must be auto, mnist, mnist-5k, fashion-mnist, neuron, "
         "a folder of IDX files or images, an .npz or a CSV file"),
    ],
)  # fmt: skip
def test_odd_values_get_one_line(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("netlearn.network.initialize", too_much)
    result = train(*arguments)
    assert (result.exit_code, has_facts(result.stderr, f"Error: {message}\n")) == (2, True)


BAD_FOR_COMPARE = [
    (["--cost", "quadratic"], 2, "--cost quadratic: needs two or more; --seeds N trains one several times"),
    (["--cost", "quadratic", "--seeds", "1"], 2, "--cost quadratic: a comparison needs two or more"),
    (["--force"], 2, "--force: must be given with --out"),
    (["--cost", "quadratic", "--cost", "quadratic"], 2,
     "--cost quadratic: two variants of one name; must be costs that differ"),
    (["--seeds", "0"], 2, "--seeds 0: must be a number from 1 to 1000 or a list of different ones"),
    (["--batch-size", "99999"], 2, "batch_size 99999: must be 1 to 3500, the training examples of mnist-5k"),
    (["nowhere", "half"], 2, "nowhere: no such folder or experiment; netlearn compare --list lists the experiments"),
    (["thesis"], 1, "thesis: not the folder of a finished run: it has no config.toml"),
    (["half"], 1, "half/config.toml: not the settings of a run"),
    (["nowhere.toml"], 2, "nowhere.toml: cannot be read: No such file or directory"),
    (["key.toml"], 2, "unknown key key.toml: tittle: did you mean title?"),
    (["key.toml", "other.toml"], 2, "key.toml: must be one experiment, or the folders of runs"),
    (["key.toml", "--cost", "quadratic"], 2,
     "--cost quadratic: the variants are those of key.toml; allowed without a file"),
    (["half", "--seeds", "3"], 2, "--seeds: runs that exist are drawn as they are; it goes with an experiment"),
    (["half", "--epochs", "3"], 2, "--epochs: runs that exist are drawn as they are; it goes with an experiment"),
    (["--list", "key.toml"], 2, "key.toml: --list takes no other argument"),
    (["--out", "thesis"], 1, "thesis: must be an empty folder or hold a run"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), BAD_FOR_COMPARE, ids=lambda value: str(value)[:40])
def test_bad_input_of_compare_gets_one_line_and_leaves_nothing(arguments: list[str], code: int, message: str) -> None:
    Path("own.toml").write_text('optimizer = "adam"\nmomentum = 0.9\n')
    Path("key.toml").write_text("tittle = 'x'\n")
    Path("half").mkdir()
    Path("half/config.toml").write_text("format = 2\n")
    Path("half/metrics.csv").touch()
    Path("thesis").mkdir()
    Path("thesis/chapter-1.txt").touch()
    before = sorted(Path().rglob("*"))
    given = [] if {"nowhere", "half", "thesis"} & set(arguments[:1]) else ["--data", "mnist-5k"]
    result = compare(*given, "-q", *arguments)
    assert has_facts(result.stderr, f"Error: {message}\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert sorted(Path().rglob("*")) == before


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


def test_experiment_is_not_one_run_and_the_command_for_it_names_its_path() -> None:
    Path("my files").mkdir()
    Path("my files/two.toml").write_text("[variants.a]\n")
    result = call("train", "--config", "my files/two.toml")
    assert one_line(result, 2, "my files/two.toml: variants netlearn compare 'my files/two.toml'")


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
    result = done(call("train", "--data", "large.npz", "--epochs", "2", "--learning-rate", "1e-12", "--out", "run"))
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
    result = done(call("evaluate", "ce", "--data", "wide.npz", "--out", "shown"))
    assert "its inputs run from 0 to 255, but ce was trained with 0 to 1" in result.stderr


def test_test_set_that_is_scaled_unlike_the_training_set_is_noted() -> None:
    x = np.random.default_rng(0).random((60, 9))
    np.savez("own.npz", x_train=x, y_train=np.arange(60) % 3, x_test=255 * x, y_test=np.arange(60) % 3)
    assert "scaled unlike each other" in datasets.load("own.npz").note


def test_evaluation_of_a_comparison_names_its_runs() -> None:
    netlearn.compare(data="mnist-5k", epochs=1, seeds=1, hidden=(), train_size=100, out="two", jobs=1, progress=False)
    with pytest.raises(RunError, match=r"two: is a comparison, .*two/cross-entropy-0, two/quadratic-0$"):
        read_trained([Path("two")])
    for seed in range(1, 11):
        shutil.copytree("two/quadratic-0", f"two/quadratic-{seed}")
    with pytest.raises(RunError, match=r"two/quadratic-5 and 4 more$"):
        read_trained([Path("two")])
