"""What the sections of the page say about the figures, in sentences that claim no more than the figures do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from netlearn.runs import Run

MOST_NAMED = 4  # variants, or runs, in a sentence
NEVER = 0.01  # a recall below it


def on_speed(groups: Mapping[str, Sequence[Run]]) -> str:
    """Return what the learning speed of each variant was at updates 0 and 100, on the mean of its seeds."""
    said = []
    for name, runs in groups.items():
        start, later = (_mean(run.at_update("learning_speed", update) for run in runs) for update in (0, 100))
        if start is not None:
            then = "" if later is None else f" at update 0 and {later:.3g} at update 100"
            said.append(f"{name} {start:.3g}{then}")
    if not said:
        return ""
    return f"Gradient that an output neuron gets per unit of its error: {_some(said)}."


def on_neurons(neurons: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return how many output neurons were badly wrong at the first sampled update, and their mean gradient."""
    update = neurons["updates"][0]
    said = []
    for variant in neurons["variants"]:
        sample = variant["samples"].get(update)
        if sample is not None and sample["wrong"]:
            share = 100 * sample["wrong"] / sample["total"]
            name = names[variant["variant"]]
            said.append(
                f"{name} {share:.0f} % of its output neurons, with a mean gradient of {sample['wrongMean']:.3g}"
            )
    return f"At update {update}, these have an error above 0.9: {_some(said, '; ')}." if said else ""


def on_silence(examples: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return which classes the networks never answer on the test set."""
    silent = [
        f"{names[each['variant']]} (seed {each['seed']}) never answers {_list(map(str, each['silent']))}"
        for each in examples["variants"]
        if each["silent"]
    ]
    if not examples["variants"]:
        return ""
    total = examples["variants"][0]["total"]
    if not silent:
        return f"Each of these networks gives every answer at least once on the {total:,} test examples."
    return f"On the {total:,} test examples, {_some(silent)}."


def on_recall(groups: Mapping[str, Sequence[Run]]) -> str:
    """Return which runs recognize hardly any example of a class, and otherwise the lowest recall of all."""
    lost, lowest = [], (2.0, "")
    for name, runs in groups.items():
        for run in runs:
            recall = run.summary.recall if run.summary else ()
            gone = [str(label) for label, share in enumerate(recall) if share is not None and share < NEVER]
            if gone:
                lost.append(f"{name}, seed {run.settings.seed}: {_list(gone)}")
            for label, share in enumerate(recall):
                if share is not None:
                    lowest = min(lowest, (share, f"{label} by {name}, seed {run.settings.seed}: {100 * share:.1f} %"))
    if lost:
        return f"Less than 1 % of these classes is recognized: {_some(lost, '; ')}."
    return f"The lowest recall of all is that of class {lowest[1]}." if lowest[1] else ""


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(present)) if present else None


def _some(texts: Sequence[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return separator.join(texts[:MOST_NAMED]) + more


def _list(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last
