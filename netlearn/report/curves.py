"""The curves of the page: what the probes measured, and sentences that claim no more than the figures do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from netlearn.numerics import Array
from netlearn.plotting.gradients import BOUNDED, MOST_TOGETHER
from netlearn.plotting.lines import against_epochs, band, layers_of, measured, of_the_neuron, values_from, with_gap
from netlearn.plotting.speed import fit_one_panel
from netlearn.runs import Groups, Run, selection
from netlearn.text import separator

NEURON = ("output_error", "train_cost", "learning_speed")  # of single neurons, whose wanted output is 0
COLUMNS = ("validation_accuracy", "train_cost", "learning_speed", "stuck")
TRACKED = ("test_cost", "gap", "test_accuracy", "train_accuracy")  # where the test set was
SAME = 1e-3  # of a learning speed that is the same everywhere
MOST_PLACES = 6000  # of all variants together, in each curve
FEWEST_PLACES = 40  # of a variant
MOST_POINTS = 250  # output neurons of a variant that are drawn at an update
NAMED = 3  # the best, the median and the worst, which come first
BINS = 20  # of the error, in the table of output neurons
MOST_NAMED = 4  # variants, or runs, in a sentence
NEVER = 0.01  # a recall below it


def curves(groups: Groups) -> dict[str, Any]:
    """Return the mean, lowest and highest value over the seeds of each variant at its probes, by column.

    Of very many probes only some are kept, evenly spaced on a log axis; `thinned` says so.
    """
    most = max(FEWEST_PLACES, MOST_PLACES // len(groups))
    lengths = {run.updates_per_epoch for run in measured(groups)}
    measures = NEURON if of_the_neuron(groups) else COLUMNS
    variants = [_variant(runs, measures, most) for runs in groups.values()]
    return {
        "perEpoch": lengths.pop() if len(lengths) == 1 else None,
        "epochs": of_the_neuron(groups) or against_epochs(groups),
        "layered": not fit_one_panel(selection.select(groups)),
        "thinned": any(variant.pop("thinned") for variant in variants),
        "variants": variants,
    }


def _variant(runs: Sequence[Run], measures: Sequence[str], most: int) -> dict[str, Any]:
    columns = [*measures, *(f"speed_{layer}" for layer in range(1, layers_of(runs) + 1))]
    if any("test_cost" in run.metrics for run in runs):
        runs = [with_gap(run) for run in runs]
        columns += TRACKED
    found = {}
    thinned = False
    for column in columns:
        places, figures = band(runs, column)
        kept = spread(len(places), most)
        thinned = thinned or len(kept) < len(places)
        found[column] = [_rounded(row, 5) for row in (places[kept], *figures[:, kept])]
    return {"thinned": thinned, "columns": found}


def compares_speeds(groups: Groups) -> bool:
    """Return whether outputs differ in their learning speed: with several costs, or one whose speed changes."""
    if len({run.settings.cost for run in measured(groups)}) != 1:
        return True
    speeds = values_from(0, groups, "learning_speed")
    return not np.allclose(speeds, speeds.mean() if speeds.size else 0, rtol=SAME)


def spread(count: int, most: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return at most that many of the indices below `count`: the first ones, the last, and fewer in between."""
    kept = np.geomspace(1, max(1, count), most if count > most else max(1, count)).round().astype(np.int64) - 1
    return np.arange(count) if count <= most else np.unique(kept)


def neurons(groups: Groups) -> dict[str, Any] | None:
    """Return error and gradient of single output neurons at the updates at which they were sampled.

    Of many variants some are kept, as in the picture. A table counts the neurons by their error,
    in bins of equal width, each with their mean gradient. None if there are no samples.
    """
    if of_the_neuron(groups):
        return None
    costs = {runs[0].settings.cost: name for name, runs in reversed(list(groups.items()))}
    chosen = [name for name in groups if len(groups) <= MOST_TOGETHER or name in costs.values()]
    if len(groups) > selection.MOST_SHOWN:
        chosen = list(groups)[:NAMED]
    variants, updates = [], set[int]()
    for name in chosen:
        run = next((run for run in groups[name] if run.samples()), None)
        if run is not None:
            samples = {update: _sample(*sample) for update, sample in run.samples().items()}
            updates |= samples.keys()
            variants.append({"variant": list(groups).index(name), "seed": run.settings.seed, "samples": samples})
    selected = len(chosen) < len(groups)
    return {"updates": sorted(updates), "variants": variants, "selected": selected} if updates else None


