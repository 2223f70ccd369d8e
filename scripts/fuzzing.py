"""The readers that fuzzing feeds corrupted files to, and what each may accept.

A reader may refuse a file with one line that names it, or accept it if what it returns is valid.
"""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from netlearn import datasets
from netlearn.comparison.experiment import read_experiment
from netlearn.datasets import Dataset, Examples
from netlearn.datasets.idx import read_idx
from netlearn.errors import DivergenceError, NetlearnError, RunError, SettingsError
from netlearn.runs import Summary, Sums, encode_summary
from netlearn.runs.checkpoint import check_identity, encode_checkpoint, read_checkpoint
from netlearn.runs.formats import DataSummary, parse_metrics, read_summary
from netlearn.runs.setup import make_trainer
from netlearn.runs.tensors import encode_samples, encode_weights, read_samples, read_weights, weight_shapes
from netlearn.runs.train_run import checkpoint_identity
from netlearn.settings import Settings, read_toml, resolve, write_toml
from scripts.corruption import edited, edited_json, edited_npz, edited_safetensors, edited_toml, forged, sealed


@dataclass(frozen=True)
class Case:
    """A reader: the name of its file, corrupted contents, and the function that reads one and checks the result."""

    name: str
    contents: st.SearchStrategy[bytes]
    read: Callable[[Path], object]


def _idx(shape: tuple[int, ...]) -> bytes:
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return header + bytes(i % 10 for i in range(int(np.prod(shape))))


def _read_idx(path: Path) -> None:
    items = read_idx(path, 3)
    content = path.read_bytes()
    plain = gzip.decompress(content) if path.suffix == ".gz" else content
    assert plain[:4] == bytes([0, 0, 8, 3])
    assert items.tobytes() == plain[16:]
    assert items.shape == struct.unpack(">3I", plain[4:16])
    assert items.size


def _npz() -> dict[str, bytes]:
    arrays: dict[str, Any] = {
        "x_train": np.zeros((12, 4), np.uint8), "y_train": np.arange(12) % 3,
        "x_test": np.ones((4, 4), np.uint8), "y_test": np.arange(4) % 3,
    }  # fmt: skip
    members = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        members[f"{name}.npy"] = buffer.getvalue()
    return members


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _read_data(path: Path) -> None:
    data = datasets.load(str(path))
    for part in (data.train, data.validation, data.test):
        assert len(part.x) == len(part.labels) > 0
        assert np.isfinite(part.x).all()
        assert 0 <= part.labels.min() <= part.labels.max() < data.outputs


def _small() -> Dataset:
    rng = np.random.default_rng(7)
    train, validation, test = (
        Examples(rng.random((n, 6), np.float32), rng.integers(3, size=n)) for n in (47, 20, 20)
    )
    return Dataset("small", "here", train, validation, test, outputs=3, image=None, sha256={})


SETTINGS = resolve({"hidden": (5,), "epochs": 2, "data": "small"})
TRAINER = make_trainer(SETTINGS, _small())
RUN = checkpoint_identity(SETTINGS, TRAINER)
list(TRAINER)
STATE = TRAINER.state()


def _read_checkpoint(path: Path) -> None:
    check_identity(path, RUN)
    state, size, _ = read_checkpoint(path, TRAINER)
    assert size >= 0
    assert np.isfinite(state.parameters).all()
    TRAINER.restore(state)
    with suppress(DivergenceError):  # as finite weights may
        list(TRAINER)


def _forged_sums(path: Path) -> Sums:
    """Return the hash of a corrupted file, as if its line in SHA256SUMS was forged too."""
    return Sums.compute(path.parent, [path.name])


def _read_weights(path: Path) -> None:
    tensors = read_weights(_forged_sums(path), path.name, TRAINER.network.sizes, "float32")
    assert {name: tensor.shape for name, tensor in tensors.items()} == weight_shapes(TRAINER.network.sizes)
    assert all(tensor.dtype == np.float32 and np.isfinite(tensor).all() for tensor in tensors.values())


def _read_output_neurons(path: Path) -> None:
    samples = read_samples(_forged_sums(path), len(TRAINER.data.train), TRAINER.network.sizes[-1], "float32")
    assert samples.keys() <= STATE.samples.keys()
    assert all(np.isfinite(array).all() for pair in samples.values() for array in pair)


