"""The arrays of a run in the safetensors format, which holds numbers and no code.

weights.safetensors and best.safetensors have the weights and biases of each layer; output_neurons.safetensors the
error |a − y| and the gradient |δ| of single output neurons at a few updates; snapshots.safetensors all weights and
biases at a few updates of the first epoch, in float16, which let a reader watch the network learn. A run that is
resumed reads the snapshots before SHA256SUMS exists, so they state the SHA-256 of their arrays themselves.
"""

import hashlib
import math
from collections.abc import Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from netlearn.errors import RunError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs.files import read_bounded, write_whole
from netlearn.slowdown import SAMPLE_EXAMPLES, SAMPLE_UPDATES

WEIGHTS, BEST_WEIGHTS = "weights.safetensors", "best.safetensors"
OUTPUT_NEURONS, SNAPSHOTS = "output_neurons.safetensors", "snapshots.safetensors"
MOST_HEADER = 1_000_000  # bytes, with the metadata
BEFORE_HEADER = 8  # bytes, which hold its size
METADATA = "__metadata__"
UPDATES = "updates"  # key of the metadata of output neurons
MOST_SNAPSHOTS = 1_000_000  # bytes of all snapshots of a run
SNAPSHOT_DTYPE = "float16"  # rounds by 0.05 %; weights beyond 65,504, as diverging runs have them, become infinite
SNAPSHOT_KEY = "sha256 and updates"  # one key: safetensors writes several in any order

Samples: TypeAlias = Mapping[int, tuple[Array, Array]]  # |a − y| and |δ|, by update
Snapshots: TypeAlias = dict[int, Array]  # all weights, then all biases, by update


