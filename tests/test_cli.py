import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netlearn import __version__
from netlearn.cli import COMMANDS, main
from netlearn.settings import FIELDS
from tests.files import wait_for, write_folder

SMALL = ["--data", "mnist-5k", "--epochs", "2"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def train(*arguments: str) -> Result:
    return call("train", *SMALL, *arguments)


def python(*arguments: str, **given: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **given)


def test_train_prints_data_and_network_then_epochs_and_results_on_stdout() -> None:
    result = train("--cost", "cross-entropy")
    assert result.exit_code == 0
    notes = result.stderr.splitlines()
    assert re.fullmatch(r"data: mnist-5k \(3,500 training, 700 validation, 800 test examples\) from \S+", notes[0])
    assert notes[1] == (
        "network: 784-30-10, sigmoid, scaled initial weights, cross-entropy cost, learning rate 0.5, λ 0, "
        "mini-batch 10, 2 epochs, seed 0"
    )
    assert re.fullmatch(r"epoch 1/2  cost \d\.\d{4}, validation accuracy \d\d\.\d\d %  \d\.\d s", notes[2])
    assert notes[3].startswith("epoch 2/2  ")
    assert re.fullmatch(
        r"test accuracy: \d\d\.\d\d %\nbest validation accuracy: \d\d\.\d\d % in epoch [12]\n"
        r"training: finished, 2 epochs in \d\.\d s\n"
        r"run folder: runs/cross-entropy \(pictures: curves\.png, curves\.svg\)\n",
        result.stdout,
    )


def test_quiet_prints_the_results_only() -> None:
    result = train("-q")
    assert result.stderr == ""
    assert result.stdout.startswith("test accuracy: ")


def test_json_prints_the_summary() -> None:
    result = train("--json", "--seed", "3")
    summary = json.loads(result.stdout)
    assert summary == json.loads(Path("runs/cross-entropy/summary.json").read_text())
    assert summary["seed"] == 3
    assert result.stderr.startswith("data: mnist-5k")


def test_auto_without_mnist_says_why_it_takes_the_bundled_digits() -> None:
    result = call("train", "--epochs", "1")
    assert result.exit_code == 0
    notes = result.stderr.splitlines()
    assert notes[0].startswith("data: mnist-5k (3,500 training")
    assert notes[1].startswith(
        "      taken because mnist is not here and cannot be had: no mirror could give the files: https://"
    )


def test_flag_goes_before_file_and_file_before_default() -> None:
    Path("run.toml").write_text('cost = "quadratic"\nepochs = 1\nbatch_size = 50\ndata = "mnist-5k"\n')
    result = call("train", "--config", "run.toml", "--batch-size", "100", "-q")
    assert result.exit_code == 0
    config = Path("runs/quadratic/config.toml").read_text()
    assert 'cost = "quadratic"' in config
    assert "batch_size = 100" in config
    assert "learning_rate = 3.0" in config
    assert "seed = 0" in config


def test_stored_config_repeats_the_run_to_the_byte() -> None:
    train("-q", "--hidden", "12", "--seed", "4", "--out", "first")
    call("train", "-q", "--config", "first/config.toml", "--out", "again")
    assert Path("first/weights.safetensors").read_bytes() == Path("again/weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        (["--hidden", "20"], [784, 20, 10]),
        (["--hidden", "20,15"], [784, 20, 15, 10]),
        (["--hidden", "20", "--hidden", "15"], [784, 20, 15, 10]),
        (["--hidden", "none"], [784, 10]),
    ],
)
def test_hidden_layers_are_given_by_commas_or_repeated(arguments: list[str], sizes: list[int]) -> None:
    assert json.loads(train(*arguments, "-q", "--json").stdout)["sizes"] == sizes


def test_single_neuron_is_trained_by_name() -> None:
    result = call(
        "train", "--data", "neuron", "--hidden", "none", "--batch-size", "1", "--initializer", "2,2",
        "--cost", "quadratic", "--learning-rate", "0.15", "--epochs", "300", "--dtype", "float64", "-q",
    )  # fmt: skip
    assert result.exit_code == 0
    rows = [row.split(",") for row in Path("runs/quadratic/metrics.csv").read_text().splitlines()]
    assert (rows[-1][0], rows[-1][7][:6]) == ("300", "0.2028")


def test_run_folders_are_numbered_and_never_overwritten() -> None:
    for name in ("cross-entropy", "cross-entropy-2", "cross-entropy-3"):
        assert f"run folder: runs/{name} " in train("-q").stdout


