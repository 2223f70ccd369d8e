"""The test examples of the page: images to try the networks on, each variant's worst mistakes, its silent classes."""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from netlearn.custom_cost import NamedCosts
from netlearn.datasets import Dataset, scaled
from netlearn.errors import NetlearnError, RunError
from netlearn.inspection.trained import Predictions, is_data_of, load_network, load_present, predict
from netlearn.numerics import Array
from netlearn.plotting.marks import Answer
from netlearn.runs import Run

MOST_IMAGES = 200
MOST_PIXELS = 64 * 64  # of an image
MOST_VARIANTS = 8  # whose mistakes are shown
MOST_MISTAKES = 12


def examples(groups: Mapping[str, Sequence[Run]], *, costs: NamedCosts) -> dict[str, Any]:
    """Return test images, and the worst mistakes and the answers of the first network of each variant.

    `reason` says why there are no images. Each image is given in bytes from 0 to 255, with a run of zeros as a zero
    and its length, in base64.
    """
    load = lru_cache(load_present)
    found: dict[str, Any] = {"variants": [], "reason": None, "images": []}
    for variant, runs in list(enumerate(groups.values()))[:MOST_VARIANTS]:
        run = next((run for run in runs if run.summary is not None and run.problem is None), runs[0])
        try:
            data, predictions = _predicted(run, load, costs=costs)
        except NetlearnError as error:
            found["reason"] = found["reason"] or str(error)
            continue
        found["variants"].append(_of_network(variant, run, predictions, data))
        if not found["images"] and _reason(data) is None:
            found |= {
                "image": data.image,
                "images": [encode(x) for x in data.test.first(MOST_IMAGES).x],
                "labels": data.test.labels[:MOST_IMAGES].tolist(),
                "data": data.name,
            }
        found["reason"] = found["reason"] or _reason(data)
    if found["images"]:
        found["reason"] = None
    return found


def _predicted(run: Run, load: Callable[[str], Dataset], *, costs: NamedCosts) -> tuple[Dataset, Predictions]:
    """Return the data of a run and the answers of its network to the test set.

    Raises:
        NetlearnError: there is no network, or the data is not on this machine.
    """
    network = load_network(run, costs=costs)
    data = load(run.settings.data)
    if not is_data_of(run, data):
        raise RunError(f"the {data.name} on this machine has other files than the one that it was trained on")
    return data, predict(network, data.test)


def _reason(data: Dataset) -> str | None:
    """Return why the page cannot show the examples of a data set as images, or None if it can."""
    if data.image is None:
        return f"the examples of {data.name} are not images"
    if data.image[0] * data.image[1] > MOST_PIXELS:
        return f"the images of {data.name} are too large for this page"
    if scaled(data.test.inputs.min()) < 0 or scaled(data.test.inputs.max()) > 1:
        return f"the pixels of {data.name} are not numbers from 0 to 1"
    return None


def _of_network(variant: int, run: Run, predictions: Predictions, data: Dataset) -> dict[str, Any]:
    classes = max(2, data.outputs)
    counts = np.bincount(predictions.answers, minlength=classes)
    drawn = _reason(data) is None
    return {
        "variant": variant,
        "seed": run.settings.seed,
        "wrong": int((~predictions.correct).sum()),
        "total": len(predictions.answers),
        "silent": np.flatnonzero(counts == 0).tolist(),
        "mistakes": [_mistake(answer) for answer in predictions.worst(MOST_MISTAKES)] if drawn else [],
    }


def _mistake(answer: Answer) -> dict[str, Any]:
    return {
        "index": answer.index,
        "label": answer.label,
        "answer": answer.answer,
        "image": encode(answer.x),
        "outputs": [float(f"{output:.4g}") for output in answer.outputs],
    }


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
