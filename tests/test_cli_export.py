"""`netlearn export` as users call it; `runs` are run folders to begin with, see conftest."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn import datasets
from netlearn.datasets import Examples
from netlearn.inspection import export as exporting
from netlearn.inspection.trained import load_network, read_trained
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.predictions import Predictions, predict
from netlearn.runs import Sums
from tests.commands import ONE_EPOCH, call, done, files_of, one_line
from tests.pages import blocks


def outputs_of(folder: str) -> tuple[Array, Array]:
    """Return the test examples of mnist-5k and the outputs of a run's network for them, (n, n_out)."""
    (run,) = read_trained([Path(folder)])
    x = datasets.load("mnist-5k").test.x
    return x, load_network(run).feedforward(x.T).T


def exported(*arguments: str) -> dict[str, Any]:
    result = done(call("export", *arguments, "--json", "-q"))
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def answers_of(path: str, x: Array) -> Array:
    onnxruntime = pytest.importorskip("onnxruntime")
    found: Array = onnxruntime.InferenceSession(path).run(None, {"input": x})[0]
    return found


SETTINGS = [
    ["--activation", "relu", "--learning-rate", "0.1", "--hidden", "20,15"],
    ["--activation", "tanh", "--cost", "log-likelihood", "--learning-rate", "0.1"],
    ["--cost", "quadratic", "--hidden", "none"],
    ["--dtype", "float64"],
]


@pytest.mark.parametrize("settings", SETTINGS, ids=" ".join)
def test_exported_network_gives_the_same_outputs(settings: list[str]) -> None:
    pytest.importorskip("onnx")
    assert call("train", *ONE_EPOCH, *settings, "--out", "run").exit_code == 0
    x, expected = outputs_of("run")
    found = exported("run", "--to", "model.onnx")
    assert found["verified_with"].startswith("the reference implementation of onnx ")
    assert found["examples"] == len(x)
    a = answers_of("model.onnx", x)
    assert a.dtype == np.float32
    np.testing.assert_allclose(a, expected, atol=1e-5)
    np.testing.assert_array_equal(a.argmax(axis=1), expected.argmax(axis=1))
    assert found["largest_difference"] == pytest.approx(np.abs(a - expected).max(), abs=1e-6)
    np.testing.assert_allclose(answers_of("model.onnx", x[:3]), expected[:3], atol=1e-5)
    assert exported("run", "--to", "model.npz")["verified_with"].startswith("numpy ")


@pytest.mark.usefixtures("runs")
def test_metadata_has_settings_data_hash_and_accuracy_and_the_bytes_repeat() -> None:
    onnx = pytest.importorskip("onnx")
    stored = json.loads(Path("ce/summary.json").read_text())
    assert call("export", "ce", "--to", "model.onnx").exit_code == 0
    assert call("export", "ce", "--to", "model.npz").exit_code == 0
    of_onnx = {each.key: each.value for each in onnx.load("model.onnx").metadata_props}
    with np.load("model.npz", allow_pickle=False) as arrays:
        of_npz = {name: str(arrays[name]) for name in of_onnx}
        assert arrays["activations"].tolist() == ["sigmoid", "sigmoid"]
        assert arrays["weights.1"].shape == (30, 784)
        assert arrays["biases.2"].shape == (10,)
    assert of_onnx == of_npz
    assert json.loads(of_onnx["settings"])["cost"] == "cross-entropy"
    assert json.loads(of_onnx["data_sha256"]) == stored["data"]["sha256"]
    assert float(of_onnx["test_accuracy"]) == stored["test_accuracy"]
    assert of_onnx["weights_sha256"] == Sums.read(Path("ce")).hashes["weights.safetensors"]
    for name in ("model.onnx", "model.npz"):
        before = Path(name).read_bytes()
        assert call("export", "ce", "--to", name).exit_code == 0
        assert Path(name).read_bytes() == before


@pytest.mark.usefixtures("runs")
def test_single_output_can_be_exported() -> None:
    pytest.importorskip("onnx")
    assert exported("neuron", "--to", "model.onnx")["sizes"] == [1, 1]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("change", [1e-3, 1.0, float("nan")])
def test_model_with_other_outputs_is_never_written(change: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(network: Network, examples: Examples) -> Predictions:
        right = predict(network, examples)
        return replace(right, outputs=right.outputs + np.float32(change))

    monkeypatch.setattr(exporting, "predict", other)
    assert one_line(call("export", "ce", "--to", "model.npz"), 1, "model.npz: numpy 800")
    assert not Path("model.npz").exists()


WRONG = [
    (["ce", "--to", "m.pt"], 2, "--to m.pt: .onnx .npz"),
    (["ce", "--to", "m.npz", "--data", "neuron"], 2, "neuron 1 784 ce"),
    (["ce", "--to", "nowhere/m.npz"], 1, "nowhere/m.npz"),
    (["ce", "--to", "data.npz", "--data", "data.npz"], 2, "--to data.npz"),
]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("arguments", "code", "facts"), WRONG, ids=lambda value: str(value)[:40])
def test_what_cannot_be_done_gets_one_line_and_writes_nothing(arguments: list[str], code: int, facts: str) -> None:
    x, labels = np.zeros((40, 28, 28), np.uint8), np.arange(40) % 10
    np.savez("data.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
    before = files_of("."), Path("data.npz").read_bytes()
    assert one_line(call("export", *arguments), code, facts)
    assert (files_of("."), Path("data.npz").read_bytes()) == before


@pytest.mark.usefixtures("runs")
def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert one_line(call("export", "ce", "--to", "m.onnx"), 1, "m.onnx: onnx pip install 'netlearn[onnx]' .npz")
    assert not Path("m.onnx").exists()
    assert call("export", "ce", "--to", "m.npz").exit_code == 0


@pytest.mark.parametrize("library", ["onnxruntime", "torch"])
def test_page_loads_an_export_in_six_lines(library: str) -> None:
    pytest.importorskip(library)
    (example,) = [
        block for block in blocks("docs/inspect.md") if re.search(rf"^import .*\b{library}\b", block.content, re.M)
    ]
    assert len([line for line in example.content.splitlines() if line]) <= 6
    assert call("train", *ONE_EPOCH, "--out", "runs/short").exit_code == 0
    for suffix in re.findall(r'"model\.(\w+)"', example.content):
        assert call("export", "runs/short", "--to", f"model.{suffix}").exit_code == 0
    names: dict[str, Any] = {"x": datasets.load("mnist-5k").test.x}
    exec(compile(example.content, "inspect.md", "exec"), names)  # noqa: S102 (the page's own code is what is tested)
    _, expected = outputs_of("runs/short")
    np.testing.assert_allclose(np.asarray(names["outputs"]), expected, atol=1e-5)
