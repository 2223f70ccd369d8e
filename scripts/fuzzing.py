"""Corrupted files for every reader: valid ones, broken in the ways in which files break or lie.

A reader may refuse a file with one line that names it, or accept it if what it returns is as good as it should be.
"""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from netlearn import datasets
from netlearn.datasets import Dataset, Examples
from netlearn.datasets.idx import read_idx
from netlearn.errors import NetlearnError
from netlearn.experiments.experiment import read_experiment
from netlearn.experiments.run import make_trainer
from netlearn.runs import Sums, checkpoint, metrics, summary, weights
from netlearn.runs.tensors import unpack
from netlearn.settings import Settings, read_toml, resolve, write_toml

NUMBERS = [0, 1, 2, 7, 8, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1]
VALUES: list[Any] = [
    *NUMBERS, -1, -(2**63), 10**30, 0.5, -0.0, 1e308, True, None, "", "F32", "zzz", "1e5", [], {}, [[0]],
]  # fmt: skip
LITERALS = [
    "nan", "inf", "-inf", "1e999", "9" * 5000, "0x" + "f" * 300, "0x" + "f" * 4000, "1\n" + "a." * 3000 + "a = 1",
    "true", '""', "[]", "{}", "1979-05-27", "[[1]]",
    "[" * 3000 + "]" * 3000, "{a=" * 400 + "1" + "}" * 400, '"a:b"', r"'\u0000'", "-1", "1_0", "[1e9]", "[100000]",
]  # fmt: skip


