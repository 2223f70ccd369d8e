"""Loading a user's own cost, what is refused, and where what it prints goes."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlearn
from netlearn.activations import Identity
from netlearn.custom_cost import check_named, load_cost, shell_command, short_names
from netlearn.errors import CostError, SettingsError
from netlearn.gradient_check import check_gradient
from netlearn.network import Network
from tests.commands import PATIENCE, call, curves_alone
from tests.costs import Squared
from tests.files import wait_for


def own_network(sizes: list[int], name: str) -> Network:
    """Return a network with a cost that was loaded and checked, as a run does."""
    cost = load_cost(name)
    check_gradient(cost, name, outputs=sizes[-1])
    return Network(sizes, cost, rng=np.random.default_rng(0))


OWN_COSTS = """
import numpy as np
from netlearn.activations import Identity
from netlearn.costs import CrossEntropy, Quadratic

class Linear:
    output = Identity()
    learning_rate = 0.01
    def value(self, z, a, y):
        return ((a - y) ** 2).sum(axis=0) / 2
    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)

class Drifted(Quadratic):
    def delta(self, z, a, y, out):
        return np.subtract(a, y, out=out)

class Loud(CrossEntropy):
    def value(self, z, a, y):
        return np.exp(500 * z).sum(axis=0)

class Named(CrossEntropy):
    def delta(self, z, a, y, *, out):
        return np.subtract(a, y, out=out)

class Scalar(CrossEntropy):
    def value(self, z, a, y):
        return 0.0

class Broken(CrossEntropy):
    def value(self, z, a, y):
        return z / undefined

class Half:
    output = Identity()
    value = delta = None

class Silent(CrossEntropy):
    def delta(self, z, a, y, out):
        np.subtract(a, y, out=out)

class Returning(CrossEntropy):
    def delta(self, z, a, y, out):
        np.subtract(a, y, out=out)
        return -out

class Exiting(CrossEntropy):
    def __init__(self):
        raise SystemExit(0)

class Scaled(CrossEntropy):
    def __init__(self, factor=1.0, sign=1):
        self.factor = factor * sign
        self.learning_rate = 0.5 / factor
    def value(self, z, a, y):
        return self.factor * super().value(z, a, y)
    def delta(self, z, a, y, out):
        return np.multiply(a - y, self.factor, out=out)

class Uphill(CrossEntropy):
    learning_rate = -1.0

class Wordy(CrossEntropy):
    learning_rate = "fast"

class Stuck:
    def value(self, z, out=None):
        return 1 / (1 + np.exp(-z))

class Deaf(CrossEntropy):
    output = Stuck()

class ForTen(CrossEntropy):
    def value(self, z, a, y):
        return super().value(z, a, y) * np.ones(10)[:len(z)].mean() if len(z) == 10 else z / undefined