def pack(tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return arrays and texts as the content of a file."""
    return safetensors.numpy.save(dict(tensors), dict(metadata) if metadata else None)


def unpack_metadata(path: Path, content: bytes) -> dict[str, str]:
    """Return the texts in the content of a file."""
    size = int.from_bytes(content[:BEFORE_HEADER], "little")
    if size > MOST_HEADER:
        raise RunError(f"{path}: not a safetensors file: a header of {size:,} bytes: must be at most {MOST_HEADER:,}")
    try:
        header = msgspec.json.decode(content[BEFORE_HEADER : BEFORE_HEADER + size], type=dict[str, msgspec.Raw])
        return msgspec.json.decode(header.get(METADATA, b"{}"), type=dict[str, str])
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error


def unpack(
    path: Path, content: bytes, shapes: Mapping[str, tuple[int, ...]], dtype: str, *, finite: bool = True,
    some: bool = False,
) -> dict[str, Array]:  # fmt: skip
    """Return the arrays in the content of a file, which must have the given names, shapes and dtype.

    With `finite`, all their numbers must be finite; with `some`, not all of the names must be there.
    """
    unpack_metadata(path, content)  # bounds the header before it is parsed
    try:
        tensors = safetensors.numpy.load(content)
    except (ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error
    if wrong := tensors.keys() - shapes.keys() if some else tensors.keys() ^ shapes.keys():
        names, listed = ", ".join(shapes), ", ".join(sorted(wrong))
        raise RunError(f"{path}: its arrays must be {names[:200]}; missing or unexpected: {listed[:200]}")
    for name, found in tensors.items():
        if (found.shape, found.dtype) != (shapes[name], np.dtype(dtype)):
            raise RunError(f"{path}: {name}: {found.dtype} of shape {found.shape}: must be {dtype}, {shapes[name]}")
        if finite and not np.isfinite(found).all():
            raise RunError(f"{path}: {name} has numbers that are not finite")
    return tensors


def most_bytes(shapes: Mapping[str, tuple[int, ...]], dtype: str) -> int:
    """Return the largest size of a file with arrays of these shapes."""
    return sum(map(math.prod, shapes.values())) * np.dtype(dtype).itemsize + MOST_HEADER


def encode_weights(network: Network) -> bytes:
    """Return the content of the file; layers are counted from 1, the first hidden one."""
    pairs = [("weights", network.weights), ("biases", network.biases)]
    return pack({f"{kind}.{layer}": array for kind, arrays in pairs for layer, array in enumerate(arrays, 1)})


def weight_shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a network's arrays."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        shapes |= {f"weights.{layer}": (n_out, n_in), f"biases.{layer}": (n_out, 1)}
    return shapes


def encode_samples(samples: Samples) -> bytes:
    """Return the content of the file."""
    return pack(sample_arrays(samples), {UPDATES: " ".join(map(str, samples))})


def sample_arrays(samples: Samples) -> dict[str, Array]:
    """Return the samples as named arrays."""
    errors = {f"error.{update}": error for update, (error, _) in samples.items()}
    return errors | {f"gradient.{update}": gradient for update, (_, gradient) in samples.items()}


def samples_from(arrays: Mapping[str, Array]) -> dict[int, tuple[Array, Array]]:
    """Return the samples among named arrays, by update."""
    updates = [update for update in SAMPLE_UPDATES if f"error.{update}" in arrays]
    return {update: (arrays[f"error.{update}"], arrays[f"gradient.{update}"]) for update in updates}


def sample_shapes(train: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes that the samples of a run may have, by its training examples and output neurons."""
    size = min(SAMPLE_EXAMPLES, train) * outputs
    return {f"{kind}.{update}": (size,) for kind, update in product(("error", "gradient"), SAMPLE_UPDATES)}


class SnapshotWriter:
    """Takes the snapshots of a run and writes them to its folder.

    The updates are those at which single output neurons are sampled and the end of the first epoch; of a network that
    is too large for all, 100 and 0 come first. With `updates_per_epoch` of 0 there are none.
    """

    def __init__(self, folder: Path, network: Network, updates_per_epoch: int) -> None:
        self._path, self._network, self._written = folder / SNAPSHOTS, network, 0
        self._due = snapshot_updates(network.parameters.vector.size, updates_per_epoch)
        self._taken: Snapshots = {}

    def take(self, update: int) -> None:
        """Take a snapshot if one is due after that update."""
        if update in self._due:
            with np.errstate(over="ignore", invalid="ignore"):
                self._taken[update] = self._network.parameters.vector.astype(SNAPSHOT_DTYPE)

    def write(self) -> None:
        """Write the file, unless it has all snapshots taken so far."""
        if len(self._taken) > self._written:
            write_whole(self._path, _encode_snapshots(self._taken))
            self._written = len(self._taken)

    @property
    def sha256(self) -> str:
        """The hash of the snapshots taken so far, for a checkpoint."""
        return _sha256_of(self._taken)

    def restore(self, update: int, sha256: str | None) -> None:
        """Continue with the snapshots up to that update, whose hash is that of the checkpoint, if it has one."""
        expected = [due for due in self._due if due <= update]
        if expected:
            path, size = self._path, self._network.parameters.vector.size
            content = read_bounded(path, most_bytes(snapshot_shapes(size), SNAPSHOT_DTYPE))
            found = decode_snapshots(path, content, size)
            if missing := set(expected) - found.keys():
                raise RunError(f"{path}: has no snapshot of update {min(missing)}, which the checkpoint is after")
            self._taken = {due: found[due] for due in expected}
            if sha256 not in {None, self.sha256}:
                raise RunError(f"{path}: must have the snapshots that the checkpoint belongs to")


def snapshot_updates(parameters: int, updates_per_epoch: int) -> tuple[int, ...]:
    """Return the updates whose snapshots a run of that many parameters keeps, at most 1 MB in all."""
    wanted = dict.fromkeys((100, 0, *SAMPLE_UPDATES, updates_per_epoch)) if updates_per_epoch else ()
    possible = [update for update in wanted if update <= updates_per_epoch]
    return tuple(sorted(possible[: MOST_SNAPSHOTS // (np.dtype(SNAPSHOT_DTYPE).itemsize * parameters)]))


def snapshot_shapes(parameters: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of as many snapshots as a run of that many parameters may keep."""
    return {str(place): (parameters,) for place in range(len(SAMPLE_UPDATES) + 1)}


def _encode_snapshots(snapshots: Snapshots) -> bytes:
    arrays = {str(update): array for update, array in snapshots.items()}
    return pack(arrays, {SNAPSHOT_KEY: " ".join([_sha256_of(snapshots), *arrays])})


def decode_snapshots(path: Path, content: bytes, parameters: int) -> Snapshots:
    """Return the snapshots in the content of a file, which states their hash."""
    sha256, *listed = unpack_metadata(path, content).get(SNAPSHOT_KEY, "").split()[:100] or [""]
    updates = [int(text) for text in listed if text.isdecimal() and len(text) < 10]
    arrays = unpack(path, content, {str(update): (parameters,) for update in updates}, SNAPSHOT_DTYPE, finite=False)
    snapshots = {update: arrays[str(update)] for update in sorted(updates)}
    if _sha256_of(snapshots) != sha256:
        raise RunError(f"{path}: was changed or damaged: its SHA-256 is not the one it states")
    return snapshots


def _sha256_of(snapshots: Snapshots) -> str:
    parts = (str(update).encode() + array.tobytes() for update, array in snapshots.items())
    return hashlib.sha256(b"".join(parts)).hexdigest()
