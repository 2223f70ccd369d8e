"""The analysis of a comparison, computed once from its runs and passed to the table, the pictures and the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from netlearn.comparison.claims import Claim, Family, Pair, claims_of, find_claims
from netlearn.comparison.conclusion import conclude
from netlearn.comparison.neuron import Neuron, conclude_neurons, neurons_of
from netlearn.comparison.statistics import Race, Row, group, pairing, race, summarize_all
from netlearn.runs import Groups, Run
from netlearn.runs.selection import MOST_SHOWN

MOST_TITLE = 80  # characters; the names of variants with more are in the legends
OF_NEURONS = "The result of a single neuron is its output, its cost and its gradient by epoch."


@dataclass(frozen=True)
class Analysis:
    """What the runs of a comparison show.

    Attributes:
        title: of the comparison.
        groups: the runs of each variant, in the order of the variants.
        rows: the figures of each variant over its seeds, in the same order.
        family: the tests of the differences between variants.
        pairs: the differences that they test.
        races: how often the fastest variant reached an accuracy before each of the others; a description.
        neurons: output, cost and gradient by epoch, where there is a single example to learn: no figure says more.
        sentences: the conclusion.
        pairing: whether runs with the same seed had the same weights and mini-batches, in words.
        caption: of the pictures: title, data, seeds and learning rates.
        unreadable: why other runs of the comparison could not be read.
    """

    title: str
    groups: Groups
    rows: tuple[Row, ...]
    family: Family
    pairs: tuple[Pair, ...]
    races: tuple[Race, ...]
    neurons: tuple[Neuron, ...]
    sentences: tuple[str, ...]
    pairing: str
    caption: str
    unreadable: tuple[str, ...] = ()

    @property
    def runs(self) -> list[Run]:
        """The runs, variant by variant."""
        return [run for runs in self.groups.values() for run in runs]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The differences that are claimed."""
        return claims_of(self.pairs)

    @property
    def conclusion(self) -> str:
        """The sentences of the conclusion as one text."""
        return " ".join(self.sentences)


def analyse(
    title: str, runs: Sequence[Run], *, baseline: str | None = None, look: int = 1, tuned: bool = False,
    unreadable: Sequence[str] = (),
) -> Analysis:  # fmt: skip
    """Return the analysis of the runs of a comparison.

    Args:
        title: of the comparison; "" to name the variants.
        runs: of all variants; runs with the same `variant` differ in their seeds only.
        baseline: the variant that the others are compared with; None to compare all with each other.
        look: 1, or more if seeds were added after the first conclusion.
        tuned: whether their learning rates were tuned.
        unreadable: why other runs could not be read.
    """
    groups = group(runs)
    rows = summarize_all(groups)
    neurons = neurons_of(groups)
    family, pairs = find_claims(groups, baseline if baseline in groups else None, look)
    if neurons:
        pairs = ()
    names = " against ".join(groups)
    title = title or (
        names if len(groups) <= MOST_SHOWN and len(names) <= MOST_TITLE else f"{len(groups):,} variants"
    )
    return Analysis(
        title=title,
        groups=groups,
        rows=rows,
        family=family,
        pairs=pairs,
        races=() if neurons else race(rows, groups),
        neurons=neurons,
        sentences=conclude_neurons(neurons) if neurons else conclude(rows, family, pairs),
        pairing=OF_NEURONS if neurons else pairing(runs),
        caption=caption(title, rows, tuned=tuned, noise=max(run.settings.label_noise for run in runs)),
        unreadable=tuple(unreadable),
    )


def caption(title: str, rows: Sequence[Row], *, tuned: bool = False, noise: float = 0.0) -> str:
    """Return the caption of a comparison's pictures: title, data, seeds, label noise and the one learning rate."""
    data = ", ".join(dict.fromkeys(row.data for row in rows))
    seeds = max(row.seeds for row in rows)
    facts = [data, f"{seeds} {'seed' if seeds == 1 else 'seeds'}"]
    if noise:
        facts.append(f"up to {100 * noise:g} % of training labels wrong")
    rates = {row.learning_rate for row in rows}
    if len(rates) == 1:
        facts.append(f"{'tuned ' if tuned else ''}η = {rates.pop():g}")
    elif tuned:
        facts.append("tuned η")
    return f"{title} ({', '.join(facts)})"
