"""A run folder alone never causes an import: a user's own cost must be named on the command that needs it."""

import re
import shlex
import shutil
import signal
import sys
from html import unescape
from pathlib import Path
from typing import NoReturn

import pytest

from netlearn.plotting import style
from tests.commands import call, compare, done, one_line, python, workers_here

COST = "mine_of_the_tests:Mine"
CODE = "from pathlib import Path\nfrom netlearn.costs import Quadratic as Mine\nPath('imported').touch()\n"
TINY = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "-q"]
COMPARE = [*TINY, "--seeds", "1", "--cost", "quadratic", "--cost", COST]

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run and a comparison with an own cost."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("netlearn.cli.compare.Pool", workers_here)
        patch.setattr(style, "render", lambda figure, kind: b"")
        Path("mine_of_the_tests.py").write_text(CODE)
        assert call("train", *TINY, "--cost", COST, "--out", "run").exit_code == 0
        assert compare(*COMPARE, "--out", "out").exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def forgotten(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand beside copies of them, without the module of the cost."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.delitem(sys.modules, "mine_of_the_tests", raising=False)
    Path("imported").unlink()


@pytest.mark.parametrize(
    "command",
    [["verify", "run", "-q"], ["train", "--resume", "run", "--epochs", "2", "-q"], ["compare", "--resume", "out"]],
)
def test_own_cost_is_imported_only_if_named(command: list[str]) -> None:
    assert one_line(call(*command), 2, f"{COST} --cost {COST}")
    assert one_line(call(*command, "--cost", "quadratic"), 2, COST)
    assert not Path("imported").exists()
    done(call(*command, "--cost", COST))
    assert Path("imported").exists()


def test_overlay_imports_an_own_cost_only_if_named_and_says_what_it_leaves_out() -> None:
    result = done(compare("run", "out/quadratic-0"))
    assert f"--cost {COST}" in result.stderr
    assert not Path("imported").exists()
    assert compare("run", "out/quadratic-0", "--cost", COST).exit_code == 0
    assert Path("imported").exists()


def test_finished_run_is_reported_without_its_cost() -> None:
    assert call("train", "--resume", "run").exit_code == 0
    assert not Path("imported").exists()


@pytest.mark.parametrize(
    "command", [["compare", "out/config.toml", "-q"], ["train", "--config", "run/config.toml", "-q"]]
)
def test_file_that_is_trained_names_its_own_cost(command: list[str]) -> None:
    done(call(*command))
    assert Path("imported").exists()


def test_cost_that_no_run_of_the_comparison_has_is_refused() -> None:
    assert one_line(
        compare("--resume", "out", "--cost", COST, "--cost", "log-likelihood"), 2, "--cost log-likelihood"
    )


def typed(text: str) -> None:
    """Run the command at the end of a text, as a user would type it."""
    arguments = shlex.split(text[text.rindex("netlearn ") :].strip())[1:]
    done(call(*arguments))


def interrupt(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def test_commands_of_the_page_work_with_an_own_cost() -> None:
    page = Path("out/report.html").read_text("utf-8")
    commands = [unescape(each) for each in re.findall(r"<code id=[^>]*>(netlearn [^<]*)</code>", page)]
    named = [each for each in commands if each.endswith(f" --cost {COST}") or f" --cost {COST} " in each]
    assert [each.split()[1] for each in named] == ["compare", "report"]
    for each in commands:
        typed(each)


def test_overlay_and_its_page_name_the_own_cost() -> None:
    done(call("report", "run", "out/quadratic-0", "--out", "both.html"))
    page = unescape(Path("both.html").read_text("utf-8"))
    assert f"netlearn report run out/quadratic-0 --cost {COST}" in page
    assert f"netlearn verify run --cost {COST}" in page


def test_command_after_an_interrupted_comparison_resumes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("netlearn.comparison.compare.perform_all", interrupt)
        stopped = compare(*COMPARE, "--out", "stopped")
    command = stopped.stderr.removesuffix("Interrupted\n")
    assert command.endswith(f"netlearn compare --resume stopped --cost {COST}\n")
    typed(command)
    assert Path("stopped/SHA256SUMS").exists()


def test_command_of_an_incomplete_comparison_completes_it() -> None:
    Path("out/SHA256SUMS").unlink()
    refused = call("report", "out")
    assert refused.exit_code == 1
    typed(refused.stderr)
    done(call("report", "out"))
    Path("out/SHA256SUMS").unlink()
    Path("out/config.toml").write_text("variants = 1")
    assert one_line(call("report", "out"), 1, "out/config.toml: variants")


def test_command_that_completes_shards_names_the_own_cost() -> None:
    part = done(compare(*COMPARE, "--shard", "1/2", "--out", "part"))
    assert f"netlearn compare --resume FOLDER --cost {COST})" in part.stdout


def test_command_after_an_interrupted_run_resumes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("netlearn.cli.train.tell_data", lambda data: signal.raise_signal(signal.SIGINT))
        stopped = call("train", *TINY, "--cost", f"{COST}()", "--out", "stopped run")
    assert stopped.exit_code == 130
    assert stopped.stderr.strip().endswith(f"netlearn train --resume 'stopped run' --cost '{COST}()'")
    typed(stopped.stderr)


@pytest.mark.slow
def test_no_module_beside_the_runs_is_executed() -> None:
    """Not even one with the name of a module that netlearn, or Python for its workers, imports."""
    for name in ("pickle", "socket", "matplotlib", "scipy", "click", "tomli_w", "evil"):
        Path(f"{name}.py").write_text("from pathlib import Path\nPath('executed').touch()\n")
    for cost in ("quadratic", "cross-entropy"):
        neuron = ["--data", "neuron", "--hidden", "none", "--batch-size", "1", "--epochs", "9", "-q"]
        done(call("train", *neuron, "--cost", cost, "--out", cost))
    for command in (["verify", "quadratic", "-q"], ["compare", "quadratic", "cross-entropy", "--jobs", "2"]):
        result = python("-m", "netlearn", *command)
        assert result.returncode == 0, result.stderr
    assert not Path("executed").exists()
