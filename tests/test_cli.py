import sys

import pytest

from netlearn import __version__
from netlearn.cli import COMMANDS
from netlearn.settings import FIELDS
from tests.commands import POSIX, call, python, shell, train


@POSIX
def test_second_interrupt_ends_at_once() -> None:
    code = (
        "import os, signal\nfrom netlearn.cli.terminal import stopping_on_signals\n"
        "class Trainer:\n    def stop(self): print('stopping', flush=True)\n"
        "with stopping_on_signals(Trainer().stop):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    os.kill(os.getpid(), signal.SIGINT)\n    print('too late')\n"
    )
    result = python("-c", code)
    assert result.stdout == "stopping\n"
    assert "KeyboardInterrupt" in result.stderr


def test_output_that_cannot_be_written_is_one_line() -> None:
    result = shell(f"{sys.executable} -m netlearn data list >/dev/full")
    assert (result.returncode, result.stderr) == (1, "Error: output: No space left on device\n")


def test_interrupt_before_training_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netlearn.datasets.load", interrupt)
    result = train()
    assert (result.exit_code, result.stderr) == (130, "Interrupted\n")


def test_help_of_train_has_every_setting_and_its_default() -> None:
    text = " ".join(call("train", "--help").stdout.split())
    for name in FIELDS:
        assert f"--{name.replace('_', '-')} " in text
    assert text.count("[default: ") == len(FIELDS) + 1
    assert "[default: that of the cost and the optimizer]" in text


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


@pytest.mark.slow
def test_train_imports_matplotlib_after_training_and_never_pyplot() -> None:
    code = (
        "import sys\nfrom netlearn import slowdown\nfrom netlearn.cli import main\n"
        "probe = slowdown.Probe.measure\n"
        "def watched(*given):\n    assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "    return probe(*given)\n"
        "slowdown.Probe.measure = watched\n"
        "try:\n    main(['train', '-q', '--data', 'mnist-5k', '--epochs', '1'])\nexcept SystemExit:\n    pass\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "True False"


def test_module_is_the_command() -> None:
    result = python("-m", "netlearn", "--version")
    assert result.stdout == f"netlearn {__version__}\n"


def test_local_data_is_loaded_without_importing_the_downloader() -> None:
    code = (
        "import sys\nfrom netlearn import datasets\ndatasets.load('mnist-5k')\n"
        "print(sorted({'pooch', 'requests', 'matplotlib'} & set(sys.modules)))"
    )
    assert python("-c", code).stdout == "[]\n"
