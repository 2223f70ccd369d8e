"""Bad input to the command line: one clear line, and no half-written files; the values of settings: test_settings."""

from pathlib import Path

import pytest

from tests.commands import call, compare, train
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
    (["--train-size", "99999"], 2, "train_size 99999: must be from 1 to 3500, the training examples of mnist-5k"),
    (["--optimizer", "adam", "--momentum", "0.9"], 2,
     "momentum 0.9: applies only to optimizer momentum or nesterov, not adam"),
    (["--config", "own.toml"], 2, "momentum 0.9: applies only to optimizer momentum or nesterov, not adam"),
    (["--dropout", "0.5", "--hidden", "none"], 2, "dropout 0.5: must be 0 without hidden layers"),
    (["--augment", "elastic", "--data", "neuron", "--batch-size", "1"], 2,
     "augment elastic: must be none, since neuron has no images"),
    (["--config", "none.toml"], 2, "none.toml: no such file"),
    (["--config", "broken.toml"], 2, "broken.toml: not a TOML file: Invalid value (at line 1, column 9)"),
    (["--config", "key.toml"], 2, "unknown key key.toml: lerning_rate: did you mean learning_rate?"),
    (["--config", "value.toml"], 2, f"value.toml: epochs 'many': must be {COUNT}"),
    (["--out", "file"], 1, "file: must be a folder, not a file"),
    (["--out", "file/run"], 1, "file/run: cannot be written: Not a directory"),
    (["--out", "thesis"], 1, "thesis: must be an empty folder or hold a run"),
    (["--data", "log-likelihood.npz"], 2, "data 'log-likelihood.npz': no such file or folder"),
    (["--data", "neuron", "--batch-size", "1", "--cost", "log-likelihood"], 2,
     "a softmax over one output neuron is always 1; must be 2 outputs or more"),
    (["--data", "cut"], 1, "cut/t10k-images-idx3-ubyte.gz: not a complete gzip file; must unpack to 88 bytes, the "
     "size given at its end"),
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
    content = cut.read_bytes()
    size = (4 + 12 + 6 * 12).to_bytes(4, "little")
    cut.write_bytes(content[:40] + size)
    before = sorted(Path().rglob("*"))
    result = train(*arguments)
    assert has_facts(result.stderr, f"Error: {message}\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert sorted(Path().rglob("*")) == before


def test_unknown_option_and_command_are_wrong_usage() -> None:
    assert call("train", "--lerning-rate", "1").exit_code == 2
    assert "--learning-rate" in call("train", "--lerning-rate", "1").stderr
    assert call("trane").exit_code == 2


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
    (["--cost", "quadratic"], 2, "--cost quadratic: a comparison needs two or more"),
    (["--cost", "quadratic", "--cost", "quadratic"], 2,
     "--cost quadratic: two variants of one name; must be costs that differ"),
    (["--seeds", "0"], 2, "--seeds 0: must be a number from 1 to 1000 or a list of different ones"),
    (["--jobs", "0"], 2, "--jobs 0: must be a number from 1"),
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
