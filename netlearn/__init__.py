"""netlearn trains small neural networks from scratch and shows how the cost function makes them learn.

Comments and docstrings give chapters and equations of Michael Nielsen's online book *Neural Networks and
Deep Learning* (cited as "the book"). To read the code, start with `activations`, `costs`, `network` and
`training.descent`. From Python, `netlearn.train`, `netlearn.compare` and `netlearn.load` do what the commands do.
"""

import importlib

TYPE_CHECKING = False  # typing.TYPE_CHECKING, whose import would take longer than everything else here
if TYPE_CHECKING:
    from typing import Any

    from netlearn import activations, costs, datasets, network, optimizers
    from netlearn.api import compare, lab, load, train
    from netlearn.errors import NetlearnError

__version__ = "0.2.0"
__all__ = [
    "NetlearnError", "activations", "compare", "costs", "datasets", "lab", "load", "network", "optimizers", "train",
]  # fmt: skip


def __getattr__(name: str) -> "Any":
    """Import what is used at its first use (PEP 562), so that `import netlearn` is instant."""
    if name not in __all__:
        raise AttributeError(f"module 'netlearn' has no attribute {name!r}")
    if name == "NetlearnError":
        return importlib.import_module("netlearn.errors").NetlearnError
    if name in {"compare", "lab", "load", "train"}:
        return getattr(importlib.import_module("netlearn.api"), name)
    return importlib.import_module(f"netlearn.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
