"""The lab: one HTML file in which two networks learn in the reader's browser, from examples that it holds.

The file has the first training examples of a data set and the first of its validation set, as bytes where they are
images, deflated and in base64; the settings that both networks begin with; and the engine, in JavaScript.
"""

import base64
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from jinja2.utils import htmlsafe_json_dumps

from netlearn import __version__
from netlearn.datasets import Dataset
from netlearn.errors import SettingsError
from netlearn.numerics import Array
from netlearn.report.assets import cost_colours, environment, part, policy, script
from netlearn.settings import FIELDS, Settings

COSTS = ("quadratic", "cross-entropy", "log-likelihood")  # those of engine.js
TRAIN, HELD_OUT = 2000, 500  # examples
MOST_PACKED = 1_250_000  # bytes of all examples, in base64
LEVEL = 6  # of deflate: 9 saves 2 % in fifteen times the time
FEWEST = 20  # training examples, and examples of a class in a subset
MOST_CHANCES = 7 / 9  # from chance to all right, the way that a network has gone at the threshold: 80 % of 10 classes
SCRIPTS = (
    "page/dom.js", "page/tools.js", "page/scales.js", "page/chart.js", "page/ink.js", "page/pad.js", "lab/data.js",
    "lab/settings.js", "lab/trainees.js", "lab/race.js", "lab/guess.js", "lab/train.js", "lab/numbers.js",
    "lab/inside.js", "lab/lab.js",
)  # fmt: skip
STYLES = ("page/page.css", "page/parts.css", "lab/lab.css", "page/print.css")
SHARED = ("hidden", "activation", "initializer", "batch_size", "seed", "data")  # settings that both networks have
ELSEWHERE = {"cost", "learning_rate", "epochs", "dtype", "probe_every", "track_test", "snapshots"}
DEFAULTS = tuple(
    Settings(cost=cost, learning_rate=rate, hidden=(30,), initializer="large", data="mnist-5k")
    for cost, rate in (("quadratic", 3.0), ("cross-entropy", 0.5))
)


def lab(data: Dataset, networks: Sequence[Settings] = DEFAULTS) -> bytes:
    """Return the lab.

    Args:
        data: what the networks learn from.
        networks: the settings that the two networks begin with, which may differ in the cost and in η.

    Raises:
        SettingsError: the page cannot train such networks, or not with such data.
    """
    if len(networks) != 2:
        raise SettingsError(f"variants {len(networks)}: must be two for the lab")
    for settings in networks:
        if settings.cost not in COSTS:
            raise SettingsError(
                f"cost {settings.cost}: the lab cannot run it, since it trains in JavaScript; "
                f"must be {', '.join(COSTS[:-1])} or {COSTS[-1]}"
            )
    if len(data.train) < FEWEST:
        raise SettingsError(f"data {data.name}: {len(data.train)} training examples; must have {FEWEST} for the lab")
    examples = _pack(data)
    style = "".join(map(part, STYLES)) + cost_colours(COSTS)
    given = examples | {"settings": _texts(networks)}
    engine, code = part("lab/engine.js"), script(SCRIPTS)
    content = environment().get_template("lab/lab.html").render(
        version=__version__, style=style, engine=engine, script=code, data_name=Path(data.name).name,
        policy=policy([engine, code], style, "worker-src blob:"),
        data=htmlsafe_json_dumps(given, separators=(",", ":"), ensure_ascii=False),
        subject="digits" if data.name in {"mnist", "mnist-5k"} else "examples",
        held_out=f"{examples['heldOut']:,} held-out examples, from which neither network learns",
        notes=[*_on_data(data, examples), *_left_out(networks)],
    )  # fmt: skip
    return content.encode(errors="backslashreplace")  # paths may have bytes that are no text


