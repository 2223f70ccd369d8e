"""The page on what cures the learning slowdown, docs/cures.md; all of its figures are those of the runs."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from netlearn.comparison import catalogue
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.findings import cells
from netlearn.comparison.tasks import tasks_of
from netlearn.runs import Run, read_run, write_whole
from netlearn.runs.setup import environment
from scripts import answers
from scripts.answers import EARLY, Results, spread
from scripts.captions import SHOWN

PICTURES = {  # of each experiment, the one that answers its question
    "cures": "cures",
    "rates": "against",
    "schedule": "curves",
    "dropout": "overfitting",
    "deformed": "curves",
    "layer-speeds": "layers",
    "best": "curves",
    "simard": "curves",
}
LONG = ("best", "simard")  # `make reproduce-long`
SPEEDS = "layer-speeds"  # the experiment whose runs are compared with the book's
BESIDE = {  # what a picture shows, or does not, in runs with the files' own settings
    "cures": (
        "Each remedy changes one thing of the quadratic cost with large initial weights and plain gradient descent; "
        "an optimizer and a cost bring their own η. In the lower panel a bar reaches from the last probe below an "
        "accuracy to the first one at or above it. With scaled weights no output is badly wrong at the start, which "
        "a log scale cannot show; the first update drives all outputs towards 0, so that a tenth of them, those that"
        " should be 1, are badly wrong for some 100 updates."
    ),
    "rates": (
        "With cross-entropy any η from 0.03 to 3 gives more than 92 % at the end. With the quadratic cost none does "
        "in the mean of the seeds, and these differ widely."
    ),
    "schedule": (
        "η is halved whenever the validation accuracy has not improved for 5 epochs. All three variants have "
        "cross-entropy and λ = 5, so that their costs, which include the penalty on weights, can be compared."
    ),
    "dropout": (
        "Dropout raises the test accuracy by more than three points, yet it does not stop overfitting: the test cost "
        "still rises from epoch 24 on, and ends above that without dropout, since the wrong answers become more and "
        "more certain. The cost with λ = 0.1 includes the penalty on weights and is not drawn; in the test cost "
        "minus the training cost the penalty cancels."
    ),
    "deformed": (
        "`shift` moves a digit by one pixel up, down, left or right, or not at all; `affine` rotates it by up to 15° "
        "and skews it by up to 0.2; `elastic` moves each pixel by a smooth random field (Simard 2003, with σ = 4 "
        "pixels and α = 34). Costs and accuracies are those of plain digits, those of the training set too. Its cost "
        "is higher for networks that learned from deformed digits, since they have seen few of the plain ones."
    ),
    "layer-speeds": (
        "Layers are counted from the input, and the last one is the output layer, which the book did not record. "
        "With one mini-batch of all 1,000 images an epoch is an update. Rings are the speeds that the book recorded."
    ),
    "best": (
        "Lines end where training stopped, after 12 epochs without a better validation accuracy. "
        "The two networks differ in more than the deformation: `dropout` is 784-1024-1024-10 with dropout 0.5 and "
        "max-norm 2, `elastic` is 784-800-800-10 with neither. Both have softmax outputs with the log-likelihood "
        "cost, Adam and mini-batches of 100. η is halved after 4 and after 3 epochs without a better validation "
        "accuracy. The test accuracy is that of the weights with the best validation accuracy."
    ),
    "simard": (
        "Both networks learn from elastic digits, with Adam and mini-batches of 100; η is halved after 2 epochs "
        "without a better validation accuracy. Each cost has its own unit, so only the accuracies can be compared. "
        "The test accuracy is that of the weights with the best validation accuracy."
    ),
}
WEIGHTS = {"large": "N(0, 1)", "scaled": "N(0, 1/n_in)"}
COLUMNS = {  # lines of the table of a comparison
    "learning rate η": "η", "test accuracy": "test accuracy", "lowest seed": "lowest seed",
    "updates to 80 % validation": "updates to 80 %", "updates to 90 % validation": "to 90 %",
    "updates to 95 % validation": "to 95 %",
}  # fmt: skip


def page(
    plans: Mapping[str, Experiment], found: Mapping[str, Results], runs: Path, pictures: Path, command: str,
    problems: Mapping[str, Sequence[str]], *, notes: bool,
) -> str:  # fmt: skip
    """Return the page, and copy its pictures to a folder beside it.

    Args:
        plans: the experiments, by name.
        found: the results of those that are done.
        runs: the folder with a folder for each.
        pictures: where the pictures go.
        command: what made the page.
        problems: why experiments that were just tried are not done.
        notes: whether the sentences in `BESIDE` apply to these runs.
    """
    machine = environment()
    head = f"""# What cures the learning slowdown?

