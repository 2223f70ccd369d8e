"""checkpoint.safetensors: the state from which a run can be resumed exactly.

It holds the arrays of a trainer's `State`. The metadata has the rest as JSON, with a SHA-256 of the whole file
(computed with zeros in its own place), since a killed run has no SHA256SUMS.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from netlearn.errors import MismatchError, RunError
from netlearn.runs.files import MOST_BYTES, read_bounded, reading
from netlearn.runs.formats import Natural
from netlearn.runs.tensors import (
    BEFORE_HEADER,
    MOST_HEADER,
    most_bytes,
    pack,
    sample_arrays,
    sample_shapes,
    samples_from,
    unpack,
    unpack_metadata,
)
from netlearn.training import MOST_HALVINGS, Best, State, Trainer

CHECKPOINT = "checkpoint.safetensors"
KEY, PARAMETERS, OPTIMIZER, BEST = "state", "parameters", "optimizer", "best"
MOST_BEFORE_ARRAYS = BEFORE_HEADER + MOST_HEADER
NO_HASH = "0" * 64
AS_THEY_ARE = ("update", "seconds", "probed", "learning_rate", "halvings")  # of a state in the metadata

Sha256: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Hex128: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{1,32}\Z")]


class Generator(msgspec.Struct, frozen=True):
    """The state of numpy's PCG64, its large integers in hexadecimal."""

    state: Hex128
    inc: Hex128
    has_uint32: Literal[0, 1]
    uinteger: Annotated[int, Meta(ge=0, lt=2**32)]

    @classmethod
    def of(cls, rng: Mapping[str, Any]) -> "Generator":
        """Return the state of numpy's bit generator."""
        return cls(f"{rng['state']['state']:x}", f"{rng['state']['inc']:x}", rng["has_uint32"], rng["uinteger"])

    def to_numpy(self) -> dict[str, Any]:
        """Return the state in the form that numpy's bit generator takes."""
        state = {"state": int(self.state, 16), "inc": int(self.inc, 16)}
        return {"bit_generator": "PCG64", **msgspec.structs.asdict(self), "state": state}


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The metadata of a checkpoint.

    `run` is the identity of the run, with the hash of its initial weights; `best` is the best epoch with its
    validation accuracy; `metrics_bytes` and `metrics_sha256` are of the rows of metrics.csv up to the checkpoint;
    `snapshots_sha256` is of the snapshots until then, and `blas` are the BLAS kernels that the run was trained with.
    Older checkpoints do not have these two.
    """

    sha256: Sha256
    run: dict[str, Any]
    update: Natural
    seconds: Annotated[float, Meta(ge=0)]
    probed: bool
    rng: Generator
    dropout: Generator | None
    learning_rate: Annotated[float, Meta(gt=0)]
    halvings: tuple[Annotated[int, Meta(ge=0, le=MOST_HALVINGS)], Natural]
    batches_sha256: Sha256
    best: tuple[Annotated[int, Meta(ge=1)], Annotated[float, Meta(ge=0, le=1)]] | None
    samples: list[Annotated[int, Meta(ge=0)]]
    metrics_bytes: Natural
    metrics_sha256: Sha256
    snapshots_sha256: Sha256 | None = None
    blas: tuple[str, ...] = ()


def encode_checkpoint(
    state: State, run: Mapping[str, Any], metrics_bytes: int = 0, metrics_sha256: str = NO_HASH,
    snapshots_sha256: str | None = None, blas: tuple[str, ...] = (),
) -> bytes:  # fmt: skip
    """Return the content of the file; `run` is the identity of the run; for the others, see `Metadata`."""
    tensors = {PARAMETERS: state.parameters} | sample_arrays(state.samples)
    tensors |= {f"{OPTIMIZER}_{number}": vector for number, vector in enumerate(state.optimizer, 1)}
    tensors |= {BEST: state.best.parameters} if state.best else {}
    metadata = Metadata(
        sha256=NO_HASH, run=dict(run), rng=Generator.of(state.rng), batches_sha256=state.batches_sha256.hex(),
        dropout=Generator.of(state.dropout) if state.dropout else None, samples=list(state.samples),
        best=(state.best.epoch, state.best.accuracy) if state.best else None, metrics_bytes=metrics_bytes,
        metrics_sha256=metrics_sha256, snapshots_sha256=snapshots_sha256, blas=blas,
        **{name: getattr(state, name) for name in AS_THEY_ARE},
    )  # fmt: skip
    content = pack(tensors, {KEY: msgspec.json.encode(metadata).decode()})
    return content.replace(NO_HASH.encode(), _sha256(content), 1)


def read_checkpoint(path: Path, trainer: Trainer) -> tuple[State, Metadata]:
    """Return the state for a trainer, and the rest of the checkpoint.

    Call `check_identity` first.

    Raises:
        RunError: the file cannot be read, was changed, or is not a checkpoint.
    """
    size, dtype = trainer.network.parameters.vector.size, trainer.network.dtype.name
    vectors = [f"{OPTIMIZER}_{number}" for number in range(1, trainer.optimizer.vectors + 1)]
    shapes = sample_shapes(len(trainer.data.train), trainer.network.sizes[-1])
    shapes |= dict.fromkeys([PARAMETERS, *vectors, BEST], (size,))
    content = read_bounded(path, most_bytes(shapes, dtype))
    metadata = _checked(path, content)
    with reading(path):
        tensors = unpack(path, content, shapes, dtype, some=True)
        state = State(
            parameters=tensors[PARAMETERS], optimizer=tuple(tensors[name] for name in vectors),
            rng=metadata.rng.to_numpy(), dropout=metadata.dropout.to_numpy() if metadata.dropout else None,
            batches_sha256=bytes.fromhex(metadata.batches_sha256), samples=samples_from(tensors),
            best=Best(*metadata.best, tensors[BEST]) if metadata.best else None,
            **{name: getattr(metadata, name) for name in AS_THEY_ARE},
        )  # fmt: skip
    if state.update > trainer.schedule.last:
        raise RunError(f"{path}: update {state.update}: must be at most {trainer.schedule.last}, the last of the run")
    return state, metadata


def check_identity(path: Path, run: Mapping[str, Any]) -> None:
    """Raise a `MismatchError` unless a checkpoint belongs to the run with an identity, or a part of one.

    Only its header is read, since the run determines how large the rest may be.
    """
    stated = _metadata(path, read_bounded(path, MOST_BYTES, first=MOST_BEFORE_ARRAYS)).run
    for name, value in run.items():
        was = stated.get(name)
        if was != value and name == "data":
            raise MismatchError(f"{path}: was trained on other data: SHA-256 {was!r:.80}, now {value!r:.80}")
        if was != value:
            raise MismatchError(f"{path}: {name} {was!r:.80}: must be {value!r:.80}, as in the run")


def check_whole(path: Path, run: Mapping[str, Any], metrics: bytes) -> None:
    """Check that a file is a whole checkpoint of a run with these metrics; only its trainer can check its arrays."""
    check_identity(path, run)
    metadata = _checked(path, read_bounded(path, MOST_BYTES))
    if hashlib.sha256(metrics[: metadata.metrics_bytes]).hexdigest() != metadata.metrics_sha256:
        raise RunError(f"{path}: belongs to other metrics")


def _checked(path: Path, content: bytes) -> Metadata:
    """Return the metadata of a file, which must have the SHA-256 that they state."""
    metadata = _metadata(path, content)
    if _sha256(content.replace(metadata.sha256.encode(), NO_HASH.encode(), 1)) != metadata.sha256.encode():
        raise RunError(f"{path}: was changed or damaged: its SHA-256 must be the one that it states")
    return metadata


def _metadata(path: Path, content: bytes) -> Metadata:
    """Return the metadata, given the content of a file or only its header."""
    with reading(path):
        return msgspec.json.decode(unpack_metadata(path, content).get(KEY, ""), type=Metadata)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
