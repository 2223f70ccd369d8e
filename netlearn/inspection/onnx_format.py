"""The ONNX format, through the packages onnx and, where it is installed, onnxruntime; an optional extra."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

from netlearn import __version__
from netlearn.numerics import Array

OPSET, IR_VERSION = 13, 8  # which runtimes since 2021 read
OPERATORS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softmax": "Softmax", "identity": "Identity"}


def encode(
    weights: Sequence[Array], biases: Sequence[Array], activations: Sequence[str], metadata: Mapping[str, str]
) -> bytes:
    """Return the content of an .onnx file: from "input", (batch, n_in), to "output", (batch, n_out), in float32.

    Args:
        weights: of each layer, (n_out, n_in), in float32.
        biases: of each layer, (n_out,), in float32.
        activations: the name of each layer's activation, a key of `OPERATORS`.
        metadata: texts to store.
    """
    nodes, tensors, a = [], [], "input"
    for layer, w, b, activation in zip(count(1), weights, biases, activations, strict=False):
        z, out = f"z.{layer}", f"a.{layer}" if layer < len(weights) else "output"
        names = [f"weights.{layer}", f"biases.{layer}"]
        tensors += [numpy_helper.from_array(array, name) for array, name in zip((w, b), names, strict=True)]
        nodes.append(helper.make_node("Gemm", [a, *names], [z], transB=1))
        nodes.append(helper.make_node(OPERATORS[activation], [z], [out]))
        a = out
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("input", weights[0].shape[1]), ("output", len(biases[-1])))
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "network", ends[:1], ends[1:], tensors),
        producer_name="netlearn",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def load(content: bytes) -> tuple[str, Callable[[Array], Array]]:
    """Return the program that runs the model, with its version, and the model from inputs (n, n_in) to outputs."""
    try:
        import onnxruntime  # noqa: PLC0415 (optional)
    except ImportError:
        from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 (takes 0.3 s to import)

        return f"the reference implementation of onnx {onnx.__version__}", _runner(ReferenceEvaluator(content))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return f"onnxruntime {onnxruntime.__version__}", _runner(session)


def _runner(session: Any) -> Callable[[Array], Array]:
    def feedforward(x: Array) -> Array:
        (outputs,) = session.run(None, {"input": x})
        found: Array = outputs
        return found

    return feedforward