def _read_settings(path: Path) -> None:
    given = read_toml(path)
    try:
        settings = resolve(given)
    except SettingsError:  # it names settings that do not go together, which flags could change, not the file
        return
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
    again = path.with_name("again.toml")
    again.write_bytes(write_toml(settings))
    assert resolve(read_toml(again)) == settings


def _read_experiment(path: Path) -> None:
    for settings in read_experiment(path, {}, None).variants.values():
        assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings


def _read_metrics(path: Path) -> None:
    columns = parse_metrics(path, path.read_bytes())
    assert len({len(column) for column in columns.values()}) <= 1
    assert all(np.isfinite(columns[name]).all() for name in ("update", "epoch") if columns)


def _read_summary(path: Path) -> None:
    read_summary(_forged_sums(path))


def _read_sums(path: Path) -> None:
    sums = Sums.read(path.parent)
    assert sums.encode() == path.read_bytes()
    with suppress(RunError):  # which names the file that is missing
        sums.check_all()


TOML = write_toml(resolve({"hidden": (100, 30), "l2": 5.0, "train_size": 50, "patience": 3}))
EXPERIMENT = b"""title = "x"
seeds = [3, 5]
[defaults]
hidden = [20]
epochs = 7
[variants.a]
l2 = 0.1
[variants.b]
cost = "quadratic"
"""
SUMMARY = encode_summary(
    Summary(
        status="finished", error=None, updates=1000, epochs=2.0, best_epoch=2, best_validation_accuracy=0.9,
        validation_accuracy=0.9, train_cost=0.1, train_accuracy=0.95, test_cost=0.2, test_accuracy=0.9,
        recall=(0.8, 1.0), seed=0, sizes=(4, 3, 2), initial_weights_sha256="w", mini_batches_sha256="b",
        data=DataSummary(
            name="small", where="here", note="", train=50, validation=10, test=10, sha256={"a": "b"}
        ),
        environment={"netlearn": "0.2.0", "cores": 2}, training_seconds=3.0, total_seconds=4.0,
    )
)  # fmt: skip
SUMS = Sums(Path(), {"config.toml": "0" * 64, "metrics.csv": "1" * 64}).encode()
LINES = b"".join(SUMS.splitlines(keepends=True)[:-1])
METRICS = (
    b"update,epoch,seconds,train_cost,train_accuracy,validation_cost,validation_accuracy,output_error,learning_speed,"
    b"stuck,speed_1\n0,0,0,1,0.5,1,0.5,0.1,1,0,0.5\n5,0.5,0.1,1,0.5,1,0.5,0.1,nan,0,0.5\n"
)
CHECKPOINT, WEIGHTS = encode_checkpoint(STATE, RUN, 100, "0" * 64), encode_weights(TRAINER.network)
NEURONS = encode_samples(STATE.samples)
IMAGES = _idx((3, 4, 5))

CASES = [
    Case("images-idx3-ubyte", edited(IMAGES), _read_idx),
    Case("images-idx3-ubyte.gz", edited(IMAGES).map(gzip.compress) | edited(gzip.compress(IMAGES)), _read_idx),
    Case("data.npz", edited_npz(_npz()) | edited(_zip(_npz())), _read_data),
    Case("checkpoint.safetensors", edited_safetensors(CHECKPOINT) | edited(CHECKPOINT), _read_checkpoint),
    Case("checkpoint.safetensors, forged", edited_safetensors(CHECKPOINT).map(forged), _read_checkpoint),
    Case("weights.safetensors", edited_safetensors(WEIGHTS) | edited(WEIGHTS), _read_weights),
    Case("output_neurons.safetensors", edited_safetensors(NEURONS) | edited(NEURONS), _read_output_neurons),
    Case("config.toml", edited_toml(TOML) | edited(TOML), _read_settings),
    Case("experiment.toml", edited_toml(EXPERIMENT) | edited(EXPERIMENT), _read_experiment),
    Case("summary.json", edited_json(SUMMARY) | edited(SUMMARY), _read_summary),
    Case("metrics.csv", edited(METRICS), _read_metrics),
    Case("SHA256SUMS", edited(SUMS) | edited(LINES).map(sealed), _read_sums),
]


def feed(case: Case, content: bytes, folder: Path) -> bool:
    """Give a reader a file; return whether it accepted it.

    Raises:
        Exception: it neither refused the file in one line that names it nor accepted a valid one.
    """
    path = folder / case.name.partition(",")[0]
    path.write_bytes(content)
    try:
        case.read(path)
    except NetlearnError as error:
        message = " ".join(str(error).split())
        assert path.name in message, message
        return False
    return True
