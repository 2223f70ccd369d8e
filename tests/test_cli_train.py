import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import POSIX, SMALL, call, done, shell, train
from tests.files import write_folder


def test_train_prints_data_and_network_then_epochs_and_results_on_stdout() -> None:
    result = done(train("--cost", "cross-entropy"))
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


def test_one_epoch_is_not_several() -> None:
    result = done(train("--epochs", "1", "--hidden", "5"))
    assert "1 epochs" not in result.output
    assert ("1 epoch, seed 0" in result.stderr, "finished, 1 epoch in" in result.stdout) == (True, True)


def test_quiet_prints_the_results_only() -> None:
    result = train("-q")
    assert result.stderr == ""
    assert result.stdout.startswith("test accuracy: ")


def test_one_answer_to_everything_is_said_where_there_are_several_classes() -> None:
    assert "Warning: it answers" in train("-q", "--learning-rate", "1e-9").stderr
    alone = ["--data", "neuron", "--hidden", "none", "--batch-size", "1", "--epochs", "5"]
    assert done(call("train", "-q", *alone)).stderr == ""


def test_json_prints_the_summary_and_the_folder() -> None:
    result = train("--json", "--seed", "3")
    summary = json.loads(result.stdout)
    folder = Path(summary.pop("folder"))
    assert folder == Path("runs/cross-entropy")
    assert summary == json.loads((folder / "summary.json").read_text())
    assert summary["seed"] == 3
    assert result.stderr.startswith("data: mnist-5k")


def test_auto_without_mnist_says_why_the_bundled_digits_are_used_and_stores_that() -> None:
    result = done(call("train", "--epochs", "1"))
    notes = result.stderr.splitlines()
    assert notes[0].startswith("data: mnist-5k (3,500 training")
    assert notes[1].startswith(
        "      used because mnist is not on this machine and cannot be downloaded: no mirror has the files: https://"
    )
    assert 'data = "mnist-5k"' in Path("runs/cross-entropy/config.toml").read_text()


def test_flag_takes_precedence_over_file_and_file_over_default() -> None:
    Path("run.toml").write_text('cost = "quadratic"\nepochs = 1\nbatch_size = 50\ndata = "mnist-5k"\n')
    done(call("train", "--config", "run.toml", "--batch-size", "100", "-q"))
    config = Path("runs/quadratic/config.toml").read_text()
    assert 'cost = "quadratic"' in config
    assert "batch_size = 100" in config
    assert "learning_rate = 3.0" in config
    assert "seed = 0" in config


def test_flags_switch_off_what_a_file_set() -> None:
    Path("run.toml").write_text('patience = 1\ntrain_size = 50\ntrack_test = true\nepochs = 1\ndata = "mnist-5k"\n')
    done(call("train", "-q", "--config", "run.toml", "--patience", "off", "--train-size", "all", "--no-track-test"))
    config = Path("runs/cross-entropy/config.toml").read_text()
    assert 'patience = "off"' in config
    assert 'train_size = "all"' in config
    assert "track_test = false" in config
    assert json.loads(Path("runs/cross-entropy/summary.json").read_text())["data"]["train"] == 3500


def test_stored_config_repeats_the_run_to_the_byte() -> None:
    train("-q", "--hidden", "12", "--seed", "4", "--out", "first")
    call("train", "-q", "--config", "first/config.toml", "--out", "again")
    assert Path("first/weights.safetensors").read_bytes() == Path("again/weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        (["--hidden", "20"], [784, 20, 10]),
        (["--hidden", "20,15"], [784, 20, 15, 10]),
        (["--hidden", "none"], [784, 10]),
    ],
)
def test_hidden_layers_are_given_by_commas(arguments: list[str], sizes: list[int]) -> None:
    assert json.loads(train(*arguments, "-q", "--json").stdout)["sizes"] == sizes


def test_run_folders_are_numbered_and_never_overwritten() -> None:
    for name in ("cross-entropy", "cross-entropy-2", "cross-entropy-3"):
        assert f"run folder: runs/{name} " in train("-q").stdout


def test_out_that_exists_is_refused_and_overwritten_by_force() -> None:
    train("-q", "--out", "here")
    before = Path("here/summary.json").read_bytes()
    result = train("-q", "--out", "here")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "here: holds a run already; --force" in result.stderr
    assert Path("here/summary.json").read_bytes() == before
    assert train("-q", "--out", "here", "--seed", "9", "--force").exit_code == 0
    assert json.loads(Path("here/summary.json").read_text())["seed"] == 9


def test_divergence_is_one_line_and_keeps_the_records() -> None:
    result = train("--learning-rate", "1000", "--l2", "500")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(
        r"after update \d+ with learning rate 1000\b.* 100\b.* runs/cross-entropy$", result.stderr.strip()
    )
    assert len(Path("runs/cross-entropy/metrics.csv").read_text().splitlines()) > 2


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["2>&-", "2>/dev/full", "2>&1 | head -1"])
def test_run_is_completed_or_saved_when_output_is_closed(ending: str) -> None:
    small = "--data mnist-5k --train-size 200 --epochs 3 --hidden 5 --out run"
    shell(f"{sys.executable} -m netlearn train {small} {ending}")
    assert Path("run/weights.safetensors").is_file()
    assert json.loads(Path("run/summary.json").read_text())["status"] == "finished"


def test_data_with_a_dollar_in_its_name_is_trained_and_drawn() -> None:
    write_folder(Path("$x_$"))
    assert call("train", "-q", "--data", "$x_$", "--epochs", "1").exit_code == 0
    assert call("data", "show", "$x_$").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "shown_last"),
    [
        (80, r"epoch 2/2: 100%\|█+\| 00:00 left, cost \d\.\d{4}, accuracy \d\d\.\d\d %"),
        (60, r"epoch 2/2: 100%\|█{10,}\| 00:00 left, \d\d\.\d\d %"),
    ],
)
@POSIX
def test_terminal_shows_a_bar_with_what_its_width_allows(columns: int, shown_last: str) -> None:
    import pty  # noqa: PLC0415 (Windows has none)
    import termios  # noqa: PLC0415

    main_end, child_end = pty.openpty()
    termios.tcsetwinsize(child_end, (24, columns))
    command = [sys.executable, "-m", "netlearn", "train", *SMALL, "--train-size", "200", "--hidden", "5"]
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
    assert re.search(shown_last, text)
