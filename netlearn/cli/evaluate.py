"""`netlearn evaluate`: how well trained networks do, and where they are wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from netlearn.calibration import Calibration
from netlearn.cli.options import BEST, COST, EXISTING, JSON, OUT, QUIET, Command, completing
from netlearn.cli.progress import tell
from netlearn.cli.stored import data_of
from netlearn.cli.table import aligned
from netlearn.cli.terminal import echo_results
from netlearn.comparison.findings import percent
from netlearn.errors import SettingsError
from netlearn.inspection.derived import SETS, write_evaluation
from netlearn.inspection.evaluate import (
    SIGNIFICANT,
    SPLITS,
    ClassScores,
    Disagreement,
    Evaluation,
    disagreements,
    evaluate,
)
from netlearn.inspection.trained import read_trained, scaling_note
from netlearn.plotting.marks import letter
from netlearn.text import printable

TWO_NETWORKS = (
    "This compares two networks, not two costs or settings: for that, train several seeds with netlearn compare."
)


@click.command("evaluate", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="RUN...")
@click.option("--data", metavar="NAME|PATH", help="data set to evaluate on.  [default: that of the run]")
@click.option(
    "--split",
    default="test",
    metavar="NAME",
    shell_complete=completing(lambda: SPLITS),
    help=f"which of its examples; {', '.join(SPLITS)}.  [default: test]",
)
@BEST
@COST
@OUT
@QUIET
@JSON
def command(
    folders: tuple[Path, ...], data: str | None, split: str, best: bool | None, costs: tuple[str, ...],
    out: Path | None,
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
    used = dict.fromkeys(run.settings.cost for run in runs)
    for unused in set(costs) - used.keys():
        raise SettingsError(f"cost {unused}: must be the cost of a run, {', '.join(used)}")
    dataset = data_of(runs, data)
    evaluated = evaluate(runs, dataset, split, best=best, costs=dict.fromkeys(costs))
    for run in runs:
        if data is not None and (problem := scaling_note(run, dataset) or dataset.note):
            tell(f"{dataset.name}: {problem}")
    pairs = disagreements(evaluated)
    paths = write_evaluation(evaluated, dataset, out)
    evaluations = [each.evaluation for each in evaluated]
    results = {"evaluations": evaluations, "pairs": pairs, "files": [printable(str(path)) for path in paths]}
    echo_results(results, _text(evaluations, pairs, paths))


def _text(evaluations: Sequence[Evaluation], pairs: Sequence[Disagreement], paths: Sequence[Path]) -> str:
    first = evaluations[0]
    sections = [
        f"{SETS[first.split]} of {first.data}: {first.examples:,} examples",
        _overall(evaluations),
        _classes([each.classes for each in evaluations]),
        _calibrations("Is the largest output the probability that the answer is right?", evaluations, "answer"),
        _calibrations("Is each output, read as (a, 1 − a), the probability of its class?", evaluations, "outputs"),
        *(pair.describe() for pair in pairs),
        *([TWO_NETWORKS] if any(pair.p < SIGNIFICANT for pair in pairs) else []),
        "\n".join(
            f"{folder}: {', '.join(path.name for path in paths if path.parent == folder)}"
            for folder in dict.fromkeys(path.parent for path in paths)
        ),
    ]
    return "\n\n".join(sections)


def _overall(evaluations: Sequence[Evaluation]) -> str:
    names = [each.folder for each in evaluations]
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
        [str(of_class[0].label), f"{of_class[0].examples:,}"]
        + [percent(getattr(each, measure)) for measure in ("precision", "recall", "f1") for each in of_class]
        for of_class in zip(*scores, strict=True)
    ]
    return aligned([["class", "examples", *head], *lines])


def _calibrations(title: str, evaluations: Sequence[Evaluation], kind: str) -> str:
    """Return the scores of a kind of forecast, with a column for each run."""
    found: list[Calibration] = [getattr(each, kind) for each in evaluations]
    figures: dict[str, Callable[[Calibration], str]] = {
        "Brier score": lambda each: f"{each.brier:.5f}",
        "  reliability, best 0": lambda each: f"{each.reliability:.5f}",
        "  − resolution": lambda each: f"{each.resolution:.5f}",
        "  + uncertainty": lambda each: f"{each.uncertainty:.5f}",
        "  + variance − covariance within bins": lambda each: (
            f"{each.within_variance - each.within_covariance:.5f}".replace("-", "−")
        ),
        "negative log-likelihood": lambda each: f"{each.log_loss:.5f}",
        "calibration error": lambda each: percent(each.debiased),
        "  95 % interval": lambda each: " to ".join(f"{100 * bound:.2f}" for bound in each.interval) + " %",
        "  within chance": lambda each: "yes" if each.is_calibrated else "no",
        "  expected (ECE), not debiased": lambda each: percent(each.error),
    }
    head = ["", *(f" {letter(i)}" for i in range(len(found)))] if len(found) > 1 else []
    lines = [[name, *map(text, found)] for name, text in figures.items()]
    return f"{title}\n{aligned([head, *lines] if head else lines)}"
