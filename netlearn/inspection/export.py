"""Trained networks for other programs: as an ONNX model, or as NumPy arrays; verified before they are written."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np

from netlearn import __version__
from netlearn.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from netlearn.custom_cost import NO_COSTS, NamedCosts
from netlearn.datasets import Dataset
from netlearn.errors import RunError, SettingsError
from netlearn.inspection.trained import check_data, load_network
from netlearn.numerics import Array
from netlearn.predictions import Predictions, answers, predict
from netlearn.runs import Run, write_whole
from netlearn.text import printable

SUFFIXES = (".onnx", ".npz")
TOLERANCE = 1e-5  # of the outputs, relative to the largest where that is above 1
ACTIVATIONS = {kind: kind.__name__.lower() for kind in (Sigmoid, Tanh, ReLU, Softmax, Identity)}
OPSET, IR_VERSION = 13, 8  # of ONNX, which runtimes since 2021 read; its operators are Sigmoid, Tanh, Relu, …
Arrays: TypeAlias = dict[str, Array]  # weights.1, (n_out, n_in), biases.1, (n_out,), weights.2, …
Feedforward: TypeAlias = Callable[[Array], Array]  # from inputs, (n, n_in), to outputs, (n, n_out)
Encoded: TypeAlias = tuple[bytes, str, Feedforward]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """An exported network.

    Attributes:
        file: where it is.
        folder: of the run.
        weights: the file of the run with the weights.
        sizes: neurons in each layer, input first.
        verified_with: the program, with its version, that loaded the file and gave the same answers as netlearn.
        data: the data set with the test examples of the verification.
        examples: their number.
        accuracy: fraction of them classified correctly.
        largest_difference: between the outputs of the two programs.
    """

    file: str
    folder: str
    weights: str
    sizes: tuple[int, ...]
    verified_with: str
    data: str
    examples: int
    accuracy: float
    largest_difference: float


def export(
    run: Run, data: Dataset, path: Path, *, best: bool | None = None, costs: NamedCosts = NO_COSTS
) -> Exported:
    """Write the network of a run to an .onnx or .npz file, after checking that it gives netlearn's answers.

    Args:
        run: as `read_run` returns it.
        data: the data set with the test examples to verify on.
        path: the file, which is written whole or not at all.
        best: which weights, see `load_network`.
        costs: the users' own costs, likewise.

    Raises:
        RunError: the run diverged, has no such weights, or was changed; onnx is not installed; the exported network
            gives other answers; or the file cannot be written.
        SettingsError: the data does not fit, or the format has no such output activation.
        CostError: the user's own cost cannot be loaded or fails its gradient check.
    """
    check_data(run, data)
    network = load_network(run, best=best, costs=costs)
    predictions = predict(network, data.test)
    accuracy = predictions.accuracy
    name, output = run.weights_file(best=best), type(network.cost.output)
    if output not in ACTIVATIONS:
        names = ", ".join(ACTIVATIONS.values())
        raise SettingsError(f"output activation {output.__name__}: must be one of netlearn's, {names}")
    arrays = {f"weights.{layer}": np.asarray(w, np.float32) for layer, w in enumerate(network.weights, 1)}
    arrays |= {f"biases.{layer}": np.asarray(b[:, 0], np.float32) for layer, b in enumerate(network.biases, 1)}
    activations = [*[run.settings.activation] * len(run.settings.hidden), ACTIVATIONS[output]]
    metadata = {
        "netlearn": __version__,
        "settings": msgspec.json.encode(msgspec.structs.asdict(run.settings)).decode(),
        "data": data.name,
        "data_sha256": msgspec.json.encode(data.sha256).decode(),
        "weights_sha256": run.sums.hashes[name] if run.sums else "",
        "test_accuracy": repr(accuracy),
    }
    encode = _encode_onnx if path.suffix == ".onnx" else _encode_npz
    content, verifier, feedforward = encode(arrays, activations, metadata, path)
    difference = _verify(feedforward, predictions, path, verifier)
    write_whole(path, content)
    return Exported(
        file=printable(str(path)),
        folder=printable(str(run.folder)),
        weights=name,
        sizes=network.sizes,
        verified_with=verifier,
        data=data.name,
        examples=len(data.test),
        accuracy=accuracy,
        largest_difference=difference,
    )


def _verify(feedforward: Feedforward, predictions: Predictions, path: Path, verifier: str) -> float:
    """Return the largest difference of the outputs from netlearn's.

    Raises:
        RunError: answers differ, or outputs by more than `TOLERANCE`.
    """
    outputs = feedforward(np.ascontiguousarray(predictions.examples.x, np.float32))
    others = int((answers(outputs.T) != predictions.answers).sum())
    difference = float(np.abs(outputs - predictions.outputs).max())
    if others or not difference <= TOLERANCE * max(1.0, float(np.abs(predictions.outputs).max())):
        raise RunError(
            f"{path}: not written: with {verifier}, {others:,} of {len(outputs):,} answers differ from netlearn's, "
            f"and outputs by up to {difference:.2g}: must be none, and at most {TOLERANCE:g}"
        )
    return difference


def _encode_onnx(arrays: Arrays, activations: list[str], metadata: dict[str, str], path: Path) -> Encoded:
    """Return the content of an .onnx file, the program that loads it, and the network as this program computes it.

    The model goes from "input", (batch, n_in), to "output", (batch, n_out), in float32.
    """
    try:
        import onnx  # noqa: PLC0415 (an optional extra)
        from onnx.reference import ReferenceEvaluator  # noqa: PLC0415
    except ImportError as error:
        raise RunError(
            f"{path}: needs the package onnx, which is not installed: pip install 'netlearn[onnx]', or export to .npz"
        ) from error
    nodes, tensors, a, last = [], [], "input", len(activations)
    for layer, activation in enumerate(activations, 1):
        z, out = f"z.{layer}", f"a.{layer}" if layer < last else "output"
        names = [f"weights.{layer}", f"biases.{layer}"]
        tensors += [onnx.numpy_helper.from_array(arrays[name], name) for name in names]
        nodes.append(onnx.helper.make_node("Gemm", [a, *names], [z], transB=1))
        nodes.append(onnx.helper.make_node(activation.capitalize(), [z], [out]))
        a = out
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", size])
        for name, size in (("input", arrays["weights.1"].shape[1]), ("output", len(arrays[f"biases.{last}"])))
    ]
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "network", ends[:1], ends[1:], tensors),
        producer_name="netlearn",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )
    onnx.helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString(deterministic=True)
    session = ReferenceEvaluator(content)
    program = f"the reference implementation of onnx {onnx.__version__}"
    return content, program, lambda x: session.run(None, {"input": x})[0]


def _encode_npz(arrays: Arrays, activations: list[str], metadata: dict[str, str], _: Path) -> Encoded:
    """Return the content of an .npz file, numpy, and the network in it, computed in the plainest way."""
    from scipy.special import softmax  # noqa: PLC0415 (takes 0.1 s to import)

    functions: dict[str, Callable[[Array], Array]] = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
        "softmax": lambda z: softmax(z, axis=1),
        "identity": lambda z: z,
    }  # fmt: skip
    buffer = io.BytesIO()
    texts = {name: np.array(text) for name, text in metadata.items()}
    np.savez(buffer, allow_pickle=False, **arrays, activations=np.array(activations), **texts)
    stored = np.load(io.BytesIO(buffer.getvalue()), allow_pickle=False)

    def feedforward(x: Array) -> Array:
        with np.errstate(over="ignore"):
            for layer, activation in enumerate(stored["activations"], 1):
                x = functions[activation](x @ stored[f"weights.{layer}"].T + stored[f"biases.{layer}"])
        return x

    return buffer.getvalue(), f"numpy {np.__version__}", feedforward
