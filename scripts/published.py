"""Published error rates of fully connected networks on MNIST, and ours: the last section of docs/cures.md."""

import statistics
from collections.abc import Mapping

from scripts.findings import Findings

NETWORKS = (  # network, source, error in %, and the experiment and variant of ours that is most like it
    ("300 hidden, squared error", "LeCun's table", "4.7", "", ""),
    ("500-300 hidden, softmax, cross-entropy, weight decay", "LeCun's table", "1.53", "", ""),
    ("800 hidden, cross-entropy", "Simard 2003", "1.6", "", ""),
    ("ReLU", "Hinton 2012", "1.60", "", ""),
    ("ReLU, dropout", "Hinton 2012", "about 1.10", "best", "dropout"),
    ("three layers of 1024, dropout, logistic", "Srivastava 2014", "1.35", "", ""),
    ("three layers of 1024, dropout, ReLU", "Srivastava 2014", "1.25", "best", "dropout"),
    ("three layers of 1024, dropout, ReLU, max-norm", "Srivastava 2014", "1.06", "best", "dropout"),
    ("800 hidden, elastic deformations, squared error", "Simard 2003", "0.9", "simard", "quadratic"),
    ("800 hidden, elastic deformations, cross-entropy", "Simard 2003", "0.7", "simard", "cross-entropy"),
    ("800-800 hidden, elastic deformations, ReLU", "", "", "best", "elastic"),
)


def section(found: Mapping[str, Findings]) -> str:
    """Return the section, with the errors of those experiments that are among the findings."""
    rows = [
        [network, source, error and f"{error} %", *_ours(found, name, variant)]
        for network, source, error, name, variant in NETWORKS
    ]
    lines = [["network", "source", "published", "ours", "lowest to highest seed", "variant"], ["---"] * 6, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"""## Published error rates on MNIST

Fully connected networks, errors on the test set. Ours are those of the nearest variant: it has its own number of
neurons and epochs, learns from 50,000 images, and takes 10,000 others to choose its weights and settings.

{table}
"""


def _ours(found: Mapping[str, Findings], name: str, variant: str) -> list[str]:
    errors = [100 * (1 - accuracy) for accuracy in found[name].test[variant].values()] if name in found else []
    if not errors:
        return ["not run yet" if name else "", "", f"`{name}`, {variant}" if name else ""]
    deviation = f" ± {statistics.stdev(errors):.2f}" if len(errors) > 1 else ""
    range_of = f"{min(errors):.2f} to {max(errors):.2f} %"
    return [f"{statistics.fmean(errors):.2f}{deviation} %", range_of, f"`{name}`, {variant}"]