def _pack(data: Dataset) -> dict[str, Any]:
    """Return the examples: as many as fit, of those that the page could use."""
    train, held_out = min(TRAIN, len(data.train)), min(HELD_OUT, len(data.validation))
    least = min(train + held_out, FEWEST * max(2, data.outputs))
    while True:
        x = np.concatenate([data.train[:train].x, data.validation[:held_out].x])
        kind, packed = _deflate(x)
        if len(packed) <= MOST_PACKED:
            break
        if train + held_out <= least:
            raise SettingsError(
                f"data {data.name}: {least} examples take {len(packed):,} bytes; must be smaller images"
            )
        share = 0.95 * MOST_PACKED / len(packed)
        total = max(least, int((train + held_out) * share))
        held_out = max(1, min(held_out, total // 5))
        train = max(1, total - held_out)
    labels = np.concatenate([data.train.labels[:train], data.validation.labels[:held_out]])
    chance = 1 / max(2, data.outputs)
    return {
        "image": data.image, "inputs": data.train.n_in, "outputs": data.outputs, "train": train,
        "heldOut": held_out, "labels": labels.tolist(),
        "classes": data.classes, "kind": kind, "packed": packed,
        "threshold": round(20 * (chance + MOST_CHANCES * (1 - chance))) / 20,
    }  # fmt: skip


def _deflate(x: Array) -> tuple[str, str]:
    """Return the kind of the numbers of examples, bytes that stand for byte/255 or float32, and their text."""
    whole = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
    if np.array_equal(whole / np.float32(255), x):
        return "uint8", base64.b64encode(zlib.compress(whole.tobytes(), LEVEL)).decode()
    return "float32", base64.b64encode(zlib.compress(x.astype("<f4").tobytes(), LEVEL)).decode()


def _texts(networks: Sequence[Settings]) -> dict[str, Any]:
    """Return the settings of both networks as the page's address has them."""
    first = networks[0]
    initial = first.initializer
    return {
        "cost": [settings.cost for settings in networks],
        "learning_rate": [f"{settings.learning_rate:g}" for settings in networks],
        "hidden": "+".join(map(str, first.hidden)) or "none", "activation": first.activation,
        "initializer": initial if isinstance(initial, str) else ",".join(f"{value:g}" for value in initial),
        "batch_size": str(first.batch_size), "seed": str(first.seed),
    }  # fmt: skip


def address(networks: Sequence[Settings]) -> str:
    """Return the part of the lab's address that stands for these settings."""
    pairs = {"cost", "learning_rate"}
    texts = {name: ",".join(value) if name in pairs else value for name, value in _texts(networks).items()}
    return "#" + "&".join(f"{name}={text}" for name, text in texts.items())


def _on_data(data: Dataset, examples: dict[str, Any]) -> list[str]:
    """Return what the reader should know about the examples."""
    notes = []
    if examples["train"] < len(data.train):
        notes.append(
            f"The networks learn from the first {examples['train']:,} of {len(data.train):,} training examples, so "
            "that this stays one small file: their accuracy stays below that of a network that sees all."
        )
    if examples["heldOut"] < 100:
        notes.append(
            f"Accuracy is measured on {examples['heldOut']} held-out examples only: it moves in large steps."
        )
    if data.note:
        notes.append(data.note)
    return notes


def _left_out(networks: Sequence[Settings]) -> list[str]:
    """Return what the settings of a comparison have that the lab does not."""
    left: dict[str, list[str]] = {}
    for settings in networks:
        for name, field in FIELDS.items():
            value = getattr(settings, name)
            is_shared = name in SHARED and value == getattr(networks[0], name)
            if name not in ELSEWHERE and not is_shared and (name in SHARED or value != field.default):
                text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
                left.setdefault(name, []).append(text)
    if not left:
        return []
    listed = "; ".join(f"{name} {' and '.join(dict.fromkeys(texts))}" for name, texts in left.items())
    return [f"The lab trains both networks by plain gradient descent with the same settings; it leaves out {listed}."]
