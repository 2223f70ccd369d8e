"""output_neurons.safetensors: error |a − y| and gradient |δ| of single output neurons at a few updates."""

from collections.abc import Iterable, Mapping
from itertools import product

from netlearn.numerics import Array
from netlearn.runs.sums import Sums
from netlearn.runs.tensors import most_bytes, pack, unpack, unpack_metadata
from netlearn.slowdown import SAMPLE_EXAMPLES, SAMPLE_UPDATES

NAME = "output_neurons.safetensors"
UPDATES = "updates"
Samples = Mapping[int, tuple[Array, Array]]


def encode(samples: Samples) -> bytes:
    """Return the content of the file."""
    return pack(arrays_of(samples), {UPDATES: " ".join(map(str, samples))})


def arrays_of(samples: Samples) -> dict[str, Array]:
    """Return the samples as named arrays."""
    errors = {f"error.{update}": error for update, (error, _) in samples.items()}
    return errors | {f"gradient.{update}": gradient for update, (_, gradient) in samples.items()}


def samples_of(arrays: Mapping[str, Array], updates: Iterable[int]) -> dict[int, tuple[Array, Array]]:
    """Return the samples, given the result of `arrays_of`."""
    return {update: (arrays[f"error.{update}"], arrays[f"gradient.{update}"]) for update in updates}


def shapes_of(updates: Iterable[int], train: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the arrays of a run with that many training examples and output neurons."""
    size = min(SAMPLE_EXAMPLES, train) * outputs
    return {f"{kind}.{update}": (size,) for kind, update in product(("error", "gradient"), updates)}


def read(sums: Sums, train: int, outputs: int, dtype: str) -> dict[int, tuple[Array, Array]]:
    """Return |a − y| and |δ| of single output neurons, by update, from a complete folder."""
    path = sums.folder / NAME
    content = sums.content(NAME, most_bytes(shapes_of(SAMPLE_UPDATES, train, outputs), dtype))
    found = unpack_metadata(path, content).get(UPDATES, "").split()
    updates = tuple(update for update in SAMPLE_UPDATES if str(update) in found)
    return samples_of(unpack(path, content, shapes_of(updates, train, outputs), dtype), updates)
