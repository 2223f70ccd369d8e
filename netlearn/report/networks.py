"""The networks that the page runs, the test examples to try them on, and each network's worst mistakes.

A weight is a multiple of its neuron's step, from −2047 to 2047; two of them take three bytes. That rounds about as
float16 does, in three quarters of the space. Networks that are equal, such as the initial ones of paired runs, are
stored once, and as many as fit.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from netlearn.activations import ACTIVATIONS, Identity, Sigmoid, Softmax
from netlearn.custom_cost import NamedCosts, is_own, load_cost
from netlearn.datasets import Dataset, scaled
from netlearn.errors import NetlearnError, RunError
from netlearn.inspection.trained import load_network, load_present
from netlearn.numerics import Array
from netlearn.predictions import Predictions, predict
from netlearn.runs import Groups, Run

MOST_BYTES = 1_130_000  # of all networks, in base64
MOST_FIRST = 1_290_000  # where those of one seed alone take more: eight of the default network
NO_ROOM = f"there is no room for its network, since a page holds at most {MOST_FIRST / 1e6:.1f} MB of them"
MOST_VARIANTS = 8  # whose networks are stored, and whose mistakes are shown
MOST_STEP = 2047
OUTPUTS = {Sigmoid: "sigmoid", Softmax: "softmax", Identity: "identity"}
WANTED = (100, 0, 1000, 10)  # updates, those first that show most
MOST_IMAGES = 200
MOST_PIXELS = 64 * 64  # of an image
MOST_MISTAKES = 12
Layers = list[tuple[Array, Array]]  # w (n_out, n_in) and b (n_out,) of each layer


class Blobs:
    """The stored networks, each once.

    Attributes:
        texts: the networks in base64.
        size: of all texts.
    """

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.size = 0
        self._places: dict[bytes, int] = {}

    def add(self, networks: Sequence[Layers], most: int) -> list[int] | None:
        """Return the places of networks among the texts, or None if all texts would take more than `most`."""
        contents = (b"".join(each.tobytes() for pair in layers for each in pair) for layers in networks)
        keys = [hashlib.sha256(content).digest() for content in contents]
        new = {key: layers for key, layers in zip(keys, networks, strict=True) if key not in self._places}
        if self.size + sum(2 * w.size for layers in new.values() for w, _ in layers) > most:
            return None
        for key, layers in new.items():
            packed = [_pack(w) for w, _ in layers]
            codes = base64.b64encode(b"".join(codes for codes, _ in packed)).decode()
            steps = [[float(f"{step:.7g}") for step in steps] for _, steps in packed]
            biases = [[float(f"{value:.7g}") for value in b] for _, b in layers]
            self._places[key] = len(self.texts)
            self.texts.append({"codes": codes, "steps": steps, "biases": biases})
            self.size += len(codes)
        return [self._places[key] for key in keys]


def _pack(w: Array) -> tuple[bytes, Array]:
    """Return the codes of weights, padded to an even number, and the step of each neuron."""
    steps = np.abs(w).max(axis=1) / MOST_STEP
    steps[steps == 0] = 1
    codes = (np.rint(w / steps[:, np.newaxis]).astype(np.int64) + MOST_STEP).ravel()
    first, second = np.pad(codes, (0, codes.size % 2)).reshape(-1, 2).T
    three = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1)
    return three.astype(np.uint8).tobytes(), steps


def networks(groups: Groups, *, costs: NamedCosts) -> dict[str, Any]:
    """Return the networks of as many variants, updates and seeds as there is room for, and why others are missing.

    The last weights of one seed come first, then its snapshots, then other seeds.
    """
    blobs = Blobs()
    missing: dict[str, str] = {}
    found: dict[tuple[int, int], dict[str, Any]] = {}
    names = list(groups)
    chosen = dict(list(groups.items())[:MOST_VARIANTS])
    seeds = list(dict.fromkeys(run.settings.seed for runs in chosen.values() for run in runs))
    by_seed = [_of_seed(chosen, seed, missing, costs=costs) for seed in seeds]
    usable = [runs for runs in sorted(by_seed, key=len, reverse=True) if runs]
    for place, runs in enumerate(usable):
        for variant, run in runs.items():
            if (added := blobs.add([_last(run)], MOST_BYTES if place else MOST_FIRST)) is not None:
                found[variant, run.settings.seed] = _described(run, variant, added[0], costs=costs)
            else:
                missing.setdefault(names[variant], NO_ROOM)
        if place == 0:
            _add_snapshots(runs, found, blobs)
    return {
        "blobs": blobs.texts,
        "networks": list(found.values()),
        "missing": {name: why for name, why in missing.items() if names.index(name) not in {at for at, _ in found}},
        "left": len(groups) - len(chosen),
        "seedsLeft": {
            variant: left
            for variant in {variant for variant, _ in found}
            if (
                left := [
                    s for s, runs in zip(seeds, by_seed, strict=True) if variant in runs and (variant, s) not in found
                ]
            )
        },
    }


def _of_seed(groups: Groups, seed: int, missing: dict[str, str], *, costs: NamedCosts) -> dict[int, Run]:
    """Return the runs from a seed whose networks can be stored, by variant; note why others cannot."""
    usable = {}
    for variant, (name, runs) in enumerate(groups.items()):
        for run in (run for run in runs if run.settings.seed == seed):
            try:
                _ = run.results, _last(run)
                _output_of(run, costs=costs)
                usable[variant] = run
            except NetlearnError as error:
                missing.setdefault(name, str(error))
    return usable


def _output_of(run: Run, *, costs: NamedCosts) -> str:
    """Return the name of the activation of a run's output layer.

    Raises:
        NetlearnError: the page cannot compute it.
    """
    name = run.settings.cost
    if is_own(name) and name not in costs:
        raise NetlearnError(f"its own cost {name} is imported only if named: netlearn report --cost {quote(name)}")
    output = load_cost(name, costs).output
    if type(output) not in OUTPUTS or run.settings.activation not in ACTIVATIONS:
        raise NetlearnError(f"the page cannot compute its output activation {type(output).__name__}")
    return OUTPUTS[type(output)]


def _last(run: Run) -> Layers:
    arrays = run.weights(run.weights_file())
    layers = range(1, len(arrays) // 2 + 1)
    return [(arrays[f"weights.{layer}"], arrays[f"biases.{layer}"][:, 0]) for layer in layers]


def _described(run: Run, variant: int, blob: int, *, costs: NamedCosts) -> dict[str, Any]:
    results, settings = run.results, run.settings
    return {
        "variant": variant, "seed": settings.seed, "sizes": results.sizes, "activation": settings.activation,
        "output": _output_of(run, costs=costs), "last": results.updates, "states": {"end": blob},
    }  # fmt: skip


def _add_snapshots(runs: Mapping[int, Run], found: Mapping[tuple[int, int], dict[str, Any]], blobs: Blobs) -> None:
    """Add the snapshots of runs, those of an update for all of them or for none."""
    snapshots = {variant: run.snapshots() for variant, run in runs.items() if (variant, run.settings.seed) in found}
    others = sorted({update for taken in snapshots.values() for update in taken} - set(WANTED))
    for update in (*WANTED, *others):
        states = {
            variant: list(_split(taken[update], runs[variant].results.sizes))
            for variant, taken in snapshots.items()
            if update in taken and np.isfinite(taken[update]).all()
        }
        if (places := blobs.add(list(states.values()), MOST_BYTES)) is None:
            return
        for variant, place in zip(states, places, strict=True):
            found[variant, runs[variant].settings.seed]["states"][str(update)] = place


def _split(vector: Array, sizes: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Yield weights and biases of each layer, from a vector of all weights and then all biases."""
    shapes = [(n_out, n_in) for n_in, n_out in pairwise(sizes)] + [(n_out,) for n_out in sizes[1:]]
    ends = list(accumulate(int(np.prod(shape)) for shape in shapes))
    flat = zip(np.split(vector, ends[:-1]), shapes, strict=True)
    parts = [part.reshape(shape).astype(np.float32) for part, shape in flat]
    half = len(parts) // 2
    yield from zip(parts[:half], parts[half:], strict=True)