"""


@pytest.fixture
def own_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_costs.py").write_text(OWN_COSTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_costs", raising=False)


@pytest.mark.usefixtures("own_costs")
def test_own_cost_is_loaded_from_the_current_folder() -> None:
    path = list(sys.path)
    cost = load_cost("own_costs:Linear")
    assert cost.learning_rate == 0.01
    assert isinstance(cost.output, Identity)
    assert sys.path == path


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Scalar", "value must return a number per example, shape (256,) for 256, not float"),
        ("Broken", "fails when called: NameError: name 'undefined' is not defined"),
        ("Loud", "value must return a finite number per example"),
        ("Named", "fails when called: TypeError: Named.delta() takes 4 positional arguments but 5 were given"),
        ("Half", "the class has no 'learning_rate'; a cost has output, learning_rate, value, delta"),
        ("Exiting", "cannot be loaded: SystemExit: 0"),
        ("Uphill", "learning_rate -1.0: must be a number above 0"),
        ("Wordy", "learning_rate 'fast': must be a number above 0"),
        ("Deaf", "output.value must write the activation to `out`"),
        ("Missing", "cannot be loaded: AttributeError: module 'own_costs' has no attribute 'Missing'"),
        ("__name__", "must be a class, not a str"),
    ],
)
def test_invalid_own_cost_is_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(CostError) as caught:
        own_network([2, 4], f"own_costs:{name}")
    text = str(caught.value)
    assert text.startswith(f"cost 'own_costs:{name}': ")
    assert message in text
    assert text.isprintable()


@pytest.mark.usefixtures("own_costs")
def test_missing_module_says_where_it_is_looked_for() -> None:
    Path("needy_costs.py").write_text("import nowhere_costs\n")
    places = "looked for in the current folder, PYTHONPATH and the installed packages"
    for name in ("nowhere_costs:Huber", "own_costs.nowhere:Huber"):
        with pytest.raises(CostError, match=rf"ModuleNotFoundError: No module named .*; it is {places}$"):
            load_cost(name)
    with pytest.raises(CostError, match=r"ModuleNotFoundError: No module named 'nowhere_costs'$"):
        load_cost("needy_costs:Huber")


@pytest.mark.usefixtures("own_costs")
def test_parameters_are_passed_to_the_class() -> None:
    cost = load_cost("own_costs:Scaled(factor=2.0, sign=-1)")
    z = np.zeros((1, 1))
    assert cost.value(z, z + 0.5, z) == -2 * np.log(2)
    assert cost.learning_rate == 0.25


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("own_costs:Scaled(2)", "parameters must be given as NAME=VALUE, such as own_costs:Scaled(gamma=2)"),
        ("own_costs:Scaled(factor=open('x'))", "factor=open('x'): must be a number, a text in quotes, True, False"),
        ("own_costs:Scaled(sign=1, factor=oops)", "factor=oops: must be a number, a text in quotes, True, False"),
        ("own_costs:Scaled(factor={[]: 1})", "factor={[]: 1}: must be a number"),
        ("own_costs:Scaled(factor=2", "parameters must be given as NAME=VALUE"),
        ("own_costs:Scaled(**{'factor': 2})", "parameters must be given as NAME=VALUE"),
        ("own_costs:Scaled(factor=1, factor=2)", "parameters must be given as NAME=VALUE"),
        ("own_costs:Scaled(factor=2).real", "parameters must be given as NAME=VALUE"),
        *((name, "squentropy or package.module:ClassName") for name in ("own_costs:", "hinge(factor=2)")),
    ],
)
def test_parameters_that_are_no_literals_are_refused(name: str, facts: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_cost(name)
    assert str(caught.value).startswith(f"cost {name!r}: ")
    assert facts in str(caught.value)


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize("name", ["own_costs:Scaled", "own_costs:Linear", "quadratic", "focal"])
def test_parameter_that_the_class_has_not_is_named(name: str) -> None:
    with pytest.raises(CostError, match=rf"cost '{name}\(gama=2\)': cannot be loaded: TypeError: .*'gama'|no arg"):
        load_cost(f"{name}(gama=2)")


SCALED = "own_costs:Scaled(factor=2.0, sign=1)"
TINY = {"data": "mnist-5k", "train_size": 200, "epochs": 1, "hidden": (5,)}
IN_FILE = f"""
seeds = 1
[defaults]
data = "mnist-5k"
train_size = 200
epochs = 1
hidden = [5]
[vary]
cost = ["{SCALED}", "own_costs:Scaled(factor=4)", "own_costs:Linear"]
"""


@pytest.mark.usefixtures("own_costs", "in_this_process")
@pytest.mark.parametrize(
    "arguments",
    [
        ["scaled.toml"],
        ["--vary", f"cost={SCALED},own_costs:Scaled(factor=4),own_costs:Linear", "--hidden", "5", "--seeds", "1"],
        [*(f"--cost={each}" for each in (SCALED, "own_costs:Scaled(factor=4)", "own_costs:Linear")), "--seeds", "1"],
    ],
)
def test_costs_with_parameters_are_verified_in_a_line_each_and_short_in_the_table(arguments: list[str]) -> None:
    Path("scaled.toml").write_text(IN_FILE)
    fixed = [] if arguments[0] == "scaled.toml" else ["--data", "mnist-5k", "--train-size", "200", "--epochs", "1"]
    result = call("compare", *arguments, *fixed, "--out", "out", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [row["variant"] for row in rows] == ["Scaled(factor=2.0, sign=1)", "Scaled(factor=4)", "Linear"]
    assert [row["learning_rate"] for row in rows] == [0.25, 0.125, 0.01]
    verified = [line for line in result.stderr.splitlines() if "gradient verified at 5,120 points" in line]
    assert [line.partition(": ")[0] for line in verified] == [
        f"cost {SCALED}", "cost own_costs:Scaled(factor=4)", "cost own_costs:Linear",
    ]  # fmt: skip


@pytest.mark.usefixtures("own_costs")
def test_training_confirms_the_gradient_of_an_own_cost_in_one_line() -> None:
    for flags, lines in (([], 1), (["-q"], 0)):
        result = call("train", "--cost", SCALED, "--data", "mnist-5k", "--train-size", "200", "--epochs", "1", *flags)
        found = [line for line in result.stderr.splitlines() if "verified" in line]
        assert (result.exit_code, len(found)) == (0, lines)
        assert all(line.startswith(f"cost {SCALED}: gradient verified at 5,120 points, worst") for line in found)
    given: Any = TINY
    assert netlearn.train(SCALED, progress=False, **given).settings.cost == SCALED


def test_names_are_short_only_where_that_tells_them_apart() -> None:
    assert short_names(["a:C(x=1)", "b:C(x=1)", "b:C(x=2)", "focal(gamma=1)", "b:C"]) == {
        "a:C(x=1)": "a:C(x=1)", "b:C(x=1)": "b:C(x=1)", "b:C(x=2)": "C(x=2)", "focal(gamma=1)": "focal(gamma=1)",
        "b:C": "C",
    }  # fmt: skip


def test_commands_name_own_costs_as_a_shell_reads_them() -> None:
    costs = ["b:C(x=1)", "focal", "a:D", "a:D"]
    assert shell_command("verify", costs, Path("my run")) == "netlearn verify 'my run' --cost a:D --cost 'b:C(x=1)'"
    assert shell_command("report", ["focal"], "one", "two") == "netlearn report one two"
    with pytest.raises(SettingsError, match=re.escape("must be named with --cost 'b:C(x=1)' (")):
        check_named("b:C(x=1)", [], Path("run"))


def test_cost_given_as_an_object_is_copied_for_each_run() -> None:
    given = Squared(2.0)
    one, other = (
        load_cost("tests.costs:Squared(factor=2.0)", {"tests.costs:Squared(factor=2.0)": given}) for _ in "ab"
    )
    z, y = np.zeros((1, 1)), np.ones((1, 1))
    given.factor = 3.0
    assert one is not other
    assert one.value(z, z + 0.5, y) == 0.25


@pytest.mark.usefixtures("own_costs")
@pytest.mark.parametrize("name", ["own_costs:Silent", "own_costs:Returning"])
def test_the_delta_written_to_out_is_checked(name: str) -> None:
    x, y = np.ones((2, 3)), np.eye(4)[:, :3]
    own, built_in = (own_network([2, 4], cost) for cost in (name, "cross-entropy"))
    np.testing.assert_array_equal(own.backprop(x, y)[1][0], built_in.backprop(x, y)[1][0])


@pytest.mark.usefixtures("own_costs")
def test_own_cost_is_checked_with_the_networks_number_of_outputs() -> None:
    own_network([2, 10], "own_costs:ForTen")
    with pytest.raises(CostError, match="fails when called"):
        own_network([2, 4], "own_costs:ForTen")


@pytest.mark.parametrize("name", ["os:abort", "signal:pause", "subprocess:Popen", "sys:path"])
def test_objects_that_are_not_cost_classes_are_never_called(name: str) -> None:
    with pytest.raises(CostError, match=rf"cost '{name}': (must be a class|the class has no 'value')"):
        load_cost(name)


NOISY = """
import sys
from netlearn.costs import CrossEntropy
print("loaded")
class Noisy(CrossEntropy):
    def value(self, z, a, y):
        print("value")
        return super().value(z, a, y)
