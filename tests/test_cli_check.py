"""`netlearn check`."""

import json
from pathlib import Path

import pytest

from tests.commands import call, done

MINE = """
import numpy as np
from netlearn.costs import Quadratic

class Scaled(Quadratic):
    def __init__(self, factor=1.0, right=True):
        self.factor, self.right = factor, right
    def value(self, z, a, y):
        return self.factor * super().value(z, a, y)
    def delta(self, z, a, y, out):
        super().delta(z, a, y, out)
        return np.multiply(out, self.factor if self.right else 3 * self.factor, out=out)
"""


@pytest.fixture(autouse=True)
def mine() -> None:
    Path("checked_costs.py").write_text(MINE)


def test_check_says_that_the_gradient_is_right_and_what_the_cost_means() -> None:
    result = done(call("check", "checked_costs:Scaled(factor=2.0)"))
    head, _, _, mine, quadratic, entropy, _, slow, bound, proper = result.stdout.splitlines()
    assert head.startswith(
        "checked_costs:Scaled(factor=2.0): gradient verified at 5,120 points, worst relative error "
    )
    assert mine.split() == ["Scaled(factor=2.0)", "0.018", "0.250", "0.162", "0.020", "0.002"]
    assert quadratic.split() == ["quadratic", "0.009", "0.125", "0.081", "0.010", "0.001"]
    assert entropy.split() == ["cross-entropy", "0.100", "0.500", "0.900", "0.990", "0.999"]
    assert slow == "It learns slowly when badly wrong."
    assert bound == "It is bounded as an output gets more wrong."
    assert proper.startswith("It is a proper scoring rule")


def test_check_of_a_wrong_cost_names_the_mistake() -> None:
    result = call("check", "checked_costs:Scaled(right=False)")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cost 'checked_costs:Scaled(right=False)': delta is not the derivative")
    assert "delta is 3 times it" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.usefixtures("rendered")
def test_check_as_json_for_the_classes_of_a_data_set_with_a_picture() -> None:
    result = done(call("check", "focal", "--data", "neuron", "--out", "focal.png", "--json", "-q"))
    found = json.loads(result.stdout)
    assert (found["cost"], found["outputs"], found["verified"]["points"]) == ("focal", 1, 512)
    assert (found["profile"]["is_slow"], found["profile"]["is_proper"]) == (False, False)
    assert Path("focal.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["fokal"], 2, "did you mean focal?"),
        (["seven.jpg"], 2, "COST seven.jpg: is a file: must be a cost, such as focal or mycosts:ClassName"),
        ([500 * "x"], 2, "must be quadratic"),
        (["focal(gamma)"], 2, "parameters must be given as NAME=VALUE"),
        (["focal(gama=1)"], 1, "'gama'"),
        (["focal", "--out", "x.pdf"], 2, "--out x.pdf: must end in .png or .svg"),
        (["focal", "--data", "nowhere.npz"], 2, "nowhere.npz"),
        (["checked_costs:Missing"], 1, "has no attribute 'Missing'"),
        (["brier", "--data", "neuron"], 2, "softmax"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], code: int, text: str) -> None:
    Path("seven.jpg").touch()
    Path("brier").touch()  # the cost has this name
    result = call("check", *arguments, "-q")
    assert result.exit_code == code, result.output
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1