def examples(groups: Groups, *, costs: NamedCosts) -> dict[str, Any]:
    """Return test images, and the worst mistakes and the answers of the first network of each variant.

    `reason` says why there are no images, `drawable` whether such data can have some. Each image is given in bytes
    from 0 to 255, with a run of zeros as a zero and its length, in base64.
    """
    load = lru_cache(load_present)
    found: dict[str, Any] = {"variants": [], "reason": None, "images": [], "drawable": True}
    for variant, runs in list(enumerate(groups.values()))[:MOST_VARIANTS]:
        run = next((run for run in runs if run.summary is not None and run.problem is None), runs[0])
        try:
            network, data = load_network(run, costs=costs), load(run.settings.data)
            if not run.has_data(data):
                raise RunError(
                    f"the {Path(data.name).name} on this machine has other files than the one that it was trained on"
                )
        except NetlearnError as error:
            found["reason"] = found["reason"] or str(error)
            continue
        reason = _reason(data)
        found["variants"].append(_answers(variant, run, predict(network, data.test), data, drawn=reason is None))
        if not found["images"] and reason is None:
            found |= {
                "image": data.image, "images": [encode(x) for x in data.test[:MOST_IMAGES].x],
                "labels": data.test.labels[:MOST_IMAGES].tolist(), "data": data.name,
            }  # fmt: skip
        found |= {"reason": found["reason"] or reason, "drawable": reason is None}
    return found | ({"reason": None, "drawable": True} if found["images"] else {})


def _reason(data: Dataset) -> str | None:
    """Return why the page cannot show the examples of a data set as images, or None if it can."""
    name = Path(data.name).name
    if data.image is None:
        return f"the examples of {name} are not images"
    if data.image[0] * data.image[1] > MOST_PIXELS:
        return f"the images of {name} are too large for this page"
    if scaled(data.test.inputs.min()) < 0 or scaled(data.test.inputs.max()) > 1:
        return f"the pixels of {name} are not numbers from 0 to 1"
    return None


def _answers(variant: int, run: Run, predictions: Predictions, data: Dataset, *, drawn: bool) -> dict[str, Any]:
    counts = np.bincount(predictions.answers, minlength=max(2, data.outputs))
    mistakes = [
        {
            "index": each.index, "label": each.label, "answer": each.answer, "image": encode(each.x),
            "outputs": [float(f"{output:.4g}") for output in each.outputs],
        }
        for each in predictions.worst(MOST_MISTAKES) if drawn
    ]  # fmt: skip
    return {
        "variant": variant, "seed": run.settings.seed, "wrong": int((~predictions.correct).sum()),
        "total": len(predictions.answers), "silent": np.flatnonzero(counts == 0).tolist(), "mistakes": mistakes,
        "lost": [label for label, share in enumerate(run.summary.recall if run.summary else ()) if share == 0],
    }  # fmt: skip


def encode(x: Array) -> str:
    """Return the pixels of an image, from 0 to 1, as bytes with their runs of zeros shortened, in base64."""
    codes: list[int] = []
    for ink, run in groupby(np.rint(x * 255).astype(np.uint8).tolist()):
        length = len(list(run))
        if ink:
            codes += [ink] * length
        else:
            codes += [0, 255] * (length // 255) + ([0, length % 255] if length % 255 else [])
    return base64.b64encode(bytes(codes)).decode()