@st.composite
def edited(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return bytes with one to four edits."""
    content = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "drop", "insert", "repeat", "big", "little", "long"]))
        if kind == "set":
            content[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == "cut":
            del content[at:]
        elif kind == "drop":
            del content[at : at + draw(st.integers(1, 16))]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "repeat":
            content[at:at] = content[at : at + 64] * draw(st.integers(1, 4))
        else:
            form = {"big": ">I", "little": "<I", "long": "<Q"}[kind]
            size = struct.calcsize(form)
            content[at : at + size] = struct.pack(form, draw(st.sampled_from(NUMBERS)) % 256**size)
    return bytes(content)


@st.composite
def edited_json(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return JSON with one to three values replaced, removed or added."""
    document = json.loads(valid)
    for _ in range(draw(st.integers(1, 3))):
        place, key = document, draw(st.sampled_from([*document, "new"]))
        while isinstance(place.get(key), dict) and place[key] and draw(st.booleans()):
            place = place[key]
            key = draw(st.sampled_from([*place, "new"]))
        if key in place and draw(st.booleans()):
            del place[key]
        else:
            place[key] = draw(st.sampled_from(VALUES))
        if not document:
            break
    return json.dumps(document).encode()


@st.composite
def edited_toml(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return TOML with some values replaced by others."""
    lines = valid.decode().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        i = draw(st.integers(0, len(lines) - 1))
        if "=" in lines[i]:
            lines[i] = f"{lines[i].partition('=')[0]}= {draw(st.sampled_from(LITERALS))}"
    return "\n".join(lines).encode()


@st.composite
def edited_safetensors(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return a safetensors file whose header, or the text in it, or whose numbers lie."""
    (size,) = struct.unpack("<Q", valid[:8])
    header, body = valid[8 : 8 + size], valid[8 + size :]
    kind = draw(st.sampled_from(["header", "text", "body", "size", "huge"]))
    if kind == "header":
        header = draw(edited_json(header))
    elif kind == "text":
        content = json.loads(header)
        if state := content.get("__metadata__", {}).get("state"):
            content["__metadata__"]["state"] = draw(edited_json(state.encode())).decode()
        header = json.dumps(content).encode()
    elif kind == "body":
        number = draw(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
        at = 4 * draw(st.integers(0, len(body) // 4 - 1))
        body = body[:at] + struct.pack("<f", number) + body[at + 4 :]
    elif kind == "huge":
        header += b" " * draw(st.sampled_from([1000, 2_000_000]))
    length = draw(st.sampled_from(NUMBERS)) if kind == "size" else len(header)
    return struct.pack("<Q", length) + header + body


@st.composite
def edited_npz(draw: st.DrawFn, valid: dict[str, bytes]) -> bytes:
    """Return an .npz of which a member is edited, or left out, or there twice."""
    members = list(valid.items())
    i = draw(st.integers(0, len(members) - 1))
    name, content = members[i]
    kind = draw(st.sampled_from(["member", "member", "missing", "other name", "object"]))
    if kind == "missing":
        del members[i]
    elif kind == "other name":
        members[i] = (draw(st.text("xy_train.npy", max_size=12)), content)
    elif kind == "object":
        buffer = io.BytesIO()
        np.save(buffer, np.array([{"a": 1}, None]), allow_pickle=True)
        members[i] = (name, buffer.getvalue())
    else:
        members[i] = (name, draw(edited(content)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name, content in members:
            archive.writestr(name or "x", content)
    return buffer.getvalue()


@dataclass(frozen=True)
class Case:
    """A reader: its file's name, corrupted contents, and what reads one and checks what was accepted."""

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
RUN = checkpoint.identify(SETTINGS, TRAINER.data)
list(TRAINER)
STATE = TRAINER.state()


def _read_checkpoint(path: Path) -> None:
    state, size, _ = checkpoint.read(path, RUN, TRAINER)
    assert size >= 0
    TRAINER.restore(state)
    list(TRAINER)
    assert np.isfinite(state.parameters).all()


def _read_weights(path: Path) -> None:
    shapes = weights.shapes_of(TRAINER.network.sizes)
    tensors = unpack(path, path.read_bytes(), shapes, "float32")
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert all(tensor.dtype == np.float32 and np.isfinite(tensor).all() for tensor in tensors.values())


def _read_settings(path: Path) -> None:
    settings = resolve(read_toml(path))
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
    again = path.with_name("again.toml")
    again.write_bytes(write_toml(settings))
    assert resolve(read_toml(again)) == settings


def _read_experiment(path: Path) -> None:
    for settings in read_experiment(path, {}, None).variants.values():
        assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings


def _read_metrics(path: Path) -> None:
    columns = metrics.parse(path, path.read_bytes())
    assert len({len(column) for column in columns.values()}) <= 1
    assert all(np.isfinite(columns[name]).all() for name in ("update", "epoch") if columns)


def _read_summary(path: Path) -> None:
    """Read a summary whose hash was forged too."""
    summary.read(Sums.compute(path.parent, [path.name], summary.MOST_BYTES))


def _read_sums(path: Path) -> None:
    assert Sums.read(path.parent).encode() == path.read_bytes()


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
SUMMARY = summary.encode(
    summary.Summary(
        status="finished", error=None, updates=1000, epochs=2.0, best_epoch=2, best_validation_accuracy=0.9,
        validation_accuracy=0.9, train_cost=0.1, train_accuracy=0.95, test_cost=0.2, test_accuracy=0.9,
        recall=(0.8, 1.0), seed=0, sizes=(4, 3, 2), initial_weights_sha256="w", mini_batches_sha256="b",
        data=summary.DataSummary(
            name="small", where="here", note="", train=50, validation=10, test=10, sha256={"a": "b"}
        ),
        environment={"netlearn": "0.2.0", "cores": 2}, training_seconds=3.0, total_seconds=4.0,
    )
)  # fmt: skip
SUMS = Sums(Path(), {"config.toml": "0" * 64, "metrics.csv": "1" * 64}).encode()
METRICS = (
    b"update,epoch,seconds,train_cost,train_accuracy,validation_cost,validation_accuracy,output_error,learning_speed,"
    b"stuck,speed_1\n0,0,0,1,0.5,1,0.5,0.1,1,0,0.5\n5,0.5,0.1,1,0.5,1,0.5,0.1,nan,0,0.5\n"
)
CHECKPOINT, WEIGHTS = checkpoint.encode(STATE, RUN, 100, "0" * 64), weights.encode(TRAINER.network)
IMAGES = _idx((3, 4, 5))

CASES = [
    Case("images-idx3-ubyte", edited(IMAGES), _read_idx),
    Case("images-idx3-ubyte.gz", edited(IMAGES).map(gzip.compress) | edited(gzip.compress(IMAGES)), _read_idx),
    Case("data.npz", edited_npz(_npz()) | edited(_zip(_npz())), _read_data),
    Case("checkpoint.safetensors", edited_safetensors(CHECKPOINT) | edited(CHECKPOINT), _read_checkpoint),
    Case("weights.safetensors", edited_safetensors(WEIGHTS) | edited(WEIGHTS), _read_weights),
    Case("config.toml", edited_toml(TOML) | edited(TOML), _read_settings),
    Case("experiment.toml", edited_toml(EXPERIMENT) | edited(EXPERIMENT), _read_experiment),
    Case("summary.json", edited_json(SUMMARY) | edited(SUMMARY), _read_summary),
    Case("metrics.csv", edited(METRICS), _read_metrics),
    Case("SHA256SUMS", edited(SUMS), _read_sums),
]


def feed(case: Case, content: bytes, folder: Path) -> bool:
    """Give a reader a file; return whether it accepted it.

    Raises:
        Exception: it did neither refuse the file in one line that names it nor accept it rightly.
    """
    path = folder / case.name
    path.write_bytes(content)
    try:
        case.read(path)
    except NetlearnError as error:
        message = " ".join(str(error).split())
        assert path.name in message, message
        return False
    return True
