"""What the page of a comparison is made from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from netlearn.runs import Run


@dataclass(frozen=True)
class Story:
    """A comparison as its page tells it.

    Attributes:
        title: of the comparison.
        groups: the runs of each variant; of many, first the best, the median and the worst, then the next best.
        left: how many variants were left out.
        conclusion, pairing: the sentences about them.
        table: lines of cells, the first with the names of the variants.
        ranked: whether the table has a line for each variant instead, below the names of the columns.
        problems: a line for each run that did not finish.
        commands: that repeat the comparison, each with what it does.
        config: the experiment as TOML; "" for runs that were not made by one experiment.
        environment: versions, processor and system.
        costs: the user's own costs, whose code may be imported.
    """

    title: str
    groups: Mapping[str, Sequence[Run]]
    left: int
    conclusion: str
    pairing: str
    table: Sequence[Sequence[str]]
    ranked: bool
    problems: Sequence[str]
    commands: Sequence[tuple[str, str]]
    config: str
    environment: Mapping[str, str | int | None]
    costs: Collection[str]
