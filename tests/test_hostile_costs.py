"""No cost that a user writes ends in a traceback, reaches stdout or leaves a run behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netlearn.costs import CrossEntropy
from netlearn.numerics import Array
from netlearn.own_cost import limit
from tests.commands import PATIENCE, call, one_line, python
from tests.files import wait_for
from tests.hostile_costs import HOSTILE

SMALL = ["--data", "mnist-5k", "--train-size", "100", "--epochs", "1", "--hidden", "none", "-q"]
USABLE = {"closes stdout"}

NOISY = """
import sys
from netlearn.costs import CrossEntropy
print("loaded")
class Noisy(CrossEntropy):
    def __init__(self):
        print("made")
    def value(self, z, a, y):
        print("value")
        return super().value(z, a, y)
    def delta(self, z, a, y, out):
        print("delta", file=sys.stdout)
        return super().delta(z, a, y, out)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_cost_is_one_line_and_leaves_nothing(name: str) -> None:
    path, stdout = list(sys.path), sys.stdout
    cost = f"tests.hostile_costs:Cost{list(HOSTILE).index(name)}"
    try:
        result = call("train", *SMALL, "--cost", cost)
    finally:
        sys.path[:] = path
    assert sys.stdout is stdout
    if name in USABLE:
        assert result.exit_code == 0, result.output
        return
    assert result.exit_code == 1, result.exception
    *before, line = result.stderr.strip().split("\n")
    assert line.startswith(f"Error: cost '{cost}': ")
    assert line.isprintable()
    assert len(line) < 500
    assert all("Traceback" not in each for each in before)
    assert result.stdout == ""
    assert not Path("runs").exists()


class Endless(CrossEntropy):
    def value(self, z: Array, a: Array, y: Array) -> Array:
        while True:
            pass


class Sleeping(CrossEntropy):
    def delta(self, z: Array, a: Array, y: Array, out: Array) -> Array:
        time.sleep(PATIENCE)
        return out


@pytest.mark.parametrize(("cost", "method"), [(Endless, "value"), (Sleeping, "delta")])
def test_cost_that_does_not_return_is_refused(
    cost: type[CrossEntropy], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "SECONDS", 0.5)
    handler = signal.getsignal(signal.SIGALRM)
    name = f"{__name__}:{cost.__name__}"
    assert one_line(call("train", *SMALL, "--cost", name), 1, f"Error: {name}: {method} 0.5")
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


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


@pytest.mark.usefixtures("unrendered")
def test_what_a_cost_prints_is_not_among_the_results() -> None:
    Path("noisy.py").write_text(NOISY)
    for command in (["train", *SMALL, "--json", "--out", "run"], ["verify", "run", "--json"]):
        result = call(*command, "--cost", "noisy:Noisy")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)
        assert "value" in result.stderr


@pytest.mark.slow
def test_what_a_cost_prints_in_a_worker_is_not_among_the_results() -> None:
    Path("noisy.py").write_text(NOISY)
    costs = ["--cost", "noisy:Noisy", "--cost", "quadratic", "--seeds", "1", "--json"]
    result = python("-m", "netlearn", "compare", *SMALL, *costs)
    assert result.returncode == 0, result.stderr
    assert [row["variant"] for row in json.loads(result.stdout)["rows"]] == ["noisy:Noisy", "quadratic"]
