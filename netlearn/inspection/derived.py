"""Files made from trained networks: pictures and predictions.csv, in the run folder or elsewhere."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netlearn.calibration import Calibration
from netlearn.custom_cost import NamedCosts
from netlearn.datasets import Dataset
from netlearn.errors import DataError, NetlearnError, RunError
from netlearn.inspection.evaluate import Evaluated, Evaluation
from netlearn.inspection.trained import check_data, load_network, load_present
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.plotting import drawing, drawn
from netlearn.predictions import predict
from netlearn.runs import SUMS, Groups, Run, RunFolder, Sums, selection, writing

if TYPE_CHECKING:
    from netlearn.plotting.style import Figure

PREDICTIONS = "predictions.csv"
MOST_EXAMPLES = 24  # in a picture
MOST_MISTAKES = 10  # of a variant
SETS = {"test": "test set", "validation": "validation set", "train": "training set"}


def write_evaluation(evaluated: Sequence[Evaluated], data: Dataset, out: Path | None = None) -> list[Path]:
    """Write predictions.csv and the pictures of each run, and where several runs disagree; return the paths.

    Args:
        evaluated: the runs, evaluated on the same examples.
        data: the data set of the examples.
        out: the folder to write to, with a folder in it for each of several runs; None writes to the run folders, and
            the disagreements to the first one.
    """
    paths = []
    for each, name in zip(evaluated, _names(evaluated), strict=True):
        folder = out if out is None or len(evaluated) == 1 else out / name
        none: dict[str, Figure | None] = {}
        pictures = drawn("pictures", partial(_pictures_of, each, data), none)
        paths += write_files(each.run, folder, pictures, {PREDICTIONS: each.predictions.encode()})
    if len(evaluated) > 1:
        disagreements = drawn("disagreements", partial(_disagreements, evaluated, data), None)
        paths += write_files(evaluated[0].run, out, {"disagreements": disagreements})
    return paths


def _names(evaluated: Sequence[Evaluated]) -> list[str]:
    """Return a different name for each run, that of its folder if possible."""
    own = [each.run.folder.resolve().name for each in evaluated]
    names: list[str] = []
    for place, name in enumerate(own):
        others = {*names, *own[place + 1 :]} if name in names else set(names)
        numbered = (f"{name}-{number}" for number in count(2))
        names.append(next(free for free in chain([name], numbered) if free not in others))
    return names


@drawing()
def _pictures_of(evaluated: Evaluated, data: Dataset) -> "dict[str, Figure | None]":
    from netlearn.plotting import networks  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.single import reliability  # noqa: PLC0415

    _, evaluation, predictions = evaluated
    correct = int(predictions.correct.sum())
    score = f"{correct:,} of {evaluation.examples:,} correct ({100 * evaluation.accuracy:.2f} %)"
    which_set = f"{evaluation.folder}: {_set_of(evaluation)}"
    worst = predictions.worst(MOST_EXAMPLES)
    wrong = evaluation.examples - correct
    which = "The mistakes" if wrong == len(worst) else f"The {len(worst)} of {wrong:,} mistakes with the largest cost"
    panels = {
        "The largest output: is the answer right?": _reliability(evaluation.answer),
        "Each output: is the label its class?": _reliability(evaluation.outputs),
    }
    return {
        "reliability": reliability(panels, f"{which_set}\nDoes what an output calls 80 % likely happen in 80 %?"),
        "confusion": networks.confusion(predictions.confusion(), f"{which_set}\n{score}"),
        "mistakes": networks.mistakes(worst, data.image, f"{which_set}, {score}\n{which}") if worst else None,
    }


def _reliability(found: Calibration) -> tuple[Array, str]:
    """Return the bins of a reliability diagram, and a line about them."""
    error, low, high = (f"{100 * each:.2f}" for each in (found.debiased, *found.interval))
    bins = np.array([(each.mean, each.share, each.low, each.high, each.forecasts) for each in found.bins])
    return bins, f"calibration error {error} % (95 % interval {low} to {high} %)"


@drawing()
def _disagreements(evaluated: Sequence[Evaluated], data: Dataset) -> "Figure | None":
    from netlearn.plotting import networks  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    predictions = [each.predictions for each in evaluated]
    correct = np.array([each.correct for each in predictions])
    disputed = np.flatnonzero(correct.any(axis=0) & ~correct.all(axis=0))
    if not disputed.size:
        return None
    labels, first = predictions[0].examples.labels[disputed], evaluated[0].evaluation
    wrong = [np.bincount(labels[~row], minlength=len(first.classes)) for row in correct[:, disputed]]
    margins = np.array([_margins(each.outputs[disputed]) for each in predictions])
    shown = disputed[np.argsort(-margins.min(axis=0), kind="stable")[:MOST_EXAMPLES]]
    given = {
        f"{evaluation.folder} ({100 * evaluation.accuracy:.2f} % correct)": predictions.select(shown)
        for _, evaluation, predictions in evaluated
    }
    title = f"{_set_of(first)}: {disputed.size:,} of {first.examples:,} examples are correct in some runs only"
    return networks.disagreements(given, np.array(wrong), data.image, title)


def _margins(outputs: Array) -> Array:
    """Return how far the strongest output of each row is above the next, or a single output from ½."""
    if outputs.shape[1] == 1:
        margins: Array = np.abs(outputs[:, 0] - 0.5)
        return margins
    ascending = np.sort(outputs, axis=1)
    return ascending[:, -1] - ascending[:, -2]


def _set_of(evaluation: Evaluation) -> str:
    return f"{SETS[evaluation.split]} of {Path(evaluation.data).name}"


@drawing()
def draw_weights(run: Run, data: Dataset, initial: Network | None, *, best: bool | None = None) -> "Figure":
    """Return the picture of the weights from the inputs to the neurons of the first layer.

    Args:
        run: as `read_run` returns it.
        data: a data set of images that fits the network.
        initial: the network that the run started from; None leaves it out.
        best: which weights, see `load_network`.
    """
    from netlearn.plotting import networks  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    check_data(run, data)
    if data.image is None:
        raise DataError(f"data {data.name}: its examples must be images")
    trained = run.weights(run.weights_file(best=best))["weights.1"]
    count, shown = len(trained), min(len(trained), networks.MOST_NEURONS)
    panels = {} if initial is None else {"before training": initial.weights[0][:shown]}
    panels["after training"] = trained[:shown]
    if initial is not None:  # large initial weights hide what was learned
        panels["learned: after − before"] = trained[:shown] - initial.weights[0][:shown]
    hidden = bool(run.settings.hidden)
    which = f"the first {shown} of {count} " if shown < count else f"the {count} "
    title = f"{run.folder}: the weights to {which}{'neurons of hidden layer 1' if hidden else 'output neurons'}"
    names = [str(neuron) for neuron in range(1 if hidden else 0, shown + 1)]
    return networks.weights(panels, names[:shown], data.image, title)


def write_files(
    run: Run, out: Path | None, pictures: "Mapping[str, Figure | None]", tables: Mapping[str, bytes] | None = None
) -> list[Path]:
    """Write files made from a run to its folder, or to another one; return their paths.

    Args:
        run: as `read_run` returns it.
        out: the other folder.
        pictures: by name, written as .png and .svg; of one that is None, older files are removed.
        tables: the content of other files.

    Raises:
        RunError: the folder is in use or cannot be written, the run was changed meanwhile, or a complete comparison
            in the other folder has files of these names.
    """
    from netlearn.plotting.style import FORMATS, render_files  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    files, nothing = dict(tables or {}), dict[str, bytes]()
    for name, figure in pictures.items():
        files |= drawn(name, partial(render_files, name, figure), nothing) if figure else nothing
    absent = [f"{name}.{kind}" for name, figure in pictures.items() if figure is None for kind in FORMATS]
    path = run.folder if out is None else out
    with RunFolder.open(path) as folder:
        sealed = Sums.read(path).hashes if (path / SUMS).exists() else {}
        if out is None and (run.sums is None or sealed != run.sums.hashes):
            raise RunError(f"{path}: was changed meanwhile; try again")
        for name in sealed.keys() & {*files, *absent}:
            raise RunError(f"{path / name}: belongs to a comparison; --out must be another folder")
        for name, content in files.items():
            folder.write(name, content)
        with writing(path):
            for name in absent:
                (path / name).unlink(missing_ok=True)
    return [path / name for name in files]


@drawing()
def mistakes(groups: Groups, title: str, costs: NamedCosts) -> "Figure | None":
    """Return the worst mistakes on the test set of each variant's first seed, or None if none can be shown.

    A variant is left out if its first run has no trained network, or if its data is not on this machine, has changed
    since the run or has no images.

    Args:
        groups: the runs of each variant.
        title: of the picture.
        costs: the users' own costs whose code may be imported.
    """
    from netlearn.plotting.lines import titles  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.networks import variant_mistakes  # noqa: PLC0415

    shown = selection.select(groups)
    names = titles(groups)
    load = lru_cache(load_present)
    rows = []
    for name, (first, *_) in shown.items():
        with suppress(NetlearnError):
            data = load(first.settings.data)
            if data.image is not None and first.has_data(data):
                predictions = predict(load_network(first, costs=costs), data.test)
                wrong = int((~predictions.correct).sum())
                heading = f"{names[name]}, seed {first.settings.seed}: {wrong:,} of {len(data.test):,} wrong"
                rows.append((heading, predictions.worst(MOST_MISTAKES), data.image))
    title = f"{selection.titled(title, groups)}\nThe mistakes with the largest cost"
    return variant_mistakes(rows, title) if rows else None