def _sample(error: Array, gradient: Array) -> dict[str, Any]:
    """Return points to draw, evenly spaced in the order of their errors, and the counts and means of all up to 1."""
    order = np.argsort(error, kind="stable")
    drawn = order[np.linspace(0, len(order) - 1, min(MOST_POINTS, len(order))).round().astype(int)]
    place = np.minimum((error[error <= BOUNDED] * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums = np.bincount(place, weights=gradient[error <= BOUNDED], minlength=BINS)
    means, wrong = np.divide(sums, counts, out=np.zeros(BINS), where=counts > 0), error > 0.9
    return {
        "error": _rounded(error[drawn], 3), "gradient": _rounded(gradient[drawn], 3), "counts": counts.tolist(),
        "means": _rounded(means, 3), "wrong": int(wrong.sum()),
        "wrongMean": float(gradient[wrong].mean()) if wrong.any() else None, "total": len(error),
    }  # fmt: skip


def _rounded(values: Array, digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]


def on_speed(groups: Groups) -> str:
    """Return what the learning speed of each variant was at updates 0 and 100, on the mean of its seeds."""
    said, unit = [], "epochs" if of_the_neuron(groups) else "updates"
    for name, runs in groups.items():
        start, later = (_mean(run.at_update("learning_speed", update) for run in runs) for update in (0, 100))
        if start is not None:
            then = "" if later is None else f" and {later:.3g}"
            said.append(f"{start:.3g}{then} with {name}")
    what = f"Gradient that an output neuron gets per unit of its error, at {unit} 0 and 100"
    most = selection.MOST_SHOWN if len(groups) <= selection.MOST_SHOWN else NAMED
    return f"{what}: {_some(said, most=most)}." if said else ""


def on_layers(groups: Groups) -> str:
    """Return how many times as fast as the first layer the output layer learns at update 100, by variant."""
    said: list[str] = []
    for name, runs in groups.items():
        count = layers_of(runs)
        first, last = (_mean(run.at_update(f"speed_{layer}", 100) for run in runs) for layer in (1, count))
        if first and last and count > 1:
            ratio = last / first
            times = f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
            said.append(f"{times} times{'' if said else ' as fast as layer 1'} with {name}")
    most = selection.MOST_SHOWN if len(groups) <= selection.MOST_SHOWN else NAMED
    return f"At update 100 the output layer learns {_some(said, most=most)}." if said else ""


def on_silence(examples: Mapping[str, Any], names: Sequence[str], classes: Sequence[str] = ()) -> str:
    """Return which classes, by their names if they have some, the networks never answer on the test set."""
    silent = [
        f"{names[each['variant']]} (seed {each['seed']}) never answers {_classes(each['silent'], classes)}"
        for each in examples["variants"]
        if each["silent"]
    ]
    if not examples["variants"]:
        return ""
    total = examples["variants"][0]["total"]
    if not silent:
        never = [
            f"{names[each['variant']]} (seed {each['seed']}) is never right with {_classes(each['lost'], classes)}"
            for each in examples["variants"]
            if each["lost"]
        ]
        but = f", but {_some(never)}" if never else ""
        return f"Each of these networks gives every answer at least once on the {total:,} test examples{but}."
    return f"On the {total:,} test examples, {_some(silent)}."


def on_recall(groups: Groups, classes: Sequence[str] = ()) -> str:
    """Return which runs recognize hardly any example of a class, and otherwise the lowest recall of all.

    `classes` are their names if they have some.
    """
    lost, lowest = [], (2.0, "")
    for name, runs in groups.items():
        for run in runs:
            recall = run.summary.recall if run.summary else ()
            gone = [label for label, share in enumerate(recall) if share is not None and share < NEVER]
            if gone:
                lost.append(f"{_classes(gone, classes)} by {name}, seed {run.settings.seed}")
            for label, share in enumerate(recall):
                if share is not None:
                    where = f"{_classes([label], classes)} by {name}, seed {run.settings.seed}"
                    lowest = min(lowest, (share, f"{where}: {100 * share:.1f} %"))
    if lost:
        return f"Less than 1 % is recognized of these classes: {_some(lost, '; ')}."
    return f"The lowest recall of all is that of class {lowest[1]}." if lowest[1] else ""


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(present)) if present else None


def _some(texts: Sequence[str], between: str = "", most: int = MOST_NAMED) -> str:
    between = between or separator(texts[:most])
    more = f"{between}and {len(texts) - most} more" if len(texts) > most else ""
    return between.join(texts[:most]) + more


def _classes(labels: Iterable[int], classes: Sequence[str]) -> str:
    return _list(classes[label] if label < len(classes) else str(label) for label in labels)


def _list(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last