Made by `{command}` and `make reproduce-long`, with {machine["blas"]} on {machine["cpu"]}.

A badly wrong sigmoid neuron learns slowly with the quadratic cost, because its gradient carries a factor σ'(z); the
cross-entropy cost cancels it. Michael Nielsen's *Neural Networks and Deep Learning* names other remedies, for the
slowdown and for what limits a network afterwards. Here are experiments on several of these, and on two newer
optimizers, RMSprop and Adam. Accuracies are mean ± standard deviation over the seeds. Where a line says "or", the
variants differ: each has one of the networks, initial weights or numbers of epochs.
"""
    sections = [
        _section(name, plan, found.get(name), runs / name, pictures, problems.get(name, ()), notes=notes)
        for name, plan in plans.items()
    ]
    return "\n".join([head, *sections, answers.published(found)])


def _section(
    name: str,
    plan: Experiment,
    found: Results | None,
    folder: Path,
    pictures: Path,
    problems: Sequence[str],
    *,
    notes: bool,
) -> str:
    about = catalogue.read_about(catalogue.files()[name])
    head = f"## {plan.title}\n\n{about.question} `netlearn compare {name}`"
    listed = "\n".join(f"- {problem}" for problem in problems)
    if found is None:
        command = "make reproduce-long" if name in LONG else "make reproduce"
        parts = [f"{head}: not all of its runs are done; `{command}` does them."]
    else:
        parts = [f"{head}, {len(found.seeds)} seeds, {about.run_time}.", _networks(plan)]
        runs = [read_run(task.folder, task.variant) for task in tasks_of(plan, folder)] if name == SPEEDS else []
        picture = _picture(name, plan.title, folder, pictures, runs)
        parts += [f"![{SHOWN[PICTURES[name]]}. {plan.title}]({picture})"] if picture else []
        parts += [BESIDE[name]] if notes and picture else []
        if name == SPEEDS:
            parts += answers.beside_the_book(runs)
        else:
            parts += [_table(found), *answers.ANSWERS.get(name, answers.conclusion)(found)]
    return "\n\n".join([*parts, *([listed] if listed else [])]) + "\n"


def _networks(plan: Experiment) -> str:
    """Return the networks of an experiment, their initial weights and for how long they are trained."""
    each = plan.variants.values()
    networks = ("-".join(map(str, (784, *one.hidden, 10))) for one in each)
    activations = (one.activation for one in each)
    weights = (WEIGHTS[str(one.initializer)] for one in each)
    epochs = _either(str(one.epochs) for one in each)
    at_most = "" if all(one.patience == "off" for one in each) else "at most "
    return (
        f"Network: {_either(networks)}, {_either(activations)} hidden neurons; initial weights: {_either(weights)}; "
        f"epochs: {at_most}{epochs}."
    )


def _either(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _picture(name: str, title: str, folder: Path, pictures: Path, speeds: Sequence[Run]) -> str:
    """Copy the picture of an experiment, or draw the speeds of layers beside the book's.

    Returns its place as the page names it, "" if it was never drawn.
    """
    source, copy = folder / f"{PICTURES[name]}.png", pictures / f"{name}.png"
    if source.is_file():
        pictures.mkdir(parents=True, exist_ok=True)
        if speeds:
            write_whole(copy, answers.drawn_beside_the_book(speeds, title))
        else:
            shutil.copyfile(source, copy)
    return f"{pictures.name}/{copy.name}" if copy.is_file() else ""


def _table(found: Results) -> str:
    """Return the table of a comparison with a row for each variant."""
    (_, *names), *lines = cells(found.comparison)
    columns = {"variant": names} | {
        COLUMNS[name]: cells for what, *cells in lines if (name := what.strip()) in COLUMNS
    }
    validated = {f"validation after {EARLY} updates": found.early, "validation at the end": found.last}
    for when, figures in validated.items():
        if any(figures.values()):
            columns[when] = [spread(figures.get(name, {})) for name in names]
    rows = [list(columns), ["---", *["---:"] * (len(columns) - 1)], *zip(*columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
