"""snapshots.safetensors: the weights and biases at a few updates of the first epoch, in float16.

They let a reader watch the network learn. A run that is resumed reads the file before SHA256SUMS exists, so it states
the SHA-256 of its arrays itself.
"""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np

from netlearn.errors import RunError
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs.files import read_bounded, write_whole
from netlearn.runs.sums import Sums
from netlearn.runs.tensors import most_bytes, pack, unpack, unpack_metadata
from netlearn.slowdown import SAMPLE_UPDATES

NAME = "snapshots.safetensors"
MOST_BYTES = 1_000_000  # of all snapshots of a run
DTYPE = "float16"  # rounds by 0.05 %; weights beyond 65,504, as diverging runs have them, become infinite
KEY = "sha256 and updates"  # one key: safetensors writes several in any order
Snapshots = dict[int, Array]  # all weights, then all biases, by update


class SnapshotWriter:
    """Takes the snapshots of a run and writes them to its folder.

    The updates are those at which single output neurons are sampled and the end of the first epoch; of a network that
    is too large for all, 100 and 0 come first.

    Args:
        folder: the run folder.
        network: the network in training.
        updates_per_epoch: mini-batches of an epoch; 0 takes no snapshots.
    """

    def __init__(self, folder: Path, network: Network, updates_per_epoch: int) -> None:
        self._path = folder / NAME
        self._network = network
        self._due = updates_due(network.parameters.vector.size, updates_per_epoch)
        self._taken: Snapshots = {}
        self._written = 0

    def look(self, update: int) -> None:
        """Take a snapshot if one is due after that update."""
        if update in self._due:
            with np.errstate(over="ignore", invalid="ignore"):
                self._taken[update] = self._network.parameters.vector.astype(DTYPE)

    def write(self) -> None:
        """Write the file, unless it has all snapshots taken so far."""
        if len(self._taken) > self._written:
            write_whole(self._path, _encode(self._taken))
            self._written = len(self._taken)

    def restore(self, update: int) -> None:
        """Continue with the snapshots up to that update."""
        expected = [due for due in self._due if due <= update]
        if expected:
            path, size = self._path, self._network.parameters.vector.size
            content = read_bounded(path, most_bytes({str(due): (size,) for due in self._due}, DTYPE))
            found = _decode(path, content, size)
            if missing := set(expected) - found.keys():
                raise RunError(f"{path}: has no snapshot of update {min(missing)}, which the checkpoint is after")
            self._taken = {due: found[due] for due in expected}


def updates_due(parameters: int, updates_per_epoch: int) -> tuple[int, ...]:
    """Return the updates whose snapshots a run of that many parameters keeps, at most 1 MB in all."""
    wanted = dict.fromkeys((100, 0, *SAMPLE_UPDATES, updates_per_epoch)) if updates_per_epoch else ()
    possible = [update for update in wanted if update <= updates_per_epoch]
    return tuple(sorted(possible[: MOST_BYTES // (np.dtype(DTYPE).itemsize * parameters)]))


def read(sums: Sums, sizes: tuple[int, ...]) -> Snapshots:
    """Return the snapshots in a complete folder, by update; none if there are none.

    Raises:
        RunError: the file was changed, or its arrays are not those of such a network.
    """
    if NAME not in sums.hashes:
        return {}
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    shapes = {str(place): (parameters,) for place in range(len(SAMPLE_UPDATES) + 1)}
    return _decode(sums.folder / NAME, sums.content(NAME, most_bytes(shapes, DTYPE)), parameters)


def _encode(snapshots: Snapshots) -> bytes:
    arrays = {str(update): array for update, array in snapshots.items()}
    return pack(arrays, {KEY: " ".join([_sha256(snapshots), *arrays])})


def _decode(path: Path, content: bytes, parameters: int) -> Snapshots:
    sha256, *listed = unpack_metadata(path, content).get(KEY, "").split()[:100] or [""]
    updates = [int(text) for text in listed if text.isdecimal() and len(text) < 10]
    arrays = unpack(path, content, {str(update): (parameters,) for update in updates}, DTYPE, finite=False)
    snapshots = {update: arrays[str(update)] for update in sorted(updates)}
    if _sha256(snapshots) != sha256:
        raise RunError(f"{path}: was changed or damaged: its SHA-256 is not the one it states")
    return snapshots


def _sha256(snapshots: Snapshots) -> str:
    parts = (str(update).encode() + array.tobytes() for update, array in snapshots.items())
    return hashlib.sha256(b"".join(parts)).hexdigest()