"""
SMALL = ["--data", "mnist-5k", "--train-size", "100", "--epochs", "1", "--hidden", "none", "-q", "--json"]


def test_what_a_cost_prints_is_not_among_the_results() -> None:
    Path("noisy.py").write_text(NOISY)
    stdout = sys.stdout
    for command in (["train", *SMALL, "--out", "run"], ["verify", "run", "--json"]):
        result = call(*command, "--cost", "noisy:Noisy")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)
        assert "value" in result.stderr
    assert sys.stdout is stdout


@pytest.mark.slow
def test_what_a_cost_prints_in_a_worker_is_not_among_the_results() -> None:
    Path("noisy.py").write_text(NOISY)
    costs = ["--cost", "noisy:Noisy", "--cost", "quadratic", "--seeds", "1"]
    result = curves_alone("compare", *SMALL, *costs)
    assert result.returncode == 0, result.stderr
    assert [row["variant"] for row in json.loads(result.stdout)["rows"]] == ["Noisy", "quadratic"]


FAILING = """
from netlearn.costs import CrossEntropy
class Failing(CrossEntropy):
    calls = 0
    def delta(self, z, a, y, out):
        self.calls += 1
        1 / (self.calls < 100)
        return super().delta(z, a, y, out)
"""


def test_cost_that_fails_in_training_is_one_line_that_names_it() -> None:
    Path("failing.py").write_text(FAILING)
    result = call("train", *SMALL, "--batch-size", "1", "--cost", "failing:Failing")
    assert result.exit_code == 1
    assert result.stderr == "Error: cost 'failing:Failing': fails when called: ZeroDivisionError: division by zero\n"


LOOPING = """
import sys
from netlearn.costs import CrossEntropy
class Looping(CrossEntropy):
    calls = 0
    def delta(self, z, a, y, out):
        self.calls += 1
        if self.calls == 1000:
            print("looping", flush=True)
            while True:
                pass
        return super().delta(z, a, y, out)
"""


@pytest.mark.slow
def test_second_interrupt_ends_a_cost_that_does_not_return_in_training() -> None:
    Path("looping.py").write_text(LOOPING)
    command = [sys.executable, "-m", "netlearn", "train", "--data", "mnist-5k", "--cost", "looping:Looping", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        wait_for("looping", process.stderr)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.strip()) == (130, "", "Interrupted")
    assert Path("runs/looping-Looping/weights.safetensors").exists()
