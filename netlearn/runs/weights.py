"""weights.safetensors and best.safetensors: the weights and biases of each layer."""

from itertools import pairwise

from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs.sums import Sums
from netlearn.runs.tensors import most_bytes, pack, unpack

LAST, BEST = "weights.safetensors", "best.safetensors"


def encode(network: Network) -> bytes:
    """Return the content of the file; layers are counted from 1, the first hidden one."""
    pairs = [("weights", network.weights), ("biases", network.biases)]
    return pack({f"{kind}.{layer}": array for kind, arrays in pairs for layer, array in enumerate(arrays, 1)})


def shapes_of(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a network's arrays."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        shapes |= {f"weights.{layer}": (n_out, n_in), f"biases.{layer}": (n_out, 1)}
    return shapes


def read(sums: Sums, name: str, sizes: tuple[int, ...], dtype: str, *, finite: bool = True) -> dict[str, Array]:
    """Return the arrays of `LAST` or `BEST` in a complete folder; `finite` must be False for a diverged run."""
    shapes = shapes_of(sizes)
    content = sums.content(name, most_bytes(shapes, dtype))
    return unpack(sums.folder / name, content, shapes, dtype, finite=finite)