def test_out_that_exists_is_refused_and_overwritten_by_force() -> None:
    train("-q", "--out", "here")
    before = Path("here/summary.json").read_bytes()
    result = train("-q", "--out", "here")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == ("Error: here: holds a run already; --force overwrites it, --out names another folder\n")
    assert Path("here/summary.json").read_bytes() == before
    assert train("-q", "--out", "here", "--seed", "9", "--force").exit_code == 0
    assert json.loads(Path("here/summary.json").read_text())["seed"] == 9


COUNT = "a whole number from 1 to 10000000"
WRONG = [
    (["--cost", "hinge"], 2, "--cost hinge: allowed is quadratic, cross-entropy, log-likelihood or "
     "package.module:ClassName"),
    (["--cost", "nowhere:Huber"], 1, "cost 'nowhere:Huber': cannot be loaded: ModuleNotFoundError: No module named "
     "'nowhere'"),
    (["--data", "mnst"], 2, "data 'mnst': did you mean mnist? allowed is auto, mnist, mnist-5k, "
     "fashion-mnist, neuron, a folder of IDX "
     "files or an .npz file"),
    (["--learning-rate", "-1"], 2, "--learning-rate -1: allowed is a number above 0, to 1e+09"),
    (["--learning-rate", "fast"], 2, "--learning-rate fast: allowed is a number above 0, to 1e+09"),
    (["--learning-rate", "nan"], 2, "--learning-rate nan: allowed is a number above 0, to 1e+09"),
    (["--hidden", "0"], 2, "--hidden 0: allowed is numbers from 1 to 100000, such as 30 or 100,30, or none"),
    (["--hidden", "30,"], 2, "--hidden 30,: allowed is numbers from 1 to 100000, such as 30 or 100,30, or none"),
    (["--initializer", "1,2,3"], 2, "--initializer 1,2,3: allowed is scaled, large or two numbers w,b"),
    (["--activation", "sigmod"], 2, "--activation sigmod: did you mean sigmoid? allowed is sigmoid, tanh, relu"),
    (["--epochs", "0"], 2, f"--epochs 0: allowed is {COUNT}"),
    (["--epochs", "2.5"], 2, f"--epochs 2.5: allowed is {COUNT}"),
    (["--batch-size", "99999"], 2, "batch_size 99999: allowed is 1 to 3500, the training examples of mnist-5k"),
    (["--train-size", "99999"], 2, "train_size 99999: mnist-5k has 1 to 3500 training examples"),
    (["--seed", "-3"], 2, "--seed -3: allowed is a whole number from 0 to 2^63-1"),
    (["--l2", "-0.5"], 2, "--l2 -0.5: allowed is a number from 0 to 1e+09"),
    (["--dtype", "half"], 2, "--dtype half: allowed is float32, float64"),
    (["--config", "none.toml"], 2, "none.toml: cannot be read: No such file or directory"),
    (["--config", "broken.toml"], 2, "broken.toml: not a TOML file: Invalid value (at line 1, column 9)"),
    (["--config", "key.toml"], 2, "unknown key key.toml: lerning_rate: did you mean learning_rate?"),
    (["--config", "value.toml"], 2, f"value.toml: epochs 'many': allowed is {COUNT}"),
    (["--out", "file"], 1, "file: is a file; a run needs a folder of its own"),
    (["--out", "file/run"], 1, "file/run: cannot be written: Not a directory"),
    (["--out", "thesis"], 1, "thesis: holds other things than a run; a run needs a folder of its own"),
    (["--data", "log-likelihood.npz"], 2, "data 'log-likelihood.npz': allowed is auto, mnist, mnist-5k, "
     "fashion-mnist, neuron, a folder of IDX files or an .npz file"),
    (["--data", "neuron", "--batch-size", "1", "--cost", "log-likelihood"], 2,
     "a softmax over one output neuron is always 1; allowed are 2 outputs or more"),
    (["--data", "cut"], 1, "cut/t10k-images-idx3-ubyte.gz: not a whole gzip file: Compressed file ended before the "
     "end-of-stream marker was reached"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_bad_input_gets_one_line_and_leaves_nothing(arguments: list[str], code: int, message: str) -> None:
    Path("broken.toml").write_text("epochs =\n")
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
    assert result.stderr == f"Error: {message}\n"
    assert (result.exit_code, result.stdout) == (code, "")
    assert sorted(Path().rglob("*")) == before


def test_unknown_option_and_command_are_wrong_usage() -> None:
    assert call("train", "--lerning-rate", "1").exit_code == 2
    assert "--learning-rate" in call("train", "--lerning-rate", "1").stderr
    assert call("trane").exit_code == 2


def test_wrong_own_cost_is_refused_with_both_numbers() -> None:
    Path("wrong_costs.py").write_text(
        "import numpy as np\nfrom netlearn.costs import Quadratic\n"
        "class Drifted(Quadratic):\n"
        "    def delta(self, z, a, y, out):\n"
        "        return np.subtract(a, y, out=out)\n"
    )
    result = train("--cost", "wrong_costs:Drifted")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(
        r"Error: cost 'wrong_costs:Drifted': delta is not the derivative of value: at z = \S+, y = \S+ "
        r"delta gives \S+, central differences of value give \S+\n",
        result.stderr,
    )
    assert not Path("runs").exists()


def test_divergence_is_one_line_and_keeps_the_records() -> None:
    result = train("--learning-rate", "1000", "--l2", "500")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(
        r"Error: the cost is no longer finite after update \d+ with learning rate 1000; "
        r"a smaller one, such as 100, may help; what was recorded is in runs/cross-entropy",
        result.stderr.splitlines()[-1],
    )
    assert len(Path("runs/cross-entropy/metrics.csv").read_text().splitlines()) > 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_keeps_its_work(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "netlearn", "train", "--data", "mnist-5k", "--epochs", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        wait_for("epoch 2/", process.stderr)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert "training: interrupted, " in stdout
    summary = json.loads(Path("runs/cross-entropy/summary.json").read_text())
    assert summary["status"] == "interrupted"
    last = stderr.splitlines()[-1]
    assert last == f"Interrupted after update {summary['updates']}; what was done is in runs/cross-entropy"
    assert Path("runs/cross-entropy/metrics.csv").read_text().splitlines()[-1].startswith(f"{summary['updates']},")
    assert Path("runs/cross-entropy/weights.safetensors").is_file()


def test_second_interrupt_ends_at_once() -> None:
    code = (
        "import os, signal\nfrom netlearn.cli.signals import stopping_on_signals\n"
        "class Trainer:\n    def stop(self): print('stopping', flush=True)\n"
        "with stopping_on_signals(Trainer()):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    os.kill(os.getpid(), signal.SIGINT)\n    print('too late')\n"
    )
    result = python("-c", code)
    assert result.stdout == "stopping\n"
    assert "KeyboardInterrupt" in result.stderr


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("ending", ["2>&-", "2>/dev/full", "2>&1 | head -1"])
def test_run_is_finished_or_kept_though_nobody_listens(ending: str) -> None:
    shell(f"{sys.executable} -m netlearn train --data mnist-5k --epochs 3 --out run {ending}")
    assert Path("run/weights.safetensors").is_file()
    assert json.loads(Path("run/summary.json").read_text())["status"] == "finished"


def test_output_that_cannot_be_written_is_one_line() -> None:
    result = shell(f"{sys.executable} -m netlearn data list >/dev/full")
    assert (result.returncode, result.stderr) == (1, "Error: output: No space left on device\n")


def test_data_that_auto_took_is_stored_so_that_the_run_can_be_repeated() -> None:
    call("train", "-q", "--epochs", "1")
    assert 'data = "mnist-5k"' in Path("runs/cross-entropy/config.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "30", "--hidden", "none"], "--hidden none: goes with no other --hidden"),
        (["--hidden", "100000,100000,100000"],
         "hidden [100000, 100000, 100000]: a network [784, 100000, 100000, 100000, 10] does not fit in memory"),
        (["--data", "caf\udce9"], "--data 'caf\\udce9': allowed is auto, mnist, mnist-5k, fashion-mnist, neuron, "
         "a folder of IDX files or an .npz file"),
    ],
)  # fmt: skip
def test_odd_values_get_one_line(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("netlearn.network.Network._initialize", too_much)
    result = train(*arguments)
    assert (result.exit_code, result.stderr) == (2, f"Error: {message}\n")


def test_data_with_a_dollar_in_its_name_is_trained_and_drawn() -> None:
    write_folder(Path("$x_$"))
    assert call("train", "-q", "--data", "$x_$", "--epochs", "1").exit_code == 0
    assert call("data", "show", "$x_$").exit_code == 0


def test_interrupt_before_training_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netlearn.datasets.load", interrupt)
    result = train()
    assert (result.exit_code, result.stderr) == (130, "Interrupted\n")


def test_terminal_shows_a_bar_with_epoch_cost_and_accuracy() -> None:
    main_end, child_end = pty.openpty()
    termios.tcsetwinsize(child_end, (24, 80))
    command = [sys.executable, "-m", "netlearn", "train", *SMALL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=child_end) as process:
        os.close(child_end)
        shown = b""
        while True:
            try:
                piece = os.read(main_end, 65536)
            except OSError:  # how a terminal ends
                break
            shown += piece
    os.close(main_end)
    assert process.returncode == 0
    text = shown.decode()
    assert re.search(r"epoch 2/2: 100%\|█+\| 00:00 left, cost \d\.\d{4}, accuracy \d\d\.\d\d %", text)


def test_data_list_names_every_set_and_where_it_lies() -> None:
    rows = call("data", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "mnist-5k", "mnist", "fashion-mnist", "neuron", "auto"]
    assert rows[2].endswith("not here; get it with: netlearn data download mnist")


def test_data_list_shows_the_own_folder(full_mnist: Path) -> None:
    assert str(full_mnist) in call("data", "list").stdout


def test_data_download_prints_the_folder_of_what_is_here(full_mnist: Path) -> None:
    assert call("data", "download", "mnist").stdout == f"{full_mnist}\n"


def test_data_download_that_fails_names_the_mirrors() -> None:
    result = call("data", "download", "fashion-mnist")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: fashion-mnist is not here and cannot be had: no mirror could give the files: "
        r"https://\S+ \(cannot be reached\)",
        result.stderr.splitlines()[-1],
    )


def test_data_show_draws_a_picture() -> None:
    result = call("data", "show", "mnist-5k")
    assert (result.exit_code, result.stdout) == (0, "mnist-5k.png\n")
    assert Path("mnist-5k.png").read_bytes().startswith(b"\x89PNG")


def test_data_show_numbers_its_pictures_and_draws_svg_where_asked() -> None:
    assert [call("data", "show", "mnist-5k").stdout for _ in range(2)] == ["mnist-5k.png\n", "mnist-5k-2.png\n"]
    assert call("data", "show", "mnist-5k", "--out", "digits.svg").exit_code == 0
    assert b"<svg" in Path("digits.svg").read_bytes()


@pytest.mark.parametrize("out", ["digits.jpg", ".", "", "/"])
def test_data_show_to_no_picture_file_is_refused(out: str) -> None:
    result = call("data", "show", "mnist-5k", "--out", out)
    assert result.exit_code == 2
    assert result.stderr == f"Error: --out {Path(out)}: allowed is a file that ends in .png or .svg\n"


def test_data_show_of_what_is_no_picture_is_refused() -> None:
    result = call("data", "show", "neuron")
    assert (result.exit_code, result.stderr) == (1, "Error: neuron: its examples are no pictures\n")


def test_data_show_to_a_place_that_cannot_be_written_is_refused() -> None:
    result = call("data", "show", "mnist-5k", "--out", "nowhere/picture.png")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: nowhere/picture.png: cannot be written: No such file or directory\n",
    )


def test_help_of_train_has_every_setting_and_its_default() -> None:
    text = " ".join(call("train", "--help").stdout.split())
    for name in FIELDS:
        assert f"--{name.replace('_', '-')} " in text
    assert text.count("[default: ") == len(FIELDS) + 1
    assert "[default: the cost's own]" in text


def test_help_names_the_commands_without_numpy_or_matplotlib() -> None:
    code = (
        "import sys\nfrom netlearn.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'matplotlib', 'msgspec', 'tqdm'}))"
    )
    lines = python("-c", code).stdout.splitlines()
    assert lines[-1] == "[]"
    for name, (_, summary) in COMMANDS.items():
        assert any(line.split() == [name, *summary.split()] for line in lines)


def test_train_imports_matplotlib_after_training_and_never_pyplot() -> None:
    code = (
        "import sys\nfrom netlearn import training\nfrom netlearn.cli import main\n"
        "probe = training.Trainer._probe\n"
        "def watched(self):\n    assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "    return probe(self)\n"
        "training.Trainer._probe = watched\n"
        "try:\n    main(['train', '-q', '--data', 'mnist-5k', '--epochs', '1'])\nexcept SystemExit:\n    pass\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "True False"


def test_module_is_the_command() -> None:
    result = python("-m", "netlearn", "--version")
    assert result.stdout == f"netlearn {__version__}\n"


def test_shell_completion_knows_the_costs() -> None:
    environment = os.environ | {
        "_NETLEARN_COMPLETE": "bash_complete", "COMP_WORDS": "netlearn train --cost ", "COMP_CWORD": "3",
    }  # fmt: skip
    result = python("-m", "netlearn", env=environment)
    assert result.stdout.split() == ["plain,quadratic", "plain,cross-entropy", "plain,log-likelihood"]


def test_data_at_hand_is_loaded_without_the_download_machinery() -> None:
    code = (
        "import sys\nfrom netlearn import datasets\ndatasets.load('mnist-5k')\n"
        "print(sorted({'pooch', 'requests', 'matplotlib'} & set(sys.modules)))"
    )
    assert python("-c", code).stdout == "[]\n"
