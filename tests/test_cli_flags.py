"""What flags mean on every command and which are refused; names are completed; folders stand for their runs."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from netlearn.api.arguments import plan
from netlearn.api.source import Source
from netlearn.cli import COMMANDS, main
from netlearn.cli.options import COMMA, PARTS, parse
from netlearn.custom_cost import KNOWN
from tests.commands import call, compare, done, one_line
from tests.messages import has_facts

VARIANTS = """seeds = 1
[defaults]
data = "mnist-5k"
epochs = 1
[variants.slow]
learning_rate = 0.1
[variants.fast]
learning_rate = 0.5
[variants.default]
"""


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["train", "--hidden", "10", "--hidden", "30"], "--hidden --hidden 10,30"),
        (["compare", "--hidden", "10", "--hidden", "30"], "--hidden --hidden 10,30 --vary hidden="),
        (["compare", "--learning-rate", "0.1", "--learning-rate", "0.5"], "--learning-rate --vary learning_rate="),
        (["train", "--track-test", "--no-track-test"], "--track-test"),
    ],
)
def test_repeated_flag_is_refused_with_the_form_for_several_values(arguments: list[str], facts: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert has_facts(result.stderr.strip().splitlines()[-1], facts)
    assert not Path("runs").exists()


def commands(group: click.Group, *names: str) -> Iterator[tuple[list[str], click.Command]]:
    """Yield all commands, with the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        elif command is not None:
            yield [*names, name], command


def test_every_command_refuses_every_repeated_option() -> None:
    for words, command in commands(main):
        required = [each.name or "" for each in command.params if isinstance(each, click.Argument) and each.required]
        for option in command.params:
            if isinstance(option, click.Option) and not option.multiple:
                once = [option.opts[-1]] if option.is_flag else [option.opts[-1], "1"]
                result = CliRunner().invoke(main, [*words, *required, *once, *once])
                assert result.exit_code == 2, (words, once)
                assert "must be given once" in result.stderr, (words, once)


def test_flag_for_what_variants_set_themselves_is_refused_with_their_names() -> None:
    Path("e.toml").write_text(VARIANTS)
    assert one_line(compare("e.toml", "--learning-rate", "0.3"), 2, "--learning-rate e.toml")
    message = compare("e.toml", "--learning-rate", "0.3").stderr
    assert "slow, fast" in message
    assert "default" not in message
    assert not Path("runs").exists()


@pytest.mark.usefixtures("in_this_process")
def test_other_flags_go_before_the_file_also_before_that_of_one_run() -> None:
    Path("e.toml").write_text(VARIANTS)
    Path("one.toml").write_text('data = "mnist-5k"\nepochs = 3\nhidden = [5]\n')
    for file in ("e.toml", "one.toml"):
        done(compare(file, "--hidden", "4", "--epochs", "1", "--seeds", "1", "-q", "--out", f"{file}-out"))
        (first, *_) = sorted(Path(f"{file}-out").glob("*-0"))
        assert json.loads((first / "summary.json").read_text())["sizes"] == [784, 4, 10]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('hidden = "none"', "[]"),
        ('hidden = "100,30"', "[100, 30]"),
        ('initializer = "1,2"', "[w, b]"),
        ("patience = false", '"off"'),
    ],
)
def test_hint_about_a_toml_file_is_toml(line: str, hint: str) -> None:
    Path("a.toml").write_text(f"{line}\n")
    result = call("train", "--config", "a.toml")
    assert one_line(result, 2, "a.toml")
    assert hint in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_folder_of_runs_stands_for_the_complete_runs_in_it(compared: Path) -> None:
    runs = Path("runs")
    for name in ("quadratic-0", "cross-entropy-0"):
        shutil.copytree(compared / name, runs / name)
    shutil.copytree(compared, runs / "compare")
    shutil.copytree(compared / "quadratic-1", runs / "unfinished")
    (runs / "unfinished/SHA256SUMS").unlink()
    result = done(compare("runs", "--json", "-q", "--out", "out"))
    assert [(row["variant"], row["seeds"]) for row in json.loads(result.stdout)["rows"]] == [
        ("cross-entropy", 1), ("quadratic", 1)
    ]  # fmt: skip


def completed(words: str) -> list[str]:
    """Return what bash completes, with the types: plain, file or dir."""
    environment = {"_NETLEARN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(main, env=environment, prog_name="netlearn")
    assert result.exit_code == 0, result.output
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("com", ["plain,compare", "plain,completion"]),
        ("compare neu", ["plain,neuron", "plain,neuron-slow", "plain,neural"]),  # the last one is a folder here
        ("compare xyz", ["file,xyz"]),
        ("train --optimizer ne", ["plain,nesterov"]),
        ("train --le", ["plain,--learning-rate"]),
        ("compare --vary le", ["plain,learning_rate="]),
        ("train --cost ", [f"plain,{name}" for name in KNOWN]),
    ],
)
def test_bash_completes_names_and_files_where_no_experiment_has_the_name(words: str, expected: list[str]) -> None:
    Path("neural").mkdir()
    assert completed(f"netlearn {words}") == expected


def test_bash_completes_no_files_beside_the_names_of_all_experiments() -> None:
    found = completed("netlearn compare ")
    assert {"plain,depth", "plain,tie"} <= set(found)
    assert not [line for line in found if line.startswith("file")]  # bash would drop the names


