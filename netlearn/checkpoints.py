"""The checkpoint: the file that a run goes on from, exactly where it stood.

It is one safetensors file with the arrays of a trainer's `State`, and the rest of it as a text beside them.
"""

import math
from pathlib import Path
from typing import Any

import msgspec

from netlearn import __version__
from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.files import refuse_newer
from netlearn.settings import Settings
from netlearn.slowdown import SAMPLE_EXAMPLES, SAMPLE_UPDATES
from netlearn.state import Best, State
from netlearn.tensors import MOST_HEADER, pack, read_tensors, read_texts
from netlearn.training import Trainer

KEY, PARAMETERS, BEST = "state", "parameters", "best"
MOST = 100_000_000_000  # bytes; what is beside the arrays is read without them
BITS = 128  # of each number in the state of the random stream
Stream = tuple[str, str, int, int]


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint holds beside its arrays.

    `run` is what `identify` says of the run, `metrics_bytes` how much of metrics.csv belongs to it.
    """

    netlearn: str
    run: dict[str, Any]
    update: int
    seconds: float
    probed: bool
    stream: Stream
    batches_sha256: str
    best_epoch: int | None
    best_accuracy: float | None
    samples: tuple[int, ...]
    metrics_bytes: int


def identify(settings: Settings, data: Dataset) -> dict[str, Any]:
    """Return what makes a run: its settings but for the epochs, and the SHA-256 of its data's files."""
    given = msgspec.structs.asdict(settings) | {"data": data.sha256}
    del given["epochs"]
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(given))
    return made


def write_state(state: State, run: dict[str, Any], metrics_bytes: int) -> bytes:
    """Return a state as the content of a checkpoint of the run that `identify` tells."""
    tensors = {PARAMETERS: state.parameters}
    if state.best is not None:
        tensors[BEST] = state.best.parameters
    for update, (error, gradient) in state.samples.items():
        tensors |= {f"error.{update}": error, f"gradient.{update}": gradient}
    generator = state.stream
    text = Text(
        netlearn=__version__,
        run=run,
        update=state.update,
        seconds=state.seconds,
        probed=state.probed,
        stream=(
            f"{generator['state']['state']:x}", f"{generator['state']['inc']:x}", generator["has_uint32"],
            generator["uinteger"],
        ),
        batches_sha256=state.batches.hex(),
        best_epoch=state.best.epoch if state.best else None,
        best_accuracy=state.best.accuracy if state.best else None,
        samples=tuple(state.samples),
        metrics_bytes=metrics_bytes,
    )  # fmt: skip
    return pack(tensors, {KEY: msgspec.json.encode(text).decode()})


def read_state(path: Path, run: dict[str, Any], trainer: Trainer) -> tuple[State, int]:
    """Return the state that a checkpoint holds for a trainer, and how many bytes of metrics.csv belong to it.

    Raises:
        RunError: it cannot be read, or is not a checkpoint of that run.
    """
    network = trainer.network
    size = network.parameters.size
    sample = (min(SAMPLE_EXAMPLES, len(trainer.data.train)) * network.sizes[-1],)
    most = 2 * size + 2 * len(SAMPLE_UPDATES) * sample[0]
    text = _read_text(path, most * network.dtype.itemsize + MOST_HEADER)
    _check_run(path, text, run)
    _check(path, text, trainer)
    shapes: dict[str, tuple[int, ...]] = {PARAMETERS: (size,)}
    if text.best_epoch is not None:
        shapes[BEST] = (size,)
    shapes |= {f"{kind}.{update}": sample for update in text.samples for kind in ("error", "gradient")}
    tensors = read_tensors(path, shapes, network.dtype.name)
    best = None
    if text.best_epoch is not None:
        best = Best(text.best_epoch, text.best_accuracy or 0.0, tensors[BEST])
    state, increment, has_uint32, uinteger = text.stream
    return State(
        update=text.update,
        seconds=text.seconds,
        probed=text.probed,
        stream={
            "bit_generator": "PCG64",
            "state": {"state": int(state, 16), "inc": int(increment, 16)},
            "has_uint32": has_uint32,
            "uinteger": uinteger,
        },
        batches=bytes.fromhex(text.batches_sha256),
        parameters=tensors[PARAMETERS],
        best=best,
        samples={update: (tensors[f"error.{update}"], tensors[f"gradient.{update}"]) for update in text.samples},
    ), text.metrics_bytes


def check_settings(path: Path, settings: Settings) -> None:
    """Check that a checkpoint was written with those settings, the epochs and the name of the data aside.

    Raises:
        RunError: it was not, or is no checkpoint.
    """
    given: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    _check_run(path, _read_text(path, MOST), {name: given[name] for name in given.keys() - {"epochs", "data"}})


def _check_run(path: Path, text: Text, run: dict[str, Any]) -> None:
    for name, value in run.items():
        if text.run.get(name) != value:
            raise RunError(f"{path}: was written with {name} {text.run.get(name)!r:.80}; the run has {value!r:.80}")


def _read_text(path: Path, most: int) -> Text:
    texts = read_texts(path, most)
    try:
        raw = texts.get(KEY, "").encode()
        refuse_newer(path, msgspec.json.decode(raw, type=dict).get("netlearn", ""))
        return msgspec.json.decode(raw, type=Text)
    except (msgspec.DecodeError, RecursionError, AttributeError, TypeError) as error:
        raise RunError(f"{path}: not a checkpoint: {error}") from error


def _check(path: Path, text: Text, trainer: Trainer) -> None:
    """Refuse a state in which no run of these settings can be."""
    state, increment, has_uint32, uinteger = text.stream
    last = trainer.epochs * trainer.updates_per_epoch
    possible = {
        "update": 0 <= text.update <= last,
        "seconds": 0 <= text.seconds < math.inf,
        "stream": _is_hex(state, BITS // 4) and _is_hex(increment, BITS // 4)
        and has_uint32 in {0, 1} and 0 <= uinteger < 2**32,
        "batches_sha256": len(text.batches_sha256) == 64 and _is_hex(text.batches_sha256, 64),
        "best_epoch": text.best_epoch is None or 1 <= text.best_epoch <= text.update // trainer.updates_per_epoch,
        "best_accuracy": (text.best_accuracy is None) == (text.best_epoch is None)
        and 0 <= (text.best_accuracy or 0) <= 1,
        "samples": len(set(text.samples)) == len(text.samples) and {*text.samples} <= {*SAMPLE_UPDATES},
        "metrics_bytes": text.metrics_bytes >= 0,
    }  # fmt: skip
    for name, can_be in possible.items():
        if not can_be:
            raise RunError(f"{path}: {name} {getattr(text, name)!r:.80} cannot be in a run of {last} updates")


def _is_hex(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and set(text) <= set("0123456789abcdef")
