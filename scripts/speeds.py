"""How fast each layer learns, beside the norms that the book recorded: a table of docs/cures.md."""

from collections.abc import Sequence

import numpy as np

from netlearn.comparison.statistics import group
from netlearn.runs import Run
from scripts.recorded import load

EPOCHS = 500


def beside_the_book(runs: Sequence[Run]) -> list[str]:
    """Return the speed of each hidden layer, first and last, as a table beside the book's, and what it shows.

    The book recorded the norms before each of 500 epochs, of networks whose seed is not known.
    """
    lines = [["hidden layers", "layer", "epoch 1", "the book", f"epoch {EPOCHS}", "the book", "in our range"]]
    lines += [["---:"] * len(lines[0])]
    inside, figures = 0, 0
    for members in group(runs).values():
        layers = len(members[0].settings.hidden)
        epochs = min(EPOCHS, members[0].settings.epochs)
        book = np.array(load(f"norms_during_training_{layers}_layers"))[:epochs]
        ours = np.array(
            [[run.metrics[f"speed_{layer}"][: len(book)] for layer in range(1, layers + 1)] for run in members]
        )
        for layer, (recorded, speeds) in enumerate(zip(book.T, ours.transpose(1, 0, 2), strict=True), start=1):
            within = (speeds.min(axis=0) <= recorded) & (recorded <= speeds.max(axis=0))
            inside, figures = inside + within.sum(), figures + within.size
            ends = (f"{figure:.2g}" for at in (0, -1) for figure in (speeds[:, at].mean(), recorded[at]))
            lines.append([str(layers), str(layer), *ends, f"{within.sum()} of {within.size}"])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = (
        "Speed is the norm of ∂C/∂b of a layer over the 1,000 images, ours the mean of the seeds. Of the "
        f"{figures:,} norms that the book recorded, one for each hidden layer and epoch, {inside:,} lie between our "
        "lowest and our highest seed; its runs are not seeded."
    )
    return [table, said]
