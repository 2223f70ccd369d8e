"""`netlearn evaluate`: how well trained networks do, and where they are wrong."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from click.shell_completion import CompletionItem

from netlearn import datasets
from netlearn.cli.options import BEST, COST, EXISTING, JSON, PATH, QUIET, Command
from netlearn.cli.progress import download_bar, note
from netlearn.cli.terminal import echo
from netlearn.comparison.table import aligned, percent
from netlearn.inspection.calibration import Calibration
from netlearn.inspection.evaluate import SPLITS, ClassScores, Disagreement, Evaluation, disagreements, evaluate
from netlearn.inspection.files import SETS, write_evaluation
from netlearn.inspection.trained import data_name, is_data_of, read_trained, unlike
from netlearn.plotting.marks import letter
from netlearn.text import printable


def _complete_split(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in SPLITS if name.startswith(incomplete)]


@click.command("evaluate", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="RUN...")
@click.option("--data", metavar="NAME|PATH", help="data set to evaluate on.  [default: that of the run]")
@click.option(
    "--split",
    default="test",
    metavar="NAME",
    shell_complete=_complete_split,
    help=f"which of its examples; {', '.join(SPLITS)}.  [default: test]",
)
@BEST
@COST
@click.option("--out", type=PATH, metavar="FOLDER", help="folder for the files.  [default: the run folder]")
@QUIET
@JSON
def command(
    folders: tuple[Path, ...], data: str | None, split: str, best: bool | None, costs: tuple[str, ...],
    out: Path | None, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """Evaluate the trained network of a run, and show where it is wrong.

    Prints the cost, the accuracy with its 95 % confidence interval (Wilson's), and precision, recall and F1 of each
    class; then whether outputs are probabilities: Brier score with its decomposition, negative log-likelihood and
    calibration error. Writes the confusion matrix (confusion.png and .svg), the mistakes with the largest cost
    (mistakes.png and .svg), the reliability diagram (reliability.png and .svg) and predictions.csv, with the index,
    label, answer and outputs of each example.

    Several RUNs are evaluated side by side on the same examples. McNemar's exact test shows for each pair whether the
    difference is significant, and disagreements.png and .svg in the first run's folder show where they differ. With
    --out, each run gets a folder of its own there.
    """
    runs = read_trained(folders)
    dataset = datasets.load(data_name(runs) if data is None else data, None if quiet else download_bar)
    for run in runs:
        if data is None and not (quiet or is_data_of(run, dataset)):
            note(
                f"{run.folder}: was trained on another version of {dataset.name}: its files have other SHA-256 hashes"
            )
    evaluated = evaluate(runs, dataset, split, best=best, costs=dict.fromkeys(costs))
    for run in runs:
        if data is not None and not quiet and (problem := unlike(run, dataset) or dataset.note):
            note(f"{dataset.name}: {problem}")
    pairs = disagreements(evaluated)
    paths = write_evaluation(evaluated, dataset, out)
    evaluations = [each.evaluation for each in evaluated]
    results = {"evaluations": evaluations, "pairs": pairs, "files": [printable(str(path)) for path in paths]}
    echo(msgspec.json.encode(results) if as_json else _text(evaluations, pairs, paths))


def _text(evaluations: Sequence[Evaluation], pairs: Sequence[Disagreement], paths: Sequence[Path]) -> str:
    first = evaluations[0]
    sections = [
        f"{SETS[first.split]} of {first.data}: {first.examples:,} examples",
        _overall(evaluations),
        _classes([each.classes for each in evaluations]),
        _calibrations("Is the largest output the probability that the answer is right?", evaluations, "answer"),
        _calibrations("Is each output, read as (a, 1 − a), the probability of its class?", evaluations, "outputs"),
        *(pair.describe() for pair in pairs),
        "\n".join(f"{folder}: {', '.join(names)}" for folder, names in _by_folder(paths).items()),
    ]
    return "\n\n".join(sections)


def _overall(evaluations: Sequence[Evaluation]) -> str:
    names = [each.run for each in evaluations]
    if len(names) > 1:
        names = [f"{letter(i)}: {name}" for i, name in enumerate(names)]
    intervals = [[f"{100 * bound:.2f}" for bound in each.accuracy_interval] for each in evaluations]
    return aligned(
        [
            ["", *names],
            ["weights", *(each.weights for each in evaluations)],
            ["cost", *(f"{each.cost:.4f}" for each in evaluations)],
            ["accuracy", *(percent(each.accuracy) for each in evaluations)],
            ["  95 % interval", *(f"{low} to {high} %" for low, high in intervals)],
        ]
    )


def _classes(scores: Sequence[Sequence[ClassScores]]) -> str:
    """Return a line for each class; each measure has a column for each run."""
    letters = [f" {letter(i)}" for i in range(len(scores))] if len(scores) > 1 else [""]
    head = [f"{measure}{name}" for measure in ("precision", "recall", "F1") for name in letters]
    lines = [
        [
            str(of_class[0].label),
            f"{of_class[0].examples:,}",
            *(percent(each.precision) for each in of_class),
            *(percent(each.recall) for each in of_class),
            *(percent(each.f1) for each in of_class),
        ]
        for of_class in zip(*scores, strict=True)
    ]
    return aligned([["class", "examples", *head], *lines])


def _calibrations(title: str, evaluations: Sequence[Evaluation], kind: str) -> str:
    """Return the scores of a kind of forecast, with a column for each run."""
    found: list[Calibration] = [getattr(each, kind) for each in evaluations]
    within = [each.within_variance - each.within_covariance for each in found]
    intervals = [f"{low:.4f} to {high:.4f}" for low, high in (each.interval for each in found)]
    lines = [
        ["", *(f" {letter(i)}" if len(found) > 1 else "" for i in range(len(found)))],
        ["Brier score", *(f"{each.brier:.5f}" for each in found)],
        ["  reliability, best 0", *(f"{each.reliability:.5f}" for each in found)],
        ["  − resolution", *(f"{each.resolution:.5f}" for each in found)],
        ["  + uncertainty", *(f"{each.uncertainty:.5f}" for each in found)],
        ["  + variance − covariance within bins", *(f"{each:.5f}" for each in within)],
        ["negative log-likelihood", *(f"{each.log_loss:.5f}" for each in found)],
        ["calibration error, mean", *(f"{each.error:.4f}" for each in found)],
        ["  root mean square, debiased", *(f"{each.debiased:.4f}" for each in found)],
        ["  95 % interval", *intervals],
        ["  within chance", *("yes" if each.is_calibrated else "no" for each in found)],
    ]
    return f"{title}\n{aligned(lines if len(found) > 1 else lines[1:])}"


def _by_folder(paths: Sequence[Path]) -> dict[Path, list[str]]:
    folders: dict[Path, list[str]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path.name)
    return folders
