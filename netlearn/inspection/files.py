"""Files made from trained networks: pictures and predictions.csv, in the run folder or elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.inspection.evaluation import Evaluated, Evaluation
from netlearn.numerics import Array
from netlearn.runs import Run, RunFolder, Sums, sums
from netlearn.runs.files import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREDICTIONS = "predictions.csv"
KINDS = ("png", "svg")
MOST_SHOWN = 24  # examples in a picture
SETS = {"test": "test set", "validation": "validation set", "train": "training set"}
Files = dict[str, bytes | None]  # None: nothing to show; an older file is removed


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
        paths += write_files(_files_of(each, data), each.run, folder)
    if len(evaluated) > 1:
        paths += write_files(_disagreement_files(evaluated, data), evaluated[0].run, out)
    return paths


def _names(evaluated: Sequence[Evaluated]) -> list[str]:
    """Return a different name for each run, that of its folder if possible."""
    names: list[str] = []
    for each in evaluated:
        name = each.run.folder.resolve().name
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return names


def _files_of(evaluated: Evaluated, data: Dataset) -> Files:
    from netlearn.plotting import inspection  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    _, evaluation, predictions = evaluated
    correct = int(predictions.correct.sum())
    caption = (
        f"{evaluation.run}: {_set_of(evaluation)}\n"
        f"{correct:,} of {evaluation.examples:,} examples correct ({100 * evaluation.accuracy:.2f} %)"
    )
    worst = predictions.worst(MOST_SHOWN)
    wrong = evaluation.examples - correct
    which = "The mistakes" if wrong == len(worst) else f"The {len(worst)} of {wrong:,} mistakes with the largest cost"
    return {
        PREDICTIONS: predictions.encode(),
        **render_all("confusion", inspection.confusion(predictions.confusion(), caption)),
        **render_all("mistakes", inspection.mistakes(worst, data.image, f"{caption}\n{which}") if worst else None),
    }


def _disagreement_files(evaluated: Sequence[Evaluated], data: Dataset) -> Files:
    from netlearn.plotting import inspection  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    predictions = [each.predictions for each in evaluated]
    correct = np.array([each.correct for each in predictions])
    disputed = np.flatnonzero(correct.any(axis=0) & ~correct.all(axis=0))
    if not disputed.size:
        return render_all("disagreements", None)
    labels, first = predictions[0].examples.labels[disputed], evaluated[0].evaluation
    wrong = [np.bincount(labels[~row], minlength=len(first.classes)) for row in correct[:, disputed]]
    margins = np.array([_margins(each.outputs[disputed]) for each in predictions])
    shown = disputed[np.argsort(-margins.min(axis=0), kind="stable")[:MOST_SHOWN]]
    given = {
        f"{evaluation.run} ({100 * evaluation.accuracy:.2f} % correct)": predictions.select(shown)
        for _, evaluation, predictions in evaluated
    }
    title = f"{_set_of(first)}: {disputed.size:,} of {first.examples:,} examples are correct in some runs only"
    return render_all("disagreements", inspection.disagreements(given, np.array(wrong), data.image, title))


def _margins(outputs: Array) -> Array:
    """Return how far the strongest output of each row is above the next, or a single output from ½."""
    if outputs.shape[1] == 1:
        margins: Array = np.abs(outputs[:, 0] - 0.5)
        return margins
    ascending = np.sort(outputs, axis=1)
    return ascending[:, -1] - ascending[:, -2]


def _set_of(evaluation: Evaluation) -> str:
    return f"{SETS[evaluation.split]} of {Path(evaluation.data).name}"


def render_all(name: str, figure: "Figure | None") -> Files:
    """Return a figure as PNG and SVG files of a name, None for each if there is no figure."""
    from netlearn.plotting.style import render_files  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    if figure is None:
        return {f"{name}.{kind}": None for kind in KINDS}
    return dict(render_files(name, figure))


def write_files(files: Mapping[str, bytes | None], run: Run, out: Path | None = None) -> list[Path]:
    """Write files made from a run to its folder, or to another one; return their paths.

    Raises:
        RunError: the folder is in use or cannot be written, the run was changed meanwhile, or a complete comparison
            in the other folder has files of these names.
    """
    path = run.folder if out is None else out
    with RunFolder.open(path) as folder:
        sealed = Sums.read(path).hashes if (path / sums.NAME).exists() else {}
        if out is None and (run.sums is None or sealed != run.sums.hashes):
            raise RunError(f"{path}: was changed meanwhile; try again")
        for name in sealed.keys() & files.keys():
            raise RunError(f"{path / name}: belongs to a comparison; --out must be another folder")
        for name, content in files.items():
            if content is None:
                with writing(path):
                    (path / name).unlink(missing_ok=True)
            else:
                folder.write(name, content)
    return [path / name for name, content in files.items() if content is not None]