SEVEN = str(Path(__file__).parents[1] / "docs" / "seven.jpg")


def test_every_command_that_prints_results_has_quiet_and_json() -> None:
    found = {" ".join(words): {each.name for each in command.params} for words, command in commands(main)}
    assert found.keys() >= {"train", "compare", "data list", "data show", "data download", *COMMANDS} - {"data"}
    assert {words for words, names in found.items() if not {"quiet", "as_json"} <= names} == {"completion"}


@pytest.mark.parametrize(
    "command", [["evaluate", "run"], ["export", "run", "--to", "m.npz"], ["predict", "run", SEVEN], ["verify", "run"]]
)
def test_json_names_the_folder_of_a_run(command: list[str], run: Path) -> None:
    found = json.loads(call(*command, "-q", "--json").stdout)
    assert found.get("evaluations", [found])[0]["folder"] == str(run)


BOTH = ("30 hidden neurons", "scaled", "learn well", "100 hidden neurons", "large initial weights", "slowdown")


@pytest.mark.parametrize("command", ["train", "compare"])
def test_both_helps_have_sections_and_name_the_defaults_of_both_and_why(command: str) -> None:
    text = call(command, "--help").stdout
    sections = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert [*sections[:3], sections[-1]] == ["Options", "Network", "Learning", "Results"]
    assert [fact for fact in BOTH if fact not in " ".join(text.split())] == []


def test_examples_in_the_help_of_compare_are_commands_that_plan_runs() -> None:
    shown = re.findall(r"^  netlearn (compare .+)$", call("compare", "--help").stdout, re.MULTILINE)
    assert len(shown) == 3
    for command in shown:
        counts = json.loads(call(*command.split(), "--data", "mnist-5k", "--dry-run", "--json").stdout)
        assert counts["variants"] > 1


def test_experiments_are_listed_by_chapter_with_their_times_also_as_json() -> None:
    text = call("compare", "--list").stdout
    assert re.findall(r"^Chapter (\d):$", text, re.MULTILINE) == ["1", "3", "5", "6"]
    found = json.loads(call("compare", "--list", "--json").stdout)
    assert all(name in text for name in found)
    assert text.count(" second") + text.count(" minute") + text.count(" hour") >= len(found)
    assert {"slowdown", "cures"} <= found.keys()
    assert all(each["run_time"] for each in found.values())


def test_ranges_are_varied_in_python_too() -> None:
    planned = plan(None, None, {"learning_rate": "0.1:1:log3"}, 1, None, {"cost": "quadratic"}, Source("out"))
    assert [each.learning_rate for each in planned.variants.values()] == [0.1, 0.316, 1]


@pytest.mark.parametrize(
    "line",
    [
        "curves PATH", "evaluate PATH", "export PATH --to model.npz", "predict PATH picture.png", "report PATH",
        "verify PATH", "weights PATH", "lab PATH", "compare PATH", "train --resume PATH", "compare --resume PATH",
        "train --config PATH", "train --data PATH", "compare --data PATH", "lab --data PATH", "data show PATH",
    ],
)  # fmt: skip
def test_path_that_does_not_exist_is_wrong_usage(line: str) -> None:
    result = call(*line.replace("PATH", "no/run").split())
    assert (result.exit_code, "no/run" in result.stderr) == (2, True)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("command", [["evaluate"], ["export", "--to", "m.npz"], ["predict", SEVEN]])
def test_best_and_last_choose_the_weights(command: list[str]) -> None:
    for flags, name in (([], "best"), (["--best"], "best"), (["--last"], "weights")):
        found = json.loads(call(command[0], "stopped", *command[1:], *flags, "--json", "-q").stdout)
        assert found.get("evaluations", [found])[0]["weights"] == f"{name}.safetensors"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("hidden", "100+30", [100, 30]),
        ("hidden", "100,30", [100, 30]),
        ("hidden", "none", []),
        ("initializer", "0.6+0.9", [0.6, 0.9]),
        ("initializer", "1e+1,0.9", [10.0, 0.9]),
        ("initializer", "large", "large"),
    ],
)
def test_layers_and_constants_are_written_with_a_plus_or_a_comma(field: str, text: str, value: object) -> None:
    assert parse(field, text) == value
    assert PARTS.split("1e+3") == ["1e+3"]


def test_costs_are_separated_by_commas_but_not_inside_parentheses() -> None:
    assert COMMA.split("quadratic,my:Focal(gamma=2,alpha=1),b:C") == ["quadratic", "my:Focal(gamma=2,alpha=1)", "b:C"]


@pytest.mark.usefixtures("in_this_process")
def test_costs_of_one_option_are_compared_and_files_are_listed_as_json() -> None:
    flags = ["--data", "mnist-5k", "--train-size", "50", "--epochs", "1", "--seeds", "1", "-q"]
    result = done(call("compare", "--cost", "quadratic,log-likelihood", *flags, "--out", "out", "--json"))
    found = json.loads(result.stdout)
    assert found["folder"] == "out"
    assert [row["variant"] for row in found["rows"]] == ["quadratic", "log-likelihood"]
    drawn = json.loads(call("curves", "out/quadratic-0", "--json").stdout)["files"]
    assert [Path(path).name for path in drawn] == ["curves.png", "curves.svg"]
