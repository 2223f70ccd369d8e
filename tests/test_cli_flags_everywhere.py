"""What every command that prints results understands: -q, --json, and paths that must exist."""

import json
import re
from pathlib import Path

import pytest

from netlearn.api.given import Costs, plan
from netlearn.cli import COMMANDS
from netlearn.cli.options import COMMA, PARTS, parse
from tests.commands import call, one_line

PRINTING = sorted(COMMANDS.keys() - {"data", "completion"})
WITH_A_RUN = ["curves", "evaluate", "export", "predict", "report", "verify", "weights"]
SEVEN = str(Path(__file__).parents[1] / "docs" / "seven.jpg")
REST = {"export": ["--to", "model.npz"], "predict": ["picture.png"]}


@pytest.mark.parametrize("command", PRINTING)
def test_command_that_prints_results_has_quiet_and_json(command: str) -> None:
    text = call(command, "--help").stdout
    assert re.search(r"-q, --quiet", text)
    assert re.search(r"--json +\S", text)


@pytest.mark.parametrize(
    "command", [["evaluate", "run"], ["export", "run", "--to", "m.npz"], ["predict", "run", SEVEN], ["verify", "run"]]
)
def test_json_names_the_folder_of_a_run(command: list[str], run: Path) -> None:
    found = json.loads(call(*command, "-q", "--json").stdout)
    assert found.get("evaluations", [found])[0]["folder"] == str(run)


@pytest.mark.parametrize("command", ["train", "compare"])
def test_both_helps_name_the_defaults_of_both_and_why(command: str) -> None:
    text = " ".join(call(command, "--help").stdout.split())
    for fact in (
        "30 hidden neurons",
        "scaled",
        "learn well",
        "100 hidden neurons",
        "large initial weights",
        "slowdown",
    ):
        assert fact in text


def test_experiments_are_listed_as_json_with_their_times() -> None:
    found = json.loads(call("compare", "--list", "--json").stdout)
    assert {"slowdown", "cures"} <= found.keys()
    assert all(each["run_time"] for each in found.values())


def test_ranges_are_varied_in_python_too() -> None:
    planned = plan(None, None, {"learning_rate": "0.1:1:log3"}, 1, None, {"cost": "quadratic"}, Costs(), None)
    assert [each.learning_rate for each in planned.variants.values()] == [0.1, 0.316, 1]


@pytest.mark.parametrize("command", WITH_A_RUN)
def test_path_that_does_not_exist_is_wrong_usage(command: str) -> None:
    assert one_line(call(command, "no/run", *REST.get(command, [])), 2, "no/run")


@pytest.mark.parametrize("arguments", [["train", "--resume", "no/run"], ["compare", "--resume", "no/run"]])
def test_option_with_a_path_that_does_not_exist_is_wrong_usage(arguments: list[str]) -> None:
    assert one_line(call(*arguments), 2, "no/run")


@pytest.mark.parametrize("command", ["train", "compare"])
def test_long_help_has_sections(command: str) -> None:
    text = call(command, "--help").stdout
    sections = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert sections[:3] == ["Options", "Network", "Learning"]
    assert sections[-1] == "Results"


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


@pytest.mark.slow
def test_costs_of_one_option_are_compared_and_files_are_listed_as_json() -> None:
    flags = ["--data", "mnist-5k", "--train-size", "50", "--epochs", "1", "--seeds", "1", "--jobs", "1", "-q"]
    result = call("compare", "--cost", "quadratic,log-likelihood", *flags, "--out", "out", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["folder"] == "out"
    assert [row["variant"] for row in found["rows"]] == ["quadratic", "log-likelihood"]
    drawn = json.loads(call("curves", "out/quadratic-0", "--json").stdout)["files"]
    assert [Path(path).name for path in drawn] == ["curves.png", "curves.svg"]
